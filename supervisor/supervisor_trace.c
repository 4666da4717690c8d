// See supervisor_trace.h.

#include "supervisor_trace.h"

#include <inttypes.h>

char *supervisor_name(supervisor_child_t child, char buffer[SUPERVISOR_NAME_MAX])
{
    static const char *const names[] = {[SUPERVISOR_CONSUMER] = "consumer",
                                        [SUPERVISOR_SAVER] = "saver",
                                        [SUPERVISOR_PUBLISHER] = "publisher",
                                        [SUPERVISOR_RESTARTER] = "restarter"};
    if (child.role == SUPERVISOR_RESTARTER)
        (void)snprintf(buffer, SUPERVISOR_NAME_MAX, "restarter-%" PRIu32, child.number);
    else
        (void)snprintf(buffer, SUPERVISOR_NAME_MAX, "%s", names[child.role]);
    return buffer;
}

const char *supervisor_say_name(supervisor_say_t what)
{
    static const char *const names[SUPERVISOR_SAYINGS] = {
        [SUPERVISOR_SAY_SIGNAL] = "signal",         [SUPERVISOR_SAY_AT_ONCE] = "at-once",
        [SUPERVISOR_SAY_ENDED] = "ended",           [SUPERVISOR_SAY_CRASHED] = "crashed",
        [SUPERVISOR_SAY_TOO_OFTEN] = "too-often",   [SUPERVISOR_SAY_FAILED] = "failed",
        [SUPERVISOR_SAY_LEFT_EARLY] = "left-early", [SUPERVISOR_SAY_CUT_OFF] = "cut-off",
        [SUPERVISOR_SAY_LEAVES] = "leaves",         [SUPERVISOR_SAY_HAS_LEFT] = "has-left",
        [SUPERVISOR_SAY_NONE_LEFT] = "none-left",   [SUPERVISOR_SAY_TIME_IS_OVER] = "time-is-over",
        [SUPERVISOR_SAY_KILLED] = "killed",         [SUPERVISOR_SAY_DEPOSED] = "deposed",
    };
    return names[what];
}

const char *supervisor_why_name(supervisor_why_t why)
{
    static const char *const names[] = {
        [SUPERVISOR_WHY_FINISHED] = "finished", [SUPERVISOR_WHY_SIGNAL] = "signal",
        [SUPERVISOR_WHY_AT_ONCE] = "at-once",   [SUPERVISOR_WHY_CUT_OFF] = "cut-off",
        [SUPERVISOR_WHY_FAILED] = "failed",     [SUPERVISOR_WHY_LEFT] = "left",
        [SUPERVISOR_WHY_CRASHES] = "crashes",   [SUPERVISOR_WHY_TIME] = "time",
    };
    return names[why];
}

void supervisor_trace_config(FILE *file, const supervisor_config_t *config)
{
    (void)fprintf(file,
                  "config restarters=%" PRIu32 " drain=%" PRId64 " kill=%" PRId64
                  " crash_limit=%" PRIu32 " backoff_low=%" PRId64 " backoff_high=%" PRId64
                  " run=%" PRId64 "\n",
                  config->restarters, config->drain_ms, config->kill_ms, config->crash_limit,
                  config->backoff_low_ms, config->backoff_high_ms, config->run_ms);
}

static void print_child(FILE *file, const char *word, supervisor_child_t child)
{
    char name[SUPERVISOR_NAME_MAX];
    (void)fprintf(file, "%s %s", word, supervisor_name(child, name));
}

void supervisor_trace_event(FILE *file, const supervisor_event_t *event)
{
    switch (event->kind) {
    case SUPERVISOR_START: (void)fputs("start", file); break;
    case SUPERVISOR_ENDED:
        print_child(file, "ended", event->child);
        if (event->as.ended.signal)
            (void)fprintf(file, " signal=%d", event->as.ended.signal);
        else
            (void)fprintf(file, " code=%d%s", event->as.ended.code,
                          event->as.ended.is_deposed ? " deposed=yes" : "");
        break;
    case SUPERVISOR_UNBORN:
        print_child(file, "unborn", event->child);
        (void)fprintf(file, " error=%d%s", event->as.unborn.error,
                      event->as.unborn.is_final ? " final=yes" : "");
        break;
    case SUPERVISOR_SIGNALED: (void)fprintf(file, "signal %d", event->as.signal); break;
    case SUPERVISOR_SCALE: (void)fprintf(file, "scale %" PRIu32, event->as.restarters); break;
    case SUPERVISOR_TIME: (void)fputs("time", file); break;
    }
}

static void print_say(FILE *file, const supervisor_action_t *action)
{
    (void)fprintf(file, "say %s", supervisor_say_name(action->as.say.what));
    switch (action->as.say.what) {
    case SUPERVISOR_SAY_SIGNAL: (void)fprintf(file, " %d", action->as.say.signal); return;
    case SUPERVISOR_SAY_AT_ONCE:
    case SUPERVISOR_SAY_TIME_IS_OVER:
    case SUPERVISOR_SAYINGS: return;
    case SUPERVISOR_SAY_ENDED:
    case SUPERVISOR_SAY_CRASHED:
    case SUPERVISOR_SAY_DEPOSED:
    case SUPERVISOR_SAY_TOO_OFTEN:
    case SUPERVISOR_SAY_FAILED:
    case SUPERVISOR_SAY_LEFT_EARLY:
    case SUPERVISOR_SAY_CUT_OFF:
    case SUPERVISOR_SAY_LEAVES:
    case SUPERVISOR_SAY_HAS_LEFT:
    case SUPERVISOR_SAY_NONE_LEFT:
    case SUPERVISOR_SAY_KILLED: print_child(file, "", action->child); break;
    }
    if (action->as.say.count > 0)
        (void)fprintf(file, " count=%" PRIu32, action->as.say.count);
    if (action->as.say.delay_ms > 0)
        (void)fprintf(file, " delay=%" PRId64, action->as.say.delay_ms);
}

static void print_exit(FILE *file, const supervisor_action_t *action)
{
    (void)fprintf(file, "exit %s", supervisor_why_name(action->as.exit.why));
    if (action->as.exit.code >= 0)
        (void)fprintf(file, " code=%d", action->as.exit.code);
    if (!action->as.exit.is_clean)
        (void)fputs(" unclean", file);
}

void supervisor_trace_action(FILE *file, const supervisor_action_t *action)
{
    switch (action->kind) {
    case SUPERVISOR_SPAWN: print_child(file, "spawn", action->child); break;
    case SUPERVISOR_TERM: print_child(file, "term", action->child); break;
    case SUPERVISOR_KILL: print_child(file, "kill", action->child); break;
    case SUPERVISOR_SAY: print_say(file, action); break;
    case SUPERVISOR_SCALED: (void)fputs("scaled", file); break;
    case SUPERVISOR_EXIT: print_exit(file, action); break;
    }
}

void supervisor_trace_step(FILE *file, int64_t start_ms, const supervisor_event_t *event,
                           const supervisor_actions_t *actions)
{
    (void)fprintf(file, "[%6" PRId64 "] ", event->now_ms - start_ms);
    supervisor_trace_event(file, event);
    (void)fputs(" ->", file);
    for (size_t i = 0; i < actions->count; i++) {
        (void)fputs(i == 0 ? " " : "; ", file);
        supervisor_trace_action(file, &actions->items[i]);
    }
    (void)putc('\n', file);
}
