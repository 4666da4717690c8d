// See report.h.

#include "report.h"
#include "attributes.h"
#include "clock.h"
#include "duration.h"
#include "histogram.h"
#include "service.h"
#include "uuid.h"
#include "utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define DEAD_SHOWN 10
#define DRIVER_MAX 60 // bytes of its words
#define EX_DEAD    1
#define EX_LEFT    EX_TEMPFAIL

typedef struct {
    outbox_run_t run;
    mm_histogram_t times;
    uint64_t total; // known, or accepted so far
    uint64_t pending;
    double seconds;
    double rate;
    int64_t eta_seconds; // until all hosts that are known are settled, at this rate; -1: not known
} report_t;

static int exit_code_of(const report_t *report)
{
    bool left = report->pending > 0 || !report->run.progress.done;
    return left ? EX_LEFT : report->run.dead > 0 || report->run.abandoned > 0 ? EX_DEAD : 0;
}

static void work_out(report_t *report)
{
    const outbox_run_t *run = &report->run;
    uint64_t settled = run->accepted - outbox_run_left(run);
    report->total = run->progress.total > run->accepted ? run->progress.total : run->accepted;
    report->pending = report->total - settled;
    int64_t end_ms = run->finished_ms > 0 ? run->finished_ms : mm_clock_wall_ms();
    report->seconds = (double)(end_ms - run->started_ms) / 1000;
    report->rate = report->seconds > 0 ? (double)settled / report->seconds : 0;
    report->eta_seconds = report->pending > 0 && report->rate > 0
                              ? (int64_t)((double)report->pending / report->rate + 0.5)
                              : -1;
    if (!run->times || !mm_histogram_decode(run->times, run->times_size, &report->times))
        report->times = (mm_histogram_t){0};
}

static double milliseconds(const report_t *report, double p)
{
    return (double)mm_histogram_quantile(&report->times, p) / 1000;
}

// By the mock, or a dry run: the words are those of the restarter's --check.
static bool is_rehearsed(const outbox_run_t *run)
{
    static const char dry[] = " (dry run)";
    size_t size = strlen(run->driver);
    return strcmp(run->driver, "mock") == 0 ||
           (size > strlen(dry) && strcmp(run->driver + size - strlen(dry), dry) == 0);
}

// A JSON string. The name of an input need not be valid UTF-8: each bad byte becomes U+FFFD.
static void print_json_text(mm_str_t text)
{
    size_t valid = mm_utf8_prefix(text, text.size);
    (void)putchar('"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (i == valid) {
            (void)printf("\\ufffd");
            mm_str_t rest = {text.data + i + 1, text.size - i - 1};
            valid += 1 + mm_utf8_prefix(rest, rest.size);
        } else if (c == '"' || c == '\\') {
            (void)printf("\\%c", c);
        } else if (c < 0x20 || c == 0x7f) {
            (void)printf("\\u%04x", c);
        } else {
            (void)putchar(c);
        }
    }
    (void)putchar('"');
}

static void print_json(const report_t *report, const outbox_row_t *dead, size_t dead_count)
{
    const outbox_run_t *run = &report->run;
    (void)printf("{\"input\":");
    print_json_text(mm_str(run->input));
    (void)printf(",\"driver\":");
    print_json_text(mm_str(run->driver));
    (void)printf(",\"rehearsed\":%s", is_rehearsed(run) ? "true" : "false");
    (void)printf(",\"total\":%" PRIu64 ",\"restarted\":%" PRIu64 ",\"dead\":%" PRIu64
                 ",\"pending\":%" PRIu64 ",\"attempts\":%" PRIu64 ",\"repeated\":%" PRIu64
                 ",\"skipped\":%" PRIu64 ",\"hosts_skipped\":%" PRIu64 ",\"withdrawn\":%" PRIu64
                 ",\"withdrawn_begun\":%" PRIu64 ",\"finished\":%s",
                 report->total, run->restarted, run->dead, report->pending, run->attempts,
                 run->progress.repeated, run->progress.skipped, run->skipped, run->withdrawn,
                 run->abandoned, run->finished_ms > 0 ? "true" : "false");
    (void)printf(",\"seconds\":%.3f,\"rate\":%.1f,\"job_time_ms\":{\"p50\":%.3f,\"p99\":%.3f,"
                 "\"max\":%.3f},",
                 report->seconds, report->rate, milliseconds(report, 0.5),
                 milliseconds(report, 0.99), (double)report->times.max / 1000);
    if (report->eta_seconds >= 0)
        (void)printf("\"eta_seconds\":%" PRId64 ",", report->eta_seconds);
    (void)printf("\"dead_hosts\":[");
    for (size_t i = 0; i < dead_count; i++) {
        (void)printf("%s{\"host\":", i ? "," : "");
        print_json_text(dead[i].host);
        (void)printf(",\"error\":");
        print_json_text(dead[i].error);
        (void)putchar('}');
    }
    (void)printf("]}\n");
}

