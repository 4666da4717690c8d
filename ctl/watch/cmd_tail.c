// mayhemctl tail: what happens to jobs and workers, as it happens, in the words of the consumer's
// log.

#include "attach.h"
#include "clock.h"
#include "ctl.h"
#include "host.h"
#include "log_format.h"
#include "log_messages.h"
#include "target.h"
#include "uuid.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define WALL_MAX INT64_C(253402300800000) // the year 10000: a log line has no room for it

static const char tail_help[] =
    "usage: mayhemctl tail [OPTION]...\n"
    "\n" TARGET_HELP "  --host NAME        only what happens to this host\n"
    "  --outcome WORD     only pulled, acked, dead, nacked, retried, taken_back, lost, left,\n"
    "                     joined or too_many_dead\n"
    "  --json             each as a JSON object\n"
    "  -n, --count COUNT  end after so many\n";

typedef struct {
    const char *event;
    const char *message; // as the consumer logs it
    mm_log_level_t level;
} wording_t;

static const wording_t wordings[] = {
    {"pulled", MM_MESSAGE_PULLED, MM_LOG_INFO},
    {"acked", MM_MESSAGE_ACKED, MM_LOG_INFO},
    {"dead", MM_MESSAGE_DEAD, MM_LOG_ERROR},
    {"nacked", MM_MESSAGE_NACKED, MM_LOG_INFO},
    {"retried", MM_MESSAGE_RETRY_RESTART, MM_LOG_WARN},
    {"taken_back", MM_MESSAGE_RECLAIMED, MM_LOG_WARN},
    {"lost", MM_MESSAGE_WORKER_LOST, MM_LOG_WARN},
    {"left", MM_MESSAGE_WORKER_LEFT, MM_LOG_INFO},
    {"joined", MM_MESSAGE_WORKER_JOINED, MM_LOG_INFO},
    {"too_many_dead", MM_MESSAGE_TOO_MANY_DEAD, MM_LOG_ERROR},
};

#define WORDINGS (sizeof wordings / sizeof *wordings)

typedef struct {
    target_t place;
    const char *host;
    const char *outcome;
    bool is_json;
    uint64_t count; // 0: no end
} tail_options_t;

typedef struct {
    const tail_options_t *options;
    mm_log_format_t format;
    pid_t pid;
    char *line; // MM_LOG_LINE_MAX
    uint64_t printed;
} tail_t;

// ---- options

static bool parse_outcome(const char *value, const char **ret_outcome)
{
    const char *words[WORDINGS];
    for (size_t i = 0; i < WORDINGS; i++)
        words[i] = wordings[i].event;
    *ret_outcome = value;
    return ctl_find_word("--outcome", value, words, WORDINGS) >= 0;
}

static bool parse_option(tail_options_t *self, int option, const char *value)
{
    const char *complaint;
    switch (option) {
    case 'D': self->place.dir = value; return true;
    case 'C': self->place.consumer = value; return true;
    case 'j': self->is_json = true; return true;
    case 'n': return ctl_number("-n", value, 1, UINT64_C(1000000000000), &self->count);
    case 'o': return parse_outcome(value, &self->outcome);
    case 'H':
        complaint = mm_host_complaint(mm_str(value));
        self->host = value;
        if (complaint)
            (void)ctl_fail(EX_USAGE, "--host is '%.100s', which is no host: %s", value, complaint);
        return !complaint;
    default: (void)fputs("mayhemctl tail --help says more\n", stderr); return false;
    }
}

