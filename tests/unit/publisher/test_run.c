// Which run a start of the publisher belongs to, against a real outbox.

#include "job.h"
#include "run.h"
#include "temp_folder.h"
#include "uuid.h"

#include <sysexits.h>
#include <unistd.h>

static char error[SOURCE_ERROR_MAX];
static outbox_db_t *db;
static mm_options_t options;
static const mm_id_t job = {{7}};
static uint64_t token; // of the job
static run_t run;

static int open_db(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX], problem[MM_ERROR_MAX];
    make_temp_folder();
    temp_path(path, "outbox.db");
    assert_int_equal(outbox_db_open(path, false, &db, problem), 0);
    options = (mm_options_t){.dir = folder,
                             .input = "",
                             .run_driver = "mock",
                             .driver_name = "",
                             .attributes = "",
                             .rate = MM_RATE_MAX,
                             .jobs = 1};
    return 0;
}

static int close_and_remove(void **state)
{
    run_close(&run);
    outbox_db_close(&db);
    return remove_temp_folder(state);
}

static int64_t start(int64_t begun)
{
    run_close(&run);
    assert_int_equal(run_open(&options, 7, begun, db, &run, error), 0);
    return run.number;
}

// Takes one host from the source; it is the last one if that is said.
static void accept_one(bool done)
{
    source_item_t item;
    assert_int_equal(source_next(run.source, 0, &item), SOURCE_ITEM);
    token = outbox_db_put(db, run.number, &job, item.host, (mm_str_t){0});
    source_progress_t progress;
    source_progress(run.source, &progress);
    progress.done = done;
    outbox_db_set_progress(db, run.number, &progress);
    assert_int_equal(outbox_db_commit(db, 6000), OUTBOX_DB_OK);
}

static void settle_it(void)
{
    outbox_row_t row = {.run = run.number, .token = token};
    outbox_db_settle(db, &row, MM_OUTCOME_RESTARTED, 1);
    assert_int_equal(outbox_db_commit(db, 7000), OUTBOX_DB_OK);
}

static void an_unfinished_run_is_resumed(void **state)
{
    (void)state;
    int64_t number = start(0);
    assert_false(run.resumed);
    accept_one(true);
    assert_int_equal(start(0), number);
    assert_true(run.resumed);
    assert_int_equal(run.left_over, 0);
    source_item_t item;
    assert_int_equal(source_next(run.source, 0, &item), SOURCE_END);
}

static void a_finished_run_is_not(void **state)
{
    (void)state;
    int64_t number = start(0);
    accept_one(true);
    settle_it();
    assert_int_not_equal(start(0), number);
    assert_false(run.resumed);
}

// A publisher that is killed between its last commit and its end is started again by `mayhem run`.
static void a_finished_run_that_the_same_run_sh_has_begun_is_not_begun_again(void **state)
{
    (void)state;
    int64_t number = start(0);
    accept_one(true);
    settle_it();
    assert_int_equal(start(number), number);
    assert_true(run.resumed);
    source_item_t item;
    assert_int_equal(source_next(run.source, 0, &item), SOURCE_END);
}

static void what_was_begun_with_another_driver_is_not_gone_on_with(void **state)
{
    (void)state;
    int64_t number = start(0);
    accept_one(true);
    settle_it();
    options.run_driver = "exec: reboot {host}";
    assert_int_not_equal(start(number), number);
    assert_int_not_equal(start(4711), number);
}

// What the source has left.
static void gives(const char *expected)
{
    char text[256] = "";
    source_item_t item;
    while (source_next(run.source, 0, &item) == SOURCE_ITEM)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s ",
                       (int)item.host.size, item.host.data);
    assert_string_equal(text, expected);
}

