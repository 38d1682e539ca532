/* inspect --graph FILE.svg: a network as boxes and curves, one a layer; above a few hundred layers, one a
 * block (neighbours whose names begin alike, else a run of equal length). Text is <text>, so that it can be
 * searched and copied. */
#include "base/file.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/graph_layout.h"
#include "model/summary.h"

#define MOST_BOXES 240 /* readable: above it layers are folded */
#define BOX_WIDTH  236
#define BOX_HEIGHT 40
#define ROW_HEIGHT 66
#define MARGIN     16

typedef struct box {
    const char *title, *detail;
    const char *fill;
} box;

typedef struct picture {
    const uc_summary *s;
    uc_arena *arena;
    size_t *box_of;       /* [inputs, layers, outputs]: its box */
    size_t *first, *last; /* [box]: of layers */
    size_t group_count;
    box *boxes;
    graph_layout layout;
} picture;

/* ---- folding ---- */

static const char *plain_name(const uc_summary_layer *l)
{
    const char *name = l->name;
    if (strncmp(name, "layer ", 6) == 0) name += 6;
    if (strncmp(name, "node '", 6) == 0) return name + 6;
    return strncmp(name, "node ", 5) == 0 ? name + 5 : name;
}

/* How many characters of the name its first `depth` parts have; parts end at '/', '.' and ':'. */
static size_t prefix_of(const char *name, int depth)
{
    size_t end = 0;
    for (size_t i = 0; name[i] && name[i] != ' '; i++) {
        if (name[i] != '/' && name[i] != '.' && name[i] != ':') continue;
        if (i == 0) continue;
        end = i;
        if (--depth == 0) return end;
    }
    return end;
}

static bool same_block(const uc_summary_layer *a, const uc_summary_layer *b, int depth)
{
    const char *x = plain_name(a), *y = plain_name(b);
    const size_t n = prefix_of(x, depth);
    return n && n == prefix_of(y, depth) && memcmp(x, y, n) == 0;
}

static size_t count_blocks(const uc_summary *s, int depth)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++) {
        count += i == 0 || !same_block(&s->layers[i], &s->layers[i - 1], depth);
    }
    return count;
}

/* The deepest level of names that gives few enough boxes; 0: none does. */
static int depth_of(const uc_summary *s)
{
    for (int depth = 8; depth > 0; depth--) {
        if (count_blocks(s, depth) <= MOST_BOXES) return depth;
    }
    return 0;
}

static bool fold(picture *p)
{
    const uc_summary *s = p->s;
    const bool all = s->count <= MOST_BOXES;
    const int depth = all ? 0 : depth_of(s);
    const size_t run = (s->count + MOST_BOXES - 1) / MOST_BOXES;
    for (size_t i = 0; i < s->count; i++) {
        const bool starts =
            i == 0 || all ||
            (depth ? !same_block(&s->layers[i], &s->layers[i - 1], depth) : i % run == 0);
        if (starts) p->first[p->group_count++] = i;
        p->last[p->group_count - 1] = i;
        p->box_of[s->input_count + i] = s->input_count + p->group_count - 1;
    }
    for (size_t i = 0; i < s->input_count; i++) {
        p->box_of[i] = i;
    }
    for (size_t i = 0; i < s->output_count; i++) {
        p->box_of[s->input_count + s->count + i] = s->input_count + p->group_count + i;
    }
    return true;
}

/* ---- what stands in a box ---- */

static const char *fill_of(const char *op)
{
    static const struct {
        const char *word, *fill;
    } kinds[] = {{"Conv", "#dbe7f6"},      {"Gemm", "#dcefdc"}, {"MatMul", "#dcefdc"},
                 {"Attention", "#dcefdc"}, {"Norm", "#efe6f5"}, {"Pool", "#fbe9d7"},
                 {"Resize", "#fbe9d7"},    {"Relu", "#fdf3d0"}, {"Softmax", "#fdf3d0"},
                 {"Sigmoid", "#fdf3d0"},   {"Tanh", "#fdf3d0"}, {"Concat", "#e9ecef"},
                 {"LSTM", "#f9dfe3"},      {"GRU", "#f9dfe3"},  {"Loop", "#f9dfe3"},
                 {"If", "#f9dfe3"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strstr(op, kinds[i].word)) return kinds[i].fill;
    }
    return "#f4f4f4";
}

/* 25557032 as "25.6 M". */
static const char *short_count(uc_arena *arena, uint64_t n)
{
    if (n < 10000) return uc_arena_printf(arena, "%llu", (unsigned long long)n);
    const double v = (double)n;
    if (n < 1000000) return uc_arena_printf(arena, "%.1f k", v / 1e3);
    return n < 1000000000 ? uc_arena_printf(arena, "%.1f M", v / 1e6)
                          : uc_arena_printf(arena, "%.1f G", v / 1e9);
}