// False: end with *ret_exit_code.
static bool parse(int argc, char **argv, tail_options_t *options, int *ret_exit_code)
{
    static const struct option names[] = {
        {"dir", required_argument, NULL, 'D'},   {"consumer", required_argument, NULL, 'C'},
        {"host", required_argument, NULL, 'H'},  {"outcome", required_argument, NULL, 'o'},
        {"count", required_argument, NULL, 'n'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};
    *ret_exit_code = EX_USAGE;
    for (int option; (option = getopt_long(argc, argv, "n:h", names, NULL)) >= 0;) {
        if (option == 'h') {
            (void)fputs(tail_help, stdout);
            *ret_exit_code = 0;
            return false;
        }
        if (!parse_option(options, option, optarg))
            return false;
    }
    if (optind < argc)
        *ret_exit_code = ctl_fail(EX_USAGE, "'%s' is no option of tail", argv[optind]);
    else
        *ret_exit_code = target_find(&options->place);
    return *ret_exit_code == 0;
}

// ---- events

static const char *text_in(const json_t *event, const char *key)
{
    const char *text = json_string_value(json_object_get(event, key));
    return text ? text : "";
}

static wording_t wording_of(const json_t *event)
{
    const char *name = text_in(event, "event");
    for (size_t i = 0; i < WORDINGS; i++)
        if (strcmp(wordings[i].event, name) == 0) {
            wording_t wording = wordings[i];
            if (strcmp(name, "retried") == 0 && strcmp(text_in(event, "leg"), "save") == 0)
                wording.message = MM_MESSAGE_RETRY_SAVE;
            return wording;
        }
    return (wording_t){"other", "Something of another release has happened", MM_LOG_INFO};
}

static bool write_line(tail_t *self, int64_t wall_ms, const wording_t *wording,
                       const mm_field_t *fields, size_t count)
{
    bool is_time = wall_ms >= 0 && wall_ms < WALL_MAX;
    mm_log_entry_t entry = {.wall_ms = is_time ? wall_ms : 0,
                            .level = wording->level,
                            .count = (uint32_t)count,
                            .message = wording->message};
    size_t size = mm_log_format(&self->format, &entry, fields, self->line);
    return fwrite(self->line, 1, size, stdout) == size;
}

static bool print_event(tail_t *self, json_t *event)
{
    static const char *const texts[] = {"host", "worker", "error", "why"};
    mm_field_t fields[MM_LOG_FIELDS];
    size_t count = 0;
    mm_id_t id;
    if (self->options->is_json)
        return ctl_print_json(json_incref(event));
    if (mm_id_parse(mm_str(text_in(event, "job")), &id))
        fields[count++] = MM_JOB(&id);
    fields[count] = MM_STRING("host", text_in(event, texts[0]));
    count += *text_in(event, texts[0]) != '\0';
    static const char *const numbers[] = {"attempts", "attempt"};
    for (size_t i = 0; i < 2; i++) {
        const json_t *number = json_object_get(event, numbers[i]);
        if (json_is_integer(number))
            fields[count++] = MM_INT(numbers[i], json_integer_value(number));
    }
    const json_t *in_ms = json_object_get(event, "in_ms");
    if (json_is_integer(in_ms))
        fields[count++] = MM_SECONDS("in", json_integer_value(in_ms));
    for (size_t i = 1; i < sizeof texts / sizeof *texts; i++)
        if (*text_in(event, texts[i]) != '\0')
            fields[count++] = MM_STRING(texts[i], text_in(event, texts[i]));
    wording_t wording = wording_of(event);
    return write_line(self, json_integer_value(json_object_get(event, "wall_ms")), &wording, fields,
                      count);
}

// What several viewers want is sent to all of them.
static bool is_wanted(const tail_options_t *options, const json_t *event)
{
    return (!options->host || strcmp(text_in(event, "host"), options->host) == 0) &&
           (!options->outcome || strcmp(text_in(event, "event"), options->outcome) == 0);
}

static bool is_enough(const tail_t *self)
{
    return self->options->count > 0 && self->printed >= self->options->count;
}

static bool print_left_out(tail_t *self, int64_t left_out)
{
    static const wording_t wording = {"left_out", "Events were left out: too many for viewers",
                                      MM_LOG_WARN};
    if (self->options->is_json)
        return ctl_print_json(json_pack("{s:s, s:I, s:I}", "event", wording.event, "wall_ms",
                                        (json_int_t)mm_clock_wall_ms(), "count",
                                        (json_int_t)left_out));
    return write_line(self, mm_clock_wall_ms(), &wording, &MM_INT("count", left_out), 1);
}

static bool print_events(tail_t *self, const json_t *json)
{
    size_t index;
    json_t *event;
    json_array_foreach(json_object_get(json, "events"), index, event)
    {
        if (!is_wanted(self->options, event))
            continue;
        if (!print_event(self, event))
            return false;
        self->printed++;
        if (is_enough(self))
            return fflush(stdout) == 0;
    }
    int64_t left_out = json_integer_value(json_object_get(json, "left_out"));
    if (left_out > 0 && !print_left_out(self, left_out))
        return false;
    return fflush(stdout) == 0;
}

// ---- the command

// The lines are the consumer's: its name and pid stand in them.
static void set_consumer(tail_t *self, const snapshot_t *snapshot)
{
    for (size_t i = 0; i < snapshot->process_count; i++) {
        const snapshot_process_t *process = &snapshot->processes[i];
        mm_name_t name;
        if (process->role != SNAPSHOT_CONSUMER || process->state == SNAPSHOT_LOST ||
            process->pid == self->pid || !mm_name_from(mm_str(process->name), &name))
            continue;
        self->pid = process->pid;
        mm_log_format_init(&self->format, name, self->pid, false);
    }
}

static int follow(tail_t *self, attach_t *attach)
{
    bool is_gone = false, is_watching = false;
    int64_t began_ms = mm_clock_ms();
    while (!is_enough(self)) {
        attach_news_t news = attach_next(attach, -1, 200);
        if (news.kind == ATTACH_SNAPSHOT) {
            set_consumer(self, news.snapshot);
            if (!is_watching && self->pid != 0)
                attach_watch_events(attach, self->options->host, self->options->outcome);
            is_watching = self->pid != 0;
        }
        if (!is_watching && mm_clock_ms() - began_ms >= TARGET_WAIT_MS)
            return target_fail(&self->options->place);
        if (news.kind == ATTACH_EVENTS && !print_events(self, news.json))
            return ctl_fail(EX_IOERR, "cannot write the output: %s", strerror(errno));
        bool is_silent = is_watching && attach_silent_ms(attach) >= TARGET_WAIT_MS;
        if (is_silent && !is_gone)
            (void)ctl_fail(0, "no answer for 3 s: the pipeline is gone; asking on");
        is_gone = is_silent;
    }
    return 0;
}

int ctl_tail(int argc, char **argv)
{
    tail_options_t options = {0};
    int exit_code;
    if (!parse(argc, argv, &options, &exit_code))
        return exit_code;
    tail_t tail = {.options = &options, .line = malloc(MM_LOG_LINE_MAX)};
    assert(tail.line);
    mm_name_t name = {"consumer"};
    mm_log_format_init(&tail.format, name, 0, false);
    attach_t *attach = attach_new(&options.place.base);
    exit_code = follow(&tail, attach);
    attach_destroy(&attach);
    free(tail.line);
    return exit_code;
}
