/* Where the time of a run goes: steps timed one by one, their work, and what the machine could do. */
#include "base/budget.h"
#include "kernel/peak.h"
#include "op/shape.h"
#include "plan/plan_parts.h"

uncork_status uc_step_profile(uc_runner *r, uc_step *step)
{
    const uint64_t begin = uc_now_ns();
    uncork_status status = uc_step_run(r, step);
    step->nanoseconds += uc_now_ns() - begin;
    step->runs++;
    return status;
}

void uc_runner_profile(uc_runner *r, bool on) { r->profile = on; }

size_t uc_runner_step_count(const uc_runner *r) { return r->plan ? r->plan->step_count : 0; }

static uint64_t bytes_of(const uc_value *v)
{
    size_t bytes = 0;
    if (!v || v->kind != UC_TENSOR || !uc_dims_known(v->tensor.shape, v->tensor.rank)) return 0;
    uc_shape_bytes(v->tensor.dtype, v->tensor.shape, v->tensor.rank, &bytes);
    return bytes;
}

void uc_runner_step(const uc_runner *r, size_t i, uc_step_report *report)
{
    const uc_step *step = &r->plan->steps[i];
    *report = (uc_step_report){.call = &step->call,
                               .runs = step->runs,
                               .nanoseconds = step->nanoseconds,
                               .macs = step->macs};
    for (size_t k = 0; k < step->call.in_count; k++) {
        report->bytes += bytes_of(step->call.in[k]);
    }
    for (size_t k = 0; k < step->call.out_count; k++) {
        report->bytes += bytes_of(step->call.out[k]);
    }
}

uint64_t uc_runner_block_bytes(const uc_runner *r) { return r->plan ? r->plan->block_bytes : 0; }

/* Best of several, each short enough not to be interrupted often. */
double uc_machine_peak(void)
{
    enum { ROUNDS = 20, STEPS = 20000 };
    double best = 0;
    for (int i = 0; i < ROUNDS; i++) {
        const uint64_t begin = uc_now_ns();
        const uint64_t done = uc_peak_run(STEPS);
        const uint64_t took = uc_now_ns() - begin;
        const double rate = took ? (double)done * 1e9 / (double)took : 0;
        if (rate > best) best = rate;
    }
    return best;
}
