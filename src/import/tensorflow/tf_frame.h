/* Control flow of TensorFlow 1: what its Switch, Merge, Enter, Exit and NextIteration nodes mean together. */
#ifndef UC_IMPORT_TENSORFLOW_TF_FRAME_H
#define UC_IMPORT_TENSORFLOW_TF_FRAME_H

#include "import/tensorflow/tf_region.h"
#include "import/tensorflow/tf_scope.h"

/* Under which conditions a node is alive, innermost first. */
typedef struct uc_tf_guard {
    uc_tf_edge condition;
    bool branch;
    int depth;
    const struct uc_tf_guard *outer;
} uc_tf_guard;

/* A loop's variable: Enter, Merge, Switch, NextIteration and Exit in a ring. */
typedef struct uc_tf_frame_variable {
    int32_t enter, merge, next;
} uc_tf_frame_variable;

typedef struct uc_tf_frame {
    uc_str name;
    uc_tf_frame_variable *variables;
    size_t count, capacity;
    uc_tf_edge condition; /* LoopCond's; node < 0: none seen */
} uc_tf_frame;

typedef enum uc_tf_control_op {
    UC_TF_PLAIN,
    UC_TF_SWITCH,
    UC_TF_MERGE, /* of two branches */
    UC_TF_LOOP_MERGE,
    UC_TF_ENTER,
    UC_TF_EXIT,
} uc_tf_control_op;

/* What is known of node i of a body. */
typedef struct uc_tf_node_control {
    uc_tf_control_op op;
    const uc_tf_guard *guard;
    int32_t frame, variable; /* of ENTER, LOOP_MERGE, EXIT and a loop's SWITCH; -1: none */
    uc_tf_edge condition;    /* of MERGE and SWITCH; node -1: not found */
    int on_true;             /* MERGE: which input comes from the true branch */
    bool seen, done;
} uc_tf_node_control;

typedef struct uc_tf_frames {
    const uc_tf_body *body;
    uc_tf_node_control *nodes;
    uc_tf_frame *frames;
    size_t frame_count, frame_capacity;
} uc_tf_frames;

/* Of the body of a scope, found once; NULL: it has no such nodes, or a failure. */
const uc_tf_frames *uc_tf_frames_of(uc_tf_scope *s);

/* Where a scope over the same body stands: within an iteration of `frame`, or within a branch. */
struct uc_tf_inside {
    uc_tf_scope *outer;
    uc_tf_region *region;
    int32_t frame; /* -1: a branch of a condition */
    uc_tf_edge condition;
    bool branch;
};

bool uc_tf_guarded(const uc_tf_guard *guard, uc_tf_edge condition, bool branch);

#endif
