// What is killed and what is not: process trees, fork bombs, and the ends of user and spawner.
// As a command, this program is a bomb (its argument says so) or becomes root.

#include "random.h"
#include "spawner_play.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define BOMB_PROCESSES 40
#define COMET_FORKS    5000
#define NOBODY         54321 // a user without processes

static char program[256]; // this one

// Each way to start a process that gets away from its parent, two on each level, by chance; the
// leaves say "leaf". $0 SEED DEPTH.
static const char tree_script[] =
    "[ $2 -gt 0 ] || { echo leaf; exec sleep 1000; }\n"
    "seed=$1 depth=$(($2 - 1))\n"
    "for branch in 1 2; do\n"
    "    seed=$(((seed * 1103515245 + 12345) % 2147483648))\n"
    "    case $((seed / 65536 % 9)) in\n"
    "    0) sh $0 $seed $depth & ;;\n"
    "    1) setsid sh $0 $seed $depth & ;;\n"
    "    2) setsid -f sh $0 $seed $depth ;;\n"
    "    3) ( (sh $0 $seed $depth &) & ) ;;\n"
    "    4) timeout 1000 sh $0 $seed $depth & ;;\n"
    "    5) bash -c 'set -m; sh $0 $1 $2 & wait' $0 $seed $depth & ;;\n"
    "    6) env -i /bin/sh $0 $seed $depth & ;;\n"
    "    7) (trap '' TERM HUP INT; exec sh $0 $seed $depth) & ;;\n"
    "    8) (setsid -f env -i /bin/sh $0 $seed $depth) & ;;\n"
    "    esac\n"
    "done\n"
    "exec sleep 1000\n";

static char tree_path[] = "/tmp/mayhem_tree.XXXXXX";

static void start_tree(play_t *play, uint32_t slot, uint64_t *seed, int depth)
{
    char number[32], levels[8];
    (void)snprintf(number, sizeof number, "%d", (int)mm_random_below(seed, 1 << 30));
    (void)snprintf(levels, sizeof levels, "%d", depth);
    char *arguments[] = {(char[]){"sh"}, tree_path, number, levels, NULL};
    assert_int_equal(play_try_start(play, slot, "/bin/sh", arguments, NULL, INT64_MAX), 0);
}

static void assert_leaves(play_t *play, uint32_t slot, int count)
{
    for (int i = 0; i < count; i++)
        play_assert_line(play, slot, "leaf");
}

// ---- trees

static void every_way_out_is_followed(void **state)
{
    play_t *play = *state;
    play_skip_under_valgrind();
    const char *const scripts[] = {
        "setsid sh -c 'echo up; exec sleep 1000' & sleep 1000",
        "setsid -f sh -c 'echo up; exec sleep 1000'; sleep 1000",
        "( (sh -c 'echo up; exec sleep 1000' &) & ); sleep 1000",
        "timeout 1000 sh -c 'echo up; exec sleep 1000'; sleep 1000",
        "bash -c 'set -m; (echo up; sleep 1000) & sleep 1000'",
        "env -i sh -c 'setsid -f sh -c \"echo up; exec sleep 1000\"'; sleep 1000",
        "trap '' TERM INT HUP; echo up; while :; do sleep 1000; done",
        "bash -c 'coproc { echo up >&2; sleep 1000; }; disown -a; exec sleep 1000'",
    };
    enum { COUNT = sizeof scripts / sizeof *scripts };
    for (uint32_t i = 0; i < COUNT; i++)
        play_start(play, i, scripts[i]);
    for (uint32_t i = 0; i < COUNT; i++)
        play_assert_line(play, i, "up");
    for (uint32_t i = 0; i < COUNT; i++)
        play_kill(play, i);
}

static void one_whose_limit_was_changed_is_found_by_its_parent(void **state)
{
    play_t *play = *state;
    play_skip_under_valgrind();
    play_start(
        play, 0,
        "prlimit --rttime=unlimited sh -c 'sleep 1000 & echo up; exec sleep 1000' & sleep 1000");
    play_assert_line(play, 0, "up");
    play_kill(play, 0);
}

