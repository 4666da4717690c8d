// Tests of ctl/explain/timeline.h: lines of logs, in any order and both formats, become one story.

#include "conclusion.h"
#include "human_format.h"
#include "job.h"
#include "logscan.h"
#include "temp_folder.h"
#include "timeline.h"
#include "uuid.h"

#define JOB   "01a217ae230770018bf929b67330f4c3"
#define OTHER "01a217ae230770038b99a8e2d2f69d93"
#define ABOUT " job=" JOB " host=web-02"

#define ACCEPTED_MS INT64_C(1795693617927) // what the id carries: 2026-11-26T11:46:57.927Z

static record_t record;
static timeline_t timeline;

static int begin(void **state)
{
    (void)state;
    record = (record_t){.host = "web-02", .is_pending = true};
    assert_true(mm_id_parse(mm_str(JOB), &record.id));
    timeline_begin(&timeline, &record);
    return 0;
}

static int end(void **state)
{
    (void)state;
    timeline_clear(&timeline);
    return 0;
}

static void settle(mm_outcome_t outcome, int64_t attempts, const char *worker, const char *error)
{
    record.is_recorded = true;
    record.is_pending = false;
    record.outcome = outcome;
    record.attempts = attempts;
    record.worker = (char *)worker;
    record.error = (char *)error;
    record.received_ms = ACCEPTED_MS + 21;
    record.settled_ms = ACCEPTED_MS + 4226;
}

// Takes a line of the text format at so many milliseconds past 11:46.
static void log_at(int ms, const char *rest)
{
    char line[512];
    (void)snprintf(line, sizeof line, "2026-11-26T11:%02d:%02d.%03dZ %s", 46 + ms / 60000,
                   ms / 1000 % 60, ms % 1000, rest);
    timeline_add(&timeline, mm_str(line));
}

static void concludes(const char *expected)
{
    char *sentence = NULL;
    size_t size;
    FILE *file = open_memstream(&sentence, &size);
    assert_non_null(file);
    conclusion_print(&timeline, file);
    (void)fclose(file);
    assert_string_equal(sentence, expected);
    free(sentence);
}

static void merge(const char *const *messages, size_t count)
{
    assert_int_equal(timeline.entries.count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(timeline.entries.items[i].line.message, messages[i]);
}

#define TELLS(...)                                                                                 \
    merge((const char *const[]){__VA_ARGS__},                                                      \
          sizeof(const char *const[]){__VA_ARGS__} / sizeof(char *))

static void is_field(const logline_t *line, const char *key, const char *expected)
{
    assert_non_null(logline_value(line, key));
    assert_string_equal(logline_value(line, key), expected);
}

// ---- lines

static void both_formats_say_the_same(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "2026-11-26T11:46:57.950Z WARN restarter-2[18793] Could not restart job=" JOB
        " host=web-02 attempt=2 took=0.294s error=\"exit 7: say \\\"no\\\"\\n\\x01\\\\\"",
        "{\"ts\":\"2026-11-26T11:46:57.950Z\",\"level\":\"WARN\",\"process\":\"restarter-2\","
        "\"pid\":18793,\"message\":\"Could not restart\",\"job\":\"" JOB "\",\"host\":\"web-02\","
        "\"attempt\":2,\"took\":0.294,\"error\":\"exit 7: say \\\"no\\\"\\n\\u0001\\\\\"}"};
    for (size_t i = 0; i < 2; i++) {
        logline_t line;
        assert_true(logline_parse(mm_str(texts[i]), &line));
        assert_true(line.wall_ms == ACCEPTED_MS + 23);
        assert_string_equal(line.level, "WARN");
        assert_string_equal(line.process, "restarter-2");
        assert_int_equal(line.pid, 18793);
        assert_string_equal(line.message, "Could not restart");
        assert_int_equal(line.count, 5);
        is_field(&line, "job", JOB);
        is_field(&line, "error", "exit 7: say \"no\"\n\x01\\");
        assert_int_equal(logline_number(&line, "attempt", 0), 2);
        assert_int_equal(logline_ms(&line, "took", -1), 294);
        assert_int_equal(logline_ms(&line, "in", -1), -1);
        logline_clear(&line);
    }
}

