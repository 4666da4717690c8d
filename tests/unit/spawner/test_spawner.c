// Real commands through a real spawner: what they receive, and what it reports of them.

#include "spawner_play.h"

#include <sys/stat.h>

static void exit_codes_and_signals_are_told(void **state)
{
    enum { COMMANDS = 200, AT_ONCE = 32 };
    play_t *play = *state;
    int expected[AT_ONCE], ended = 0;
    play_skip_under_valgrind();
    for (int started = 0; ended < COMMANDS;) {
        for (; started < COMMANDS && started - ended < AT_ONCE; started++) {
            uint32_t slot = 0;
            while (play->outputs[slot] >= 0)
                slot++;
            char script[64];
            expected[slot] = started % 7 == 0 ? started % 15 + 1 : started % 256 * 256;
            (void)snprintf(script, sizeof script, started % 7 == 0 ? "kill -%d $$" : "exit %d",
                           started % 7 == 0 ? started % 15 + 1 : started % 256);
            play_start(play, slot, script);
        }
        mm_spawner_event_t event = play_next(play);
        assert_int_equal(event.kind, MM_SPAWNER_ENDED);
        assert_int_equal(event.tag, play->tags[event.slot]);
        assert_int_equal(event.status & ~0x80, expected[event.slot]); // whether there was a core
        play_assert_all_dead(play, event.slot);
        play_close(play, event.slot);
        ended++;
    }
}

static void a_command_gets_a_clean_process(void **state)
{
    play_t *play = *state;
    play_skip_under_valgrind();
    int fds[2];
    assert_int_equal(pipe(fds), 0); // not close-on-exec
    play_start(play, 1, "sleep 1000");
    // 3 is ls's own view of the folder; two masks of signals end with zeros; the sixth field is the
    // session.
    play_start(play, 0,
               "ls /proc/self/fd; cat; ulimit -n; grep -cE '^Sig(Blk|Ign):.*0000000$' "
               "/proc/self/status; readlink /proc/self/fd/0; umask; read -r stat </proc/$$/stat; "
               "set -- $stat; [ $6 = $$ ] && echo session; echo error >&2; exit 1");
    for (const char *const *line = (const char *[]){"0", "1", "2", "3", "77", "2", "/dev/null",
                                                    "0022", "session", "error", NULL};
         *line; line++)
        play_assert_line(play, 0, *line);
    play_assert_exit(play, 0, 1);
    play_assert_all_dead(play, 0);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void signals_that_the_user_blocks_or_ignores_are_not_inherited(void **state)
{
    (void)state;
    play_skip_under_valgrind();
    sigset_t blocked, before;
    void *play;
    (void)sigfillset(&blocked);
    assert_int_equal(sigprocmask(SIG_BLOCK, &blocked, &before), 0);
    assert_true(signal(SIGPIPE, SIG_IGN) == SIG_DFL);
    (void)play_set_up(&play);
    play_start(play, 0, "grep -cE '^Sig(Blk|Ign):.*0000000$' /proc/self/status");
    play_assert_line(play, 0, "2");
    play_assert_exit(play, 0, 0);
    (void)play_tear_down(&play);
    assert_true(signal(SIGPIPE, SIG_DFL) == SIG_IGN);
    assert_int_equal(sigprocmask(SIG_SETMASK, &before, NULL), 0);
}

static void additions_to_the_environment_replace_what_is_inherited(void **state)
{
    (void)state;
    play_skip_under_valgrind();
    void *play;
    assert_int_equal(setenv("MM_TEST_KEPT", "kept", 1), 0);
    assert_int_equal(setenv("MM_TEST_REPLACED", "inherited", 1), 0);
    (void)play_set_up(&play);
    char *arguments[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"env | grep MM_TEST | sort"},
                         NULL};
    char *environment[] = {(char[]){"MM_TEST_REPLACED=a b=c"}, (char[]){"MM_TEST_NEW="}, NULL};
    assert_int_equal(play_try_start(play, 0, "/bin/sh", arguments, environment, INT64_MAX), 0);
    play_assert_line(play, 0, "MM_TEST_KEPT=kept");
    play_assert_line(play, 0, "MM_TEST_NEW=");
    play_assert_line(play, 0, "MM_TEST_REPLACED=a b=c");
    play_assert_exit(play, 0, 0);
    (void)play_tear_down(&play);
    assert_int_equal(unsetenv("MM_TEST_KEPT") | unsetenv("MM_TEST_REPLACED"), 0);
}

