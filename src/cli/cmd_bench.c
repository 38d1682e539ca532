/* uncork bench: how fast a model runs here, what it holds in memory, and where the time goes.
 *
 * Inputs are --input or made up: random numbers in [-1, 1), zeros for integers, free dimensions as
 * --batch says (the first) or 1. Runs without a profile come first, those with one are apart, since
 * the clock costs a little with every step. */
#include "cli/cli.h"

#include "base/budget.h"
#include "base/text.h"

#include <stdlib.h>

enum { WARM_NS = 200000000, MEASURE_NS = 2000000000, PROFILE_NS = 500000000, MOST_RUNS = 100000 };

typedef struct bench {
    const cli_options *options;
    uncork_model *model;
    uncork_session *session;
    uncork_value **values;
    int inputs;
    double *us; /* [MOST_RUNS], sorted after measuring */
    size_t runs;
    double open_ms, prepare_ms, first_ms;
    uint64_t resident_bytes, peak_bytes; /* of the process */
    cli_fast fast;
    double peak; /* multiply-adds a second of one core */
} bench;

/* ---- inputs ------------------------------------------------------------------------------- */

static uncork_status make_inputs(const bench *b, uc_arena *arena, uncork_error *error)
{
    uc_budget budget;
    cli_arrays arrays = {0};
    if (b->options->input_count == 0) {
        UC_TRY(cli_make_inputs(b->model, b->options->batch, arena, &arrays, error));
    }
    uc_budget_init(&budget, &b->options->limits, 0);
    for (size_t i = 0; i < b->options->input_count; i++) {
        UC_TRY(cli_read_input(b->options->inputs[i], NULL, arena, &budget, &arrays, error));
    }
    return cli_bind(b->options, b->model, &arrays, arena, b->values, error);
}

/* ---- measuring ---------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static uncork_status run_once(const bench *b, uncork_error *error)
{
    if (cli_cancelled) {
        return uc_fail(error, UNCORK_CANCELLED, UC_NO_OFFSET, "it was interrupted");
    }
    return uncork_session_run(b->session, (const uncork_value *const *)b->values, b->inputs,
                              &b->options->limits, error);
}

/* At least three runs; us may be NULL. */
static uncork_status run_for(const bench *b, uint64_t ns, double *us, size_t *runs,
                             uncork_error *error)
{
    const uint64_t until = uc_now_ns() + ns;
    for (*runs = 0; *runs < MOST_RUNS; (*runs)++) {
        const uint64_t begin = uc_now_ns();
        if (*runs >= 3 && begin >= until) break;
        UC_TRY(run_once(b, error));
        if (us) us[*runs] = (double)(uc_now_ns() - begin) * 1e-3;
    }
    return UNCORK_OK;
}

/* "VmHWM:    1234 kB" of the process; 0 where the system has no such file. */
static uint64_t process_bytes(const char *key)
{
    char line[256];
    uint64_t kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, key, strlen(key)) == 0) kb = strtoull(line + strlen(key) + 1, NULL, 10);
    }
    if (file) fclose(file);
    return kb * 1024;
}

static uncork_status measure(bench *b, uncork_error *error)
{
    size_t ignored;
    const uint64_t begin = uc_now_ns();
    UC_TRY(run_once(b, error));
    b->first_ms = (double)(uc_now_ns() - begin) * 1e-6;
    b->resident_bytes = process_bytes("VmRSS:");
    b->peak_bytes = process_bytes("VmHWM:");
    UC_TRY(run_for(b, WARM_NS, NULL, &ignored, error));
    UC_TRY(run_for(b, MEASURE_NS, b->us, &b->runs, error));
    qsort(b->us, b->runs, sizeof *b->us, by_value);
    uc_session_profile(b->session, true);
    UC_TRY(run_for(b, PROFILE_NS, NULL, &ignored, error));
    uc_session_profile(b->session, false);
    b->peak = uc_machine_macs();
    return UNCORK_OK;
}