static void run_sh_writes_local_time_and_no_level(void **state)
{
    (void)state;
    logline_t line;
    assert_true(logline_parse(
        mm_str("2026-11-26T13:16:57+0130 run.sh[77] saver was killed by signal 9: restarting (1)"),
        &line));
    assert_true(line.wall_ms == ACCEPTED_MS - 927);
    assert_string_equal(line.level, "");
    assert_string_equal(line.message, "saver was killed by signal 9: restarting (1)");
    assert_int_equal(line.count, 0);
    logline_clear(&line);
}

static void what_is_cut_off_or_foreign_is_no_line(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "Segmentation fault",
        "2026-11-26T11:46",
        "2026-11-26T11:46:57.9",
        "2026-11-26T11:46:57.950Z",
        "2026-11-26T11:46:57.950Z INFO",
        "2026-11-26T11:46:57.950Z INFO saver",
        "2026-11-26T11:46:57.950Z INFO saver[12",
        "2026-11-26T11:46:57.950Z WARN saver[12] Could not save error=\"no room",
        "2026-11-26T11:46:57.950Z WARN saver[12] Could not save error=\"no room\\",
        "{\"ts\":\"2026-11-26T11:46:57.950Z\",\"level\":\"INFO\"",
        "{\"ts\":7,\"level\":\"INFO\",\"process\":\"saver\",\"pid\":1,\"message\":\"Ready\"}",
        "{\"level\":\"INFO\",\"process\":\"saver\",\"pid\":1,\"message\":\"Ready\"}",
        "{\"ts\":\"2026-11-26T11:46:57.950Z\",\"message\":[]}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        logline_t line;
        if (logline_parse(mm_str(texts[i]), &line))
            fail_msg("taken: %s", texts[i]);
    }
}

// ---- stories

static void an_attempt_and_what_follows_it_stay_together(void **state)
{
    (void)state;
    settle(MM_OUTCOME_RESTARTED, 3, "restarter-2", NULL);
    log_at(62150, "INFO consumer[1] Done. Acked" ABOUT " attempts=3");
    log_at(58146, "WARN consumer[1] Retrying for failure to restart" ABOUT
                  " attempt=1 in=0.001s error=\"exit 1\"");
    log_at(58146, "WARN consumer[1] Retrying for failure to restart" ABOUT
                  " attempt=2 in=0.001s error=\"exit 1\"");
    log_at(58146,
           "WARN restarter-1[2] Could not restart" ABOUT " attempt=1 took=0.001s error=\"exit 1\"");
    log_at(58146,
           "WARN restarter-1[2] Could not restart" ABOUT " attempt=2 took=0.001s error=\"exit 1\"");
    log_at(57946, "INFO consumer[1] Extended deadline by 3 seconds" ABOUT); // of a former release
    log_at(57946, "INFO consumer[1] Pulled" ABOUT);
    log_at(57950, "INFO saver[4] Saved into database job=" JOB);
    log_at(57950, "INFO saver[4] Saved into database job=" OTHER);
    log_at(62150, "INFO restarter-2[3] restarted" ABOUT " attempt=3 took=0.507s");
    timeline_end(&timeline);
    // The log's clock is behind the record's: the outcome was on record before it was acked.
    TELLS("accepted", "Pulled", "Extended deadline by 3 seconds", "Saved into database",
          "Could not restart", "Retrying for failure to restart", "Could not restart",
          "Retrying for failure to restart", "restarted", "settled as restarted", "Done. Acked");
    assert_int_equal(timeline.attempt_count, 3);
    assert_int_equal(timeline.attempts[2].took_ms, 507);
    concludes("restarted at the 3rd attempt by restarter-2 after 4.2 s");
}