static void random_trees_leave_nothing_and_hurt_nobody(void **state)
{
    enum { ROUNDS = 13, AT_ONCE = 8, BYSTANDER = AT_ONCE };
    play_t *play = *state;
    play_skip_under_valgrind();
    uint64_t seed = (uint64_t)mm_clock_ns();
    print_message("seed %llu\n", (unsigned long long)seed);
    start_tree(play, BYSTANDER, &seed, 2);
    assert_leaves(play, BYSTANDER, 4);
    for (int round = 0; round < ROUNDS; round++) {
        for (uint32_t slot = 0; slot < AT_ONCE; slot++)
            start_tree(play, slot, &seed, 2);
        // Some are killed while they grow.
        for (uint32_t slot = 0; slot < AT_ONCE; slot++)
            assert_leaves(play, slot, (int)mm_random_below(&seed, 5));
        for (uint32_t slot = 0; slot < AT_ONCE; slot++)
            mm_spawner_kill(play->spawner, slot);
        for (int i = 0; i < AT_ONCE; i++) {
            mm_spawner_event_t event = play_next(play);
            assert_int_equal(event.kind, MM_SPAWNER_KILLED);
            assert_int_equal(event.survivors.count, 0);
            assert_in_range(event.slot, 0, AT_ONCE - 1);
            assert_true(event.has_status && WIFSIGNALED(event.status));
            play_assert_all_dead(play, event.slot);
            assert_int_equal(play_count_tagged(event.tag, NULL), 0);
        }
    }
    // The bystander's leaves are there, none of them stopped, and so is its command.
    assert_true(play_count_tagged(play->tags[BYSTANDER], NULL) >= 5);
    play_kill(play, BYSTANDER);
}

// The walk has a descriptor of its own, which is none of a command.
static void what_is_started_during_a_kill_is_as_any_other(void **state)
{
    enum { ROUNDS = 20, AT_ONCE = 6 };
    play_t *play = *state;
    play_skip_under_valgrind();
    for (int round = 0; round < ROUNDS; round++) {
        play_start(play, 0, "setsid -f sleep 1000; echo up; exec sleep 1000");
        play_assert_line(play, 0, "up");
        mm_spawner_kill(play->spawner, 0);
        for (uint32_t slot = 1; slot <= AT_ONCE; slot++) {
            play_start(play, slot, "echo up; exit 1");
            play_assert_line(play, slot, "up");
        }
        for (int i = 0; i <= AT_ONCE; i++) {
            mm_spawner_event_t event = play_next(play);
            assert_int_equal(event.kind, event.slot ? MM_SPAWNER_ENDED : MM_SPAWNER_KILLED);
            assert_int_equal(event.survivors.count, 0);
        }
        assert_int_equal(play_count_tagged(play->tags[0], NULL), 0);
        play_assert_all_dead(play, 0);
    }
}

static void what_a_command_leaves_running_lives_on(void **state)
{
    play_t *play = *state;
    pid_t left = 0, again = 0;
    play_skip_under_valgrind();
    play_start(play, 0, "setsid -f sh -c 'echo up; exec sleep 1000'; sleep 0.01 & exit 5");
    play_assert_line(play, 0, "up");
    play_assert_exit(play, 0, 5);
    mm_spawner_kill(play->spawner, 0); // too late: a free slot
    uint64_t tag = play->tags[0];
    play_start(play, 1, "echo up; exec sleep 1000");
    play_assert_line(play, 1, "up");
    play_kill(play, 1); // a walk
    while (play_count_tagged(tag, &left) > 1)
        (void)poll(NULL, 0, 1);
    assert_int_equal(play_count_tagged(tag, &left), 1);
    mm_spawner_destroy(&play->spawner);
    assert_int_equal(play_count_tagged(tag, &again), 1);
    assert_int_equal(left, again);
    // It is a child of this process now, the nearest subreaper.
    assert_int_equal(kill(left, SIGKILL), 0);
    assert_int_equal(waitpid(left, NULL, 0), left);
}

