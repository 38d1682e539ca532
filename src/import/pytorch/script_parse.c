/* Python's statements. Source: the Python language reference, chapters 7 and 8. */
#include "import/pytorch/script_parse.h"

bool uc_py_names_init(uc_py_names *names, uc_arena *arena)
{
    names->arena = arena;
    names->table = uc_table_new(arena);
    return names->table != NULL;
}

const char *uc_py_intern(uc_py_names *names, uc_str text)
{
    char *found = uc_table_find(names->table, text);
    if (found) return found;
    char *copy = uc_arena_copy(names->arena, text.data, text.size);
    if (!copy || !uc_table_put(names->table, (uc_str){copy, text.size}, copy)) return NULL;
    return copy;
}

static void statement(uc_py_parser *p, uc_py_items *list);
static uc_py_block block(uc_py_parser *p);

static void end_of_line(uc_py_parser *p)
{
    if (p->failed || uc_py_accept(p, ";")) {
        if (uc_py_peek(p)->kind == UC_PY_NEWLINE) p->at++;
        return;
    }
    if (uc_py_peek(p)->kind == UC_PY_NEWLINE) {
        p->at++;
        return;
    }
    uc_py_syntax(p, "the line should end here");
}

/* ---- simple statements ----------------------------------------------------------------------- */

static bool augmented(uc_py_parser *p, uc_py_op *op)
{
    static const struct {
        const char *text;
        uc_py_op op;
    } marks[] = {{"+=", UC_PY_ADD},  {"-=", UC_PY_SUB},       {"*=", UC_PY_MUL},
                 {"/=", UC_PY_DIV},  {"//=", UC_PY_FLOORDIV}, {"%=", UC_PY_MOD},
                 {"**=", UC_PY_POW}, {"&=", UC_PY_AND},       {"|=", UC_PY_OR},
                 {"^=", UC_PY_XOR},  {"@=", UC_PY_MATMUL},    {"<<=", UC_PY_SHL},
                 {">>=", UC_PY_SHR}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        if (uc_py_accept(p, marks[i].text)) {
            *op = marks[i].op;
            return true;
        }
    }
    return false;
}

static uc_py_node *expression_statement(uc_py_parser *p)
{
    uc_py_node *n = uc_py_node_new(p, UC_PY_EXPR);
    if (uc_py_is(p, "yield")) uc_py_syntax(p, "yield isn't supported");
    n->a = uc_py_expressions(p);
    uc_py_op op;
    if (uc_py_is(p, "=")) {
        n->kind = UC_PY_ASSIGN;
        uc_py_items targets = {0};
        while (!p->failed && uc_py_accept(p, "=")) {
            uc_py_push(p, &targets, n->a);
            n->a = uc_py_expressions(p);
        }
        n->list = uc_py_block_of(&targets);
    } else if (uc_py_accept(p, ":")) {
        n->kind = UC_PY_ANNOTATE;
        n->b = uc_py_expression(p);
        if (uc_py_accept(p, "=")) n->c = uc_py_expressions(p);
    } else if (augmented(p, &op)) {
        n->kind = UC_PY_AUGMENT;
        n->op = (uint8_t)op;
        n->b = uc_py_expressions(p);
    }
    return n;
}

/* a.b.c as text. */
static uc_str dotted(uc_py_parser *p)
{
    const char *text = uc_py_name(p);
    while (!p->failed && uc_py_accept(p, ".")) {
        text = uc_arena_printf(p->arena, "%s.%s", text, uc_py_name(p));
        if (!text) p->failed = true;
    }
    return p->failed ? (uc_str){"", 0} : uc_str_of(text);
}

static void aliases(uc_py_parser *p, uc_py_node *n, bool bracket)
{
    uc_py_items list = {0};
    while (!p->failed && !(bracket && uc_py_is(p, ")"))) {
        uc_py_node *alias = uc_py_node_new(p, UC_PY_ALIAS);
        alias->text = dotted(p);
        if (uc_py_accept(p, "as")) alias->name = uc_py_name(p);
        uc_py_push(p, &list, alias);
        if (!uc_py_accept(p, ",")) break;
    }
    n->list = uc_py_block_of(&list);
}

static uc_py_node *import_statement(uc_py_parser *p)
{
    uc_py_node *n = uc_py_node_new(p, UC_PY_IMPORT);
    if (uc_py_accept(p, "import")) {
        aliases(p, n, false);
        return n;
    }
    p->at++;
    n->kind = UC_PY_FROM;
    while (uc_py_is(p, ".") || uc_py_is(p, "...")) {
        n->i += uc_py_is(p, ".") ? 1 : 3;
        p->at++;
    }
    if (!uc_py_is(p, "import")) n->text = dotted(p);
    uc_py_expect(p, "import");
    if (uc_py_accept(p, "*")) return n;
    const bool bracket = uc_py_accept(p, "(");
    aliases(p, n, bracket);
    if (bracket) uc_py_expect(p, ")");
    return n;
}

