// The exec driver and the permit for its commands, by the clock of the machine: also of a restarter
// that is stopped, as a machine in suspend or under load may be, between permit and command.

#include "clock.h"
#include "commands_run.h"

enum { LOST_AFTER = 400, STOPPED = 900 };

static int64_t permit_ms;

static int64_t permit_now(void *arg)
{
    (void)arg;
    return permit_ms;
}

// A driver by the clock of the machine; its command writes a line into the FIFO.
static driver_t *open_real_clock(const fixture_t *fixture)
{
    static mm_options_t options;
    static char exec[160];
    (void)snprintf(exec, sizeof exec, "sh -c \"echo sent >$1\" x %s", fixture->fifo);
    options = exec_options(exec);
    options.lost_after_ms = LOST_AFTER;
    driver_t *driver = open_driver(&options);
    driver->has_own_clock = false;
    driver->permit = permit_now;
    return driver;
}

// Until the task ends, or nothing is to be done but at the deadline, for which is waited.
static ended_t run_to_its_end(driver_t *driver)
{
    ended_t ended;
    while (!take(driver, mm_clock_ms(), &ended)) {
        int64_t due_ms = driver_deadline(driver), now_ms = mm_clock_ms();
        struct pollfd item = {.fd = driver_descriptor(driver), .events = POLLIN};
        int64_t pause_ms = due_ms <= now_ms ? 0 : due_ms - now_ms < 60000 ? due_ms - now_ms : 60000;
        (void)poll(&item, 1, (int)pause_ms);
        driver_step(driver, mm_clock_ms());
    }
    return ended;
}

static void assert_nothing_was_sent(const fixture_t *fixture)
{
    char rest[8];
    assert_true(read(fixture->fd, rest, sizeof rest) <= 0);
}

static void without_a_permit_the_command_is_not_started(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver = open_real_clock(fixture);
    permit_ms = 0;
    int64_t since_ms = mm_clock_ms();
    start(driver, 1, since_ms);
    ended_t ended = run_to_its_end(driver);
    assert_returned(&ended, "");
    assert_in_range(mm_clock_ms() - since_ms, LOST_AFTER, INT32_MAX); // it has waited for one
    assert_nothing_was_sent(fixture);
    driver_destroy(&driver);
}

static void who_waits_is_started_when_there_is_one(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver = open_real_clock(fixture);
    permit_ms = 0;
    start(driver, 1, mm_clock_ms());
    permit_ms = INT64_MAX;
    driver_permit(driver, mm_clock_ms());
    assert_line(fixture, "sent");
    ended_t ended = run_to_its_end(driver);
    assert_ok(&ended, "exit=0");
    driver_destroy(&driver);
}

static void a_driver_that_nobody_tells_of_permits_starts_nothing(void **state)
{
    fixture_t *fixture = *state;
    driver_t *driver = open_real_clock(fixture);
    driver->permit = NULL;
    start(driver, 1, mm_clock_ms());
    ended_t ended = run_to_its_end(driver);
    assert_returned(&ended, "");
    assert_nothing_was_sent(fixture);
    driver_destroy(&driver);
}

// ---- a restarter that is stopped

static bool stops_itself;

// The permit is given, and then the process stands still.
static int64_t permit_and_stop(void *arg)
{
    (void)arg;
    int64_t until_ms = mm_clock_ms() + LOST_AFTER;
    if (stops_itself) {
        stops_itself = false;
        (void)raise(SIGSTOP);
    }
    return until_ms;
}

// The restarter's part. Its exit code is the status of the result.
static int restart_once(const fixture_t *fixture)
{
    driver_t *driver = open_real_clock(fixture);
    driver->permit = permit_and_stop;
    start(driver, 1, mm_clock_ms());
    int status = (int)run_to_its_end(driver).status;
    driver_destroy(&driver);
    return status;
}

static mm_status_t play(const fixture_t *fixture, bool is_stopped)
{
    int status;
    stops_itself = is_stopped;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(restart_once(fixture));
    if (is_stopped) {
        assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
        assert_true(WIFSTOPPED(status));
        (void)poll(NULL, 0, STOPPED);
        assert_int_equal(kill(pid, SIGCONT), 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return (mm_status_t)WEXITSTATUS(status);
}

static void a_restarter_that_is_stopped_behind_its_permit_starts_nothing_late(void **state)
{
    fixture_t *fixture = *state;
    skip_under_valgrind();
    assert_int_equal(play(fixture, false), MM_STATUS_OK);
    assert_line(fixture, "sent"); // so it does, when nothing stops it
    assert_int_equal(play(fixture, true), MM_STATUS_RETURNED);
    assert_nothing_was_sent(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_a_permit_the_command_is_not_started),
        TEST(who_waits_is_started_when_there_is_one),
        TEST(a_driver_that_nobody_tells_of_permits_starts_nothing),
        TEST(a_restarter_that_is_stopped_behind_its_permit_starts_nothing_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
