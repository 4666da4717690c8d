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
    static const char *const names[] = {
        [MM_LEG_SAVE] = "save", [MM_LEG_RESTART] = "restart", [MM_LEG_SETTLE] = "settle"};
    return names[leg];
}

#define OUTCOMES 3
static const char *const outcomes[OUTCOMES] = {
    [MM_OUTCOME_NONE] = "none", [MM_OUTCOME_RESTARTED] = "restarted", [MM_OUTCOME_DEAD] = "dead"};

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
    static const char *const names[] = {[MM_VERDICT_EXTEND] = "extend",
                                        [MM_VERDICT_ACK] = "ack",
                                        [MM_VERDICT_NACK] = "nack",
                                        [MM_VERDICT_DEAD] = "dead"};
    return names[kind];
}
