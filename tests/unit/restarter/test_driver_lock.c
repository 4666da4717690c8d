// The exec driver and the locks on hosts, with real files: who may have a host, what its record
// says while a command runs and behind it, and who is skipped.

#include "commands_run.h"
#include "host_lock.h"

#include <time.h>

enum { HOUR = 60 * MINUTE };

typedef struct {
    fixture_t base;
    mm_options_t options;
    char folder[64], line[256];
    host_locks_t *locks;
    driver_t *driver;
} lock_t;

static const mm_id_t own = {{1}}, other = {{2}};

static int set_up_lock(void **state)
{
    char complaint[MM_ERROR_MAX];
    assert_int_equal(set_up(state), 0);
    lock_t *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->base = *(fixture_t *)*state;
    free(*state);
    *state = self;
    (void)snprintf(self->folder, sizeof self->folder, "%s/hosts", self->base.folder);
    self->options = exec_options(self->line);
    self->options.dir = "/";
    self->options.locks = self->folder;
    self->options.cooldown_ms = HOUR;
    self->locks = host_locks_open(&self->options, complaint);
    assert_non_null(self->locks);
    return 0;
}

static int tear_down_lock(void **state)
{
    lock_t *self = *state;
    char path[96];
    driver_destroy(&self->driver);
    host_locks_close(&self->locks);
    (void)snprintf(path, sizeof path, "%s/web-7", self->folder);
    (void)unlink(path);
    assert_int_equal(rmdir(self->folder), 0);
    return tear_down(state);
}

static void open_lock(lock_t *self, const char *line)
{
    (void)snprintf(self->line, sizeof self->line, "%s", line);
    self->driver = open_driver(&self->options);
}

static void begin(lock_t *self, mm_leg_t leg, mm_real_t *real)
{
    *real = (mm_real_t){.command = leg == MM_LEG_RESTART,
                        .left_ms = 15 * MINUTE,
                        .start_ms = 1000 + MINUTE,
                        .first_ms = 1000,
                        .deadline_ms = 1000 + 15 * MINUTE,
                        .age_ms = leg == MM_LEG_RESTART};
    driver_start(self->driver,
                 &(mm_task_t){.number = 17,
                              .leg = leg,
                              .id = own,
                              .host = mm_str("Web-7"),
                              .attempt = 1,
                              .real = real},
                 1000);
}

static ended_t runs(lock_t *self, mm_leg_t leg)
{
    mm_real_t real;
    begin(self, leg, &real);
    return wait_finished(self->driver, 1500);
}

// The record as it is on the disk, whoever has the lock.
static host_record_t on_disk(const lock_t *self)
{
    char path[96], text[HOST_RECORD_MAX];
    host_record_t record;
    (void)snprintf(path, sizeof path, "%s/web-7", self->folder);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    assert_true(host_record_parse((mm_str_t){text, size}, &record));
    return record;
}

static host_lock_t *take_lock(const lock_t *self)
{
    char why[MM_ERROR_MAX];
    bool is_held;
    return host_locks_take(self->locks, mm_str("web-7"), why, &is_held);
}

static void job_has_restarted_it(const lock_t *self, const mm_id_t *job, int64_t before_ms)
{
    host_lock_t *lock = take_lock(self);
    assert_non_null(lock);
    host_lock_record(lock)->restarted =
        (host_restart_t){.at_ms = (int64_t)time(NULL) * 1000 - before_ms,
                         .job = *job,
                         .dir = host_dir(mm_str("/srv/other"))};
    assert_int_equal(host_lock_write(lock), 0);
    host_lock_release(&lock);
}

static void another_job_has_restarted_it(const lock_t *self, int64_t before_ms)
{
    job_has_restarted_it(self, &other, before_ms);
}

static void a_host_of_somebody_else_is_returned_for_a_while(void **state)
{
    lock_t *self = *state;
    char expected[MM_ERROR_MAX];
    open_lock(self, "false {host}");
    static const mm_leg_t legs[] = {MM_LEG_PROBE, MM_LEG_RESTART};
    for (size_t i = 0; i < 2; i++) {
        host_lock_t *lock = take_lock(self);
        ended_t ended = runs(self, legs[i]);
        (void)snprintf(expected, sizeof expected, "held by pid %d of /", (int)getpid());
        assert_returned(&ended, expected);
        assert_true(ended.is_held);
        host_lock_release(&lock);
    }
    assert_int_equal(on_disk(self).sent.at_ms, 0);
}

static void the_lock_is_held_from_begin_to_end(void **state)
{
    lock_t *self = *state;
    mm_real_t real;
    char line[256];
    (void)snprintf(line, sizeof line, "sh -c \"echo go >%s; exec sleep 1000\" {host}",
                   self->base.fifo);
    open_lock(self, line);
    begin(self, MM_LEG_RESTART, &real);
    assert_line(&self->base, "go");
    assert_null(take_lock(self));
    host_record_t record = on_disk(self);
    assert_int_equal(record.held_pid, getpid());
    assert_true(mm_id_equal(&record.sent.job, &own)); // as a kill -9 would leave it
    assert_true(record.sent.at_ms > 0);
    driver_stop(self->driver, 2000);
    driver_step(self->driver, 4000);
    ended_t ended = wait_finished(self->driver, 4000);
    assert_int_equal(ended.end, MM_END_STOPPED);
    host_lock_t *lock = take_lock(self);
    assert_non_null(lock);
    assert_true(host_lock_record(lock)->sent.at_ms > 0); // nobody knows
    host_lock_release(&lock);
}