static double quantile(const bench *b, double q)
{
    return b->us[(size_t)(q * (double)(b->runs - 1) + 0.5)];
}

/* ---- the profile -------------------------------------------------------------------------- */

typedef struct row {
    const uc_op *op;
    size_t steps;
    double us; /* of one run */
    uint64_t macs, bytes;
} row;

static int slower_first(const void *a, const void *b)
{
    double x = ((const row *)a)->us, y = ((const row *)b)->us;
    return (x < y) - (x > y);
}

static double step_us(const uc_step_cost *c)
{
    return c->runs ? (double)c->nanoseconds * 1e-3 / (double)c->runs : 0;
}

/* One row an operator, the slowest first; *total is the sum of all. */
static size_t group_steps(const bench *b, row *rows, double *total)
{
    size_t count = 0;
    *total = 0;
    for (size_t i = 0; i < uc_session_step_count(b->session); i++) {
        const uc_step_cost c = uc_session_step(b->session, i);
        size_t k = 0;
        while (k < count && rows[k].op != c.call->op) {
            k++;
        }
        if (k == count) rows[count++] = (row){.op = c.call->op};
        rows[k].steps++;
        rows[k].us += step_us(&c);
        rows[k].macs += c.macs;
        rows[k].bytes += c.bytes;
        *total += step_us(&c);
    }
    qsort(rows, count, sizeof *rows, slower_first);
    return count;
}

/* Two operations a multiply-add. */
static double gflops(uint64_t macs, double us) { return us > 0 ? 2e-3 * (double)macs / us : 0; }

/* Of what the threads together could do. */
static double peak_share(const bench *b, uint64_t macs, double us)
{
    double top = b->peak * (double)(b->options->threads ? b->options->threads : 1);
    return us > 0 && top > 0 ? 1e8 * (double)macs / us / top : 0;
}

static void name_op(const uc_op *op, char *out, size_t size)
{
    bool plain = !op->domain || !*op->domain;
    snprintf(out, size, "%s%s%s", plain ? "" : op->domain, plain ? "" : ".", op->name);
}

/* The longest input and the output: "[1,6,112,112,16] -> [1,2,56,56,16]". */
static void name_shapes(const uc_call *call, char *out, size_t size)
{
    char x[96] = "", y[96] = "";
    const uc_tensor *in = call->in_count ? uc_call_in(call, 0) : NULL;
    if (in) uc_shape_text(in->shape, in->rank, x, sizeof x);
    if (call->out_count && call->out[0] && call->out[0]->kind == UC_TENSOR) {
        uc_shape_text(call->out[0]->tensor.shape, call->out[0]->tensor.rank, y, sizeof y);
    }
    snprintf(out, size, "%s -> %s", x, y);
}

/* ---- text --------------------------------------------------------------------------------- */

static void print_rows(const bench *b, const row *rows, size_t count, double total, uc_writer *out)
{
    uc_writer_printf(out, "\n%-32s %6s %10s %7s %9s %7s %9s\n", "operator", "steps", "us", "share",
                     "GFLOP/s", "peak", "GB/s");
    for (size_t i = 0; i < count; i++) {
        char name[96];
        name_op(rows[i].op, name, sizeof name);
        uc_writer_printf(out, "%-32s %6zu %10.1f %6.1f%%", name, rows[i].steps, rows[i].us,
                         total > 0 ? 100 * rows[i].us / total : 0);
        if (rows[i].macs) {
            uc_writer_printf(out, " %9.1f %6.1f%%", gflops(rows[i].macs, rows[i].us),
                             peak_share(b, rows[i].macs, rows[i].us));
        } else {
            uc_writer_printf(out, " %9s %7s", "", "");
        }
        uc_writer_printf(out, " %9.1f\n",
                         rows[i].us > 0 ? 1e-3 * (double)rows[i].bytes / rows[i].us : 0);
    }
}

