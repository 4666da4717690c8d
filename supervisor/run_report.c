// See run_report.h.

#include "run_report.h"
#include "caller.h"
#include "child_process.h"
#include "publisher_report.h"
#include "run_held.h"
#include "run_leash.h"
#include "run_record.h"
#include "run_starts.h"
#include "string_view.h"
#include "supervisor_trace.h"
#include "utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define WHY_MAX       4096
#define BAD_INPUT_MAX (WHY_MAX - 64)
#define PROFILE_LINES 20 // of the table that are shown

// Runs `mayhem` with these words and clears them. Its output; NULL: it has failed, and has said
// why.
static char *run_mayhem(arguments_t *words)
{
    char *text;
    size_t size;
    child_end_t end = {0};
    text = child_process_capture(words->items, STDERR_FILENO, &size, &end);
    arguments_clear(words);
    if (text && (end.code != 0 || end.signal != 0)) {
        free(text);
        return NULL;
    }
    return text;
}

static arguments_t mayhem_words(const char *command)
{
    arguments_t words = {0};
    char *program = child_process_sibling("mayhem");
    arguments_add(&words, "%s", program);
    free(program);
    arguments_add(&words, "%s", command);
    return words;
}

// ---- the profile

static void show_lines(const run_settings_t *settings, int shown)
{
    arguments_t words = mayhem_words("lines");
    arguments_add(&words, "--dir=%s", settings->dir);
    arguments_add(&words, "--top=12");
    char *text = run_mayhem(&words);
    if (text)
        (void)dprintf(shown, "%s\nline by line: %s lines --dir %s FUNCTION\n\n", text,
                      caller_program(), settings->dir);
    free(text);
}

// The first lines of a file.
static void show_head(const char *path, int shown)
{
    char *line = NULL;
    size_t capacity = 0;
    FILE *file = fopen(path, "re");
    for (int i = 0; file && i < PROFILE_LINES && getline(&line, &capacity, file) >= 0; i++)
        (void)dprintf(shown, "%s", line);
    free(line);
    if (file)
        (void)fclose(file);
}

// Converts the saved profiles to the formats of other tools.
static void show_profile(const run_settings_t *settings, int shown)
{
    static const char *const formats[][2] = {
        {"table", "txt"}, {"callgrind", "callgrind"}, {"folded", "folded"}};
    char path[4096];
    for (size_t i = 0; i < 3; i++) {
        arguments_t words = mayhem_words("profile");
        arguments_add(&words, "--read=%s/profile", settings->dir);
        arguments_add(&words, "--format=%s", formats[i][0]);
        arguments_add(&words, "--output=%s/profile.%s", settings->dir, formats[i][1]);
        char *text = run_mayhem(&words);
        if (!text)
            return;
        free(text);
    }
    (void)snprintf(path, sizeof path, "%s/profile.txt", settings->dir);
    show_head(path, shown);
    (void)dprintf(shown,
                  "...\n\nall of it: %s; for KCacheGrind: %s/profile.callgrind; for flame graphs: "
                  "%s/profile.folded\n\n",
                  path, settings->dir, settings->dir);
}

// ---- the summary

static int64_t number(const json_t *json, const char *key)
{
    return json_integer_value(json_object_get(json, key));
}

// What the publisher says of an input that it cannot read to its end: the second line of its mark,
// up to what is no UTF-8. "": nothing.
static void read_bad_input(const char *mark, char text[BAD_INPUT_MAX])
{
    FILE *file = fopen(mark, "re");
    bool is_said = file && fgets(text, BAD_INPUT_MAX, file) && fgets(text, BAD_INPUT_MAX, file);
    if (file)
        (void)fclose(file);
    text[is_said ? mm_utf8_prefix(mm_str(text), strcspn(text, "\n")) : 0] = '\0';
}

// The consumer cuts a run off for one reason.
static bool is_by_max_dead(const run_report_t *report)
{
    if (report->breaker)
        return report->breaker->is_by_max_dead;
    return report->end->as.exit.why == SUPERVISOR_WHY_CUT_OFF &&
           report->end->as.exit.child.role == SUPERVISOR_CONSUMER;
}

