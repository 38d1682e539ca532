/* A regular expression as RE2 reads it, compiled for PCRE2 with bounds on its work (onnx/op_regex.c). */
#ifndef UC_OP_EXT_TEXT_RE2_H
#define UC_OP_EXT_TEXT_RE2_H

#include "op/op.h"

typedef struct uc_re2 {
    void *code;   /* pcre2_code */
    void *limits; /* pcre2_match_context */
} uc_re2;

/* Lives in call->arena. whole: only the whole of a text matches. Fails for what RE2 doesn't have. */
uncork_status uc_re2_new(uc_call *call, uc_str pattern, bool whole, uc_re2 *compiled);

#endif