static void a_kill_may_come_at_any_time(void **state)
{
    play_t *play = *state;
    play_skip_under_valgrind();
    uint64_t seed = (uint64_t)mm_clock_ns();
    for (int i = 0; i < 200; i++) {
        play_start(play, 0, i % 2 ? "sleep 1000" : "exit 0");
        for (uint64_t pause = mm_random_below(&seed, 2000); pause > 0; pause--)
            (void)getppid();
        mm_spawner_kill(play->spawner, 0);
        mm_spawner_kill(play->spawner, 0); // again: a no-op
        mm_spawner_event_t event = play_next(play);
        assert_true(event.kind == MM_SPAWNER_KILLED ||
                    (i % 2 == 0 && event.kind == MM_SPAWNER_ENDED));
        play_assert_all_dead(play, 0);
    }
    mm_spawner_event_t event;
    assert_false(mm_spawner_next(play->spawner, &event));
}

// Their user does nothing meanwhile.
static void at_their_end_attempts_are_killed(void **state)
{
    enum { COUNT = 20 };
    play_t *play = *state;
    play_skip_under_valgrind();
    int64_t now_ms = mm_clock_ms();
    for (uint32_t i = 0; i < COUNT; i++) {
        play->end_ms = now_ms + 300 - 10 * (int64_t)i; // each earlier than the ones before
        play_start(play, i, "setsid -f sleep 1000; echo up; trap '' TERM; sleep 1000");
    }
    play->end_ms = now_ms + 300;
    play_start(play, COUNT, "exit 7");
    play->end_ms = now_ms - 1000; // has passed
    play_start(play, COUNT + 1, "sleep 1000");
    play->end_ms = now_ms + PLAY_LIMIT_MS;
    play_start(play, COUNT + 2, "exec sleep 1000");
    char line[8];
    for (uint32_t i = 0; i < COUNT; i++)
        while (play_line(play, i, line, sizeof line)) // until all are dead
            continue;
    assert_true(mm_clock_ms() >= now_ms + 300);
    bool has_exited = false;
    for (int i = 0; i < COUNT + 2; i++) {
        mm_spawner_event_t event = play_next(play);
        has_exited |= event.slot == COUNT && event.kind == MM_SPAWNER_ENDED;
        assert_true(event.slot == COUNT || event.kind == MM_SPAWNER_KILLED);
        assert_int_equal(play_count_tagged(event.tag, NULL), 0);
    }
    assert_true(has_exited);
    assert_int_equal(play_count_tagged(play->tags[COUNT + 2], NULL), 1);
    play_kill(play, COUNT + 2);
}

// ---- bombs

// The processes of a real user, for RLIMIT_NPROC counts them all.
static int count_processes_of(uid_t user)
{
    char command[64];
    int count = 0;
    (void)snprintf(command, sizeof command, "ls -ldn /proc/[0-9]* 2>&1 | grep -c ' %d '",
                   (int)user);
    FILE *list = popen(command, "re");
    assert_non_null(list);
    assert_int_equal(fscanf(list, "%d", &count), 1);
    (void)pclose(list);
    return count;
}

// Every process forks until the limit, and says so once it has been reached.
_Noreturn static void be_a_bomb(void)
{
    uid_t user = getuid() == 0 ? NOBODY : getuid();
    rlim_t most = (rlim_t)(getuid() == 0 ? 0 : count_processes_of(user)) + BOMB_PROCESSES;
    struct rlimit limit = {most, most};
    if (setrlimit(RLIMIT_NPROC, &limit) != 0 || (getuid() == 0 && setresuid(user, user, user) != 0))
        _exit(1);
    for (bool is_told = false;;) {
        pid_t pid = fork();
        if (pid < 0 && !is_told)
            is_told = write(STDOUT_FILENO, "full\n", 5) == 5;
        while (waitpid(-1, NULL, WNOHANG) > 0)
            continue;
    }
}

static void start_this_program(play_t *play, uint32_t slot, const char *path, const char *what)
{
    char *arguments[] = {program, (char *)(uintptr_t)what, NULL};
    assert_int_equal(play_try_start(play, slot, path, arguments, NULL, INT64_MAX), 0);
}

static void a_fork_bomb_at_its_limit_is_killed(void **state)
{
    play_t *play = *state;
    play_skip_under_valgrind();
    play_start(play, 1, "echo up; exec sleep 1000");
    play_assert_line(play, 1, "up");
    for (int i = 0; i < 2; i++) {
        start_this_program(play, 0, program, "bomb");
        play_assert_line(play, 0, "full");
        int64_t began_ms = mm_clock_ms();
        play_kill(play, 0);
        print_message("a bomb of %d processes: %lld ms\n", BOMB_PROCESSES,
                      (long long)(mm_clock_ms() - began_ms));
    }
    assert_int_equal(play_count_tagged(play->tags[1], NULL), 1);
    play_kill(play, 1);
}