static void write_list(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void write_hosts(const char *text)
{
    static char path[TEMP_PATH_MAX];
    temp_path(path, "hosts");
    write_list(path, text);
    options.input = path;
    options.jobs = 0;
}

// The list is read once: the copy in the folder counts.
static void a_list_that_changes_under_the_same_run_sh_is_not_read_again(void **state)
{
    (void)state;
    write_hosts("web-1\nweb-2\n");
    int64_t number = start(0);
    accept_one(false);
    write_hosts("web-1\nweb-7\n");
    assert_int_equal(start(number), number);
    gives("web-2 ");
}

// ---- going on by host

static uint64_t last_token;

// Takes so many hosts from the source.
static void accept_hosts(int count)
{
    for (int i = 0; i < count; i++) {
        source_item_t item;
        mm_id_t id = {{1, (uint8_t)++last_token}};
        assert_int_equal(source_next(run.source, 0, &item), SOURCE_ITEM);
        if (run.growing)
            kept_list_add(run.growing, item.host, item.attributes);
        token = outbox_db_put(db, run.number, &id, item.host, item.attributes);
    }
    source_progress_t progress;
    source_progress(run.source, &progress);
    outbox_db_set_progress(db, run.number, &progress);
    if (run.growing)
        assert_true(kept_list_sync(run.growing, error));
    assert_int_equal(outbox_db_commit(db, 6000), OUTBOX_DB_OK);
}

// The jobs of the outbox; a withdrawn one with a minus.
static void has_jobs(const char *expected)
{
    char text[256] = "";
    const outbox_row_t *rows;
    size_t count;
    assert_int_equal(outbox_db_load(db, 0, 100, &rows, &count), OUTBOX_DB_OK);
    for (size_t i = 0; i < count; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s ",
                       rows[i].withdrawn ? "-" : "", (int)rows[i].host.size, rows[i].host.data);
    assert_string_equal(text, expected);
}

// The job of this host ends.
static void settle_host(const char *host, mm_outcome_t outcome, const char *why)
{
    const outbox_row_t *rows;
    size_t count;
    assert_int_equal(outbox_db_load(db, 0, 100, &rows, &count), OUTBOX_DB_OK);
    for (size_t i = 0; i < count; i++)
        if (mm_str_equal(rows[i].host, mm_str(host))) {
            outbox_row_t row = rows[i];
            row.error = mm_str(why);
            outbox_db_settle(db, &row, outcome, 1);
            assert_int_equal(outbox_db_commit(db, 7000), OUTBOX_DB_OK);
            return;
        }
    fail();
}

static void another_list_goes_on_by_host(void **state)
{
    (void)state;
    write_hosts("web-1\nweb-2\nweb-3\nweb-4\n");
    int64_t number = start(0);
    accept_hosts(3);
    settle_host("web-1", MM_OUTCOME_RESTARTED, "");
    write_hosts("# web-2 is gone\nweb-5\nWEB-4.\nweb-3\n\nweb-1\n");
    assert_int_equal(start(0), number);
    assert_true(run.resumed);
    has_jobs("-web-2 web-3 ");
    gives("web-5 WEB-4. ");
}

static void the_same_list_in_another_form_withdraws_nothing(void **state)
{
    (void)state;
    write_hosts("web-1\nweb-2\nweb-3\n");
    int64_t number = start(0);
    accept_hosts(2);
    write_hosts("{\"host\":\"web-3\"}\n# a comment\n{\"host\":\"WEB-2\"}\nweb-1.\n");
    assert_int_equal(start(0), number);
    has_jobs("web-1 web-2 ");
    gives("web-3 ");
    assert_int_equal(start(0), number); // and again, from where it is
    gives("web-3 ");
}

static void who_comes_back_on_the_list_is_new_again(void **state)
{
    (void)state;
    write_hosts("web-1\nweb-2\n");
    (void)start(0);
    accept_hosts(2);
    write_hosts("web-1\n");
    (void)start(0);
    assert_false(run.waits); // nothing is to be read that waits for it
    has_jobs("web-1 -web-2 ");
    write_hosts("web-2\nweb-1\n");
    (void)start(0);
    assert_true(run.waits); // its former job goes first
    has_jobs("web-1 -web-2 ");
    gives("web-2 ");
}

static void a_stream_is_gone_on_with_like_a_file(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX];
    int ends[2];
    write_hosts("web-1\nweb-2\nweb-3\n");
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "web-1\nweb-2\n", 12), 12); // its writer is still there
    (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    const char *file = options.input;
    options.input = path;
    int64_t number = start(0);
    accept_hosts(2);
    settle_host("web-1", MM_OUTCOME_RESTARTED, "");
    options.input = file;
    assert_int_equal(start(0), number);
    has_jobs("web-2 ");
    gives("web-3 ");
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void another_driver_takes_over_if_that_is_said(void **state)
{
    (void)state;
    write_hosts("web-1\nweb-2\nweb-3\n");
    int64_t number = start(0);
    accept_hosts(2);
    settle_host("web-1", MM_OUTCOME_DEAD, "exit status 127");
    options.run_driver = "exec: reboot {host}";
    run_close(&run);
    assert_int_equal(run_open(&options, 7, 0, db, &run, error), EX_CONFIG);
    assert_non_null(strstr(error, "--take-over"));
    options.take_over = true;
    int64_t next = start(0);
    assert_int_not_equal(next, number);
    has_jobs("-web-2 ");
    assert_true(run.waits);
    options.take_over = false;
    assert_int_equal(start(0), next); // the new one goes on without it
    accept_hosts(3);
    settle_host("web-2", MM_OUTCOME_WITHDRAWN, "exit status 127");
    has_jobs("web-1 web-2 web-3 ");
    outbox_run_t former = {0};
    bool found = false;
    assert_int_equal(outbox_db_run(db, number, &former, &found), OUTBOX_DB_OK);
    assert_int_equal(former.withdrawn, 1);
    assert_int_equal(former.abandoned, 1);
    assert_int_equal(former.finished_ms, 7000);
    outbox_run_clear(&former);
}

// ---- a policy

static void set_policy(const char *groups)
{
    options.policy = true;
    options.policy_groups = groups;
}

// How many hosts the publisher says.
static void has_sizes(const char *expected)
{
    char text[256] = "";
    size_t count;
    const mm_group_t *groups = policy_groups_sizes(run.policy, &count);
    for (size_t i = 0; i < count; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s:%u ",
                       (int)groups[i].name.size, groups[i].name.data, groups[i].hosts);
    assert_string_equal(text, expected);
}

static void has_attributes(const char *expected)
{
    char text[256] = "";
    const outbox_row_t *rows;
    size_t count;
    assert_int_equal(outbox_db_load(db, 0, 100, &rows, &count), OUTBOX_DB_OK);
    for (size_t i = 0; i < count; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s(%.*s) ",
                       (int)rows[i].host.size, rows[i].host.data, (int)rows[i].attributes.size,
                       rows[i].attributes.data);
    assert_string_equal(text, expected);
}

static void with_a_policy_the_hosts_of_its_groups_are_counted(void **state)
{
    (void)state;
    set_policy("web,eu,db");
    write_hosts("web-1 groups=web,eu,rack9\nWEB-1 groups=db\nweb-2 groups=web\nmail-1\n");
    int64_t number = start(0);
    has_sizes(":3 db:0 eu:1 web:2 ");
    accept_hosts(3);
    has_attributes("web-1(groups=eu,web) web-2(groups=web) mail-1() ");
    settle_host("web-1", MM_OUTCOME_RESTARTED, "");
    assert_int_equal(start(0), number); // those that are done belong to the list, too
    has_sizes(":3 db:0 eu:1 web:2 ");
    assert_int_equal(start(number), number);
    has_sizes(":3 db:0 eu:1 web:2 ");
}

static void with_a_policy_a_stream_is_read_to_its_end_first(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX];
    int ends[2];
    set_policy("web");
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "web-1 groups=web\nweb-2\n", 23), 23);
    (void)close(ends[1]);
    (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    options.input = path;
    options.jobs = 0;
    (void)start(0);
    assert_null(run.growing);
    has_sizes(":2 web:1 ");
    gives("web-1 web-2 ");
    (void)close(ends[0]);
}