static uc_py_node *keyword_statement(uc_py_parser *p)
{
    static const struct {
        const char *word;
        uc_py_kind kind;
    } words[] = {{"pass", UC_PY_PASS},     {"break", UC_PY_BREAK},   {"continue", UC_PY_CONTINUE},
                 {"return", UC_PY_RETURN}, {"raise", UC_PY_RAISE},   {"assert", UC_PY_ASSERT},
                 {"del", UC_PY_DELETE},    {"global", UC_PY_GLOBAL}, {"nonlocal", UC_PY_GLOBAL}};
    uc_py_node *n = NULL;
    for (size_t i = 0; i < sizeof words / sizeof *words && !n; i++) {
        if (uc_py_is(p, words[i].word)) n = uc_py_node_new(p, words[i].kind);
    }
    if (!n) return NULL;
    p->at++;
    const bool ends = uc_py_peek(p)->kind == UC_PY_NEWLINE || uc_py_is(p, ";");
    switch ((int)n->kind) {
    case UC_PY_RETURN: n->a = ends ? NULL : uc_py_expressions(p); break;
    case UC_PY_RAISE:
        n->a = ends ? NULL : uc_py_expression(p);
        if (uc_py_accept(p, "from") || uc_py_accept(p, ",")) (void)uc_py_expression(p);
        break;
    case UC_PY_ASSERT:
        n->a = uc_py_expression(p);
        if (uc_py_accept(p, ",")) n->b = uc_py_expression(p);
        break;
    case UC_PY_DELETE:
    case UC_PY_GLOBAL: n->a = uc_py_expressions(p); break;
    default: break;
    }
    return n;
}

/* ---- compound statements --------------------------------------------------------------------- */

static uc_py_block block(uc_py_parser *p)
{
    uc_py_items list = {0};
    uc_py_expect(p, ":");
    if (!uc_py_enter(p)) return uc_py_block_of(&list);
    if (uc_py_peek(p)->kind != UC_PY_NEWLINE) {
        /* Statements on the line itself. */
        const uint32_t line = uc_py_peek(p)->line;
        do {
            statement(p, &list);
        } while (!p->failed && uc_py_peek(p)->line == line && uc_py_peek(p)->kind != UC_PY_DEDENT &&
                 uc_py_peek(p)->kind != UC_PY_END);
        p->depth--;
        return uc_py_block_of(&list);
    }
    p->at++;
    if (uc_py_peek(p)->kind != UC_PY_INDENT) {
        p->depth--; /* TorchScript writes empty bodies */
        return uc_py_block_of(&list);
    }
    p->at++;
    while (!p->failed && uc_py_peek(p)->kind != UC_PY_DEDENT && uc_py_peek(p)->kind != UC_PY_END)
        statement(p, &list);
    if (uc_py_peek(p)->kind == UC_PY_DEDENT) p->at++;
    p->depth--;
    return uc_py_block_of(&list);
}

static uc_py_node *if_statement(uc_py_parser *p)
{
    uc_py_node *n = uc_py_node_new(p, UC_PY_IF);
    p->at++;
    if (!uc_py_enter(p)) return n;
    n->a = uc_py_expression(p);
    n->body = block(p);
    if (uc_py_is(p, "elif")) {
        uc_py_items one = {0};
        uc_py_push(p, &one, if_statement(p));
        n->other = uc_py_block_of(&one);
    } else if (uc_py_accept(p, "else")) {
        n->other = block(p);
    }
    p->depth--;
    return n;
}

static uc_py_node *loop_statement(uc_py_parser *p)
{
    const bool is_for = uc_py_is(p, "for");
    uc_py_node *n = uc_py_node_new(p, is_for ? UC_PY_FOR : UC_PY_WHILE);
    p->at++;
    if (is_for) {
        n->a = uc_py_targets(p);
        uc_py_expect(p, "in");
        n->b = uc_py_expressions(p);
    } else {
        n->a = uc_py_expression(p);
    }
    n->body = block(p);
    if (uc_py_accept(p, "else")) n->other = block(p);
    return n;
}

static uc_py_node *with_statement(uc_py_parser *p)
{
    uc_py_node *n = uc_py_node_new(p, UC_PY_WITH);
    p->at++;
    uc_py_items list = {0};
    do {
        uc_py_node *item = uc_py_node_new(p, UC_PY_CLAUSE);
        item->a = uc_py_expression(p);
        if (uc_py_accept(p, "as")) item->b = uc_py_expression(p);
        uc_py_push(p, &list, item);
    } while (!p->failed && uc_py_accept(p, ","));
    n->list = uc_py_block_of(&list);
    n->body = block(p);
    return n;
}

