// mayhem handover: the consumer that leads gives its lease up, so that another one leads.

#include "attach.h"
#include "clock.h"
#include "ctl.h"
#include "duration.h"
#include "record_order.h"
#include "target.h"
#include "utf8.h"
#include "uuid_source.h"

#include <string.h>
#include <sysexits.h>

static const char usage[] =
    "usage: mayhem handover --why TEXT [OPTION]...\n\n"
    "The consumer there, which leads, hands nothing more out, finishes what is at its savers,\n"
    "gives its lease up and ends with 75; another one, on the same record, leads. What runs goes\n"
    "on. Give the address of the one that leads: a standby refuses.\n";

typedef struct {
    target_t target;
    mm_order_t order; // its id, why and actor
    const char *why, *timeout;
    int64_t timeout_ms;
    char actor[MM_ACTOR_MAX + 1];
} command_t;

static int check(command_t *self)
{
    size_t size = self->why ? strlen(self->why) : 0;
    if (size == 0 || size > MM_ERROR_MAX || mm_utf8_prefix(mm_str(self->why), size) != size)
        return ctl_fail(EX_USAGE,
                        "say why, in up to %d bytes of UTF-8: mayhem handover --why TEXT; it is in "
                        "the consumer's log",
                        MM_ERROR_MAX);
    const char *complaint = mm_duration_parse(mm_str(self->timeout), &self->timeout_ms);
    if (!complaint && (self->timeout_ms < 100 || self->timeout_ms > 3600000))
        complaint = "it must be from 100ms to 1h";
    if (complaint)
        return ctl_fail(EX_USAGE, "--timeout %s: %s", self->timeout, complaint);
    return target_find(&self->target);
}

static int parse(int argc, char **argv, command_t *self)
{
    char **names;
    const ctl_option_t options[] = {{.name = "why",
                                     .argument = "TEXT",
                                     .help = "why, for the log: it must be said",
                                     .text = &self->why},
                                    TARGET_OPTIONS(&self->target),
                                    {.name = "timeout",
                                     .argument = "TIME",
                                     .help = "how long to wait for the answer (10s)",
                                     .text = &self->timeout},
                                    {.name = NULL}};
    int exit_code = ctl_options(argc, argv, usage, options, &names);
    if (exit_code != 0)
        return exit_code;
    if (names[0])
        return ctl_fail(EX_USAGE, "'%s' is no option of handover", names[0]);
    return check(self);
}

// The error of the answer; NULL: there was none in time.
static const char *wait_for_answer(attach_t *attach, int64_t timeout_ms,
                                   char ret_error[MM_ERROR_MAX])
{
    int64_t end_ms = mm_clock_ms() + timeout_ms;
    for (int64_t left_ms; (left_ms = end_ms - mm_clock_ms()) > 0;) {
        news_t news = attach_next(attach, -1, (int)left_ms);
        if (news.kind != NEWS_ORDER)
            continue;
        (void)snprintf(ret_error, MM_ERROR_MAX, "%s", ctl_text(news.json, "error"));
        return ret_error;
    }
    return NULL;
}

static int ask(const command_t *self)
{
    char error[MM_ERROR_MAX], complaint[MM_ERROR_MAX];
    attach_t *attach = attach_new(&self->target.addresses, target_key(&self->target));
    attach_hand_over(attach, &self->order);
    const char *answer = wait_for_answer(attach, self->timeout_ms, error);
    (void)snprintf(complaint, sizeof complaint, "%s", attach_complaint(attach));
    attach_destroy(&attach);
    if (!answer)
        return target_fail(&self->target, complaint);
    if (*answer)
        return ctl_fail(1, "nothing was handed over: %s", answer);
    (void)printf("handed over: this consumer ends, and another one on its record leads\n");
    return ctl_end_output(true);
}

int ctl_handover(int argc, char **argv)
{
    command_t self = {.timeout = "10s", .target.gives_orders = true};
    int exit_code = parse(argc, argv, &self);
    if (exit_code != 0)
        return exit_code;
    mm_id_source_t *ids = mm_id_source_new();
    mm_id_next(ids, mm_clock_wall_ms(), &self.order.id);
    mm_id_source_destroy(&ids);
    self.order.why = mm_str(self.why);
    self.order.actor = mm_str(record_order_actor(self.actor));
    return ask(&self);
}
