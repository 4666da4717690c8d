// mayhem halt, resume, deny and absolve: an operator holds a run back, or frees it, while it runs
// and while it does not. Each returns when that is on record, and says what is in force then.

#include "clock.h"
#include "ctl.h"
#include "duration.h"
#include "held_print.h"
#include "host_fold.h"
#include "order.h"
#include "record_order.h"
#include "run_folder.h"
#include "until.h"
#include "utf8.h"
#include "uuid_source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

static const char *const usages[] = {
    [MM_ACTION_HALT] =
        "usage: mayhem halt --why TEXT [OPTION]...\n\n"
        "Nothing begins any more until `mayhem resume`: not now, and not in a later run in this\n"
        "folder. What runs is finished. Returns when that is in force and on record.\n",
    [MM_ACTION_RESUME] = "usage: mayhem resume [GROUP] --why TEXT [OPTION]...\n\n"
                         "Ends a halt, and the stop by the breaker of the whole run; with GROUP "
                         "that of its breaker\n"
                         "alone.\n",
    [MM_ACTION_DENY] =
        "usage: mayhem deny HOST --why TEXT [OPTION]...\n\n"
        "The host is not restarted until a date, or for good. `--until now` ends that.\n",
    [MM_ACTION_ABSOLVE] =
        "usage: mayhem absolve HOST --why TEXT [OPTION]...\n\n"
        "The host is well again: it is no casualty any more, and its place is free. What --after\n"
        "does for it is owed no longer than to the next run.\n"};

typedef struct {
    target_t target;
    mm_order_t order;
    const char *why, *until, *timeout, *store;
    bool is_json;
    char host[MM_HOST_MAX];
    char actor[MM_ACTOR_MAX + 1];
    char path[TARGET_PATH];
    char argument[TARGET_ARGUMENT];
    order_way_t way;
    mm_held_record_t before; // what was in force
    mm_held_record_t after;
} command_t;

// ---- what is typed

static int check_why(command_t *self)
{
    if (!self->why || !*self->why)
        return ctl_fail(EX_USAGE, "say why: mayhem %s --why TEXT; it is kept on record",
                        mm_action_name(self->order.action));
    size_t size = strlen(self->why);
    if (size > MM_ERROR_MAX)
        return ctl_fail(EX_USAGE, "--why has %zu bytes, and may have %d: shorten it", size,
                        MM_ERROR_MAX);
    if (mm_utf8_prefix(mm_str(self->why), size) != size)
        return ctl_fail(EX_USAGE, "--why is no UTF-8: write it without other bytes");
    self->order.why = mm_str(self->why);
    return 0;
}

static int check_until(command_t *self)
{
    const char *complaint =
        self->until ? until_parse(self->until, mm_clock_wall_ms(), &self->order.until_ms) : NULL;
    return complaint ? ctl_fail(EX_USAGE, "--until %s: %s", self->until, complaint) : 0;
}

static int check_timeout(command_t *self)
{
    const char *complaint = mm_duration_parse(mm_str(self->timeout), &self->way.timeout_ms);
    if (!complaint && (self->way.timeout_ms < 100 || self->way.timeout_ms > 3600000))
        complaint = "it must be from 100ms to 1h";
    return complaint ? ctl_fail(EX_USAGE, "--timeout %s: %s", self->timeout, complaint) : 0;
}

static int check_name(command_t *self, char **names)
{
    const char *command = mm_action_name(self->order.action), *name = names[0];
    bool is_of_host = mm_action_is_of_host(self->order.action);
    if (is_of_host && (!name || names[1]))
        return ctl_fail(EX_USAGE, "say one host: mayhem %s HOST --why TEXT", command);
    if (name && (self->order.action == MM_ACTION_HALT || names[1]))
        return ctl_fail(EX_USAGE, "'%s' is no option of %s", names[name == names[0] && names[1]],
                        command);
    const char *complaint = is_of_host ? mm_host_complaint(mm_str(name)) : NULL;
    if (complaint)
        return ctl_fail(EX_USAGE, "'%s' is no host: %s", name, complaint);
    if (!is_of_host && name && !mm_is_name(mm_str(name)))
        return ctl_fail(EX_USAGE, "'%s' is no group", name);
    self->order.name = is_of_host ? mm_host_fold(mm_str(name), self->host) : mm_str(name);
    return 0;
}