// Forks and exits, again and again: it is never where it was seen. It ends by itself, for the case
// that the test fails, and says so.
_Noreturn static void be_a_comet(bool leaves_its_group)
{
    if (fork() > 0)
        for (;;)
            (void)pause();
    if (write(STDOUT_FILENO, "up\n", 3) != 3)
        _exit(1);
    for (int i = 0; i < COMET_FORKS; i++) {
        if (fork() != 0)
            _exit(0);
        if (leaves_its_group)
            (void)setsid();
    }
    _exit(write(STDOUT_FILENO, "end\n", 4) != 4);
}

// Many other processes make a pass slow, so that the comet is gone when the pass comes by.
static void who_forks_and_exits_all_the_time_is_caught(void **state)
{
    enum { OTHERS = 300 };
    play_t *play = *state;
    pid_t others[OTHERS];
    play_skip_under_valgrind();
    for (int i = 0; i < OTHERS; i++) {
        others[i] = fork();
        assert_true(others[i] >= 0);
        if (others[i] == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                (void)pause();
        }
    }
    for (int i = 0; i < 6; i++) {
        start_this_program(play, 0, program, i % 2 ? "comet" : "wandering comet");
        play_assert_line(play, 0, "up");
        mm_spawner_kill(play->spawner, 0);
        assert_int_equal(play_wait(play, 0, MM_SPAWNER_KILLED).survivors.count, 0);
        char line[8];
        assert_false(play_line(play, 0, line, sizeof line)); // it did not come to its end
    }
    for (int i = 0; i < OTHERS; i++) {
        assert_int_equal(kill(others[i], SIGKILL), 0);
        assert_int_equal(waitpid(others[i], NULL, 0), others[i]);
    }
}

// ---- a child of another user

_Noreturn static void be_root(void)
{
    if (setresuid(0, 0, 0) != 0)
        _exit(1);
    (void)printf("%d\n", (int)getpid());
    (void)fflush(stdout);
    for (;;)
        (void)pause();
}

// Runs in a child, as a user without rights. `path` is this program, setuid root. The pid of what
// survives is its output; the exit code tells whether it was named, until it had gone.
_Noreturn static void kill_what_became_root(const char *path)
{
    void *state;
    char line[32], script[512];
    if (setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)
        _exit(2);
    (void)play_set_up(&state);
    play_t *play = state;
    (void)snprintf(script, sizeof script, "%s root & sleep 1000", path);
    play_start(play, 0, script);
    if (!play_line(play, 0, line, sizeof line))
        _exit(3);
    mm_spawner_kill(play->spawner, 0);
    pid_t pid = (pid_t)strtol(line, NULL, 10);
    for (int i = 0; i < 3; i++) {
        mm_spawner_event_t event = play_next(play);
        if (event.kind != MM_SPAWNER_KILLED || event.survivors.count != 1 ||
            event.survivors.named[0].pid != pid || event.survivors.named[0].started == 0)
            _exit(4);
        mm_spawner_kill_again(play->spawner, 0, play->tags[0]);
    }
    (void)printf("%s\n", line); // now it is killed by the test
    (void)fflush(stdout);
    while (play_next(play).survivors.count > 0)
        mm_spawner_kill_again(play->spawner, 0, play->tags[0]);
    play_start(play, 0, "exit 3"); // the slot is free
    play_assert_exit(play, 0, 3);
    _exit(0);
}

static void copy_this_program(const char *path)
{
    char command[600];
    (void)snprintf(command, sizeof command, "cp '%s' %s && chmod 4755 %s", program, path, path);
    assert_int_equal(system(command), 0);
}

