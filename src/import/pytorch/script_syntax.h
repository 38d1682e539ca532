/* Python text as a tree: the subset that TorchScript archives store and that model definitions use.
 * Nothing is executed here; names are interned, so equal names are equal pointers. */
#ifndef UC_IMPORT_PYTORCH_SCRIPT_SYNTAX_H
#define UC_IMPORT_PYTORCH_SCRIPT_SYNTAX_H

#include "base/budget.h"
#include "base/table.h"

typedef enum uc_py_token_kind {
    UC_PY_END,
    UC_PY_NEWLINE,
    UC_PY_INDENT,
    UC_PY_DEDENT,
    UC_PY_WORD,    /* names and keywords */
    UC_PY_INTEGER, /* integer */
    UC_PY_NUMBER,  /* number */
    UC_PY_IMAGINARY,
    UC_PY_STRING,   /* text, escapes undone */
    UC_PY_TEMPLATE, /* f"...": text as written between the quotes */
    UC_PY_MARK,     /* operators and brackets: text */
} uc_py_token_kind;

typedef struct uc_py_token {
    uc_py_token_kind kind;
    uint32_t line;
    uc_str text;
    int64_t integer;
    double number;
} uc_py_token;

/* One for each operator of a tree; ternary order of binary ones doesn't matter. */
typedef enum uc_py_op {
    UC_PY_ADD,
    UC_PY_SUB,
    UC_PY_MUL,
    UC_PY_DIV,
    UC_PY_FLOORDIV,
    UC_PY_MOD,
    UC_PY_POW,
    UC_PY_MATMUL,
    UC_PY_AND, /* of bits */
    UC_PY_OR,
    UC_PY_XOR,
    UC_PY_SHL,
    UC_PY_SHR,
    UC_PY_EQ,
    UC_PY_NE,
    UC_PY_LT,
    UC_PY_LE,
    UC_PY_GT,
    UC_PY_GE,
    UC_PY_IS,
    UC_PY_IS_NOT,
    UC_PY_IN,
    UC_PY_NOT_IN,
    UC_PY_NEG,
    UC_PY_POS,
    UC_PY_INVERT,
    UC_PY_NOT,
} uc_py_op;

typedef enum uc_py_kind {
    /* expressions */
    UC_PY_NAME,    /* name */
    UC_PY_CONST,   /* token: integer, number, string; op 0/1/2/3 */
    UC_PY_INT,     /* i */
    UC_PY_FLOAT,   /* f */
    UC_PY_COMPLEX, /* f: imaginary part */
    UC_PY_TEXT,    /* text */
    UC_PY_FORMAT,  /* list: parts of an f-string; a FORMAT_FIELD has a (and text: the spec) */
    UC_PY_FIELD,
    UC_PY_TRUE,
    UC_PY_FALSE,
    UC_PY_NONE,
    UC_PY_DOTS,    /* ... */
    UC_PY_ATTR,    /* a.name */
    UC_PY_CALL,    /* a(list); KEYWORD, STAR and STARS among them */
    UC_PY_KEYWORD, /* name=a */
    UC_PY_STAR,    /* *a */
    UC_PY_STARS,   /* **a */
    UC_PY_INDEX,   /* a[b] */
    UC_PY_SLICE,   /* a:b:c, each may be NULL */
    UC_PY_LIST,    /* list */
    UC_PY_TUPLE,   /* list */
    UC_PY_SET,     /* list */
    UC_PY_DICT,    /* list: key, value, key, value; STARS, NULL */
    UC_PY_UNARY,   /* op a */
    UC_PY_BINARY,  /* a op b */
    UC_PY_BOTH,    /* a and b */
    UC_PY_EITHER,  /* a or b */
    UC_PY_COMPARE, /* a, then list of COMPARE_NEXT {op, a} */
    UC_PY_NEXT,
    UC_PY_TERNARY,  /* a if b else c */
    UC_PY_LAMBDA,   /* params, a */
    UC_PY_LISTCOMP, /* a for list of CLAUSE */
    UC_PY_SETCOMP,
    UC_PY_GENERATOR,
    UC_PY_DICTCOMP, /* a: b for ... */
    UC_PY_CLAUSE,   /* for a in b, list: conditions */
    UC_PY_WALRUS,   /* name := a */
    /* statements */
    UC_PY_EXPR,     /* a */
    UC_PY_ASSIGN,   /* list: targets; a: value */
    UC_PY_AUGMENT,  /* a op= b */
    UC_PY_ANNOTATE, /* a: b = c (c may be NULL) */
    UC_PY_RETURN,   /* a or NULL */
    UC_PY_IF,       /* a; body; other */
    UC_PY_FOR,      /* a in b; body; other */
    UC_PY_WHILE,    /* a; body; other */
    UC_PY_BREAK,
    UC_PY_CONTINUE,
    UC_PY_PASS,
    UC_PY_DEF,    /* name, params, body; list: decorators */
    UC_PY_CLASS,  /* name, list: bases (and KEYWORDs), body */
    UC_PY_IMPORT, /* list of ALIAS */
    UC_PY_FROM,   /* text: module, i: dots before it, list of ALIAS; none: * */
    UC_PY_ALIAS,  /* text, name (NULL: none) */
    UC_PY_ASSERT, /* a, b */
    UC_PY_RAISE,  /* a */
    UC_PY_WITH,   /* list: items a, with STAR-like CLAUSE {a: context, b: target}; body */
    UC_PY_TRY,    /* body; other: handlers' bodies are left out; c: finally as body */
    UC_PY_DELETE, /* list */
    UC_PY_GLOBAL, /* list of NAME */
} uc_py_kind;

typedef struct uc_py_node uc_py_node;

typedef struct uc_py_block {
    uc_py_node **items;
    size_t count;
} uc_py_block;

/* A parameter: kind 0 plain, 1 *args, 2 **kwargs; keyword_only after a star. */
typedef struct uc_py_param {
    const char *name;
    uc_py_node *annotation, *fallback;
    uint8_t stars;
    bool keyword_only;
} uc_py_param;

struct uc_py_node {
    uint8_t kind, op;
    uint32_t line;
    const char *name; /* interned */
    uc_str text;
    int64_t i;
    double f;
    uc_py_node *a, *b, *c;
    uc_py_block list, body, other;
    uc_py_param *params;
    size_t param_count;
};

/* A parsed file. */
typedef struct uc_py_source {
    const char *path; /* for messages */
    uc_bytes bytes;
    uc_py_block body;
    size_t node_count;
} uc_py_source;

/* Names of several sources; lives in the arena. */
typedef struct uc_py_names {
    uc_arena *arena;
    uc_table *table;
} uc_py_names;

bool uc_py_names_init(uc_py_names *names, uc_arena *arena);
/* The one pointer of equal names; NULL when memory is out. */
const char *uc_py_intern(uc_py_names *names, uc_str text);

/* The tokens of a text, ended by END; NULL after a failure. */
uc_py_token *uc_py_lex(uc_bytes text, const char *path, uc_arena *arena, size_t *count,
                       uncork_error *error);
/* Parses a file; fails MALFORMED with its line, LIMIT when it nests deeper than 200. */
uncork_status uc_py_parse(uc_bytes text, const char *path, uc_py_names *names, uc_budget *budget,
                          uc_py_source *source, uncork_error *error);
/* One expression from text (the fields of f-strings). */
uc_py_node *uc_py_parse_expression(uc_str text, const char *path, uint32_t line, uc_py_names *names,
                                   int depth, uncork_error *error);

#endif
