/* Python's expressions. Source: the Python language reference, chapter 6 (precedence as its last table
 * has it). */
#include "import/pytorch/script_parse.h"

/* ---- tools ----------------------------------------------------------------------------------- */

static uc_py_node dummy;

uc_py_node *uc_py_node_new(uc_py_parser *p, uc_py_kind kind)
{
    uc_py_node *n = p->failed ? NULL : UC_NEW(p->arena, uc_py_node, 1);
    if (!n) {
        p->failed = true;
        dummy = (uc_py_node){.kind = UC_PY_PASS};
        return &dummy;
    }
    n->kind = (uint8_t)kind;
    n->line = uc_py_peek(p)->line;
    p->node_count++;
    return n;
}

void uc_py_syntax(uc_py_parser *p, const char *what)
{
    if (!p->failed)
        uc_fail(p->error, UNCORK_MALFORMED, UC_NO_OFFSET, "%s:%u: %s", p->path, uc_py_peek(p)->line,
                what);
    p->failed = true;
}

void uc_py_push(uc_py_parser *p, uc_py_items *list, uc_py_node *node)
{
    if (p->failed) return;
    uc_py_node **grown =
        uc_arena_grow(p->arena, list->items, &list->capacity, list->count + 1, sizeof *grown);
    if (!grown) {
        p->failed = true;
        return;
    }
    list->items = grown;
    grown[list->count++] = node;
}

uc_py_block uc_py_block_of(const uc_py_items *list)
{
    return (uc_py_block){list->items, list->count};
}

bool uc_py_enter(uc_py_parser *p)
{
    if (p->depth >= UC_PY_DEPTH) {
        if (!p->failed)
            uc_fail(p->error, UNCORK_LIMIT, UC_NO_OFFSET, "%s:%u: the code nests too deep", p->path,
                    uc_py_peek(p)->line);
        p->failed = true;
        return false;
    }
    p->depth++;
    return !p->failed;
}

bool uc_py_is(const uc_py_parser *p, const char *text)
{
    const uc_py_token *t = uc_py_peek(p);
    return (t->kind == UC_PY_WORD || t->kind == UC_PY_MARK) && uc_str_is(t->text, text);
}

bool uc_py_accept(uc_py_parser *p, const char *text)
{
    if (p->failed || !uc_py_is(p, text)) return false;
    p->at++;
    return true;
}

void uc_py_expect(uc_py_parser *p, const char *text)
{
    if (uc_py_accept(p, text) || p->failed) return;
    const uc_py_token *t = uc_py_peek(p);
    uc_fail(p->error, UNCORK_MALFORMED, UC_NO_OFFSET, "%s:%u: '%s' expected, not '%.*s'", p->path,
            t->line, text, (int)(t->text.size < 40 ? t->text.size : 40), t->text.data);
    p->failed = true;
}

static bool is_keyword(uc_str s)
{
    static const char *const words[] = {
        "and",    "or",      "not",    "if",    "else",   "for",    "in",   "is",    "lambda",
        "def",    "class",   "return", "while", "import", "from",   "with", "as",    "try",
        "except", "finally", "raise",  "del",   "pass",   "assert", "elif", "break", "continue"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (uc_str_is(s, words[i])) return true;
    }
    return false;
}

const char *uc_py_name(uc_py_parser *p)
{
    const uc_py_token *t = uc_py_peek(p);
    if (p->failed) return "";
    if (t->kind != UC_PY_WORD || is_keyword(t->text)) {
        uc_py_syntax(p, "a name expected");
        return "";
    }
    p->at++;
    const char *name = uc_py_intern(p->names, t->text);
    if (!name) p->failed = true;
    return name ? name : "";
}

/* ---- brackets -------------------------------------------------------------------------------- */

static uc_py_node *unary(uc_py_parser *p);
static uc_py_node *binary(uc_py_parser *p, int level);

