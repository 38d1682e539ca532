/* The queue of drawings, their files, and the sheets. */
#include "cli/drawer.h"

#include "base/file.h"
#include "base/text.h"
#include "cli/file_names.h"

#include <math.h>

#define QUEUE       64
#define QUEUE_BYTES ((size_t)256 << 20) /* masks that wait */

struct cli_drawer {
    predictor *p;
    const char *folder, *sheet;
    uc_draw_style style;
    uc_table *names; /* of files, given away */
    uc_budget *budgets;
    cli_drawing queue[QUEUE];
    size_t count, bytes;
    uc_arena *kept; /* of the page's thumbnails */
    uc_sheet_item items[UC_SHEET_PLACES];
    size_t item_count, pages;
    const char *last_page;
    size_t rows, nothing; /* inputs that are no pictures, answers that can't be drawn */
};

/* ---- options ---- */

static int read_style(const char *text, uc_draw_style *style)
{
    uc_str rest = uc_str_of(text ? text : "");
    while (rest.size) {
        const char *comma = memchr(rest.data, ',', rest.size);
        const size_t n = comma ? (size_t)(comma - rest.data) : rest.size;
        const uc_str word = {rest.data, n};
        if (uc_str_is(word, "od")) {
            style->look = UC_LOOK_OD;
        } else if (uc_str_is(word, "agnostic")) {
            style->agnostic = true;
        } else if (!uc_str_is(word, "default")) {
            return cli_usage("--draw-style can't be '%s'; it is default or od, and agnostic", text);
        }
        rest.data += comma ? n + 1 : n;
        rest.size -= comma ? n + 1 : n;
    }
    return EXIT_OK;
}

/* What can be said before any work. */
static int check_options(const cli_drawer *d)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG"};
    const uc_file_kind kind = d->folder ? uc_file_kind_of(d->folder) : UC_FILE_FOLDER;
    if (kind == UC_FILE_REGULAR || kind == UC_FILE_OTHER)
        return cli_usage("--draw %s is a file, not a folder", d->folder);
    if (!d->sheet) return EXIT_OK;
    const char *folder = cli_folder_of(d->sheet, d->p->arena);
    if (folder && !d->folder && uc_file_kind_of(folder) != UC_FILE_FOLDER)
        return cli_usage("--sheet %s: there is no folder %s", d->sheet, folder);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (uc_text_ends(d->sheet, endings[i])) return EXIT_OK;
    }
    return cli_usage("--sheet %s: a sheet is a .png or a .jpg", d->sheet);
}

/* Nothing that is read may be written: a folder of inputs isn't drawn into, no input is the sheet. */
static int check_paths(const cli_drawer *d, char *const *paths, size_t count)
{
    const char *last = NULL;
    uc_arena *arena = uc_arena_new(NULL);
    int status = arena ? EXIT_OK : cli_usage("memory is out");
    for (size_t i = 0; status == EXIT_OK && i < count; i++) {
        const char *folder = cli_folder_of(paths[i], arena);
        if (d->folder && folder && !(last && strcmp(folder, last) == 0) &&
            cli_same_file(folder, d->folder)) {
            status = cli_usage("--draw %s: the folder holds %s, which is read: give another",
                               d->folder, paths[i]);
        } else if (d->sheet && cli_same_file(paths[i], d->sheet)) {
            status = cli_usage("--sheet %s: the file is read: give another", d->sheet);
        }
        last = folder;
    }
    uc_arena_free(arena);
    return status;
}