// How it ended, for the last lines.
typedef struct {
    char why[WHY_MAX];
    char bad_input[BAD_INPUT_MAX]; // why the publisher cannot read on; "": it can
    int exit_code;
    int64_t left, dead;    // hosts; left -1: none was read yet
    bool has_unread;       // the input has more
    mm_held_record_t held; // what holds back those that are left
} ending_t;

// Why the run ended, as the begin of a sentence.
static void reason(const run_settings_t *settings, const run_report_t *report, const json_t *json,
                   ending_t *ending)
{
    char child[SUPERVISOR_NAME_MAX + RUN_STARTS_MAX], *text = ending->why;
    size_t size = sizeof ending->why;
    int64_t dead = number(json, "dead");
    if (report->breaker) {
        (void)snprintf(text, size, "stopped by %s", report->breaker->why);
        return;
    }
    supervisor_name(report->end->as.exit.child, child);
    switch (report->end->as.exit.why) {
    case SUPERVISOR_WHY_FINISHED:
        (void)snprintf(text, size, "finished%s",
                       ending->exit_code != 1 ? ""
                       : dead > 0             ? ", some hosts are dead"
                       : number(json, "withdrawn_begun") > 0
                           ? ", some hosts were withdrawn after they had begun"
                           : ", --after is still owed");
        break;
    case SUPERVISOR_WHY_SIGNAL:
        (void)snprintf(text, size, "stopped by SIG%s", sigabbrev_np(report->signal));
        break;
    case SUPERVISOR_WHY_AT_ONCE:
        (void)snprintf(text, size, "ended at once by a second signal");
        break;
    case SUPERVISOR_WHY_CUT_OFF:
        if (is_by_max_dead(report))
            (void)snprintf(text, size, "stopped by --max-dead, see %.200s/dead.txt first",
                           settings->dir);
        else if (run_starts_are_over(settings))
            (void)snprintf(text, size, "stopped at the end of %s",
                           run_starts_name(settings, child));
        else
            (void)snprintf(text, size, "ended as asked for, before the end of the input");
        break;
    case SUPERVISOR_WHY_FAILED:
        if (*ending->bad_input && report->end->as.exit.child.role == SUPERVISOR_PUBLISHER)
            (void)snprintf(text, size, "stopped by bad input: %s", ending->bad_input);
        else
            (void)snprintf(text, size, "stopped: %s failed, see %.200s/log/%s.log", child,
                           settings->dir, child);
        break;
    case SUPERVISOR_WHY_LEFT: (void)snprintf(text, size, "stopped: %s has left", child); break;
    case SUPERVISOR_WHY_CRASHES:
        (void)snprintf(text, size, "stopped: %s crashed too often, see %.200s/log/%s.log", child,
                       settings->dir, child);
        break;
    case SUPERVISOR_WHY_TIME: (void)snprintf(text, size, "stopped after the time asked for"); break;
    }
}

// Nothing was done, and nothing went wrong: that is to be seen.
static void say_cooled(const run_settings_t *settings, const run_report_t *report,
                       const json_t *json, ending_t *ending)
{
    char span[RUN_RECORD_SPAN];
    int64_t total = number(json, "total");
    if (report->end->as.exit.why == SUPERVISOR_WHY_FINISHED && !settings->driver.is_mock &&
        number(json, "hosts_skipped") == total && run_record_cooled(settings->db, total, span))
        (void)snprintf(ending->why, sizeof ending->why,
                       "%" PRId64 " skipped: restarted within %s (--again)", total, span);
}

static bool print_json(const run_settings_t *settings, const run_report_t *report, json_t *json,
                       const run_record_t *record, const ending_t *ending)
{
    bool is_clean = *report->unclean == '\0';
    json_t *owed = run_record_owed_json(record);
    if (json_object_set_new(json, "in_mid_boot", json_integer(record->open)) != 0 ||
        json_object_set_new(json, "owed", owed) != 0 ||
        json_object_set_new(json, "leashed", json_boolean(settings->is_leashed)) != 0 ||
        json_object_set_new(json, "clean_shutdown", json_boolean(is_clean)) != 0 ||
        json_object_set_new(json, "exit_code", json_integer(ending->exit_code)) != 0 ||
        json_object_set_new(json, "ended", json_string(ending->why)) != 0)
        return false;
    return json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(15)) == 0 &&
           putchar('\n') != EOF && fflush(stdout) == 0;
}