static void print_steps(const bench *b, double total, uc_writer *out)
{
    uc_writer_printf(out, "\n%4s %-28s %-44s %10s %7s %9s %7s\n", "step", "operator", "shapes",
                     "us", "share", "GFLOP/s", "peak");
    for (size_t i = 0; i < uc_session_step_count(b->session); i++) {
        const uc_step_cost c = uc_session_step(b->session, i);
        char name[96], shapes[256];
        double us = step_us(&c);
        name_op(c.call->op, name, sizeof name);
        name_shapes(c.call, shapes, sizeof shapes);
        uc_writer_printf(out, "%4zu %-28s %-44s %10.1f %6.1f%%", i, name, shapes, us,
                         total > 0 ? 100 * us / total : 0);
        if (c.macs) {
            uc_writer_printf(out, " %9.1f %6.1f%%", gflops(c.macs, us), peak_share(b, c.macs, us));
        }
        uc_writer_text(out, "\n");
    }
}

static void print_text(const bench *b, const row *rows, size_t count, double total, uc_writer *out)
{
    double median = quantile(b, 0.5), items = (double)(b->options->batch ? b->options->batch : 1);
    uc_writer_printf(out, "latency    best %.3f ms, median %.3f, p90 %.3f, p99 %.3f (%zu runs)\n",
                     b->us[0] * 1e-3, median * 1e-3, quantile(b, 0.9) * 1e-3,
                     quantile(b, 0.99) * 1e-3, b->runs);
    uc_writer_printf(out, "throughput %.1f a second (batch %.0f)\n", 1e6 * items / median, items);
    uc_writer_printf(out, "start      open %.2f ms, prepare %.2f, first run %.2f\n", b->open_ms,
                     b->prepare_ms, b->first_ms);
    uc_writer_printf(out, "memory     resident %.1f MB, peak %.1f, values of a run %.1f\n",
                     (double)b->resident_bytes * 1e-6, (double)b->peak_bytes * 1e-6,
                     (double)uc_session_value_bytes(b->session) * 1e-6);
    uc_writer_printf(out,
                     "machine    %.1f GFLOP/s a core at most (float32, measured), %lld threads\n",
                     2e-9 * b->peak, (long long)(b->options->threads ? b->options->threads : 1));
    if (b->options->fast) {
        uc_writer_printf(
            out,
            "precision  fast: bfloat16 in %zu of %zu operators; outputs moved by %.2g of "
            "the largest at most\n",
            b->fast.shorter, b->fast.nodes, b->fast.moved);
    }
    print_rows(b, rows, count, total, out);
    if (!b->options->quiet) print_steps(b, total, out);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void put(uc_json_writer *json, const char *key, double v)
{
    uc_json_key(json, key);
    uc_json_put_f64(json, v);
}

static void print_step_json(const bench *b, size_t i, uc_json_writer *json)
{
    const uc_step_cost c = uc_session_step(b->session, i);
    char name[96], shapes[256];
    double us = step_us(&c);
    name_op(c.call->op, name, sizeof name);
    name_shapes(c.call, shapes, sizeof shapes);
    uc_json_begin_object(json);
    uc_json_key(json, "operator");
    uc_json_put_text(json, name);
    uc_json_key(json, "where");
    uc_json_put_text(json, c.call->where ? c.call->where : "");
    uc_json_key(json, "shapes");
    uc_json_put_text(json, shapes);
    put(json, "us", us);
    put(json, "gflops", gflops(c.macs, us));
    put(json, "peak_percent", peak_share(b, c.macs, us));
    uc_json_end_object(json);
}

static void print_json(const bench *b, uc_writer *out)
{
    uc_json_writer json = {.out = out};
    uc_json_begin_object(&json);
    put(&json, "runs", (double)b->runs);
    put(&json, "best_ms", b->us[0] * 1e-3);
    put(&json, "median_ms", quantile(b, 0.5) * 1e-3);
    put(&json, "p90_ms", quantile(b, 0.9) * 1e-3);
    put(&json, "p99_ms", quantile(b, 0.99) * 1e-3);
    put(&json, "open_ms", b->open_ms);
    put(&json, "prepare_ms", b->prepare_ms);
    put(&json, "first_ms", b->first_ms);
    put(&json, "resident_bytes", (double)b->resident_bytes);
    put(&json, "peak_bytes", (double)b->peak_bytes);
    put(&json, "value_bytes", (double)uc_session_value_bytes(b->session));
    put(&json, "core_gflops", 2e-9 * b->peak);
    if (b->options->fast) {
        put(&json, "bfloat16_operators", (double)b->fast.shorter);
        put(&json, "outputs_moved", b->fast.moved);
    }
    uc_json_key(&json, "steps");
    uc_json_begin_array(&json);
    for (size_t i = 0; i < uc_session_step_count(b->session); i++) {
        print_step_json(b, i, &json);
    }
    uc_json_end_array(&json);
    uc_json_end_object(&json);
    uc_writer_text(out, "\n");
}

static int report(const bench *b, uc_arena *arena)
{
    size_t steps = uc_session_step_count(b->session);
    row *rows = UC_NEW(arena, row, steps + 1);
    if (!rows) return cli_usage("memory is out");
    double total;
    size_t count = group_steps(b, rows, &total);
    uc_writer out;
    uc_writer_init(&out, (size_t)64 << 20);
    if (b->options->json) {
        print_json(b, &out);
    } else {
        print_text(b, rows, count, total, &out);
    }
    bool written = cli_flush(&out);
    uc_writer_done(&out);
    return written ? EXIT_OK : EXIT_INPUT;
}

/* ---- the command -------------------------------------------------------------------------- */

static int bench_model(bench *b, const uncork_file *file, uc_arena *arena)
{
    uncork_error error = {.size = sizeof error};
    uncork_pool *pool = NULL;
    uc_error_init(&error);
    b->inputs = uncork_model_input_count(b->model);
    b->values = UC_NEW(arena, uncork_value *, (size_t)b->inputs + 1);
    b->us = UC_NEW(arena, double, MOST_RUNS);
    if (!b->values || !b->us) return cli_usage("memory is out");
    uncork_status status = make_inputs(b, arena, &error);
    if (status == UNCORK_OK && b->options->threads > 1) {
        status = uncork_pool_new((int)b->options->threads, &pool);
    }
    if (status == UNCORK_OK) status = uncork_session_new(b->model, pool, &b->session);
    if (status == UNCORK_OK) status = measure(b, &error);
    if (status != UNCORK_OK && error.status == UNCORK_OK) uc_fail_memory(&error);
    int exit = EXIT_OK;
    if (status == UNCORK_OK && b->options->fast) {
        b->fast = cli_fast_of(b->model);
        exit = cli_fast_compare(b->options, file, arena, b->session,
                                (const uncork_value *const *)b->values, b->inputs, &b->fast.moved);
    }
    if (status == UNCORK_OK) {
        if (exit == EXIT_OK) exit = report(b, arena);
    } else {
        cli_print_error(&error);
        exit = status == UNCORK_USAGE ? EXIT_USAGE : cli_model_exit(&error);
    }
    uncork_session_free(b->session);
    uncork_pool_free(pool);
    for (int i = 0; i < b->inputs; i++) {
        uncork_value_free(b->values[i]);
    }
    return exit;
}

int cmd_bench(const cli_options *options, uc_arena *arena)
{
    if (options->argument_count != 1) {
        return cli_usage("bench takes one model: uncork bench MODEL [--batch N] [--threads N]");
    }
    bench b = {.options = options};
    uncork_file *file;
    const uint64_t begin = uc_now_ns();
    int status = cli_open(options, &file);
    if (status) return status;
    const uint64_t opened = uc_now_ns();
    status = cli_prepare(options, file, NULL, arena, &b.model);
    if (status == EXIT_OK) {
        b.open_ms = (double)(opened - begin) * 1e-6;
        b.prepare_ms = (double)(uc_now_ns() - opened) * 1e-6;
        status = bench_model(&b, file, arena);
    }
    uncork_model_free(b.model);
    uncork_file_close(file);
    return status;
}