static void lines_that_repeat_are_told_once(void **state)
{
    (void)state;
    log_at(57930, "INFO consumer[1] Pulled" ABOUT " extended=3.000s");
    for (int i = 0; i < 12; i++)
        log_at(58000 + 100 * i, "INFO consumer[1] Extended deadline by 3 seconds" ABOUT);
    log_at(59150, "WARN restarter-1[2] Could not restart" ABOUT " attempt=1 took=1.000s error=x");
    log_at(59200, "INFO consumer[1] Extended deadline by 3 seconds" ABOUT);
    timeline_end(&timeline);
    TELLS("accepted", "Pulled", "Extended deadline by 3 seconds", "Could not restart",
          "Extended deadline by 3 seconds");
    assert_int_equal(timeline.entries.items[2].times, 12);
    assert_true(timeline.entries.items[2].last_ms - timeline.entries.items[2].line.wall_ms == 1100);
    assert_int_equal(timeline.entries.items[4].times, 1);
    concludes("pending: received, not settled; 1 attempt so far, the last one by restarter-1: x");
}

static void the_worker_that_was_lost_with_it_is_found(void **state)
{
    (void)state;
    settle(MM_OUTCOME_RESTARTED, 2, "restarter-1", NULL);
    log_at(50000, "INFO restarter-1[19] Joined the consumer session=1");
    log_at(50000, "INFO restarter-1[20] Joined the consumer session=4");
    log_at(59900, "INFO restarter-1[33] Ready slots=16");
    log_at(59958, "INFO restarter-1[33] Joined the consumer session=9");
    timeline_add(&timeline, mm_str("2026-11-26T11:46:45+0000 run.sh[9] restarter-1 was killed by "
                                   "signal 11: restarting (1)"));
    timeline_add(&timeline, mm_str("2026-11-26T11:46:58+0000 run.sh[9] restarter-1 was killed by "
                                   "signal 9: restarting (2)"));
    timeline_add(&timeline, mm_str("2026-11-26T11:46:58+0000 run.sh[9] restarter-10 was killed "
                                   "by signal 6: restarting (1)"));
    log_at(57946, "INFO consumer[1] Pulled" ABOUT);
    log_at(59950, "WARN consumer[1] Lost a worker: no heartbeat worker=restarter-1");
    log_at(59950,
           "WARN consumer[1] Taking back a restart" ABOUT " attempt=1 worker=restarter-1 why=lost");
    log_at(59970, "WARN consumer[1] Lost a worker: no heartbeat worker=restarter-2"); // with others
    log_at(59990, "INFO restarter-1[33] restarted" ABOUT " attempt=2 took=0.010s");
    timeline_end(&timeline);
    TELLS("accepted", "Pulled", "Lost a worker: no heartbeat", "Taking back a restart", "restarted",
          "settled as restarted");
    assert_int_equal(timeline.attempt_count, 2);
    assert_int_equal(timeline.attempts[0].result, ATTEMPT_LOST);
    assert_int_equal(timeline.attempts[0].pid, 20);
    assert_string_equal(timeline.attempts[0].error, "was killed by signal 9");
    concludes("restarted at the 2nd attempt by restarter-1 after 4.2 s; restarter-1 was lost with "
              "it");
}

// One clock for all lines: the cause comes before its effect, and each attempt after the one
// before.
static void an_attempt_without_an_end_follows_the_loss(void **state)
{
    (void)state;
    log_at(57946, "INFO consumer[1] Pulled" ABOUT);
    log_at(59950, "INFO restarter-2[3] restarted" ABOUT " attempt=2 took=0.001s");
    log_at(59950, "INFO restarter-2[3] The command has ended" ABOUT " attempt=2 said=\"exit 0\"");
    log_at(59950, "INFO consumer[1] Beginning an attempt" ABOUT " attempt=2");
    log_at(59950, "WARN consumer[1] Retrying for failure to restart" ABOUT
                  " attempt=1 in=0.001s error=interrupted");
    log_at(59950, "WARN consumer[1] An attempt has no end" ABOUT " attempt=1");
    log_at(59950,
           "WARN consumer[1] Taking back a restart" ABOUT " attempt=1 worker=restarter-1 why=lost");
    log_at(59950, "WARN consumer[1] Lost a worker worker=restarter-1 why=\"no heartbeat\"");
    log_at(59950, "INFO consumer[1] Beginning an attempt" ABOUT " attempt=1");
    timeline_end(&timeline);
    TELLS("accepted", "Pulled", "Beginning an attempt", "Lost a worker", "Taking back a restart",
          "An attempt has no end", "Retrying for failure to restart", "Beginning an attempt",
          "The command has ended", "restarted");
}