// Behind the reason, in its line: how many hosts are left, and the command that goes on.
static void print_way_on(const run_settings_t *settings, const run_report_t *report,
                         const ending_t *ending)
{
    bool is_stopped = ending->exit_code == EX_TEMPFAIL;
    bool has_failed = report->end->as.exit.why == SUPERVISOR_WHY_FAILED ||
                      report->end->as.exit.why == SUPERVISOR_WHY_CRASHES;
    if (!is_stopped && !has_failed && ending->exit_code != RUN_AT_ONCE)
        return;
    if (ending->left < 0) {
        (void)printf(" before a host was read; to begin: %s", caller_command());
        return;
    }
    if (!is_stopped && ending->left == 0 && !(has_failed && ending->has_unread))
        return;
    char *beyond =
        is_stopped && is_by_max_dead(report)
            ? caller_command_beyond(ending->dead - settings->dead_forgiven + settings->max_dead)
            : NULL;
    (void)printf(
        ": %" PRId64 " host%s left%s; to go on%s: %s", ending->left, ending->left == 1 ? "" : "s",
        ending->has_unread ? ", and what the input still has" : "",
        settings->has_streams ? ", with the same streams" : "", beyond ? beyond : caller_command());
    free(beyond);
}

// Beside a resume, which the lines of what is held have. Whose command has taken over has had one
// of the other two.
static void print_ways_beyond(const run_settings_t *settings, bool is_by_limit)
{
    if (!is_by_limit)
        (void)printf("when that is resumed this run goes on; with --take-over another command "
                     "does, and counts from zero\n");
    else if (settings->options.take_over)
        (void)printf("this run has taken over: with a higher --max-dead it goes on; a corrected "
                     "command takes over again, and counts from zero\n");
    else
        (void)printf("with a higher --max-dead this run goes on; with --take-over another command "
                     "does, and counts from zero\n");
}

static bool print_text(const run_settings_t *settings, const run_report_t *report, const char *text,
                       const run_record_t *record, const ending_t *ending)
{
    (void)printf("%s", text);
    run_record_print_owed(record, stdout);
    if (*report->unclean)
        (void)printf("clean shutdown: no; %s\n", report->unclean);
    else
        (void)printf("clean shutdown: yes (%.2f s)\n", (double)report->stop_ms / 1000);
    run_record_print_open(record, stdout);
    run_held_print(&ending->held, caller_program(), settings->dir, stdout);
    bool is_by_limit = is_by_max_dead(report);
    if ((is_by_limit || report->breaker) && ending->exit_code == EX_TEMPFAIL)
        print_ways_beyond(settings, is_by_limit);
    (void)printf("%s", ending->why);
    print_way_on(settings, report, ending);
    (void)printf("\n");
    if (settings->is_leashed)
        (void)printf("%s\n", RUN_LEASH_LAST);
    return fflush(stdout) == 0 && !ferror(stdout);
}

// The publisher may have been killed before it could write dead.txt. False: it cannot be written,
// which was said.
static bool write_dead(const run_settings_t *settings)
{
    int exit_code;
    free(publisher_report(settings->dir, "dead", &exit_code));
    return exit_code == 0;
}

// What holds back those that are left: the command that goes on begins nothing before that ends.
// What holds back on record does not hold back a mock without a policy.
static void read_held(const run_settings_t *settings, ending_t *ending)
{
    if (ending->left > 0 && (!settings->driver.is_mock || settings->policy.count > 0))
        ending->held = run_held_read(settings->db);
}

// Nothing of them, or not all, goes on by itself: no rate says how long that takes.
static bool has_estimate(const run_report_t *report, const ending_t *ending)
{
    return !report->breaker && !is_by_max_dead(report) &&
           !mm_held_record_find(&ending->held, MM_ACTION_HALT, NULL) &&
           !mm_held_record_find(&ending->held, MM_ACTION_TRIP, NULL);
}

