// Runs every tests/scenarios/CORE/*.txt: each line's event goes into the core, and what comes out
// must be what stands behind the arrow. The same format is what --trace writes. The line
// "[ms] why JOB" is no event: it asks the consumer why the restart of this job waits; "[ms] whose
// JOB" asks of which group that limit is.
//
// test_scenarios -p FILE prints a scenario with what really comes out.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "gather_reader.h"
#include "gather_trace.h"
#include "lease_reader.h"
#include "outbox_reader.h"
#include "outbox_trace.h"
#include "supervisor_reader.h"
#include "supervisor_trace.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const gather_config_t gather_defaults = {.epoch = 1,
                                                .seed = 1,
                                                .attempts = 3,
                                                .backoff_low_ms = 100,
                                                .backoff_high_ms = 100,
                                                .heartbeat_ms = 500,
                                                .lost_after_ms = 1500,
                                                .extend_every_ms = 1000,
                                                .max_lease_ms = 3600000,
                                                .drain_ms = 24000,
                                                .max_in_flight = 1000,
                                                .settled_max = 1000,
                                                .nacked_max = 1000,
                                                .savers_max = 1,
                                                .restarters_max = 64,
                                                .attempt_ms = 600000};

static const outbox_config_t outbox_defaults = {
    .window = 4, .ack_deadline_ms = 3000, .heartbeat_ms = 500, .drain_ms = 25000, .seed = 1};

static const supervisor_config_t supervisor_defaults = {.restarters = 1,
                                                        .drain_ms = 25000,
                                                        .kill_ms = 2000,
                                                        .crash_limit = 10,
                                                        .backoff_low_ms = 100,
                                                        .backoff_high_ms = 5000};

static const lease_config_t lease_defaults = {.asker = LEASE_READER_ASKER,
                                              .ttl_ms = LEASE_TTL_MS,
                                              .renew_ms = 2000,
                                              .margin_ms = 1800,
                                              .look_ms = LEASE_LOOK_MS,
                                              .lonely_ms = LEASE_LONELY_MS,
                                              .yield_ms = LEASE_YIELD_MS,
                                              .lost_after_ms = 1500};

// The cores under test: fed with lines, the one that the file is of prints what it does.
typedef struct runner {
    const struct core *core;
    gather_config_t gather_config;
    gather_t *gather;
    gather_actions_t gather_actions;
    gather_reader_t *reader;
    const mm_policy_t *policy; // NULL: none
    bool tells_state;          // a line of the scenario does, not the runner
    outbox_config_t outbox_config;
    outbox_t *outbox;
    outbox_actions_t outbox_actions;
    supervisor_config_t supervisor_config;
    supervisor_t *supervisor;
    supervisor_actions_t supervisor_actions;
    lease_config_t lease_config;
    lease_t lease;
    bool has_lease;
} runner_t;

// What the folder of a scenario says about its core.
typedef struct core {
    const char *folder;
    bool (*config)(runner_t *self, const char *line);
    bool (*event)(runner_t *self, const char *line, FILE *out); // starts the core at need
} core_t;

static void destroy_cores(runner_t *self)
{
    gather_destroy(&self->gather);
    outbox_destroy(&self->outbox);
    supervisor_destroy(&self->supervisor);
    self->has_lease = false;
}

static bool config_gather(runner_t *self, const char *line)
{
    return gather_reader_config(self->reader, line, &self->gather_config);
}

static bool config_outbox(runner_t *self, const char *line)
{
    return outbox_reader_config(line, &self->outbox_config);
}

static bool config_supervisor(runner_t *self, const char *line)
{
    return supervisor_reader_config(line, &self->supervisor_config);
}

static bool config_lease(runner_t *self, const char *line)
{
    return lease_reader_config(line, &self->lease_config);
}

static bool tell_why(const runner_t *self, const char *job, FILE *out)
{
    gather_job_t found;
    if (gather_find_jobs(self->gather, mm_str(job), &found, 1) == 0)
        return false;
    (void)fputs(found.reason ? found.reason : "it does not wait", out);
    return true;
}

static bool tell_whose(const runner_t *self, const char *job, FILE *out)
{
    gather_job_t found;
    if (gather_find_jobs(self->gather, mm_str(job), &found, 1) == 0)
        return false;
    (void)fputs(!found.group ? "of no group" : *found.group ? found.group : "of the run", out);
    return true;
}