/* The for clauses of a comprehension, after its element. */
static uc_py_node *comprehension(uc_py_parser *p, uc_py_kind kind, uc_py_node *key,
                                 uc_py_node *value)
{
    uc_py_node *n = uc_py_node_new(p, kind);
    n->a = key;
    n->b = value;
    uc_py_items clauses = {0};
    while (!p->failed && uc_py_accept(p, "for")) {
        uc_py_node *c = uc_py_node_new(p, UC_PY_CLAUSE);
        c->a = uc_py_targets(p);
        uc_py_expect(p, "in");
        c->b = binary(p, 0);
        uc_py_items conditions = {0};
        while (!p->failed && uc_py_accept(p, "if"))
            uc_py_push(p, &conditions, binary(p, 0));
        c->list = uc_py_block_of(&conditions);
        uc_py_push(p, &clauses, c);
    }
    n->list = uc_py_block_of(&clauses);
    return n;
}

static uc_py_node *element(uc_py_parser *p)
{
    if (uc_py_is(p, "*")) {
        uc_py_node *n = uc_py_node_new(p, UC_PY_STAR);
        p->at++;
        n->a = binary(p, 4);
        return n;
    }
    return uc_py_expression(p);
}

/* Elements until the mark `end`, the first one given. */
static uc_py_block elements(uc_py_parser *p, uc_py_node *first, const char *end)
{
    uc_py_items list = {0};
    if (first) uc_py_push(p, &list, first);
    while (!p->failed && !uc_py_is(p, end)) {
        if (list.count > 0) uc_py_expect(p, ",");
        if (p->failed || uc_py_is(p, end)) break;
        uc_py_push(p, &list, element(p));
    }
    uc_py_expect(p, end);
    return uc_py_block_of(&list);
}

static uc_py_node *parenthesis(uc_py_parser *p)
{
    uc_py_node *tuple = uc_py_node_new(p, UC_PY_TUPLE);
    p->at++;
    if (uc_py_accept(p, ")")) return tuple;
    if (uc_py_is(p, "yield")) uc_py_syntax(p, "yield isn't supported");
    uc_py_node *first = element(p);
    if (uc_py_is(p, "for")) {
        first = comprehension(p, UC_PY_GENERATOR, first, NULL);
    } else if (uc_py_is(p, ",")) {
        tuple->list = elements(p, first, ")");
        return tuple;
    }
    uc_py_expect(p, ")");
    return first;
}

static uc_py_node *list_display(uc_py_parser *p)
{
    uc_py_node *list = uc_py_node_new(p, UC_PY_LIST);
    p->at++;
    if (uc_py_accept(p, "]")) return list;
    uc_py_node *first = element(p);
    if (uc_py_is(p, "for")) {
        first = comprehension(p, UC_PY_LISTCOMP, first, NULL);
        uc_py_expect(p, "]");
        return first;
    }
    list->list = elements(p, first, "]");
    return list;
}

static uc_py_node *dict_display(uc_py_parser *p)
{
    uc_py_node *n = uc_py_node_new(p, UC_PY_DICT);
    p->at++;
    uc_py_items list = {0};
    bool set = false;
    while (!p->failed && !uc_py_is(p, "}")) {
        if (uc_py_is(p, "**")) {
            uc_py_node *stars = uc_py_node_new(p, UC_PY_STARS);
            p->at++;
            stars->a = binary(p, 4);
            uc_py_push(p, &list, stars);
            uc_py_push(p, &list, NULL);
        } else {
            uc_py_node *key = element(p);
            uc_py_node *value = NULL;
            if (uc_py_accept(p, ":")) {
                value = uc_py_expression(p);
            } else {
                set = true;
            }
            if (uc_py_is(p, "for")) {
                n = comprehension(p, value ? UC_PY_DICTCOMP : UC_PY_SETCOMP, key, value);
                uc_py_expect(p, "}");
                return n;
            }
            uc_py_push(p, &list, key);
            if (value || !set) uc_py_push(p, &list, value);
        }
        if (!uc_py_is(p, "}")) uc_py_expect(p, ",");
    }
    uc_py_expect(p, "}");
    if (set) n->kind = UC_PY_SET;
    n->list = uc_py_block_of(&list);
    if (!set && list.count % 2) uc_py_syntax(p, "a dict's keys and values don't pair");
    return n;
}

/* ---- strings --------------------------------------------------------------------------------- */