// A folder in which a run has begun, so that a slip of the pen halts nothing else.
static int check_folder(const command_t *self)
{
    char lock[TARGET_PATH];
    struct stat status;
    const char *dir = self->target.dir, *command = mm_action_name(self->order.action);
    bool is_of_host = mm_action_is_of_host(self->order.action);
    if (self->target.consumer)
        return 0;
    if (!run_folder_may_look(dir))
        return ctl_fail(EX_NOPERM, "%s is another user's: you may not look into it", dir);
    (void)snprintf(lock, sizeof lock, "%s/run.lock", dir);
    bool is_run = stat(lock, &status) == 0 || stat(self->path, &status) == 0;
    if (stat(dir, &status) == 0 && S_ISDIR(status.st_mode) && is_run)
        return 0;
    return ctl_fail(EX_NOINPUT,
                    "no run has begun in '%s': name its folder, as in: mayhem %s%s --dir FOLDER "
                    "--why TEXT",
                    dir, command, is_of_host ? " HOST" : "");
}

static int parse(int argc, char **argv, command_t *self)
{
    char **names;
    const ctl_option_t all[] = {
        {.name = "why",
         .argument = "TEXT",
         .help = "why, for those who come later: it must be said",
         .text = &self->why},
        TARGET_OPTIONS(&self->target),
        TARGET_STORE_OPTIONS(&self->store),
        {.name = "timeout",
         .argument = "TIME",
         .help = "how long to wait until it is on record (10s)",
         .text = &self->timeout},
        {.name = "json", .help = "as a JSON object", .flag = &self->is_json},
        {.name = "until",
         .argument = "DATE",
         .help = "2026-12-24, '2026-12-24 06:00' or +2h; else for good; now: no more",
         .text = &self->until},
        {.name = NULL}};
    ctl_option_t options[sizeof all / sizeof *all];
    memcpy(options, all, sizeof all);
    if (self->order.action != MM_ACTION_DENY) // the last one is its own
        options[sizeof all / sizeof *all - 2] = (ctl_option_t){.name = NULL};
    int exit_code = ctl_options(argc, argv, usages[self->order.action], options, &names);
    if (exit_code == 0)
        exit_code = check_name(self, names);
    if (exit_code == 0)
        exit_code = check_why(self);
    if (exit_code == 0)
        exit_code = check_until(self);
    if (exit_code == 0)
        exit_code = check_timeout(self);
    if (exit_code == 0)
        exit_code = target_find(&self->target);
    if (exit_code != 0)
        return exit_code;
    self->way.target = &self->target;
    exit_code = target_record(&self->target, self->store, self->path);
    if (exit_code != 0)
        return exit_code;
    self->way.record = *self->path ? self->path : NULL;
    (void)target_argument(&self->target, self->argument);
    return check_folder(self);
}

// ---- what is said

// By whom a host, a group or the whole run was held back.
static bool was_held(const command_t *self, mm_action_t kind)
{
    char name[MM_HOST_MAX + 1];
    (void)snprintf(name, sizeof name, "%.*s", (int)self->order.name.size,
                   self->order.name.size > 0 ? self->order.name.data : "");
    return mm_held_record_find(&self->before, kind, name) != NULL;
}

static void say_halted(const command_t *self, order_taken_t taken)
{
    (void)printf("halted: nothing begins in %s until: mayhem resume%s --why TEXT\n",
                 self->target.consumer ? self->target.consumer : self->target.dir, self->argument);
    if (taken == ORDER_TAKEN)
        (void)printf("what runs is finished: mayhem status --hosts%s\n", self->argument);
    else if (taken == ORDER_REHEARSAL)
        (void)printf("but this is a rehearsal without a policy, and goes on\n");
}

static void say_resumed(const command_t *self, order_taken_t taken)
{
    bool is_run = self->order.name.size == 0, is_known = self->way.record != NULL;
    bool was = was_held(self, MM_ACTION_TRIP) || (is_run && was_held(self, MM_ACTION_HALT));
    if (is_run)
        (void)printf("resumed: %s%s\n",
                     self->target.consumer ? self->target.consumer : self->target.dir,
                     is_known && !was          ? ", which was not halted"
                     : taken == ORDER_RECORDED ? "; the same command goes on"
                                               : "");
    else
        (void)printf("resumed: group %.*s%s\n", (int)self->order.name.size, self->order.name.data,
                     is_known && !was ? ", whose breaker had not tripped" : "");
}