// A text as part of one line, whatever bytes it has.
static void print_line(FILE *file, mm_str_t text)
{
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        (void)putc(c < 0x20 || c == 0x7f ? ' ' : c, file);
    }
}

// A span for people: "1.5 ms", and from a minute on "2m05s".
static const char *span(double ms, char text[MM_DURATION_TEXT])
{
    if (ms >= 60000)
        return mm_duration_show((int64_t)(ms / 1000 + 0.5), text);
    (void)snprintf(text, MM_DURATION_TEXT, "%.1f ms", ms);
    return text;
}

static void print_pace(const report_t *report)
{
    char took[MM_DURATION_TEXT], p50[MM_DURATION_TEXT], p99[MM_DURATION_TEXT],
        max[MM_DURATION_TEXT];
    bool is_slow = report->rate > 0 && report->rate < 1;
    if (report->seconds < 60)
        (void)snprintf(took, sizeof took, "%.1f s", report->seconds);
    else
        (void)mm_duration_show((int64_t)(report->seconds + 0.5), took);
    (void)printf("rate       %.1f hosts/%s over %s\n", is_slow ? 60 * report->rate : report->rate,
                 is_slow ? "min" : "s", took);
    if (report->eta_seconds >= 0)
        (void)printf("left       %s at this rate\n", mm_duration_show(report->eta_seconds, took));
    (void)printf("job time   p50 %s, p99 %s, max %s\n", span(milliseconds(report, 0.5), p50),
                 span(milliseconds(report, 0.99), p99),
                 span((double)report->times.max / 1000, max));
}

static void print_text(const report_t *report, const mm_options_t *options,
                       const outbox_row_t *dead, size_t dead_count)
{
    const outbox_run_t *run = &report->run;
    mm_str_t driver = mm_str(run->driver);
    bool is_long = driver.size > DRIVER_MAX;
    (void)printf("input      %s (%.*s%s)\n", run->input,
                 (int)(is_long ? mm_utf8_prefix(driver, DRIVER_MAX) : driver.size), driver.data,
                 is_long ? "..." : "");
    (void)printf("hosts      %" PRIu64 " in all: %" PRIu64 " restarted, %" PRIu64 " dead, %" PRIu64
                 " pending",
                 report->total, run->restarted, run->dead, report->pending);
    if (run->skipped > 0)
        (void)printf(", %" PRIu64 " skipped", run->skipped);
    if (run->withdrawn > 0)
        (void)printf(", %" PRIu64 " withdrawn (no longer on the list)", run->withdrawn);
    (void)putchar('\n');
    if (run->abandoned > 0)
        (void)printf("withdrawn  %" PRIu64 " after they had begun, and not found restarted: see "
                     "mayhem explain\n",
                     run->abandoned);
    if (run->progress.repeated > 0 || run->progress.skipped > 0)
        (void)printf("input had  %" PRIu64 " repeated hosts, %" PRIu64 " bad lines skipped\n",
                     run->progress.repeated, run->progress.skipped);
    if (is_rehearsed(run))
        (void)printf("proof      rehearsed: no host was restarted\n");
    (void)printf("attempts   %" PRIu64 "\n", run->attempts);
    print_pace(report);
    for (size_t i = 0; i < dead_count; i++) {
        (void)printf("%s%.*s: ", i ? "           " : "dead       ", (int)dead[i].host.size,
                     dead[i].host.data);
        print_line(stdout, dead[i].error);
        (void)putchar('\n');
    }
    if (run->dead > dead_count)
        (void)printf("           and %" PRIu64 " more\n", run->dead - dead_count);
    if (run->dead > 0)
        (void)printf("           all of them: %s/dead.txt, a valid -i file\n", options->dir);
}