/* Splits f"..." into parts; a field's conversion is left out, its format kept as text. */
static void template_parts(uc_py_parser *p, uc_str s, uint32_t line, uc_py_items *list)
{
    size_t i = 0, n = 0;
    char *plain = uc_arena_alloc(p->arena, s.size + 1, 1);
    while (plain && i < s.size && !p->failed) {
        const char c = s.data[i];
        if ((c == '{' || c == '}') && i + 1 < s.size && s.data[i + 1] == c) {
            plain[n++] = c;
            i += 2;
            continue;
        }
        if (c != '{') {
            plain[n++] = c;
            i++;
            continue;
        }
        if (n > 0) {
            uc_py_node *t = uc_py_node_new(p, UC_PY_TEXT);
            t->text = (uc_str){uc_arena_copy(p->arena, plain, n), n};
            uc_py_push(p, list, t);
            n = 0;
        }
        size_t end = ++i, format = 0;
        int depth = 0;
        for (; end < s.size && (depth > 0 || s.data[end] != '}'); end++) {
            if (strchr("([{", s.data[end])) depth++;
            if (strchr(")]}", s.data[end])) depth--;
            if (depth == 0 && !format &&
                (s.data[end] == ':' ||
                 (s.data[end] == '!' && end + 1 < s.size && s.data[end + 1] != '=')))
                format = end;
        }
        const size_t stop = format ? format : end;
        uc_str inner = {s.data + i, stop - i};
        if (inner.size > 0 && inner.data[inner.size - 1] == '=') inner.size--;
        uc_py_node *field = uc_py_node_new(p, UC_PY_FIELD);
        field->a = uc_py_parse_expression(inner, p->path, line, p->names, p->depth, p->error);
        if (!field->a) p->failed = true;
        if (format && format + 1 < end) field->text = (uc_str){s.data + format, end - format};
        uc_py_push(p, list, field);
        i = end + 1;
    }
    if (plain && n > 0) {
        uc_py_node *t = uc_py_node_new(p, UC_PY_TEXT);
        t->text = (uc_str){uc_arena_copy(p->arena, plain, n), n};
        uc_py_push(p, list, t);
    }
}

/* Strings in a row are one. */
static uc_py_node *strings(uc_py_parser *p)
{
    uc_py_node *n = uc_py_node_new(p, UC_PY_TEXT);
    uc_py_items parts = {0};
    bool template = false;
    while (!p->failed) {
        const uc_py_token *t = uc_py_peek(p);
        if (t->kind == UC_PY_TEMPLATE) {
            template = true;
            if (!uc_py_enter(p)) break;
            template_parts(p, t->text, t->line, &parts);
            p->depth--;
        } else if (t->kind == UC_PY_STRING) {
            uc_py_node *part = uc_py_node_new(p, UC_PY_TEXT);
            part->text = t->text;
            uc_py_push(p, &parts, part);
        } else {
            break;
        }
        p->at++;
    }
    if (template) {
        n->kind = UC_PY_FORMAT;
        n->list = uc_py_block_of(&parts);
        return n;
    }
    size_t size = 0;
    for (size_t i = 0; i < parts.count; i++)
        size += parts.items[i]->text.size;
    if (parts.count == 1) {
        n->text = parts.items[0]->text;
        return n;
    }
    char *joined = uc_arena_alloc(p->arena, size + 1, 1);
    size_t at = 0;
    for (size_t i = 0; joined && i < parts.count; i++) {
        const uc_str s = parts.items[i]->text;
        if (s.size > 0) memcpy(joined + at, s.data, s.size);
        at += s.size;
    }
    n->text = (uc_str){joined, joined ? size : 0};
    return n;
}

/* ---- atoms and what follows them ------------------------------------------------------------- */

static uc_py_node *word(uc_py_parser *p)
{
    static const struct {
        const char *text;
        uc_py_kind kind;
    } known[] = {{"True", UC_PY_TRUE}, {"False", UC_PY_FALSE}, {"None", UC_PY_NONE}};
    for (size_t i = 0; i < 3; i++) {
        if (uc_py_is(p, known[i].text)) {
            uc_py_node *n = uc_py_node_new(p, known[i].kind);
            p->at++;
            return n;
        }
    }
    uc_py_node *n = uc_py_node_new(p, UC_PY_NAME);
    n->name = uc_py_name(p);
    return n;
}