int cli_drawer_new(predictor *p, char *const *paths, size_t count, cli_drawer **drawer)
{
    const cli_options *o = p->options;
    *drawer = NULL;
    if (!o->draw && !o->sheet) {
        return o->draw_style ? cli_usage("--draw-style goes with --draw or --sheet") : EXIT_OK;
    }
    cli_drawer *d = UC_NEW(p->arena, cli_drawer, 1);
    const size_t threads = (size_t)uc_pool_threads(p->pool);
    if (d) {
        *d = (cli_drawer){.p = p, .folder = o->draw, .sheet = o->sheet};
        d->budgets = UC_NEW(p->arena, uc_budget, threads);
        d->kept = uc_arena_new(NULL);
    }
    if (!d || !d->budgets || !d->kept) return cli_usage("memory is out");
    for (size_t i = 0; i < threads; i++) {
        uc_budget_init(&d->budgets[i], &o->limits, 0);
        d->budgets[i].deadline_ns = 0; /* --timeout is the model's */
    }
    for (size_t i = 0; i < count && !p->kept_arena; i++) {
        if (strcmp(paths[i], "-") == 0) p->kept_arena = uc_arena_new(NULL);
    }
    *drawer = d; /* the caller ends it, after a refusal too */
    int status = read_style(o->draw_style, &d->style);
    if (status == EXIT_OK) status = check_options(d);
    return status ? status : check_paths(d, paths, count);
}

/* ---- names ---- */

/* DIR/NAME of the input, ".png" for its ending where it is neither PNG nor JPEG. */
static const char *choose_output(cli_drawer *d, const char *input)
{
    uc_arena *arena = d->p->arena;
    static const char *const kept[] = {".png", ".jpg", ".jpeg", ".jpe",
                                       ".PNG", ".JPG", ".JPEG", ".JPE"};
    const char *ending = ".png";
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (uc_text_ends(input, kept[i])) ending = kept[i];
    }
    const char *name = cli_file_name(&d->names, input, ending, arena);
    return name ? uc_arena_printf(arena, "%s/%s", d->folder, name) : NULL;
}

/* ---- sheets ---- */

/* "out.png", "out_2.png", ... */
static const char *page_path(cli_drawer *d)
{
    if (d->pages == 0) return d->sheet;
    const char *dot = strrchr(d->sheet, '.'), *slash = strrchr(d->sheet, '/');
    if (!dot || (slash && dot < slash)) dot = d->sheet + strlen(d->sheet);
    return uc_arena_printf(d->p->arena, "%.*s_%zu%s", (int)(dot - d->sheet), d->sheet, d->pages + 1,
                           dot);
}

static uncork_status write_page(cli_drawer *d, const char *path, uncork_error *error)
{
    uc_font *font;
    uc_pixels page;
    if (!path) return uc_fail_memory(error);
    UC_TRY(uc_font_new(d->kept, &font, error));
    UC_TRY(uc_sheet_page(d->items, d->item_count, font, d->kept, &page, error));
    return cli_write_picture(&page, path, true, error);
}

static void fail(cli_drawer *d, uncork_error *error)
{
    cli_print_error(error);
    d->p->failed++;
}

static void end_page(cli_drawer *d)
{
    if (!d->sheet || !d->item_count) return;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    const char *path = page_path(d);
    if (write_page(d, path, &error)) {
        fail(d, &error);
        d->sheet = NULL; /* the next ones would fail alike */
    }
    d->pages++;
    d->last_page = path;
    d->item_count = 0;
    uc_arena_reset(d->kept);
}

/* Texts of the item move to the page's arena. */
static void add_item(cli_drawer *d, const uc_sheet_item *item)
{
    if (!d->sheet) return;
    uc_sheet_item *to = &d->items[d->item_count];
    *to = *item;
    const char *name = uc_arena_copy(d->kept, item->name.data, item->name.size);
    const char *answer = uc_arena_copy(d->kept, item->answer.data, item->answer.size);
    to->name = name ? (uc_str){name, item->name.size} : (uc_str){"", 0};
    to->answer = answer ? (uc_str){answer, item->answer.size} : (uc_str){"", 0};
    if (++d->item_count == UC_SHEET_PLACES) end_page(d);
}

/* ---- the queue ---- */

static void draw_some(void *context, int64_t begin, int64_t end, int thread)
{
    cli_drawer *d = context;
    for (int64_t i = begin; i < end; i++) {
        cli_drawing *one = &d->queue[i];
        if (!cli_cancelled) (void)cli_drawing_draw(one, &d->budgets[thread], one->arena);
    }
}