static void of_the_generator_the_number_of_jobs_is_known(void **state)
{
    (void)state;
    set_policy("");
    options.jobs = 70;
    (void)start(0);
    has_sizes(":70 ");
}

// A policy may change within a run: who was accepted before is in its groups from then on, too.
static void another_policy_is_of_the_accepted_hosts_too(void **state)
{
    (void)state;
    static const char list[] = "web-1 groups=web,eu\nweb-2 groups=db\nweb-3 groups=eu\n"
                               "web-4 groups=eu\n";
    write_hosts(list);
    int64_t number = start(0);
    accept_hosts(3);
    settle_host("web-1", MM_OUTCOME_RESTARTED, "");
    has_attributes("web-2() web-3() ");
    set_policy("eu,web");
    assert_int_equal(start(0), number);
    has_attributes("web-2() web-3(groups=eu) ");
    has_sizes(":4 eu:3 web:1 ");
    accept_hosts(1);
    has_attributes("web-2() web-3(groups=eu) web-4(groups=eu) ");
    set_policy("db");
    assert_int_equal(start(0), number);
    has_attributes("web-2(groups=db) web-3() web-4() ");
    has_sizes(":4 db:1 ");
    settle_host("web-2", MM_OUTCOME_RESTARTED, "");
    has_attributes("web-3() web-4() ");
}