static uc_py_node *atom(uc_py_parser *p)
{
    const uc_py_token *t = uc_py_peek(p);
    uc_py_node *n;
    switch ((int)t->kind) {
    case UC_PY_WORD: return word(p);
    case UC_PY_STRING:
    case UC_PY_TEMPLATE: return strings(p);
    case UC_PY_INTEGER:
        n = uc_py_node_new(p, UC_PY_INT);
        n->i = t->integer;
        p->at++;
        return n;
    case UC_PY_NUMBER:
    case UC_PY_IMAGINARY:
        n = uc_py_node_new(p, t->kind == UC_PY_NUMBER ? UC_PY_FLOAT : UC_PY_COMPLEX);
        n->f = t->number;
        p->at++;
        return n;
    case UC_PY_MARK:
        if (uc_py_is(p, "(")) return parenthesis(p);
        if (uc_py_is(p, "[")) return list_display(p);
        if (uc_py_is(p, "{")) return dict_display(p);
        if (uc_py_is(p, "...")) {
            n = uc_py_node_new(p, UC_PY_DOTS);
            p->at++;
            return n;
        }
        break;
    default: break;
    }
    uc_py_syntax(p, "an expression expected");
    return uc_py_node_new(p, UC_PY_NONE);
}

void uc_py_arguments(uc_py_parser *p, uc_py_node *call)
{
    uc_py_items list = {0};
    while (!p->failed && !uc_py_is(p, ")")) {
        uc_py_node *arg;
        const uc_py_token *t = uc_py_peek(p);
        const uc_py_token *next = t->kind == UC_PY_END ? t : t + 1;
        if (uc_py_is(p, "**")) {
            arg = uc_py_node_new(p, UC_PY_STARS);
            p->at++;
            arg->a = uc_py_expression(p);
        } else if (t->kind == UC_PY_WORD && next->kind == UC_PY_MARK &&
                   uc_str_is(next->text, "=")) {
            arg = uc_py_node_new(p, UC_PY_KEYWORD);
            arg->name = uc_py_intern(p->names, t->text); /* TorchScript has keywords named `self` */
            p->at += 2;
            arg->a = uc_py_expression(p);
        } else {
            arg = element(p);
            if (uc_py_is(p, "for")) arg = comprehension(p, UC_PY_GENERATOR, arg, NULL);
        }
        uc_py_push(p, &list, arg);
        if (!uc_py_is(p, ")")) uc_py_expect(p, ",");
    }
    uc_py_expect(p, ")");
    call->list = uc_py_block_of(&list);
}

/* One index: an expression or a slice. */
static uc_py_node *subscript(uc_py_parser *p)
{
    uc_py_node *first = uc_py_is(p, ":") ? NULL : element(p);
    if (!uc_py_is(p, ":")) return first;
    uc_py_node *n = uc_py_node_new(p, UC_PY_SLICE);
    n->a = first;
    p->at++;
    if (!uc_py_is(p, ":") && !uc_py_is(p, "]") && !uc_py_is(p, ",")) n->b = uc_py_expression(p);
    if (uc_py_accept(p, ":") && !uc_py_is(p, "]") && !uc_py_is(p, ",")) n->c = uc_py_expression(p);
    return n;
}

static uc_py_node *subscripts(uc_py_parser *p)
{
    uc_py_node *first = subscript(p);
    if (!uc_py_is(p, ",")) return first;
    uc_py_node *tuple = uc_py_node_new(p, UC_PY_TUPLE);
    uc_py_items list = {0};
    uc_py_push(p, &list, first);
    while (uc_py_accept(p, ",") && !uc_py_is(p, "]"))
        uc_py_push(p, &list, subscript(p));
    tuple->list = uc_py_block_of(&list);
    return tuple;
}