static void what_cannot_be_executed_has_its_errno(void **state)
{
    play_t *play = *state;
    play_skip_under_valgrind();
    const struct {
        const char *path;
        int error;
    } cases[] = {{"/no/such/program", ENOENT},
                 {"/tmp", EACCES},
                 {"/etc/passwd", EACCES},
                 {"/etc/passwd/x", ENOTDIR}};
    char *arguments[] = {(char[]){"name"}, NULL};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(play_try_start(play, 3, cases[i].path, arguments, NULL, INT64_MAX), 0);
        mm_spawner_event_t event = play_wait(play, 3, MM_SPAWNER_NOT_STARTED);
        assert_int_equal(event.error, cases[i].error);
        assert_false(event.has_status);
        play_assert_all_dead(play, 3);
    }
    play_start(play, 3, "exit 4"); // the slot is free
    play_assert_exit(play, 3, 4);
}

static void a_start_that_is_too_large_is_refused(void **state)
{
    play_t *play = *state;
    static char large[MM_SPAWNER_REQUEST_MAX + 1];
    memset(large, 'x', sizeof large - 1);
    char *arguments[] = {large, NULL};
    mm_spawner_event_t event;
    assert_int_equal(play_try_start(play, 3, "/bin/true", arguments, NULL, INT64_MAX), E2BIG);
    assert_false(mm_spawner_next(play->spawner, &event));
}

static void a_script_without_a_first_line_is_for_sh(void **state)
{
    play_t *play = *state;
    play_skip_under_valgrind();
    char path[] = "/tmp/mayhem_spawner.XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_true(dprintf(file, "echo \"$0 $1\"; exit 6\n") > 0);
    assert_int_equal(fchmod(file, 0700) | close(file), 0);
    char *arguments[] = {(char[]){"name"}, (char[]){"one"}, NULL};
    char line[64];
    assert_int_equal(play_try_start(play, 0, path, arguments, NULL, INT64_MAX), 0);
    (void)snprintf(line, sizeof line, "%s one", path);
    play_assert_line(play, 0, line);
    play_assert_exit(play, 0, 6);
    assert_int_equal(unlink(path), 0);
}

// The spawner is stopped, so the instant passes between the request and the start.
static void a_command_is_not_started_after_its_instant(void **state)
{
    play_t *play = *state;
    play_skip_under_valgrind();
    char *arguments[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"echo ran"}, NULL};
    int64_t not_after_ms = mm_clock_ms() + 5;
    assert_int_equal(kill(mm_spawner_pid(play->spawner), SIGSTOP), 0);
    assert_int_equal(play_try_start(play, 0, "/bin/sh", arguments, NULL, not_after_ms), 0);
    while (mm_clock_ms() <= not_after_ms)
        (void)poll(NULL, 0, 1);
    assert_int_equal(kill(mm_spawner_pid(play->spawner), SIGCONT), 0);
    mm_spawner_event_t event = play_wait(play, 0, MM_SPAWNER_NOT_STARTED);
    assert_int_equal(event.error, ETIME);
    play_assert_all_dead(play, 0);
    not_after_ms = mm_clock_ms() + PLAY_LIMIT_MS;
    assert_int_equal(play_try_start(play, 0, "/bin/sh", arguments, NULL, not_after_ms), 0);
    play_assert_line(play, 0, "ran");
    play_assert_exit(play, 0, 0);
}

static void much_output_comes_through_the_pipe(void **state)
{
    play_t *play = *state;
    play_skip_under_valgrind();
    play_start(play, 0, "seq 1 150000");
    char line[32], expected[32];
    for (int i = 1; i <= 150000; i++) {
        (void)snprintf(expected, sizeof expected, "%d", i);
        assert_true(play_line(play, 0, line, sizeof line));
        assert_string_equal(line, expected);
    }
    assert_false(play_line(play, 0, line, sizeof line));
    play_assert_exit(play, 0, 0);
}