static void say_denied(const command_t *self)
{
    char until[UNTIL_TEXT];
    int64_t until_ms = self->order.until_ms;
    int size = (int)self->order.name.size;
    const char *name = self->order.name.data;
    if (until_ms == UNTIL_NOW)
        (void)printf("no longer denied: %.*s%s\n", size, name,
                     self->way.record && !was_held(self, MM_ACTION_DENY) ? ", which was not" : "");
    else
        (void)printf("denied: %.*s is not restarted %s%s; to end that: mayhem deny %.*s --until "
                     "now%s --why TEXT\n",
                     size, name, until_ms > 0 ? "until " : "for good",
                     until_ms > 0 ? until_print(until_ms, until) : "", size, name, self->argument);
}

static void say_absolved(const command_t *self)
{
    char host[MM_HOST_MAX + 1];
    (void)snprintf(host, sizeof host, "%.*s", (int)self->order.name.size, self->order.name.data);
    const mm_held_place_t *place = mm_held_record_place(&self->before, host);
    bool was = place && place->is_casualty;
    (void)printf("absolved: %s%s\n", host,
                 !self->way.record ? ""
                 : was             ? " is no casualty any more"
                                   : ", which was no casualty: check its spelling");
}

static bool print_json(const command_t *self, order_taken_t taken)
{
    char id[MM_ID_TEXT];
    const mm_order_t *order = &self->order;
    json_t *json =
        json_pack("{s:s, s:s, s:s%, s:I, s:s%, s:s, s:b, s:o?}", "order",
                  mm_id_print(&order->id, id), "action", mm_action_name(order->action), "name",
                  order->name.size > 0 ? order->name.data : "", order->name.size, "until_ms",
                  (json_int_t)order->until_ms, "why", order->why.data, order->why.size, "actor",
                  self->actor, "running", taken != ORDER_RECORDED, "in_force",
                  self->way.record ? held_json(&self->after) : NULL);
    assert(json); // all of it is UTF-8
    return ctl_write_json(stdout, json, JSON_COMPACT);
}

static int print(const command_t *self, order_taken_t taken)
{
    if (self->is_json)
        return ctl_end_output(print_json(self, taken));
    switch ((int)self->order.action) { // the others are nobody's to order
    case MM_ACTION_HALT: say_halted(self, taken); break;
    case MM_ACTION_RESUME: say_resumed(self, taken); break;
    case MM_ACTION_DENY: say_denied(self); break;
    case MM_ACTION_ABSOLVE: say_absolved(self); break;
    }
    if (self->order.action == MM_ACTION_RESUME && self->after.hold_count > 0) {
        (void)printf("still in force:\n");
        held_print(&self->after, true, self->argument, stdout);
    }
    return ctl_end_output(true);
}

// ---- the commands

// What is on record is said, not needed: a record that cannot be read now is left out.
static void read_record(const command_t *self, mm_held_record_t *ret_record)
{
    char error[MM_ERROR_MAX];
    if (!self->way.record ||
        mm_held_record_read(self->way.record, mm_clock_wall_ms(), HELD_MAX, ret_record, error) != 0)
        *ret_record = (mm_held_record_t){0};
}

static int give(mm_action_t action, int argc, char **argv)
{
    command_t self = {.order = {.action = action}, .timeout = "10s", .target.gives_orders = true};
    order_taken_t taken;
    int exit_code = parse(argc, argv, &self);
    if (exit_code != 0)
        return exit_code;
    mm_id_source_t *ids = mm_id_source_new();
    mm_id_next(ids, mm_clock_wall_ms(), &self.order.id);
    mm_id_source_destroy(&ids);
    self.order.actor = mm_str(record_order_actor(self.actor));
    read_record(&self, &self.before);
    exit_code = order_give(&self.way, &self.order, &taken);
    if (exit_code == 0) {
        read_record(&self, &self.after);
        exit_code = print(&self, taken);
    }
    mm_held_record_clear(&self.before);
    mm_held_record_clear(&self.after);
    return exit_code;
}

int ctl_halt(int argc, char **argv)
{
    return give(MM_ACTION_HALT, argc, argv);
}

int ctl_resume(int argc, char **argv)
{
    return give(MM_ACTION_RESUME, argc, argv);
}

int ctl_deny(int argc, char **argv)
{
    return give(MM_ACTION_DENY, argc, argv);
}

int ctl_absolve(int argc, char **argv)
{
    return give(MM_ACTION_ABSOLVE, argc, argv);
}