// The question for the record's state, which the runner answers itself: nothing is held back.
static bool is_question(const runner_t *self, const gather_action_t *action)
{
    return !self->tells_state && action->kind == GATHER_ORDERS && action->as.orders.count == 0;
}

static void print_actions(const runner_t *self, FILE *out, bool *is_first)
{
    for (size_t i = 0; i < self->gather_actions.count; i++) {
        const gather_action_t *action = &self->gather_actions.items[i];
        if (action->kind == GATHER_LOG || action->kind == GATHER_NEWS || is_question(self, action))
            continue;
        (void)fputs(*is_first ? "" : "; ", out);
        (void)gather_trace_action(out, action);
        *is_first = false;
    }
}

static bool run_gather(runner_t *self, const char *event_text, FILE *out)
{
    gather_event_t event;
    if (!self->gather) {
        self->gather = gather_new(&self->gather_config, 0);
        if (self->policy)
            gather_set_policy(self->gather, self->policy);
    }
    const char *why = strstr(event_text, "] why ");
    const char *whose = strstr(event_text, "] whose ");
    if (why)
        return tell_why(self, why + strlen("] why "), out);
    if (whose)
        return tell_whose(self, whose + strlen("] whose "), out);
    if (!gather_reader_event(self->reader, event_text, &event))
        return false;
    bool is_first = true;
    do {
        gather_step(self->gather, &event, &self->gather_actions);
        gather_reader_follow(self->reader, &self->gather_actions);
        print_actions(self, out, &is_first);
    } while (!self->tells_state && gather_reader_state(self->reader, &event));
    return true;
}

static bool run_outbox(runner_t *self, const char *event_text, FILE *out)
{
    outbox_event_t event;
    tokens_t words;
    if (!self->outbox)
        self->outbox = outbox_new(&self->outbox_config, 0);
    if (!outbox_reader_event(event_text, &words, &event))
        return false;
    outbox_step(self->outbox, &event, &self->outbox_actions);
    const char *separator = "";
    for (size_t i = 0; i < self->outbox_actions.count; i++) {
        if (self->outbox_actions.items[i].kind == OUTBOX_LOG)
            continue;
        (void)fputs(separator, out);
        (void)outbox_trace_action(out, &self->outbox_actions.items[i]);
        separator = "; ";
    }
    tokens_clear(&words);
    return true;
}

static bool run_supervisor(runner_t *self, const char *event_text, FILE *out)
{
    supervisor_event_t event;
    if (!self->supervisor)
        self->supervisor = supervisor_new(&self->supervisor_config, 0);
    if (!supervisor_reader_event(event_text, &event))
        return false;
    supervisor_step(self->supervisor, &event, &self->supervisor_actions);
    for (size_t i = 0; i < self->supervisor_actions.count; i++) {
        (void)fputs(i == 0 ? "" : "; ", out);
        supervisor_trace_action(out, &self->supervisor_actions.items[i]);
    }
    return true;
}

static bool run_lease(runner_t *self, const char *event_text, FILE *out)
{
    lease_event_t event;
    mm_lease_body_t answer;
    lease_actions_t actions;
    if (!self->has_lease)
        lease_init(&self->lease, &self->lease_config, 0);
    self->has_lease = true;
    if (!lease_reader_event(event_text, &event, &answer))
        return false;
    lease_step(&self->lease, &event, &actions);
    for (size_t i = 0; i < actions.count; i++) {
        (void)fputs(i == 0 ? "" : "; ", out);
        lease_reader_action(out, &actions.items[i]);
    }
    return true;
}

static const core_t cores[] = {{"/consumer/", config_gather, run_gather},
                               {"/publisher/", config_outbox, run_outbox},
                               {"/supervisor/", config_supervisor, run_supervisor},
                               {"/lease/", config_lease, run_lease}};

static const core_t *core_of(const char *path)
{
    for (size_t i = 0; i < sizeof cores / sizeof *cores; i++)
        if (strstr(path, cores[i].folder))
            return &cores[i];
    fail_msg("%s is in the folder of no core", path);
    return NULL;
}

// A config line begins a new epoch of the core, as in a trace over several epochs.
static bool run_config(runner_t *self, const char *line)
{
    destroy_cores(self);
    return self->core->config(self, line);
}