static void draw_all(cli_drawer *d)
{
    if (d->count) uc_parallel(d->p->pool, (int64_t)d->count, 1, draw_some, d);
    for (size_t i = 0; i < d->count; i++) {
        cli_drawing *one = &d->queue[i];
        if (one->error.status && !cli_cancelled) fail(d, &one->error);
        uc_pixels *t = &one->item.thumbnail;
        const size_t bytes = t->data ? uc_pixels_bytes(t) : 0;
        void *moved = bytes && d->sheet ? uc_arena_alloc_raw(d->kept, bytes) : NULL;
        if (moved) memcpy(moved, t->data, bytes);
        t->data = moved;
        if (one->wants_item) add_item(d, &one->item);
        uc_arena_free(one->arena);
    }
    d->count = 0;
    d->bytes = 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

uncork_status cli_drawer_take(void *context, const cli_answers *answers, const cli_input *input,
                              void *const *made, uc_arena *arena, uncork_error *error)
{
    (void)arena;
    cli_drawer *d = context;
    if (!input->path) {
        d->rows++;
        return UNCORK_OK;
    }
    if (d->folder) UC_TRY(uc_file_make_folder(d->folder, error));
    cli_drawing *one = &d->queue[d->count];
    *one = (cli_drawing){.arena = uc_arena_new(&d->p->held), .style = d->style};
    one->error.size = sizeof one->error;
    uc_error_init(&one->error);
    if (!one->arena) return uc_fail_memory(error);
    one->name = uc_arena_str(one->arena, input->name);
    const bool standard_input = strcmp(input->path, "-") == 0;
    if (!standard_input) one->path = uc_arena_str(one->arena, input->path);
    one->bytes = d->p->kept;
    one->turned = d->p->contract && uc_contract_turns(d->p->contract);
    one->wants_item = d->sheet != NULL;
    one->item = (uc_sheet_item){.score = (double)NAN, .answer = {"", 0}};
    uncork_status status =
        one->name && (one->path || standard_input) ? UNCORK_OK : UNCORK_NO_MEMORY;
    if (status == UNCORK_OK) one->item.name = uc_str_of(base_name(one->name));
    if (status == UNCORK_OK) status = cli_drawing_of(one, answers, input, made);
    d->nothing += status == UNCORK_OK && d->folder && !one->answered;
    if (status == UNCORK_OK && d->folder && one->answered) {
        one->output = choose_output(d, input->path);
        if (!one->output) status = UNCORK_NO_MEMORY;
    }
    if (status) {
        if (one->error.status) *error = one->error;
        uc_arena_free(one->arena);
        return one->error.status ? status : uc_fail_memory(error);
    }
    d->bytes += uc_arena_bytes(one->arena);
    if (++d->count == QUEUE || d->bytes > QUEUE_BYTES) draw_all(d);
    return UNCORK_OK;
}

void cli_drawer_failed(cli_drawer *d, const char *input, const uncork_error *error)
{
    if (!d || !d->sheet) return;
    draw_all(d); /* those before it come first */
    const uc_sheet_item item = {.name = uc_str_of(base_name(input)),
                                .answer = uc_str_of(error->what),
                                .score = (double)NAN,
                                .failed = true};
    add_item(d, &item);
}

void cli_drawer_end(cli_drawer *d)
{
    if (!d) return;
    draw_all(d);
    end_page(d);
    const cli_options *o = d->p->options;
    if (d->rows) cli_note(o, "%zu inputs are rows, not pictures: nothing to draw on", d->rows);
    if (d->nothing) {
        cli_note(o, "%zu pictures aren't drawn: the answer is no label, box, mask or point",
                 d->nothing);
    }
    if (d->pages > 1 && d->last_page) {
        cli_note(o, "%zu sheets of %d pictures: %s to %s", d->pages, UC_SHEET_PLACES, o->sheet,
                 d->last_page);
    }
    uc_arena_free(d->kept);
    uc_arena_free(d->p->kept_arena);
    d->p->kept_arena = NULL;
}
