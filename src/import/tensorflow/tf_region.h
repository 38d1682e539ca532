/* Regions: a part of the graph that becomes a body of If or Loop, and what it takes from around it. */
#ifndef UC_IMPORT_TENSORFLOW_TF_REGION_H
#define UC_IMPORT_TENSORFLOW_TF_REGION_H

#include "import/tensorflow/tf_control.h"

/* `from` in the graph around is `to` in the body. */
typedef struct uc_tf_capture {
    uc_ref from, to;
} uc_tf_capture;

typedef struct uc_tf_region {
    uc_tf_call *call;   /* the node that becomes the operator */
    uc_tf_build *outer; /* the graph around */
    uc_tf_build *inner; /* the body's; the same as `outer`: no body, everything is at hand */
    uc_tf_build body;
    uc_tf_capture *captures;
    size_t count, capacity;
} uc_tf_region;

/* A region that becomes a body. False after a failure. Close it in any case. */
bool uc_tf_region_open(uc_tf_region *r, uc_tf_call *c);
/* A region that stays where the node is. */
void uc_tf_region_here(uc_tf_region *r, uc_tf_call *c);
/* A failure of the body is one of the graph around. */
void uc_tf_region_close(uc_tf_region *r);

/* A value of the graph around as one of the body; constants are made again. */
uc_tf_value uc_tf_region_take(uc_tf_region *r, const uc_tf_value *v);
uc_ref uc_tf_region_take_ref(uc_tf_region *r, uc_ref ref);
/* What a ref of the body is in the graph around; 0: the body made it. */
uc_ref uc_tf_region_given(const uc_tf_region *r, uc_ref ref);
/* The inputs of the body become `formal` and then the captures. */
void uc_tf_region_order(uc_tf_region *r, const uc_ref *formal, size_t count);
/* An operator over the region's body: `in` and then the captures. */
uc_node *uc_tf_region_node(uc_tf_region *r, const char *op, const uc_ref *in, size_t count,
                           size_t outputs);
/* A formal input like a value of the graph around (its type and shape as known). */
uc_ref uc_tf_region_input(uc_tf_region *r, const char *name, const uc_value *type);

/* The tensor of a value in a build's graph as a bool or an integer of rank 0. */
uc_ref uc_tf_scalar_of(uc_tf_build *b, const uc_tf_value *v);
/* What is known of the one element of a ref, as an integer. */
bool uc_tf_known_ref(uc_tf_build *b, uc_ref ref, int64_t *v);
uc_ref uc_tf_true(uc_graph *g);

#endif