static void a_success_is_kept_and_a_failure_is_not(void **state)
{
    lock_t *self = *state;
    open_lock(self, "false {host}");
    ended_t ended = runs(self, MM_LEG_RESTART);
    assert_failed(&ended, "exit 1");
    assert_int_equal(on_disk(self).sent.at_ms, 0);
    assert_int_equal(on_disk(self).restarted.at_ms, 0);
    driver_destroy(&self->driver);
    open_lock(self, "true {host}");
    ended = runs(self, MM_LEG_RESTART);
    assert_ok(&ended, "exit=0");
    host_record_t record = on_disk(self);
    assert_true(record.restarted.at_ms / 1000 >= (int64_t)time(NULL) - 60);
    assert_true(mm_id_equal(&record.restarted.job, &own));
    assert_string_equal(record.restarted.dir.text, "/");
    ended = runs(self, MM_LEG_RESTART); // it is not skipped by what it did itself
    assert_ok(&ended, "exit=0");
}

static void what_was_restarted_a_short_while_ago_is_skipped(void **state)
{
    lock_t *self = *state;
    another_job_has_restarted_it(self, HOUR / 2);
    open_lock(self, "false {host}");
    assert_int_equal(self->driver->verbs, MM_VERB_REAL | MM_VERB_SKIP);
    static const mm_leg_t legs[] = {MM_LEG_PROBE, MM_LEG_RESTART}; // before a command, too
    for (size_t i = 0; i < 2; i++) {
        ended_t ended = runs(self, legs[i]);
        assert_ok(&ended, "");
        assert_int_equal(ended.end, MM_END_SKIPPED);
        assert_false(ended.sent);
        assert_string_equal(ended.words, "restarted within 1h by /srv/other");
    }
    host_record_t record = on_disk(self);
    assert_true(mm_id_equal(&record.restarted.job, &other));
}

// Somebody has removed the record in mid-run: it knows of no attempt, and the host's own file does.
static void what_the_job_did_counts_when_the_record_does_not_know_it(void **state)
{
    lock_t *self = *state;
    job_has_restarted_it(self, &own, MINUTE);
    open_lock(self, "true {host}");
    ended_t ended = runs(self, MM_LEG_PROBE);
    assert_int_equal(ended.end, MM_END_SKIPPED);
    ended = runs(self, MM_LEG_RESTART); // begun on record: its own attempt
    assert_ok(&ended, "exit=0");
}

static void behind_the_cooldown_it_is_restarted(void **state)
{
    lock_t *self = *state;
    another_job_has_restarted_it(self, HOUR + MINUTE);
    open_lock(self, "true {host}");
    ended_t ended = runs(self, MM_LEG_PROBE);
    assert_int_equal(ended.end, MM_END_NOT_STARTED);
    ended = runs(self, MM_LEG_RESTART);
    assert_ok(&ended, "exit=0");
}

static void again_means_without_a_cooldown(void **state)
{
    lock_t *self = *state;
    another_job_has_restarted_it(self, 1);
    self->options.again = true;
    open_lock(self, "true {host}");
    assert_int_equal(self->driver->verbs, MM_VERB_REAL);
    ended_t ended = runs(self, MM_LEG_RESTART);
    assert_ok(&ended, "exit=0");
    host_record_t record = on_disk(self);
    assert_true(mm_id_equal(&record.restarted.job, &own));
}

static void a_command_that_was_not_started_leaves_no_trace(void **state)
{
    lock_t *self = *state;
    char program[96], line[256];
    another_job_has_restarted_it(self, HOUR + MINUTE);
    (void)snprintf(program, sizeof program, "%s/restart", self->base.folder);
    int file = open(program, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
    assert_int_equal(write(file, "#!/bin/sh\n", 10), 10);
    assert_int_equal(close(file), 0);
    (void)snprintf(line, sizeof line, "%s {host}", program);
    open_lock(self, line);
    assert_int_equal(unlink(program), 0);
    ended_t ended = runs(self, MM_LEG_RESTART);
    assert_int_equal(ended.status, MM_STATUS_RETURNED);
    assert_false(ended.is_held);
    host_record_t record = on_disk(self);
    assert_int_equal(record.sent.at_ms, 0);
    assert_true(mm_id_equal(&record.restarted.job, &other));
}

static void a_rehearsal_has_no_locks(void **state)
{
    lock_t *self = *state;
    self->options.dry_run = true;
    self->options.locks = "/proc/none";
    open_lock(self, "false {host}");
    assert_int_equal(self->driver->verbs, MM_VERB_REAL);
    driver_destroy(&self->driver);
    self->options.dry_run = false;
    char complaint[MM_ERROR_MAX];
    assert_null(driver_exec_kind.new(&self->options, complaint));
    assert_non_null(strstr(complaint, "--locks"));
}

#define LOCK_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up_lock, tear_down_lock)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOCK_TEST(a_host_of_somebody_else_is_returned_for_a_while),
        LOCK_TEST(the_lock_is_held_from_begin_to_end),
        LOCK_TEST(a_success_is_kept_and_a_failure_is_not),
        LOCK_TEST(what_was_restarted_a_short_while_ago_is_skipped),
        LOCK_TEST(what_the_job_did_counts_when_the_record_does_not_know_it),
        LOCK_TEST(behind_the_cooldown_it_is_restarted),
        LOCK_TEST(again_means_without_a_cooldown),
        LOCK_TEST(a_command_that_was_not_started_leaves_no_trace),
        LOCK_TEST(a_rehearsal_has_no_locks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
