/* What a run costs: the profile of a session, as model.h shows it. */
#include "model/model_internal.h"

void uc_session_profile(uncork_session *session, bool on)
{
    uc_runner_profile(session->runner, on);
}

size_t uc_session_step_count(const uncork_session *session)
{
    return uc_runner_step_count(session->runner);
}

uc_step_cost uc_session_step(const uncork_session *session, size_t i)
{
    uc_step_report r;
    uc_runner_step(session->runner, i, &r);
    return (uc_step_cost){.call = r.call,
                          .runs = r.runs,
                          .nanoseconds = r.nanoseconds,
                          .macs = r.macs,
                          .bytes = r.bytes};
}

uint64_t uc_session_value_bytes(const uncork_session *session)
{
    return uc_runner_block_bytes(session->runner);
}

double uc_machine_macs(void) { return uc_machine_peak(); }
