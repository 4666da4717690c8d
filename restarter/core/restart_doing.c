// What a task of a restarter does now, in a word, for viewers. See restart.h.

#include "restart.h"

const char *restart_doing(const restart_t *self)
{
    bool acts = self->phase == RESTART_PHASE_BEFORE || self->phase == RESTART_PHASE_COMMAND;
    if (self->is_waiting && acts)
        return "permit";
    switch (self->phase) {
    case RESTART_PHASE_SKIP_IF: return "skip-if";
    case RESTART_PHASE_PROBE:
    case RESTART_PHASE_PROBE_HEALTH: return "probe";
    case RESTART_PHASE_READ: return "read";
    case RESTART_PHASE_BEFORE: return "before";
    case RESTART_PHASE_COMMAND: return "command";
    case RESTART_PHASE_CHECK: return "look";
    case RESTART_PHASE_LOOK: return self->proof.settle_ms >= 0 ? "settle" : "look";
    case RESTART_PHASE_VERIFY: return "verify";
    case RESTART_PHASE_AFTER: return "after";
    case RESTART_PHASE_DONE: break;
    }
    return "done";
}

int64_t restart_since_ms(const restart_t *self, int64_t started_ms)
{
    const restart_config_t *config = self->config;
    if (self->phase <= RESTART_PHASE_PROBE_HEALTH || self->deadline_ms == INT64_MAX)
        return started_ms;
    int64_t begun_ms = self->deadline_ms - config->timeout_ms - config->verify_ms;
    return begun_ms < started_ms ? begun_ms : started_ms;
}
