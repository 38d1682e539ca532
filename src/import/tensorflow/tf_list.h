/* Lists of tensors: TensorList handles and TensorArray flows. */
#ifndef UC_IMPORT_TENSORFLOW_TF_LIST_H
#define UC_IMPORT_TENSORFLOW_TF_LIST_H

#include "import/tensorflow/tf_region.h"

typedef enum uc_tf_list_form {
    UC_TF_LIST_EMPTY,   /* ref: int64, how many items; none is written */
    UC_TF_LIST_STACK,   /* ref: the items along axis 0 of a tensor */
    UC_TF_LIST_ITEMS,   /* ref: a sequence */
    UC_TF_LIST_CARRIED, /* what a loop's variable is at the start of an iteration; no ref yet */
    UC_TF_LIST_WRITTEN, /* a carried one with one item written */
} uc_tf_list_form;

struct uc_tf_loop;

/* Never changed once made. */
typedef struct uc_tf_list {
    uc_tf_list_form form;
    uncork_dtype dtype;
    int rank;      /* of an item; -1: unknown */
    int64_t *dims; /* -1: free */
    bool grows;    /* writing beyond the end makes it longer */
    uc_ref ref;
    struct uc_tf_loop *loop; /* CARRIED, WRITTEN: whose variable `variable` */
    size_t variable;
    uc_ref at, item; /* WRITTEN */
} uc_tf_list;

/* A list in another form, of the same type; NULL after a failure. */
uc_tf_list *uc_tf_list_like(uc_graph *g, const uc_tf_list *like, uc_tf_list_form form, uc_ref ref);
uc_tf_value uc_tf_list_value(uc_tf_list *list); /* NOTHING of NULL */
/* As a sequence in b's graph. */
uc_ref uc_tf_list_items(uc_tf_build *b, const uc_tf_list *list);
/* A carried or written one becomes a sequence; others stay. */
const uc_tf_list *uc_tf_list_settle(uc_tf_build *b, const uc_tf_list *list);
uc_tf_value uc_tf_list_take(uc_tf_region *r, const uc_tf_value *v);
/* The shape of an item as a constant for uncork.ListGet and ListStack; 0: nothing is known. */
uc_ref uc_tf_list_shape(uc_graph *g, const uc_tf_list *list);
/* The items side by side; `shape` of an item as the op says it, 0: it doesn't. */
uc_ref uc_tf_list_stack(uc_tf_build *b, const uc_tf_list *list, uc_ref shape);
uc_ref uc_tf_list_length(uc_tf_build *b, const uc_tf_list *list); /* int64 */
/* Whether the lists of the body that call c is of are read as stacks, so that their items have one shape. */
bool uc_tf_list_of_one_shape(const uc_tf_call *c);

#endif