static void a_child_that_has_become_root_is_named_until_it_has_gone(void **state)
{
    (void)state;
    play_skip_under_valgrind();
    char folder[] = "/tmp/mayhem_setuid.XXXXXX", path[64];
    if (getuid() != 0)
        skip();
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    (void)snprintf(path, sizeof path, "%s/program", folder);
    copy_this_program(path);
    int fds[2], status;
    char line[32] = "";
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)dup2(fds[1], STDOUT_FILENO);
        kill_what_became_root(path);
    }
    (void)close(fds[1]);
    ssize_t size = read(fds[0], line, sizeof line - 1);
    pid_t survivor = (pid_t)strtol(line, NULL, 10);
    if (size > 0 && survivor > 1)
        (void)kill(survivor, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)close(fds[0]);
    assert_int_equal(unlink(path) | rmdir(folder), 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
        skip(); // mounted nosuid
    assert_int_equal(status, 0);
}

// ---- the ends of user and spawner

// In a process of its own: a restarter, until it is killed. It has no other end of the pipes.
_Noreturn static void be_a_user(int output)
{
    void *state;
    (void)play_set_up(&state);
    play_t *play = state;
    uint64_t seed = (uint64_t)mm_clock_ns();
    for (uint32_t slot = 0; slot < 6; slot++) {
        start_tree(play, slot, &seed, 2);
        assert_leaves(play, slot, 4);
    }
    char line[32];
    (void)snprintf(line, sizeof line, "%d\n", (int)mm_spawner_pid(play->spawner));
    // One more, whose output is the test's.
    char *arguments[] = {(char[]){"sh"}, tree_path, (char[]){"77"}, (char[]){"2"}, NULL};
    assert_int_equal(mm_spawner_start(play->spawner,
                                      &(mm_spawner_start_t){.slot = 10,
                                                            .tag = MM_TAG_MAX - (uint64_t)getpid(),
                                                            .path = "/bin/sh",
                                                            .arguments = arguments,
                                                            .output = output,
                                                            .not_after_ms = INT64_MAX}),
                     0);
    assert_true(write(output, line, strlen(line)) > 0);
    for (;;)
        (void)pause();
}

static void when_the_user_is_killed_all_attempts_die(void **state)
{
    (void)state;
    play_skip_under_valgrind();
    play_t play;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    play.outputs[0] = fds[0];
    pid_t user = fork();
    assert_true(user >= 0);
    if (user == 0)
        be_a_user(fds[1]);
    (void)close(fds[1]);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    char line[32];
    for (int leaves = 0, spawner = 0; leaves < 4 || spawner == 0;) {
        assert_true(play_line(&play, 0, line, sizeof line));
        if (strcmp(line, "leaf") == 0)
            leaves++;
        else
            spawner = 1;
    }
    assert_int_equal(kill(user, SIGKILL), 0);
    assert_int_equal(waitpid(user, NULL, 0), user);
    // The end of the pipe: nobody of that tree lives.
    assert_false(play_line(&play, 0, line, sizeof line));
    // A process closes its descriptors before it is dead.
    int64_t until_ms = mm_clock_ms() + PLAY_LIMIT_MS;
    while (play_count_tagged(MM_TAG_MAX - (uint64_t)user, NULL) > 0)
        assert_true(mm_clock_ms() < until_ms);
    (void)close(fds[0]);
}

static void when_the_spawner_is_killed_its_user_kills(void **state)
{
    enum { TREES = 6 };
    play_t *play = *state;
    play_skip_under_valgrind();
    uint64_t seed = (uint64_t)mm_clock_ns();
    play_start(play, TREES, "setsid -f sh -c 'echo up; exec sleep 1000'; exit 0");
    play_assert_line(play, TREES, "up");
    play_assert_exit(play, TREES, 0);
    for (uint32_t slot = 0; slot < TREES; slot++)
        start_tree(play, slot, &seed, 2);
    for (uint32_t slot = 0; slot < TREES; slot++)
        assert_leaves(play, slot, 4);
    mm_spawner_kill(play->spawner, 0); // not done yet, or done
    assert_int_equal(kill(mm_spawner_pid(play->spawner), SIGKILL), 0);
    mm_spawner_event_t event = play_next(play);
    int killed = 0;
    if (event.kind == MM_SPAWNER_KILLED) {
        killed++;
        event = play_next(play);
    }
    assert_int_equal(event.kind, MM_SPAWNER_LOST);
    assert_int_equal(mm_spawner_pid(play->spawner), 0);
    char *arguments[] = {(char[]){"true"}, NULL};
    assert_int_equal(play_try_start(play, 20, "/bin/true", arguments, NULL, INT64_MAX), EPIPE);
    for (uint32_t slot = 0; slot < TREES; slot++)
        mm_spawner_kill(play->spawner, slot);
    for (; killed < TREES; killed++) {
        event = play_next(play);
        assert_int_equal(event.kind, MM_SPAWNER_KILLED);
        assert_int_equal(event.survivors.count, 0);
        assert_int_equal(play_count_tagged(event.tag, NULL), 0);
        play_assert_all_dead(play, event.slot);
    }
    pid_t left = 0;
    assert_int_equal(play_count_tagged(play->tags[TREES], &left), 1);
    assert_int_equal(kill(left, SIGKILL), 0);
    assert_int_equal(waitpid(left, NULL, 0), left);
}

