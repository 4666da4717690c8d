// See job.h: the names.

#include "job.h"

// The place of a name among others; count: it is none of them.
static unsigned find(const char *const *names, unsigned count, mm_str_t text)
{
    unsigned i = 0;
    while (i < count && !mm_str_equal(text, mm_str(names[i])))
        i++;
    return i;
}

const char *mm_leg_name(mm_leg_t leg)
{
    static const char *const names[] = {[MM_LEG_SAVE] = "save",
                                        [MM_LEG_RESTART] = "restart",
                                        [MM_LEG_SETTLE] = "settle",
                                        [MM_LEG_PROBE] = "probe"};
    return names[leg];
}

#define OUTCOMES 5
static const char *const outcomes[OUTCOMES] = {[MM_OUTCOME_NONE] = "none",
                                               [MM_OUTCOME_RESTARTED] = "restarted",
                                               [MM_OUTCOME_DEAD] = "dead",
                                               [MM_OUTCOME_WITHDRAWN] = "withdrawn",
                                               [MM_OUTCOME_SKIPPED] = "skipped"};

const char *mm_outcome_name(mm_outcome_t outcome)
{
    return outcomes[outcome];
}

bool mm_outcome_parse(mm_str_t text, mm_outcome_t *ret_outcome)
{
    unsigned found = find(outcomes, OUTCOMES, text);
    if (found < OUTCOMES)
        *ret_outcome = (mm_outcome_t)found;
    return found < OUTCOMES;
}

static const char *const programs[MM_PROGRAMS + 1] = {[MM_PROGRAM_PUBLISHER] = "publisher",
                                                      [MM_PROGRAM_CONSUMER] = "consumer",
                                                      [MM_PROGRAM_SAVER] = "saver",
                                                      [MM_PROGRAM_RESTARTER] = "restarter",
                                                      [MM_PROGRAM_RUN] = "run"};

const char *mm_program_name(mm_program_t program)
{
    return programs[program];
}

bool mm_program_parse(mm_str_t text, mm_program_t *ret_program)
{
    unsigned found = find(programs, MM_PROGRAMS, text);
    if (found < MM_PROGRAMS)
        *ret_program = (mm_program_t)found;
    return found < MM_PROGRAMS;
}

mm_program_t mm_role_program(mm_role_t role)
{
    return role == MM_ROLE_SAVER ? MM_PROGRAM_SAVER : MM_PROGRAM_RESTARTER;
}

const char *mm_role_name(mm_role_t role)
{
    return mm_program_name(mm_role_program(role));
}

const char *mm_verdict_name(mm_verdict_kind_t kind)
{
    static const char *const names[] = {
        [MM_VERDICT_EXTEND] = "extend",   [MM_VERDICT_ACK] = "ack",
        [MM_VERDICT_NACK] = "nack",       [MM_VERDICT_DEAD] = "dead",
        [MM_VERDICT_SKIPPED] = "skipped", [MM_VERDICT_WITHDRAWN] = "withdrawn"};
    return names[kind];
}

const char *mm_end_name(mm_end_t end)
{
    static const char *const names[] = {[MM_END_NONE] = "none",
                                        [MM_END_RESTARTED] = "restarted",
                                        [MM_END_EXIT] = "exit",
                                        [MM_END_TIMEOUT] = "timeout",
                                        [MM_END_SIGNAL] = "signal",
                                        [MM_END_STOPPED] = "stopped",
                                        [MM_END_SAME_BOOT] = "same-boot",
                                        [MM_END_WRONG_HOST] = "wrong-host",
                                        [MM_END_UNHEALTHY] = "unhealthy",
                                        [MM_END_UNREACHABLE] = "unreachable",
                                        [MM_END_INTERRUPTED] = "interrupted",
                                        [MM_END_LEFT_RUNNING] = "left-running",
                                        [MM_END_NOT_STARTED] = "not-started",
                                        [MM_END_UNVERIFIED] = "unverified",
                                        [MM_END_LACKING] = "lacking",
                                        [MM_END_UNABLE] = "unable",
                                        [MM_END_SKIPPED] = "skipped",
                                        [MM_END_UNPREPARED] = "unprepared"};
    return names[end];
}

const char *mm_proof_name(mm_proof_t proof)
{
    static const char *const names[] = {[MM_PROOF_NONE] = "none",
                                        [MM_PROOF_PROVEN] = "proven",
                                        [MM_PROOF_VERIFIED] = "verified",
                                        [MM_PROOF_UNVERIFIED] = "unverified",
                                        [MM_PROOF_REHEARSED] = "rehearsed"};
    return names[proof];
}

const char *mm_row_name(mm_attempt_row_t row)
{
    static const char *const names[] = {[MM_ROW_NONE] = "none",
                                        [MM_ROW_BEGUN] = "begun",
                                        [MM_ROW_ENDED] = "ended",
                                        [MM_ROW_OPEN] = "open",
                                        [MM_ROW_NOT_STARTED] = "not-started"};
    return names[row];
}

#define ACTIONS (MM_ACTION_TAKE_OVER + 1)
static const char *const actions[ACTIONS] = {"",
                                             [MM_ACTION_HALT] = "halt",
                                             [MM_ACTION_RESUME] = "resume",
                                             [MM_ACTION_DENY] = "deny",
                                             [MM_ACTION_ABSOLVE] = "absolve",
                                             [MM_ACTION_TRIP] = "trip",
                                             [MM_ACTION_RUN] = "run",
                                             [MM_ACTION_BEGUN] = "begun",
                                             [MM_ACTION_ENDED] = "ended",
                                             [MM_ACTION_TAKE_OVER] = "take-over"};

const char *mm_action_name(mm_action_t action)
{
    return actions[action];
}

bool mm_action_is_of_host(mm_action_t action)
{
    return action == MM_ACTION_DENY || action == MM_ACTION_ABSOLVE;
}

bool mm_action_parse(mm_str_t text, mm_action_t *ret_action)
{
    unsigned found = find(actions, ACTIONS, text);
    if (found == 0 || found == ACTIONS)
        return false;
    *ret_action = (mm_action_t)found;
    return true;
}