// dead.txt of the run, when its publisher was killed or could not write it.
static int write_dead_of(const mm_options_t *options, outbox_db_t *db, const report_t *report)
{
    bool left = report->pending > 0 || !report->run.progress.done;
    if (!report_may_write_dead(options->dir, report->run.input, left) ||
        report_write_dead(db, report->run.number, options->dir))
        return 0;
    return mm_service_fail(options, EX_IOERR, "cannot write %s/dead.txt: %s", options->dir,
                           strerror(errno));
}

int report_print(const mm_options_t *options)
{
    char path[4096], error[MM_ERROR_MAX];
    outbox_db_t *db;
    (void)snprintf(path, sizeof path, "%s/outbox.db", options->dir);
    int exit_code = outbox_db_open(path, true, &db, error);
    if (exit_code != 0)
        return mm_service_fail(options, exit_code, "%s", error);
    report_t report = {0};
    bool found = false;
    const outbox_row_t *dead = NULL;
    size_t dead_count = 0;
    if (outbox_db_latest(db, &report.run, &found) != OUTBOX_DB_OK ||
        (found && outbox_db_dead(db, report.run.number, NULL, DEAD_SHOWN, &dead, &dead_count) !=
                      OUTBOX_DB_OK)) {
        exit_code = mm_service_fail(options, EX_IOERR, "%s", outbox_db_error(db));
    } else if (!found) {
        exit_code = mm_service_fail(options, EX_DATAERR, "there was no run yet in this --dir");
    } else {
        work_out(&report);
        if (options->report == MM_REPORT_JSON)
            print_json(&report, dead, dead_count);
        else if (options->report == MM_REPORT_TEXT)
            print_text(&report, options, dead, dead_count);
        exit_code = options->report == MM_REPORT_DEAD ? write_dead_of(options, db, &report)
                                                      : exit_code_of(&report);
    }
    outbox_run_clear(&report.run);
    outbox_db_close(&db);
    return exit_code;
}

// Writes all dead hosts of the run, page by page; false when a page cannot be read or written.
static bool write_dead(outbox_db_t *db, int64_t run, FILE *file, uint64_t *ret_count)
{
    mm_id_t after = {{0}};
    const outbox_row_t *rows;
    char line[MM_HOST_LINE];
    size_t count;
    do {
        if (outbox_db_dead(db, run, &after, 1000, &rows, &count) != OUTBOX_DB_OK)
            return false;
        for (size_t i = 0; i < count; i++) {
            (void)fputs("# ", file);
            print_line(file, rows[i].error);
            (void)mm_attributes_line(rows[i].host, rows[i].attributes, line);
            (void)fprintf(file, "\n%s\n", line);
        }
        if (count > 0)
            after = rows[count - 1].id;
        *ret_count += count;
    } while (count > 0);
    return !ferror(file);
}

bool report_may_write_dead(const char *dir, const char *input_path, bool left)
{
    char path[4096];
    struct stat list, input;
    (void)snprintf(path, sizeof path, "%s/dead.txt", dir);
    bool same = *input_path && stat(path, &list) == 0 && stat(input_path, &input) == 0 &&
                list.st_dev == input.st_dev && list.st_ino == input.st_ino;
    return !left || !same;
}

bool report_write_dead(outbox_db_t *db, int64_t run, const char *dir)
{
    char path[4096], fresh[4096 + 8];
    (void)snprintf(path, sizeof path, "%s/dead.txt", dir);
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *file = fopen(fresh, "we");
    if (!file)
        return false;
    uint64_t count = 0;
    bool written = write_dead(db, run, file, &count);
    written = fclose(file) == 0 && written;
    if (!written || count == 0) {
        (void)unlink(fresh);
        if (written)
            (void)unlink(path);
        return written;
    }
    return rename(fresh, path) == 0;
}