static void the_end_of_an_idle_spawner_is_told_once(void **state)
{
    play_t *play = *state;
    mm_spawner_event_t event;
    mm_spawner_kill(play->spawner, 1); // nothing is there
    assert_false(mm_spawner_next(play->spawner, &event));
    assert_int_equal(kill(mm_spawner_pid(play->spawner), SIGKILL), 0);
    (void)play_wait(play, 0, MM_SPAWNER_LOST);
    mm_spawner_kill(play->spawner, 1);
    assert_false(mm_spawner_next(play->spawner, &event));
    assert_true(mm_spawner_deadline(play->spawner) == INT64_MAX);
}

static void to_destroy_the_spawner_kills_what_runs(void **state)
{
    enum { TREES = 4 };
    play_t *play = *state;
    play_skip_under_valgrind();
    uint64_t seed = (uint64_t)mm_clock_ns();
    for (int round = 0; round < 2; round++) {
        for (uint32_t slot = 0; slot < TREES; slot++)
            start_tree(play, slot, &seed, 2);
        for (uint32_t slot = 0; slot < TREES; slot++)
            assert_leaves(play, slot, 1);
        if (round == 1) // what it cannot do any more is done by its user
            assert_int_equal(kill(mm_spawner_pid(play->spawner), SIGKILL), 0);
        mm_spawner_destroy(&play->spawner);
        for (uint32_t slot = 0; slot < TREES; slot++) {
            play_assert_all_dead(play, slot);
            assert_int_equal(play_count_tagged(play->tags[slot], NULL), 0);
        }
        if (round == 0)
            assert_int_equal(
                mm_spawner_new(&(mm_spawner_config_t){.slots = PLAY_SLOTS}, &play->spawner), 0);
    }
}

static int write_tree_script(void **state)
{
    (void)state;
    int file = mkstemp(tree_path);
    ssize_t size = write(file, tree_script, strlen(tree_script));
    return size == (ssize_t)strlen(tree_script) ? close(file) : -1;
}

static int remove_tree_script(void **state)
{
    (void)state;
    return unlink(tree_path);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "bomb") == 0)
        be_a_bomb();
    if (argc > 1 && strstr(argv[1], "comet"))
        be_a_comet(strcmp(argv[1], "comet") != 0);
    if (argc > 1 && strcmp(argv[1], "root") == 0)
        be_root();
    assert_true(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
    const struct CMUnitTest tests[] = {
        PLAY_TEST(every_way_out_is_followed),
        PLAY_TEST(one_whose_limit_was_changed_is_found_by_its_parent),
        PLAY_TEST(random_trees_leave_nothing_and_hurt_nobody),
        PLAY_TEST(what_is_started_during_a_kill_is_as_any_other),
        PLAY_TEST(what_a_command_leaves_running_lives_on),
        PLAY_TEST(a_kill_may_come_at_any_time),
        PLAY_TEST(at_their_end_attempts_are_killed),
        PLAY_TEST(a_fork_bomb_at_its_limit_is_killed),
        PLAY_TEST(who_forks_and_exits_all_the_time_is_caught),
        cmocka_unit_test(a_child_that_has_become_root_is_named_until_it_has_gone),
        cmocka_unit_test(when_the_user_is_killed_all_attempts_die),
        PLAY_TEST(when_the_spawner_is_killed_its_user_kills),
        PLAY_TEST(the_end_of_an_idle_spawner_is_told_once),
        PLAY_TEST(to_destroy_the_spawner_kills_what_runs),
    };
    return cmocka_run_group_tests(tests, write_tree_script, remove_tree_script);
}