static void a_task_that_never_arrived_is_no_attempt(void **state)
{
    (void)state;
    log_at(57946, "INFO consumer[1] Pulled" ABOUT);
    log_at(59950, "WARN consumer[1] Taking back a restart" ABOUT
                  " attempt=1 worker=restarter-1 why=missing");
    timeline_end(&timeline);
    assert_int_equal(timeline.attempt_count, 0);
    concludes("pending: received, not settled; no attempt has ended yet");
}

static void attempts_that_look_alike_are_told_one_by_one(void **state)
{
    (void)state;
    log_at(58000, "WARN r1[2] Could not restart" ABOUT " attempt=99999999999999999999 error=x");
    log_at(58001, "WARN r1[2] Could not restart" ABOUT " attempt=99999999999999999999 error=x");
    timeline_end(&timeline);
    TELLS("accepted", "Could not restart", "Could not restart");
    assert_int_equal(timeline.attempt_count, 2);
    assert_int_equal(timeline.attempts[0].number, 0);
    assert_string_equal(timeline.attempts[1].error, "x");
}

static void what_a_command_has_printed_is_not_obeyed(void **state)
{
    (void)state;
    settle(MM_OUTCOME_DEAD, 1, "r1", "exit 1: \x1b[2J\n\xc2\x9b gr\xc3\xbc\xc3\x9f");
    timeline_end(&timeline);
    concludes("dead after 1 attempt and 4.2 s: exit 1: \\x1b[2J\\x0a\\x9b gr\xc3\xbc\xc3\x9f");
}

static void several_lost_workers_are_named_once_each(void **state)
{
    (void)state;
    static const char *const workers[] = {"r1", "r2", "r1"};
    settle(MM_OUTCOME_DEAD, 3, "r1", "its restarter was lost in mid-restart");
    for (int i = 0; i < 3; i++) {
        char line[256];
        (void)snprintf(line, sizeof line,
                       "WARN consumer[1] Taking back a restart" ABOUT
                       " attempt=%d worker=%s why=lost",
                       i + 1, workers[i]);
        log_at(58000 + 500 * i, line);
    }
    timeline_end(&timeline);
    concludes("dead after 3 attempts and 4.2 s: its restarter was lost in mid-restart; r1 (2 "
              "times) and r2 were lost with it");
}

static void a_new_consumer_counts_anew(void **state)
{
    (void)state;
    settle(MM_OUTCOME_RESTARTED, 1, "r2", NULL);
    log_at(57946, "INFO consumer[1] Pulled" ABOUT);
    log_at(58000, "WARN r1[2] Could not restart" ABOUT " attempt=1 took=0.001s error=x");
    log_at(59000, "INFO consumer[7] Pulled" ABOUT);
    log_at(59500, "INFO consumer[7] Nacked" ABOUT);
    log_at(59600, "INFO consumer[7] Pulled" ABOUT);
    log_at(60000, "INFO r2[3] restarted" ABOUT " attempt=1 took=0.001s");
    timeline_end(&timeline);
    assert_int_equal(timeline.epochs, 2);
    assert_int_equal(timeline.nacks, 1);
    concludes("restarted at the 1st attempt by r2 after 4.2 s (attempt 2 in all: a new consumer "
              "begins to count anew)");
}

static void what_was_given_back_waits_in_the_outbox(void **state)
{
    (void)state;
    log_at(57946, "INFO consumer[1] Pulled" ABOUT);
    log_at(58000, "INFO consumer[1] Nacked" ABOUT);
    timeline_end(&timeline);
    concludes("pending: given back to the outbox; no attempt has ended yet");
}

static void without_logs_the_record_tells_it(void **state)
{
    (void)state;
    settle(MM_OUTCOME_DEAD, 1, "r1", "exit 7");
    timeline_end(&timeline);
    TELLS("accepted", "received by the consumer", "settled as dead");
    concludes("dead after 1 attempt and 4.2 s: exit 7");
}

static void what_no_consumer_has_received_is_said_so(void **state)
{
    (void)state;
    timeline_end(&timeline);
    TELLS("accepted");
    concludes("pending: accepted, and nothing is on record of it yet");
}