/* Trailers make a chain as long as the text, which evaluation would walk by recursion. */
static uc_py_node *postfix(uc_py_parser *p)
{
    uc_py_node *n = atom(p);
    int chain = 0;
    while (!p->failed) {
        uc_py_node *outer;
        if (uc_py_is(p, ".")) {
            outer = uc_py_node_new(p, UC_PY_ATTR);
            p->at++;
            const uc_py_token *t = uc_py_peek(p);
            if (t->kind != UC_PY_WORD) uc_py_syntax(p, "a name expected after '.'");
            if (p->failed) break;
            outer->name = uc_py_intern(p->names, t->text);
            p->at++;
        } else if (uc_py_is(p, "(")) {
            outer = uc_py_node_new(p, UC_PY_CALL);
            p->at++;
            uc_py_arguments(p, outer);
        } else if (uc_py_is(p, "[")) {
            outer = uc_py_node_new(p, UC_PY_INDEX);
            p->at++;
            outer->b = subscripts(p);
            uc_py_expect(p, "]");
        } else {
            break;
        }
        outer->a = n;
        n = outer;
        if (++chain > UC_PY_DEPTH) uc_py_syntax(p, "an expression is too long a chain");
    }
    return n;
}

/* ---- operators ------------------------------------------------------------------------------- */

typedef struct operator
{
    const char *text;
    int level;
    uc_py_op op;
}
operator;

/* Levels: 4 |, 5 ^, 6 &, 7 shifts, 8 sums, 9 products. */
static const operator operators[] = {
    {"|", 4, UC_PY_OR},   {"^", 5, UC_PY_XOR},       {"&", 6, UC_PY_AND}, {"<<", 7, UC_PY_SHL},
    {">>", 7, UC_PY_SHR}, {"+", 8, UC_PY_ADD},       {"-", 8, UC_PY_SUB}, {"*", 9, UC_PY_MUL},
    {"/", 9, UC_PY_DIV},  {"//", 9, UC_PY_FLOORDIV}, {"%", 9, UC_PY_MOD}, {"@", 9, UC_PY_MATMUL},
};

static uc_py_node *power(uc_py_parser *p)
{
    if (uc_py_is(p, "await")) uc_py_syntax(p, "await isn't supported");
    uc_py_node *base = postfix(p);
    if (!uc_py_is(p, "**")) return base;
    uc_py_node *n = uc_py_node_new(p, UC_PY_BINARY);
    n->op = UC_PY_POW;
    p->at++;
    n->a = base;
    n->b = unary(p);
    return n;
}

static uc_py_node *unary(uc_py_parser *p)
{
    static const struct {
        const char *text;
        uc_py_op op;
    } signs[] = {{"-", UC_PY_NEG}, {"+", UC_PY_POS}, {"~", UC_PY_INVERT}};
    for (size_t i = 0; i < 3; i++) {
        if (!uc_py_is(p, signs[i].text)) continue;
        uc_py_node *n = uc_py_node_new(p, UC_PY_UNARY);
        n->op = (uint8_t)signs[i].op;
        p->at++;
        if (!uc_py_enter(p)) return n;
        n->a = unary(p);
        p->depth--;
        if (n->op == UC_PY_NEG && n->a->kind == UC_PY_INT) {
            n->a->i = -n->a->i;
            return n->a;
        }
        if (n->op == UC_PY_NEG && n->a->kind == UC_PY_FLOAT) {
            n->a->f = -n->a->f;
            return n->a;
        }
        return n;
    }
    return power(p);
}

/* A comparison's operator at the cursor, passed over; -1: none. */
static int comparison(uc_py_parser *p)
{
    static const struct {
        const char *text;
        uc_py_op op;
    } marks[] = {{"==", UC_PY_EQ}, {"!=", UC_PY_NE}, {"<", UC_PY_LT},
                 {"<=", UC_PY_LE}, {">", UC_PY_GT},  {">=", UC_PY_GE}};
    for (size_t i = 0; i < 6; i++) {
        if (uc_py_accept(p, marks[i].text)) return (int)marks[i].op;
    }
    if (uc_py_accept(p, "in")) return UC_PY_IN;
    if (uc_py_accept(p, "is")) return uc_py_accept(p, "not") ? UC_PY_IS_NOT : UC_PY_IS;
    const uc_py_token *t = uc_py_peek(p);
    if (uc_py_is(p, "not") && t[1].kind == UC_PY_WORD && uc_str_is(t[1].text, "in")) {
        p->at += 2;
        return UC_PY_NOT_IN;
    }
    return -1;
}