static void another_policy_keeps_the_other_attributes(void **state)
{
    (void)state;
    write_hosts("web-1 bmc=10.0.0.1 groups=web\nweb-2 groups=db bmc=10.0.0.2\n");
    options.attributes = "bmc";
    set_policy("web");
    (void)start(0);
    accept_hosts(2);
    has_attributes("web-1(bmc=10.0.0.1 groups=web) web-2(bmc=10.0.0.2) ");
    set_policy("db");
    (void)start(0);
    has_attributes("web-1(bmc=10.0.0.1) web-2(bmc=10.0.0.2 groups=db) ");
}

static void a_run_has_a_key_that_no_other_one_has(void **state)
{
    (void)state;
    write_hosts("web-1\nweb-2\n");
    int64_t number = start(0);
    uint64_t key = run.key;
    assert_true(key >= 1 && key <= INT64_MAX);
    accept_hosts(2);
    settle_host("web-1", MM_OUTCOME_RESTARTED, "");
    assert_int_equal(start(0), number);
    assert_int_equal(run.key, key);
    write_hosts("web-2\nweb-3\n");
    (void)start(0);
    assert_int_equal(run.key, key); // goes on
    options.run_driver = "exec: reboot {host}";
    options.take_over = true;
    (void)start(0);
    uint64_t next = run.key;
    assert_int_not_equal(next, key);
    accept_hosts(2);
    settle_host("web-2", MM_OUTCOME_WITHDRAWN, "");
    settle_host("web-3", MM_OUTCOME_RESTARTED, "");
    settle_host("web-2", MM_OUTCOME_RESTARTED, "");
    gives("");
    source_progress_t progress;
    source_progress(run.source, &progress);
    outbox_db_set_progress(db, run.number, &progress);
    assert_int_equal(outbox_db_commit(db, 8000), OUTBOX_DB_OK);
    (void)start(0); // the same list anew
    assert_int_not_equal(run.key, key);
    assert_int_not_equal(run.key, next);
}

static void a_list_that_was_taken_away_is_said(void **state)
{
    (void)state;
    write_hosts("web-1\nweb-2\n");
    (void)start(0);
    accept_hosts(1);
    kept_list_remove(folder, 1);
    write_hosts("web-2\n");
    run_close(&run);
    assert_int_equal(run_open(&options, 7, 0, db, &run, error), EX_IOERR);
    assert_non_null(strstr(error, "list.1"));
    has_jobs("web-1 ");
}

static void a_demo_that_has_ended_is_not_begun_again_by_the_same_run_sh(void **state)
{
    (void)state;
    options.jobs = 0;
    int64_t number = start(0);
    accept_one(true);
    assert_int_equal(start(number), number);
    assert_int_equal(run.left_over, 0);
    source_item_t item;
    assert_int_equal(source_next(run.source, 0, &item), SOURCE_END);
    assert_int_not_equal(start(0), number); // the next one finishes what is left along the way
    assert_int_equal(run.left_over, 1);
}