static void a_job_that_only_the_logs_know_has_its_host_from_them(void **state)
{
    (void)state;
    timeline_clear(&timeline);
    record.host = NULL;
    record.is_pending = false;
    timeline_begin(&timeline, &record);
    log_at(58000, "INFO consumer[1] Done. Acked" ABOUT " attempts=1");
    assert_true(timeline_knows(&timeline));
    timeline_end(&timeline);
    assert_string_equal(timeline.host, "web-02");
    concludes("restarted, as the logs say; its row is no longer on record");
}

static void a_job_that_nobody_knows_has_no_story(void **state)
{
    (void)state;
    timeline_clear(&timeline);
    record.host = NULL;
    timeline_begin(&timeline, &record);
    log_at(59950, "WARN consumer[1] Lost a worker: no heartbeat worker=restarter-1");
    log_at(58000, "INFO consumer[1] Pulled job=" OTHER " host=web-07");
    timeline_end(&timeline);
    assert_false(timeline_knows(&timeline));
    assert_int_equal(timeline.entries.count, 0);
}

static void times_are_said_as_people_do(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } times[] = {{0, "0 ms"},
                 {999, "999 ms"},
                 {1000, "1.0 s"},
                 {4260, "4.2 s"},
                 {100000, "1 min 40 s"},
                 {5999999, "99 min 59 s"},
                 {7380000, "2 h 3 min"},
                 {-5, "no time"}};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        char text[HUMAN_TEXT];
        assert_string_equal(human_duration(times[i].ms, text), times[i].text);
    }
}

// ---- log files

typedef struct {
    size_t lines;
    size_t last_size;
} found_t;

static void count_line(void *arg, mm_str_t line)
{
    found_t *found = arg;
    found->lines++;
    found->last_size = line.size;
    assert_null(memchr(line.data, '\n', line.size));
}

// Lines of many sizes, so that they fall across the ends of whatever is read at once.
static void each_line_is_found_once_wherever_it_stands(void **state)
{
    (void)state;
    enum { LINES = 40000 };
    make_temp_folder();
    char path[TEMP_PATH_MAX], error[MM_ERROR_MAX];
    temp_path(path, "log");
    assert_int_equal(mkdir(path, 0700), 0);
    temp_path(path, "log/some.log");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < LINES; i++)
        (void)fprintf(file, "%*d %s\n", i % 200, i, i % 4 ? "nothing" : "needle and thread");
    (void)fprintf(file, "the last needle, without an end");
    (void)fclose(file);
    temp_path(path, "log/notes.txt");
    file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "a needle that is no log\n");
    (void)fclose(file);
    found_t found = {0};
    static const char *const words[] = {"needle", "thread"};
    assert_true(logscan(folder, words, 2, count_line, &found, error));
    assert_int_equal(found.lines, LINES / 4 + 1);
    assert_int_equal(found.last_size, strlen("the last needle, without an end"));
    assert_int_equal(remove_temp_folder(NULL), 0);
    found.lines = 0;
    assert_true(logscan(folder, words, 2, count_line, &found, error));
    assert_int_equal(found.lines, 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_formats_say_the_same),
        TEST(run_sh_writes_local_time_and_no_level),
        TEST(what_is_cut_off_or_foreign_is_no_line),
        TEST(an_attempt_and_what_follows_it_stay_together),
        TEST(lines_that_repeat_are_told_once),
        TEST(the_worker_that_was_lost_with_it_is_found),
        TEST(an_attempt_without_an_end_follows_the_loss),
        TEST(a_task_that_never_arrived_is_no_attempt),
        TEST(attempts_that_look_alike_are_told_one_by_one),
        TEST(what_a_command_has_printed_is_not_obeyed),
        TEST(several_lost_workers_are_named_once_each),
        TEST(a_new_consumer_counts_anew),
        TEST(what_was_given_back_waits_in_the_outbox),
        TEST(without_logs_the_record_tells_it),
        TEST(what_no_consumer_has_received_is_said_so),
        TEST(a_job_that_only_the_logs_know_has_its_host_from_them),
        TEST(a_job_that_nobody_knows_has_no_story),
        TEST(times_are_said_as_people_do),
        TEST(each_line_is_found_once_wherever_it_stands),
    };
    return cmocka_run_group_tests_name("timeline", tests, NULL, NULL);
}