/* What the names of a block begin with, as far as its ends tell: whole parts. */
static size_t shared_prefix(const char *a, const char *b)
{
    const size_t n = prefix_of(a, 8), m = prefix_of(b, 8);
    size_t same = 0, whole = 0;
    for (; same < n && same < m && a[same] == b[same]; same++) {
        if (a[same] == '/' || a[same] == '.' || a[same] == ':') whole = same;
    }
    return same == n && same == m ? same : whole;
}

static void describe(picture *p, size_t group)
{
    const uc_summary *s = p->s;
    const uc_summary_layer *last = &s->layers[p->last[group]];
    const size_t layers = p->last[group] - p->first[group] + 1;
    const char *name = plain_name(&s->layers[p->first[group]]);
    uint64_t parameters = 0;
    char shape[256] = "";
    box *b = &p->boxes[s->input_count + group];
    for (size_t i = p->first[group]; i <= p->last[group]; i++) {
        parameters += s->layers[i].parameters;
    }
    if (layers > 1) {
        const size_t same = shared_prefix(name, plain_name(last));
        b->title = uc_arena_printf(p->arena, "%.*s (%zu layers)",
                                   (int)(same ? same : strcspn(name, " ")), name, layers);
    } else {
        const size_t size = strcspn(name, "'");
        const bool told = strchr(name, '(') != NULL || strcmp(name, last->op) == 0;
        b->title = uc_arena_printf(p->arena, "%.*s%s%s%s", (int)size, name, told ? "" : " (",
                                   told ? "" : last->op, told ? "" : ")");
    }
    if (last->rank >= 0) (void)uc_shape_text(last->shape, last->rank, shape, sizeof shape);
    b->detail = uc_arena_printf(p->arena, "%s%s%s%s", shape, parameters && shape[0] ? "  " : "",
                                parameters ? short_count(p->arena, parameters) : "",
                                parameters ? " parameters" : "");
    b->fill = layers > 1 ? "#ffffff" : fill_of(last->op);
}

/* ---- the picture ---- */

/* As text of XML: control characters and broken UTF-8 escaped, at most `most` characters. */
static void put_xml(uc_writer *out, const char *text, size_t most)
{
    uc_writer plain;
    uc_writer_init(&plain, (size_t)1 << 16);
    uc_text_escape(&plain, uc_str_of(text));
    const uc_str s = {uc_writer_string(&plain), plain.size};
    size_t at = 0, count = 0;
    while (at < s.size && count < most) {
        const size_t begin = at;
        const uint32_t c = uc_utf8_next(s, &at);
        count++;
        if (c == '&')
            uc_writer_text(out, "&amp;");
        else if (c == '<')
            uc_writer_text(out, "&lt;");
        else if (c == '>')
            uc_writer_text(out, "&gt;");
        else if (c == '"')
            uc_writer_text(out, "&quot;");
        else
            uc_writer_put(out, s.data + begin, at - begin);
    }
    if (at < s.size) uc_writer_text(out, "\xe2\x80\xa6");
    uc_writer_done(&plain);
}

static double top_of(const layout_node *n) { return MARGIN + (double)n->row * ROW_HEIGHT; }

static void put_box(const picture *p, size_t i, uc_writer *out)
{
    const layout_node *n = &p->layout.nodes[i];
    const box *b = &p->boxes[i];
    const double x = MARGIN + n->x, y = top_of(n);
    const bool end = i < p->s->input_count || i >= p->s->input_count + p->group_count;
    uc_writer_printf(out, "<g><title>");
    put_xml(out, b->title, 400);
    uc_writer_printf(out, "\n");
    put_xml(out, b->detail, 400);
    uc_writer_printf(
        out,
        "</title><rect x=\"%.1f\" y=\"%.1f\" width=\"%.0f\" height=\"%d\" rx=\"%d\" fill=\"%s\"/>",
        x - n->width / 2, y, n->width, BOX_HEIGHT, end ? BOX_HEIGHT / 2 : 4, b->fill);
    uc_writer_printf(out, "<text x=\"%.1f\" y=\"%.1f\">", x, b->detail[0] ? y + 17 : y + 24);
    put_xml(out, b->title, 36);
    uc_writer_text(out, "</text>");
    if (b->detail[0]) {
        uc_writer_printf(out, "<text class=\"d\" x=\"%.1f\" y=\"%.1f\">", x, y + 32);
        put_xml(out, b->detail, 44);
        uc_writer_text(out, "</text>");
    }
    uc_writer_text(out, "</g>\n");
}

