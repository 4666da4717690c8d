// mayhem tail: what happens to jobs and workers, as it happens, in the words of the consumer's
// log.

#include "attach.h"
#include "clock.h"
#include "ctl.h"
#include "host.h"
#include "log_format.h"
#include "log_messages.h"
#include "target.h"

#include <assert.h>
#include <stdlib.h>
#include <sysexits.h>

#define WALL_MAX INT64_C(253402300800000) // the year 10000: a log line has no room for it

static const char tail_usage[] =
    "usage: mayhem tail [OPTION]...\n\nWhat happens to jobs, as it happens.\n";

// As the consumer logs them.
static const struct {
    const char *event;
    const char *message;
    mm_log_level_t level;
} wordings[] = {
    {"pulled", MM_MESSAGE_PULLED, MM_LOG_INFO},
    {"acked", MM_MESSAGE_ACKED, MM_LOG_INFO},
    {"dead", MM_MESSAGE_DEAD, MM_LOG_ERROR},
    {"skipped", MM_MESSAGE_SKIPPED, MM_LOG_INFO},
    {"withdrawn", MM_MESSAGE_WITHDRAWN, MM_LOG_INFO},
    {"nacked", MM_MESSAGE_NACKED, MM_LOG_INFO},
    {"retried", MM_MESSAGE_RETRY_RESTART, MM_LOG_WARN},
    {"held", MM_MESSAGE_HELD, MM_LOG_WARN},
    {"taken_back", MM_MESSAGE_RECLAIMED, MM_LOG_WARN},
    {"lost", MM_MESSAGE_WORKER_LOST, MM_LOG_WARN},
    {"left", MM_MESSAGE_WORKER_LEFT, MM_LOG_INFO},
    {"joined", MM_MESSAGE_WORKER_JOINED, MM_LOG_INFO},
    {"ordered", MM_MESSAGE_ORDERED, MM_LOG_WARN},
    {"tripped", MM_MESSAGE_TRIPPED, MM_LOG_ERROR},
    {"step", MM_MESSAGE_STEP, MM_LOG_INFO},
    {"starts_ended", MM_MESSAGE_STARTS_ENDED, MM_LOG_INFO},
    {"too_many_dead", MM_MESSAGE_TOO_MANY_DEAD, MM_LOG_ERROR},
};

#define WORDINGS (sizeof wordings / sizeof *wordings)

typedef struct {
    target_t target;
    const char *host; // NULL: any
    int outcome;      // index into wordings; -1: any
    bool is_json;
    uint64_t count; // 0: no end
    mm_log_format_t format;
    pid_t pid;  // of the consumer; 0: not known yet
    char *line; // MM_LOG_LINE_MAX
    uint64_t printed;
} tail_t;

// ---- events

static bool write_line(tail_t *self, int64_t wall_ms, mm_log_level_t level, const char *message,
                       const mm_field_t *fields, size_t count)
{
    mm_log_entry_t entry = {.wall_ms = wall_ms >= 0 && wall_ms < WALL_MAX ? wall_ms : 0,
                            .level = level,
                            .count = (uint32_t)count,
                            .message = message};
    size_t size = mm_log_format(&self->format, &entry, fields, self->line);
    return fwrite(self->line, 1, size, stdout) == size;
}

static bool has_text(const json_t *event, const char *key, const char *text)
{
    return strcmp(ctl_text(event, key), text) == 0;
}

static bool print_event(tail_t *self, json_t *event)
{
    static const char *const keys[] = {"job",   "host", "attempts", "attempt", "in_ms", "worker",
                                       "error", "what", "name",     "why",     "by"};
    mm_field_t fields[MM_LOG_FIELDS];
    size_t count = 0;
    if (self->is_json)
        return ctl_write_json(stdout, json_incref(event), JSON_COMPACT);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *number = json_object_get(event, keys[i]);
        if (*ctl_text(event, keys[i]))
            fields[count++] = MM_STRING(keys[i], ctl_text(event, keys[i]));
        else if (json_is_integer(number) && strcmp(keys[i], "in_ms") == 0)
            fields[count++] = MM_SECONDS("in", json_integer_value(number));
        else if (json_is_integer(number))
            fields[count++] = MM_INT(keys[i], json_integer_value(number));
    }
    mm_log_level_t level = MM_LOG_INFO;
    const char *message = "Something of another release has happened";
    for (size_t i = 0; i < WORDINGS; i++)
        if (has_text(event, "event", wordings[i].event)) {
            level = wordings[i].level;
            message = wordings[i].message;
        }
    if (has_text(event, "event", "retried") && has_text(event, "leg", "save"))
        message = MM_MESSAGE_RETRY_SAVE;
    return write_line(self, json_integer_value(json_object_get(event, "wall_ms")), level, message,
                      fields, count);
}