/* Only what runs when nothing fails is kept: the body, the else, the finally. */
static uc_py_node *try_statement(uc_py_parser *p)
{
    uc_py_node *n = uc_py_node_new(p, UC_PY_TRY);
    p->at++;
    n->body = block(p);
    while (!p->failed && uc_py_accept(p, "except")) {
        if (!uc_py_is(p, ":")) {
            (void)uc_py_expression(p);
            if (uc_py_accept(p, "as")) (void)uc_py_name(p);
        }
        uc_py_block handler = block(p);
        if (!n->c) {
            n->c = uc_py_node_new(p, UC_PY_PASS);
            n->c->body = handler;
        }
    }
    if (uc_py_accept(p, "else")) n->other = block(p);
    if (uc_py_accept(p, "finally")) {
        n->b = uc_py_node_new(p, UC_PY_PASS);
        n->b->body = block(p);
    }
    return n;
}

static uc_py_node *def_statement(uc_py_parser *p)
{
    uc_py_node *n = uc_py_node_new(p, UC_PY_DEF);
    p->at++;
    n->name = uc_py_name(p);
    uc_py_expect(p, "(");
    uc_py_parameters(p, n, ")");
    uc_py_expect(p, ")");
    if (uc_py_accept(p, "->")) n->a = uc_py_expression(p);
    n->body = block(p);
    return n;
}

static uc_py_node *class_statement(uc_py_parser *p)
{
    uc_py_node *n = uc_py_node_new(p, UC_PY_CLASS);
    p->at++;
    n->name = uc_py_name(p);
    if (uc_py_accept(p, "(")) uc_py_arguments(p, n);
    n->body = block(p);
    return n;
}

static uc_py_node *decorated(uc_py_parser *p)
{
    uc_py_items list = {0};
    while (!p->failed && uc_py_accept(p, "@")) {
        uc_py_push(p, &list, uc_py_expression(p));
        end_of_line(p);
    }
    uc_py_node *n;
    if (uc_py_is(p, "class")) {
        n = class_statement(p);
        /* Bases stay in list; what decorates a class is kept beside. */
        n->a = list.count > 0 ? list.items[0] : NULL;
        return n;
    }
    if (!uc_py_is(p, "def")) uc_py_syntax(p, "def or class expected");
    n = def_statement(p);
    n->list = uc_py_block_of(&list);
    return n;
}

static uc_py_node *compound(uc_py_parser *p)
{
    if (uc_py_is(p, "if")) return if_statement(p);
    if (uc_py_is(p, "for") || uc_py_is(p, "while")) return loop_statement(p);
    if (uc_py_is(p, "def")) return def_statement(p);
    if (uc_py_is(p, "class")) return class_statement(p);
    if (uc_py_is(p, "@")) return decorated(p);
    if (uc_py_is(p, "with")) return with_statement(p);
    if (uc_py_is(p, "try")) return try_statement(p);
    return NULL;
}

static void statement(uc_py_parser *p, uc_py_items *list)
{
    if (uc_py_peek(p)->kind == UC_PY_NEWLINE) {
        p->at++;
        return;
    }
    if (p->budget && p->node_count % 4096 == 0 && uc_budget_check(p->budget, p->error))
        p->failed = true;
    if (uc_py_is(p, "async")) uc_py_syntax(p, "async isn't supported");
    uc_py_node *n = compound(p);
    if (n) {
        uc_py_push(p, list, n);
        return;
    }
    n = keyword_statement(p);
    if (!n && (uc_py_is(p, "import") || uc_py_is(p, "from"))) n = import_statement(p);
    if (!n) n = expression_statement(p);
    end_of_line(p);
    uc_py_push(p, list, n);
}

uncork_status uc_py_parse(uc_bytes text, const char *path, uc_py_names *names, uc_budget *budget,
                          uc_py_source *source, uncork_error *error)
{
    *source = (uc_py_source){.path = path, .bytes = text};
    size_t count = 0;
    uc_py_parser p = {
        .path = path, .names = names, .arena = names->arena, .budget = budget, .error = error};
    p.tokens = uc_py_lex(text, path, names->arena, &count, error);
    uc_py_items list = {0};
    if (!p.tokens) p.failed = true;
    while (!p.failed && uc_py_peek(&p)->kind != UC_PY_END)
        statement(&p, &list);
    if (p.failed) {
        const uncork_status status = uc_arena_status(names->arena, error);
        if (status) return status;
        return uc_fail(error, UNCORK_MALFORMED, UC_NO_OFFSET, "%s: the code can't be read", path);
    }
    source->body = uc_py_block_of(&list);
    source->node_count = p.node_count;
    return UNCORK_OK;
}