/* From under the box, through its bends, onto the next: each piece leaves and arrives upright. */
static void put_edge(const picture *p, const layout_edge *e, uc_writer *out)
{
    const layout_node *from = &p->layout.nodes[e->from], *to = &p->layout.nodes[e->to];
    double x = MARGIN + from->x, y = top_of(from) + BOX_HEIGHT;
    uc_writer_printf(out, "<path d=\"M%.1f %.1f", x, y);
    for (size_t k = 0; k <= e->bend_count; k++) {
        const layout_node *n = k < e->bend_count ? &p->layout.nodes[e->bend + k] : to;
        const double tx = MARGIN + n->x, ty = top_of(n), half = (ty - y) / 2;
        uc_writer_printf(out, "C%.1f %.1f %.1f %.1f %.1f %.1f", x, y + half, tx, ty - half, tx, ty);
        if (k < e->bend_count) uc_writer_printf(out, "V%.1f", ty + BOX_HEIGHT);
        x = tx;
        y = ty + BOX_HEIGHT;
    }
    uc_writer_text(out, "\" marker-end=\"url(#a)\"/>\n");
}

static void put_svg(const picture *p, uc_writer *out)
{
    const double width = p->layout.width + 2 * MARGIN,
                 height = (double)(p->layout.row_count ? p->layout.row_count - 1 : 0) * ROW_HEIGHT +
                          BOX_HEIGHT + 2 * MARGIN;
    uc_writer_printf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\">\n"
        "<style>text{font:12px sans-serif;text-anchor:middle;fill:#222}.d{font-size:10.5px;fill:#555}"
        "rect{stroke:#777}path{fill:none;stroke:#8a8a8a}marker path{fill:#8a8a8a;stroke:none}</style>\n"
        "<defs><marker id=\"a\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
        "orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n"
        "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\" style=\"stroke:none\"/>\n",
        width, height, width, height);
    for (size_t e = 0; e < p->layout.edge_count; e++) {
        put_edge(p, &p->layout.edges[e], out);
    }
    for (size_t i = 0; i < p->layout.given; i++) {
        put_box(p, i, out);
    }
    uc_writer_text(out, "</svg>\n");
}

/* Edges between boxes, once each; the summary's are sorted and folding keeps them so by their first end. */
static void take_edges(picture *p)
{
    const uc_summary *s = p->s;
    for (size_t i = 0; i < s->edge_count; i++) {
        const size_t from = p->box_of[s->edges[i].from], to = p->box_of[s->edges[i].to];
        bool known = from >= to;
        for (size_t k = p->layout.edge_count;
             !known && k > 0 && p->layout.edges[k - 1].from == from; k--) {
            known = p->layout.edges[k - 1].to == to;
        }
        if (!known) p->layout.edges[p->layout.edge_count++] = (layout_edge){.from = from, .to = to};
    }
}

static bool lay_out(picture *p)
{
    const uc_summary *s = p->s;
    const size_t all = s->input_count + s->count + s->output_count;
    p->box_of = UC_NEW(p->arena, size_t, all + 1);
    p->first = UC_NEW(p->arena, size_t, s->count + 1);
    p->last = UC_NEW(p->arena, size_t, s->count + 1);
    p->layout.edges = UC_NEW(p->arena, layout_edge, s->edge_count + 1);
    if (!p->box_of || !p->first || !p->last || !p->layout.edges || !fold(p)) return false;
    const size_t count = s->input_count + p->group_count + s->output_count;
    p->boxes = UC_NEW(p->arena, box, count + 1);
    p->layout.nodes = UC_NEW(p->arena, layout_node, count + 1);
    if (!p->boxes || !p->layout.nodes) return false;
    for (size_t i = 0; i < s->input_count; i++) {
        p->boxes[i] = (box){s->inputs[i], "", "#e6f4f1"};
    }
    for (size_t i = 0; i < p->group_count; i++) {
        describe(p, i);
    }
    for (size_t i = 0; i < s->output_count; i++) {
        p->boxes[s->input_count + p->group_count + i] = (box){s->outputs[i], "", "#e6f4f1"};
    }
    for (size_t i = 0; i < count; i++) {
        if (!p->boxes[i].title || !p->boxes[i].detail) return false;
        p->layout.nodes[i].width = BOX_WIDTH;
    }
    p->layout.count = count;
    take_edges(p);
    return graph_layout_place(&p->layout, 24, p->arena);
}

int cli_graph_picture(const cli_options *options, const uncork_file *file, uc_arena *arena)
{
    uc_summary summary;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    if (uc_summary_of(file, options->signature, &options->limits, arena, &summary, &error))
        return cli_fail_model(&error);
    picture p = {.s = &summary, .arena = arena};
    uc_writer out;
    uc_writer_init(&out, (size_t)64 << 20);
    uncork_status status = lay_out(&p) ? UNCORK_OK : uc_fail_memory(&error);
    if (status == UNCORK_OK) {
        put_svg(&p, &out);
        status = out.status ? uc_fail(&error, out.status, UC_NO_OFFSET, "the picture is too large")
                            : uc_file_write(options->graph, (uc_bytes){out.data, out.size}, &error);
    }
    uc_writer_done(&out);
    if (status == UNCORK_OK) return EXIT_OK;
    cli_print_error(&error);
    return EXIT_INPUT;
}