// All viewers receive what any of them wants.
static bool is_wanted(const tail_t *self, const json_t *event)
{
    return (!self->host || has_text(event, "host", self->host)) &&
           (self->outcome < 0 || has_text(event, "event", wordings[self->outcome].event));
}

static bool is_enough(const tail_t *self)
{
    return self->count > 0 && self->printed >= self->count;
}

static bool print_left_out(tail_t *self, int64_t count)
{
    int64_t wall_ms = mm_clock_wall_ms();
    if (self->is_json)
        return ctl_write_json(stdout,
                              json_pack("{s:s, s:I, s:I}", "event", "left_out", "wall_ms",
                                        (json_int_t)wall_ms, "count", (json_int_t)count),
                              JSON_COMPACT);
    return write_line(self, wall_ms, MM_LOG_WARN, "Events were left out: too many for viewers",
                      &MM_INT("count", count), 1);
}

static int print_events(tail_t *self, const json_t *json)
{
    bool is_good = true;
    size_t index;
    json_t *event;
    json_array_foreach(json_object_get(json, "events"), index, event)
    {
        if (!is_good || is_enough(self) || !is_wanted(self, event))
            continue;
        is_good = print_event(self, event);
        self->printed++;
    }
    int64_t left_out = json_integer_value(json_object_get(json, "left_out"));
    if (left_out > 0 && is_good && !is_enough(self))
        is_good = print_left_out(self, left_out);
    return ctl_end_output(is_good);
}

// ---- the command

static int parse(int argc, char **argv, tail_t *self)
{
    const char *words[WORDINGS + 1] = {NULL};
    for (size_t i = 0; i < WORDINGS; i++)
        words[i] = wordings[i].event;
    const ctl_option_t options[] = {
        TARGET_OPTIONS(&self->target),
        {.name = "host",
         .argument = "NAME",
         .help = "only what happens to this host",
         .text = &self->host},
        {.name = "outcome",
         .argument = "WORD",
         .help = "only this",
         .word = &self->outcome,
         .words = words},
        {.name = "json", .help = "each as a JSON object", .flag = &self->is_json},
        {.name = "count",
         .argument = "N",
         .help = "end after so many",
         .letter = 'n',
         .number = &self->count,
         .min = 1,
         .max = 1000000000000},
        {.name = NULL}};
    int exit_code = ctl_options(argc, argv, tail_usage, options, NULL);
    if (exit_code != 0)
        return exit_code;
    const char *complaint = self->host ? mm_host_complaint(mm_str(self->host)) : NULL;
    if (complaint)
        return ctl_fail(EX_USAGE, "--host is '%.100s', which is no host: %s", self->host,
                        complaint);
    return target_find(&self->target);
}

// The lines are the consumer's, with its name and pid.
static void set_consumer(tail_t *self, const snapshot_t *snapshot)
{
    for (size_t i = 0; i < snapshot->process_count; i++) {
        const snapshot_process_t *process = &snapshot->processes[i];
        mm_name_t name;
        if (process->role != MM_PROGRAM_CONSUMER || process->state == SNAPSHOT_LOST ||
            process->pid == self->pid || !mm_name_from(mm_str(process->name), &name))
            continue;
        self->pid = process->pid;
        mm_log_format_init(&self->format, name, self->pid, false);
    }
}

static int follow(tail_t *self, attach_t *attach)
{
    bool is_silent = false;
    int exit_code = 0;
    int64_t began_ms = mm_clock_ms();
    while (!is_enough(self) && exit_code == 0) {
        news_t news = attach_next(attach, -1, 200);
        bool was_watching = self->pid != 0;
        if (news.kind == NEWS_SNAPSHOT)
            set_consumer(self, news.snapshot);
        if (!was_watching && self->pid != 0)
            attach_watch_events(attach, self->host,
                                self->outcome < 0 ? NULL : wordings[self->outcome].event);
        if (self->pid == 0 && mm_clock_ms() - began_ms >= TARGET_WAIT_MS)
            return target_fail(&self->target, attach_complaint(attach));
        if (news.kind == NEWS_EVENTS)
            exit_code = print_events(self, news.json);
        if (self->pid != 0)
            is_silent = target_watch(attach_silent_ms(attach), is_silent);
    }
    return exit_code;
}

int ctl_tail(int argc, char **argv)
{
    tail_t self = {.outcome = -1};
    int exit_code = parse(argc, argv, &self);
    if (exit_code != 0)
        return exit_code;
    self.line = malloc(MM_LOG_LINE_MAX);
    assert(self.line);
    mm_log_format_init(&self.format, (mm_name_t){"consumer"}, 0, false);
    attach_t *attach = attach_new(&self.target.addresses, target_key(&self.target));
    exit_code = follow(&self, attach);
    attach_destroy(&attach);
    free(self.line);
    return exit_code;
}