static void jobs_left_under_another_driver_are_refused(void **state)
{
    (void)state;
    (void)start(0);
    accept_one(true);
    run_close(&run);
    options.run_driver = "exec: reboot {host}";
    assert_int_equal(run_open(&options, 7, 0, db, &run, error), EX_CONFIG);
    assert_non_null(strstr(error, "\"mock\""));
    assert_non_null(strstr(error, "\"exec: reboot {host}\""));
    assert_null(run.source);
}

#define SSH "ssh -n -o BatchMode=yes -o ConnectTimeout=10 -o LogLevel=ERROR -- {address} "

// The line that both share is long, and told once.
static void of_two_drivers_the_difference_is_told(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"ssh: " SSH "reboot", "ssh: " SSH "reboot (dry run)",
         "\"ssh: ... LogLevel=ERROR -- {address} reboot (dry run)\""},
        {"ssh: " SSH "reboot (dry run)", "ssh: " SSH "reboot",
         "\"ssh: ... LogLevel=ERROR -- {address} reboot\""},
        {"ssh: " SSH "reboot", "old: " SSH "reboot", "\"old: ssh -n -o BatchMode=yes ...\""},
        {"ssh: sudo " SSH "reboot", "ssh: sudo -n " SSH "reboot",
         "\"ssh: sudo -n ssh -n -o BatchMode=yes -o ...\""},
        {"ssh: " SSH "'\xc3\xa4\xc3\xa4'", "ssh: " SSH "'\xc3\xa4\xc3\xb6'",
         "\"ssh: ... LogLevel=ERROR -- {address} '\xc3\xa4\xc3\xb6'\""},
        {"exec: " SSH "reboot", "exec: reboot {host}", "\"exec: reboot {host}\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char told[512];
        options.run_driver = cases[i][0];
        (void)start(0);
        accept_one(true);
        run_close(&run);
        options.run_driver = cases[i][1];
        assert_int_equal(run_open(&options, 7, 0, db, &run, error), EX_CONFIG);
        (void)snprintf(told, sizeof told, "from a run with the driver \"%s\", and this one has %s;",
                       cases[i][0], cases[i][2]);
        assert_non_null(strstr(error, told));
        options.run_driver = cases[i][0];
        (void)start(0);
        settle_it();
    }
}

static void the_mark_is_read_back(void **state)
{
    (void)state;
    assert_int_equal(run_marked(folder), 0);
    (void)start(0);
    run_mark(&run, folder);
    assert_int_equal(run_marked(folder), run.number);
    run_mark_bad_input(&run, folder, "hosts:3: no host");
    assert_int_equal(run_marked(folder), run.number);
    char path[TEMP_PATH_MAX];
    temp_path(path, "publisher.run");
    FILE *file = fopen(path, "we"); // killed while it wrote
    assert_non_null(file);
    fclose(file);
    assert_int_equal(run_marked(folder), 0);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, open_db, close_and_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_unfinished_run_is_resumed),
        TEST(a_finished_run_is_not),
        TEST(a_finished_run_that_the_same_run_sh_has_begun_is_not_begun_again),
        TEST(what_was_begun_with_another_driver_is_not_gone_on_with),
        TEST(a_list_that_changes_under_the_same_run_sh_is_not_read_again),
        TEST(a_demo_that_has_ended_is_not_begun_again_by_the_same_run_sh),
        TEST(jobs_left_under_another_driver_are_refused),
        TEST(of_two_drivers_the_difference_is_told),
        TEST(the_mark_is_read_back),
        TEST(another_list_goes_on_by_host),
        TEST(the_same_list_in_another_form_withdraws_nothing),
        TEST(who_comes_back_on_the_list_is_new_again),
        TEST(a_stream_is_gone_on_with_like_a_file),
        TEST(another_driver_takes_over_if_that_is_said),
        TEST(a_list_that_was_taken_away_is_said),
        TEST(with_a_policy_the_hosts_of_its_groups_are_counted),
        TEST(with_a_policy_a_stream_is_read_to_its_end_first),
        TEST(of_the_generator_the_number_of_jobs_is_known),
        TEST(another_policy_is_of_the_accepted_hosts_too),
        TEST(another_policy_keeps_the_other_attributes),
        TEST(a_run_has_a_key_that_no_other_one_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