// The publisher had not begun a run. When it was stopped before that, nothing is lost: the same
// command begins it. Else what could not start has said why.
static int report_nothing(const run_settings_t *settings, const run_report_t *report)
{
    run_record_t nothing = {0};
    bool is_at_once = report->exit_code == RUN_AT_ONCE;
    bool was_stopped = is_at_once || report->end->as.exit.why == SUPERVISOR_WHY_SIGNAL ||
                       report->end->as.exit.why == SUPERVISOR_WHY_TIME;
    ending_t ending = {.exit_code = is_at_once ? RUN_AT_ONCE : EX_TEMPFAIL, .left = -1};
    if (report->exit_code >= 0 && !is_at_once)
        return report->exit_code;
    if (!was_stopped)
        return caller_fail(EX_IOERR,
                           "the summary cannot be made: somebody has removed %s/publisher.run; "
                           "outbox.db and mayhem.db there have all that was done",
                           settings->dir);
    json_t *json = json_object();
    reason(settings, report, json, &ending);
    bool is_written = settings->options.json ? print_json(settings, report, json, &nothing, &ending)
                                             : print_text(settings, report, "", &nothing, &ending);
    json_decref(json);
    return is_written ? ending.exit_code
                      : caller_fail(EX_IOERR, "the summary cannot be written: %s", strerror(errno));
}

static bool print_summary(const run_settings_t *settings, const run_report_t *report, json_t *json,
                          const run_record_t *record, const ending_t *ending)
{
    int exit_code;
    bool is_estimated = has_estimate(report, ending);
    if (settings->options.json) {
        if (!is_estimated)
            (void)json_object_del(json, "eta_seconds");
        return print_json(settings, report, json, record, ending);
    }
    char *text = publisher_report(settings->dir, "text", &exit_code);
    if (text && !is_estimated)
        publisher_report_without_estimate(text);
    bool is_written = text && print_text(settings, report, text, record, ending);
    free(text);
    return is_written;
}

// Of a run that an outbox has. ending: what the mark of its publisher says.
static int report_run(const run_settings_t *settings, const run_report_t *report, ending_t ending)
{
    int exit_code, code = report->exit_code;
    json_t *json = publisher_report_json(settings->dir, &exit_code);
    // As the outbox has it nothing is left, and nothing is stopped.
    bool is_settled = (exit_code == 0 || exit_code == 1) && !report->breaker;
    code = code >= 0 && !(code == EX_TEMPFAIL && is_settled) ? code : exit_code;
    if (!json)
        return caller_fail(EX_IOERR, "the summary cannot be made: %s/outbox.db does not tell",
                           settings->dir);
    run_record_t record = {0};
    if (!settings->driver.is_mock)
        record = run_record_read(settings->db, settings->dir);
    if (code == 0 && record.owed_count > 0)
        code = 1;
    ending.exit_code = code;
    ending.left = number(json, "pending");
    ending.dead = number(json, "dead");
    ending.has_unread = report->is_input_open || (*ending.bad_input && number(json, "total") > 0);
    reason(settings, report, json, &ending);
    read_held(settings, &ending);
    if (code == 0)
        say_cooled(settings, report, json, &ending);
    if (!write_dead(settings)) {
        size_t used = strlen(ending.why);
        (void)snprintf(ending.why + used, sizeof ending.why - used,
                       "; %.200s/dead.txt cannot be written", settings->dir);
        ending.exit_code = EX_IOERR;
    }
    bool is_written = print_summary(settings, report, json, &record, &ending);
    json_decref(json);
    run_record_clear(&record);
    mm_held_record_clear(&ending.held);
    return is_written ? ending.exit_code
                      : caller_fail(EX_IOERR, "the summary cannot be written: %s", strerror(errno));
}

int run_report_print(const run_settings_t *settings, const run_report_t *report)
{
    char path[4096];
    ending_t ending = {0};
    if (settings->has_lines)
        show_lines(settings, report->shown);
    else if (settings->has_profile)
        show_profile(settings, report->shown);
    (void)snprintf(path, sizeof path, "%s/publisher.run", settings->dir);
    read_bad_input(path, ending.bad_input);
    if (unlink(path) != 0)
        return report_nothing(settings, report);
    return report_run(settings, report, ending);
}

int run_report_stopped(const run_settings_t *settings, const run_breaker_t *breaker)
{
    supervisor_action_t end = {.kind = SUPERVISOR_EXIT};
    end.as.exit.why = SUPERVISOR_WHY_CUT_OFF;
    end.as.exit.child.role = SUPERVISOR_CONSUMER;
    run_report_t report = {
        .end = &end, .exit_code = EX_TEMPFAIL, .unclean = "", .breaker = breaker};
    return report_run(settings, &report, (ending_t){0});
}
