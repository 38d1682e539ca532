/* What the two halves of the parser share. */
#ifndef UC_IMPORT_PYTORCH_SCRIPT_PARSE_H
#define UC_IMPORT_PYTORCH_SCRIPT_PARSE_H

#include "import/pytorch/script_syntax.h"

/* Expressions and blocks within each other: real code stays below 30. */
#define UC_PY_DEPTH 200

typedef struct uc_py_parser {
    const uc_py_token *tokens; /* ended by END, which is never passed */
    size_t at;
    const char *path;
    uc_py_names *names;
    uc_arena *arena;
    uc_budget *budget;
    uncork_error *error;
    size_t node_count;
    int depth;
    bool failed;
} uc_py_parser;

/* A growing list of nodes. */
typedef struct uc_py_items {
    uc_py_node **items;
    size_t count, capacity;
} uc_py_items;

/* Never NULL: a static dummy after a failure. */
uc_py_node *uc_py_node_new(uc_py_parser *p, uc_py_kind kind);
void uc_py_syntax(uc_py_parser *p, const char *what);
void uc_py_push(uc_py_parser *p, uc_py_items *list, uc_py_node *node);
uc_py_block uc_py_block_of(const uc_py_items *list);
bool uc_py_enter(uc_py_parser *p);

static inline const uc_py_token *uc_py_peek(const uc_py_parser *p) { return &p->tokens[p->at]; }
bool uc_py_is(const uc_py_parser *p, const char *text); /* a word or mark */
bool uc_py_accept(uc_py_parser *p, const char *text);
void uc_py_expect(uc_py_parser *p, const char *text);
const char *uc_py_name(uc_py_parser *p);

uc_py_node *uc_py_expression(uc_py_parser *p);  /* one, with ternary and lambda */
uc_py_node *uc_py_expressions(uc_py_parser *p); /* a, b, ...: a tuple where there is a comma */
uc_py_node *uc_py_targets(uc_py_parser *p);     /* of for: no `in` among them */
void uc_py_arguments(uc_py_parser *p, uc_py_node *call); /* after "(" */
/* Parameters until the mark `end`, which stays. */
void uc_py_parameters(uc_py_parser *p, uc_py_node *owner, const char *end);

#endif