static void a_signal_reaches_the_group_of_the_command(void **state)
{
    play_t *play = *state;
    play_skip_under_valgrind();
    mm_spawner_signal(play->spawner, 0, SIGTERM); // nothing runs
    play_start(play, 0,
               "trap 'echo term; exit 9' TERM; sh -c 'echo ready; exec sleep 1000' & wait");
    play_assert_line(play, 0, "ready");
    mm_spawner_signal(play->spawner, 0, SIGTERM);
    play_assert_line(play, 0, "term");
    play_assert_exit(play, 0, 9);
    char line[8];
    assert_false(play_line(play, 0, line, sizeof line)); // the sleep has died, too
}

// The spawner is stopped, so the socket becomes full.
static void what_the_spawner_has_no_room_for_is_refused_or_kept(void **state)
{
    play_t *play = *state;
    play_skip_under_valgrind();
    char *arguments[] = {(char[]){"sleep"}, (char[]){"1000"}, NULL};
    static char padding[4000];
    memset(padding, 'x', sizeof padding - 1);
    memcpy(padding, "PAD=", 4);
    char *environment[] = {padding, NULL};
    assert_int_equal(kill(mm_spawner_pid(play->spawner), SIGSTOP), 0);
    uint32_t count = 0;
    int error = 0;
    while (count < PLAY_SLOTS && error == 0) {
        error = play_try_start(play, count, "/bin/sleep", arguments, environment, INT64_MAX);
        count += error == 0;
    }
    assert_int_equal(error, EAGAIN);
    assert_in_range(count, 2, PLAY_SLOTS - 1);
    for (uint32_t i = 0; i < count; i++)
        mm_spawner_kill(play->spawner, i);
    assert_int_equal(kill(mm_spawner_pid(play->spawner), SIGCONT), 0);
    for (uint32_t i = 0; i < count; i++) {
        mm_spawner_event_t event = play_next(play);
        assert_int_equal(event.kind, MM_SPAWNER_KILLED);
        assert_int_equal(event.survivors.count, 0);
        play_assert_all_dead(play, event.slot);
    }
    play_start(play, count, "exit 3");
    play_assert_exit(play, count, 3);
}

static int open_descriptors(pid_t pid)
{
    char path[64];
    int count = 0;
    (void)snprintf(path, sizeof path, "ls /proc/%d/fd | wc -l", (int)pid);
    FILE *list = popen(path, "re");
    assert_non_null(list);
    assert_int_equal(fscanf(list, "%d", &count), 1);
    assert_int_equal(pclose(list), 0);
    return count;
}

static void the_spawner_has_no_descriptor_for_a_slot(void **state)
{
    play_t *play = *state;
    play_skip_under_valgrind();
    play_start(play, 0, "exit 3"); // when it has ended, the spawner has all that it needs
    play_assert_exit(play, 0, 3);
    int before = open_descriptors(mm_spawner_pid(play->spawner));
    // Three standard ones, the socket, the signals, the timer, and at most one of the C library.
    assert_in_range(before, 6, 7);
    for (uint32_t i = 0; i < 50; i++)
        play_start(play, i, "echo ready; exec sleep 1000");
    for (uint32_t i = 0; i < 50; i++)
        play_assert_line(play, i, "ready");
    assert_in_range(open_descriptors(mm_spawner_pid(play->spawner)), before, 7);
    for (uint32_t i = 0; i < 50; i++)
        mm_spawner_kill(play->spawner, i);
    for (uint32_t i = 0; i < 50; i++)
        assert_int_equal(play_next(play).kind, MM_SPAWNER_KILLED);
    assert_in_range(open_descriptors(mm_spawner_pid(play->spawner)), before, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAY_TEST(exit_codes_and_signals_are_told),
        PLAY_TEST(a_command_gets_a_clean_process),
        cmocka_unit_test(signals_that_the_user_blocks_or_ignores_are_not_inherited),
        cmocka_unit_test(additions_to_the_environment_replace_what_is_inherited),
        PLAY_TEST(what_cannot_be_executed_has_its_errno),
        PLAY_TEST(a_start_that_is_too_large_is_refused),
        PLAY_TEST(a_script_without_a_first_line_is_for_sh),
        PLAY_TEST(a_command_is_not_started_after_its_instant),
        PLAY_TEST(much_output_comes_through_the_pipe),
        PLAY_TEST(a_signal_reaches_the_group_of_the_command),
        PLAY_TEST(what_the_spawner_has_no_room_for_is_refused_or_kept),
        PLAY_TEST(the_spawner_has_no_descriptor_for_a_slot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
