// See run_messages.h.

#include "run_messages.h"
#include "caller.h"
#include "run_starts.h"
#include "supervisor_trace.h"

#include <assert.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE 2048

void run_messages_say(run_messages_t *self, const char *format, ...)
{
    char line[LINE], shown[LINE + 8];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    run_folder_record(self->folder, line);
    (void)snprintf(shown, sizeof shown, "%s%s", self->clear, line);
    if (!self->settings->options.quiet)
        user_screen_out(self->screen, shown);
}

void run_messages_warn(run_messages_t *self, const char *format, ...)
{
    char line[LINE], shown[LINE + 64];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    run_folder_record(self->folder, line);
    (void)snprintf(shown, sizeof shown, "%s%s: %s", self->clear, caller_title(), line);
    user_screen_error(self->screen, shown);
}

// "ended with 70", "was killed by signal 9", "could not be started: No such file".
static void describe_end(const supervisor_action_t *action, char text[128])
{
    if (action->as.say.error != 0)
        (void)snprintf(text, 128, "could not be started: %s", strerror(action->as.say.error));
    else if (action->as.say.signal != 0)
        (void)snprintf(text, 128, "was killed by signal %d", action->as.say.signal);
    else
        (void)snprintf(text, 128, "ended with %d", action->as.say.code);
}

static void add_unclean(run_messages_t *self, const char *name, const char *how)
{
    size_t used = strlen(self->unclean);
    (void)snprintf(self->unclean + used, sizeof self->unclean - used, "%s%s %s", used ? "; " : "",
                   name, how);
}

static void record_end(run_messages_t *self, const supervisor_action_t *action, const char *name,
                       const char *how)
{
    char line[256];
    (void)snprintf(line, sizeof line, "%s %s", name, how);
    run_folder_record(self->folder, line);
    if (action->as.say.is_unclean)
        add_unclean(self, name, how);
}

// By the consumer, or by the publisher.
static void tell_cut_off(run_messages_t *self, const supervisor_action_t *action)
{
    char name[RUN_STARTS_MAX];
    if (action->child.role == SUPERVISOR_CONSUMER)
        run_messages_warn(self, "too many hosts are dead (--max-dead): stopping");
    else if (run_starts_are_over(self->settings))
        run_messages_say(self,
                         "the starts have ended (%s), and what was running has, too: stopping",
                         run_starts_name(self->settings, name));
    else
        run_messages_say(self, "the input is cut off, as asked for: stopping");
}

void run_messages_tell(run_messages_t *self, const supervisor_action_t *action)
{
    char name[SUPERVISOR_NAME_MAX], how[128];
    supervisor_name(action->child, name);
    describe_end(action, how);
    switch (action->as.say.what) {
    case SUPERVISOR_SAY_SIGNAL:
        run_messages_warn(
            self,
            "received SIG%s: what runs is finished, the rest is kept for the next run (at most "
            "%lld s; once more ends at once)",
            sigabbrev_np(action->as.say.signal), (long long)self->settings->drain_ms / 1000);
        break;
    case SUPERVISOR_SAY_AT_ONCE: run_messages_warn(self, "second signal: ending at once"); break;
    case SUPERVISOR_SAY_ENDED: record_end(self, action, name, how); break;
    case SUPERVISOR_SAY_CRASHED:
        run_messages_warn(self, "%s %s: restarting (%u)", name, how, action->as.say.count);
        break;
    case SUPERVISOR_SAY_DEPOSED:
        run_messages_warn(self, "%s leads no longer: it stands by until it may lead again", name);
        break;
    case SUPERVISOR_SAY_TOO_OFTEN:
        run_messages_warn(self,
                          "%s %s, after %u restarts within a minute: stopping (see %s/log/%s.log)",
                          name, how, action->as.say.count, self->settings->dir, name);
        break;
    case SUPERVISOR_SAY_FAILED: run_messages_warn(self, "%s %s: stopping", name, how); break;
    case SUPERVISOR_SAY_LEFT_EARLY: run_messages_warn(self, "%s has left: stopping", name); break;
    case SUPERVISOR_SAY_CUT_OFF: tell_cut_off(self, action); break;
    case SUPERVISOR_SAY_LEAVES:
        run_messages_say(self, "%s finishes what it runs and leaves", name);
        break;
    case SUPERVISOR_SAY_HAS_LEFT: run_messages_say(self, "%s has left", name); break;
    case SUPERVISOR_SAY_NONE_LEFT:
        run_messages_warn(
            self,
            "the last restarter has left: jobs wait until `%s scale 1 --dir %s` brings one back",
            caller_program(), self->settings->dir);
        break;
    case SUPERVISOR_SAY_TIME_IS_OVER:
        run_messages_say(self, "profiled for %lld s: stopping",
                         (long long)self->settings->run_ms / 1000);
        break;
    case SUPERVISOR_SAY_KILLED:
        run_messages_warn(self, "%s does not leave: killing it", name);
        break;
    case SUPERVISOR_SAYINGS: assert(false);
    }
}