static uc_py_node *compare(uc_py_parser *p)
{
    uc_py_node *left = binary(p, 4);
    uc_py_items list = {0};
    uc_py_node *n = NULL;
    while (!p->failed) {
        const int op = comparison(p);
        if (op < 0) break;
        if (!n) n = uc_py_node_new(p, UC_PY_COMPARE);
        uc_py_node *next = uc_py_node_new(p, UC_PY_NEXT);
        next->op = (uint8_t)op;
        next->a = binary(p, 4);
        uc_py_push(p, &list, next);
    }
    if (!n) return left;
    n->a = left;
    n->list = uc_py_block_of(&list);
    return n;
}

/* Left-leaning chains are as deep as the text is long: their length is bounded like nesting, and only
 * evaluation recurs on them. */
static uc_py_node *left_chain(uc_py_parser *p, int level)
{
    uc_py_node *left = level == 9 ? unary(p) : binary(p, level + 1);
    for (int chain = 0; !p->failed; chain++) {
        const operator* found = NULL;
        for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
            if (operators[i].level == level && uc_py_is(p, operators[i].text))
                found = &operators[i];
        }
        if (!found) break;
        uc_py_node *n = uc_py_node_new(p, UC_PY_BINARY);
        n->op = (uint8_t)found->op;
        p->at++;
        n->a = left;
        n->b = level == 9 ? unary(p) : binary(p, level + 1);
        left = n;
        if (chain > UC_PY_DEPTH * 4) uc_py_syntax(p, "an expression is too long");
    }
    return left;
}

/* Levels: 0 or, 1 and, 2 not, 3 comparisons, then as `operators`. */
static uc_py_node *binary(uc_py_parser *p, int level)
{
    if (level >= 4) return left_chain(p, level);
    if (level == 3) return compare(p);
    if (level == 2) {
        if (!uc_py_is(p, "not")) return compare(p);
        uc_py_node *n = uc_py_node_new(p, UC_PY_UNARY);
        n->op = UC_PY_NOT;
        p->at++;
        if (!uc_py_enter(p)) return n;
        n->a = binary(p, 2);
        p->depth--;
        return n;
    }
    uc_py_node *left = binary(p, level + 1);
    for (int chain = 0; uc_py_is(p, level ? "and" : "or") && !p->failed; chain++) {
        uc_py_node *n = uc_py_node_new(p, level ? UC_PY_BOTH : UC_PY_EITHER);
        p->at++;
        n->a = left;
        n->b = binary(p, level + 1);
        left = n;
        if (chain > UC_PY_DEPTH * 4) uc_py_syntax(p, "an expression is too long");
    }
    return left;
}

/* ---- whole expressions ----------------------------------------------------------------------- */

void uc_py_parameters(uc_py_parser *p, uc_py_node *owner, const char *end)
{
    size_t capacity = 0;
    bool keyword_only = false;
    const bool annotated = strcmp(end, ")") == 0;
    while (!p->failed && !uc_py_is(p, end)) {
        uc_py_param param = {.keyword_only = keyword_only};
        if (uc_py_accept(p, "**")) {
            param.stars = 2;
        } else if (uc_py_accept(p, "*")) {
            keyword_only = true;
            param.stars = 1;
        }
        const bool bare = param.stars == 1 && (uc_py_is(p, ",") || uc_py_is(p, end));
        if (uc_py_accept(p, "/") || bare) {
            if (!uc_py_is(p, end)) uc_py_expect(p, ",");
            continue;
        }
        param.name = uc_py_name(p);
        if (annotated && uc_py_accept(p, ":")) param.annotation = uc_py_expression(p);
        if (uc_py_accept(p, "=")) param.fallback = uc_py_expression(p);
        uc_py_param *grown = uc_arena_grow(p->arena, owner->params, &capacity,
                                           owner->param_count + 1, sizeof *grown);
        if (!grown) p->failed = true;
        if (p->failed) return;
        owner->params = grown;
        grown[owner->param_count++] = param;
        if (!uc_py_is(p, end)) uc_py_expect(p, ",");
    }
}

