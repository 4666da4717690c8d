// See job.h: the names.

#include "job.h"

const char *mm_leg_name(mm_leg_t leg)
{
    static const char *const names[] = {
        [MM_LEG_SAVE] = "save", [MM_LEG_RESTART] = "restart", [MM_LEG_SETTLE] = "settle"};
    return names[leg];
}

static const char *const outcomes[] = {
    [MM_OUTCOME_NONE] = "none", [MM_OUTCOME_RESTARTED] = "restarted", [MM_OUTCOME_DEAD] = "dead"};

const char *mm_outcome_name(mm_outcome_t outcome)
{
    return outcomes[outcome];
}

bool mm_outcome_parse(mm_str_t text, mm_outcome_t *ret_outcome)
{
    for (mm_outcome_t outcome = MM_OUTCOME_NONE; outcome <= MM_OUTCOME_DEAD; outcome++)
        if (mm_str_equal(text, mm_str(outcomes[outcome]))) {
            *ret_outcome = outcome;
            return true;
        }
    return false;
}

const char *mm_role_name(mm_role_t role)
{
    static const char *const names[] = {
        [MM_ROLE_SAVER] = "saver", [MM_ROLE_RESTARTER] = "restarter"};
    return names[role];
}

const char *mm_verdict_name(mm_verdict_kind_t kind)
{
    static const char *const names[] = {[MM_VERDICT_EXTEND] = "extend",
                                        [MM_VERDICT_ACK] = "ack",
                                        [MM_VERDICT_NACK] = "nack",
                                        [MM_VERDICT_DEAD] = "dead"};
    return names[kind];
}