static void runner_end(runner_t *self)
{
    destroy_cores(self);
    gather_actions_clear(&self->gather_actions);
    gather_reader_destroy(&self->reader);
    outbox_actions_clear(&self->outbox_actions);
    supervisor_actions_clear(&self->supervisor_actions);
}

// Takes the comment and the blanks at the end off; returns the text without blanks at its start.
static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size > 0 && strchr(" \t\n", text[size - 1]))
        text[--size] = '\0';
    return text;
}

static void cut_comment(char *line)
{
    bool quoted = false;
    for (char *c = line; *c; c++) {
        if (*c == '"' && (c == line || c[-1] != '\\'))
            quoted = !quoted;
        if (*c == '#' && !quoted && (c == line || c[-1] == ' ')) {
            *c = '\0';
            return;
        }
    }
}

// Runs one line; false when what came out is not what the line says.
static bool run_line(runner_t *self, char *line, const char *path, int number, bool prints)
{
    char whole[65536];
    (void)snprintf(whole, sizeof whole, "%s", line);
    cut_comment(line);
    char *text = trim(line);
    bool is_policy = strncmp(text, "policy", 6) == 0;
    if (*text == '\0' || is_policy || strncmp(text, "config", 6) == 0) {
        if (prints)
            (void)fputs(whole, stdout);
        if (*text == '\0' ||
            (is_policy && gather_reader_policy(self->reader, text, &self->policy)) ||
            (!is_policy && run_config(self, text)))
            return true;
        print_error("%s:%d: not a config line: %s\n", path, number, text);
        return false;
    }
    char *arrow = strstr(text, "->");
    char *expected = arrow ? trim(arrow + 2) : text + strlen(text);
    if (arrow)
        *arrow = '\0';
    char *event = trim(text), *got = NULL;
    size_t got_size = 0;
    FILE *out = open_memstream(&got, &got_size);
    assert_non_null(out);
    bool known = self->core->event(self, event, out);
    (void)fclose(out);
    if (prints)
        (void)printf("%-48s -> %s\n", event, got);
    bool same = known && strcmp(got, expected) == 0;
    if (!known)
        print_error("%s:%d: not an event: %s\n", path, number, event);
    else if (!same && !prints)
        print_error("%s:%d: %s\n  expected: %s\n  came:     %s\n", path, number, event, expected,
                    got);
    free(got);
    return same;
}

static bool run_file(const char *path, bool prints)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    runner_t runner = {.core = core_of(path),
                       .gather_config = gather_defaults,
                       .outbox_config = outbox_defaults,
                       .supervisor_config = supervisor_defaults,
                       .lease_config = lease_defaults,
                       .reader = gather_reader_new()};
    char config[1024];
    FILE *text = fmemopen(config, sizeof config, "w");
    gather_trace_config(text, &gather_defaults);
    (void)fclose(text);
    gather_config_t ignored = gather_defaults; // so that the reader knows the epoch
    assert_true(gather_reader_config(runner.reader, config, &ignored));
    bool passed = true;
    char line[65536];
    int events = 0;
    while (fgets(line, sizeof line, file))
        runner.tells_state = runner.tells_state || strstr(line, "] state ") != NULL;
    rewind(file);
    for (int number = 1; fgets(line, sizeof line, file); number++) {
        events += *line == '[';
        passed = run_line(&runner, line, path, number, prints) && passed;
    }
    (void)fclose(file);
    runner_end(&runner);
    return passed && events > 0;
}

static void run_scenario(void **state)
{
    assert_true(run_file(*state, false));
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "-p") == 0) {
        (void)run_file(argv[2], true);
        return 0;
    }
    glob_t files;
    if (glob("tests/scenarios/*/*.txt", 0, NULL, &files) != 0 || files.gl_pathc == 0) {
        (void)fprintf(stderr, "no scenarios: run this from the top of the checkout\n");
        return 1;
    }
    struct CMUnitTest *tests = calloc(files.gl_pathc, sizeof *tests);
    assert_non_null(tests);
    for (size_t i = 0; i < files.gl_pathc; i++)
        tests[i] = (struct CMUnitTest){.name = files.gl_pathv[i] + strlen("tests/scenarios/"),
                                       .test_func = run_scenario,
                                       .initial_state = files.gl_pathv[i]};
    int failed = _cmocka_run_group_tests("scenarios", tests, files.gl_pathc, NULL, NULL);
    free(tests);
    globfree(&files);
    return failed;
}