static uc_py_node *expression(uc_py_parser *p)
{
    if (uc_py_is(p, "lambda")) {
        uc_py_node *n = uc_py_node_new(p, UC_PY_LAMBDA);
        p->at++;
        uc_py_parameters(p, n, ":");
        uc_py_expect(p, ":");
        n->a = uc_py_expression(p);
        return n;
    }
    uc_py_node *value = binary(p, 0);
    if (value->kind == UC_PY_NAME && uc_py_is(p, ":=")) {
        uc_py_node *n = uc_py_node_new(p, UC_PY_WALRUS);
        p->at++;
        n->name = value->name;
        n->a = uc_py_expression(p);
        return n;
    }
    if (!uc_py_is(p, "if")) return value;
    uc_py_node *n = uc_py_node_new(p, UC_PY_TERNARY);
    p->at++;
    n->a = value;
    n->b = binary(p, 0);
    uc_py_expect(p, "else");
    n->c = uc_py_expression(p);
    return n;
}

uc_py_node *uc_py_expression(uc_py_parser *p)
{
    if (!uc_py_enter(p)) return uc_py_node_new(p, UC_PY_NONE);
    uc_py_node *n = expression(p);
    p->depth--;
    return n;
}

/* What ends a list of expressions without brackets. */
static bool at_end(const uc_py_parser *p)
{
    static const char *const ends[] = {"=", ")", "]", "}", ":", ";"};
    const uc_py_token *t = uc_py_peek(p);
    if (t->kind == UC_PY_NEWLINE || t->kind == UC_PY_END) return true;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (uc_py_is(p, ends[i])) return true;
    }
    return uc_py_is(p, "in");
}

static uc_py_node *comma_list(uc_py_parser *p, uc_py_node *(*one)(uc_py_parser *p))
{
    uc_py_node *first = one(p);
    if (!uc_py_is(p, ",")) return first;
    uc_py_node *tuple = uc_py_node_new(p, UC_PY_TUPLE);
    uc_py_items list = {0};
    uc_py_push(p, &list, first);
    while (uc_py_accept(p, ",") && !at_end(p))
        uc_py_push(p, &list, one(p));
    tuple->list = uc_py_block_of(&list);
    return tuple;
}

uc_py_node *uc_py_expressions(uc_py_parser *p) { return comma_list(p, element); }

static uc_py_node *target(uc_py_parser *p)
{
    if (uc_py_is(p, "*")) return element(p);
    return postfix(p);
}

uc_py_node *uc_py_targets(uc_py_parser *p) { return comma_list(p, target); }

uc_py_node *uc_py_parse_expression(uc_str text, const char *path, uint32_t line, uc_py_names *names,
                                   int depth, uncork_error *error)
{
    size_t count = 0;
    char *wrapped = text.size > 100000 ? NULL : uc_arena_alloc(names->arena, text.size + 2, 1);
    if (!wrapped) return NULL;
    wrapped[0] = '('; /* lines may end inside; the text may hold any byte */
    memcpy(wrapped + 1, text.data, text.size);
    wrapped[text.size + 1] = ')';
    uc_py_token *tokens = uc_py_lex((uc_bytes){(const uint8_t *)wrapped, text.size + 2}, path,
                                    names->arena, &count, error);
    if (!tokens) return NULL;
    for (size_t i = 0; i < count; i++)
        tokens[i].line = line;
    uc_py_parser p = {.tokens = tokens,
                      .path = path,
                      .names = names,
                      .arena = names->arena,
                      .error = error,
                      .depth = depth};
    uc_py_node *n = uc_py_expressions(&p);
    if (!p.failed && uc_py_peek(&p)->kind != UC_PY_NEWLINE)
        uc_py_syntax(&p, "text after an f-string's field");
    return p.failed ? NULL : n;
}
