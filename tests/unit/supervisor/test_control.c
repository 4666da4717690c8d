// Requests to a supervisor, over its real socket. A user asks in a thread of its own, since asking
// waits for the answer.

#include "control.h"
#include "loop_play.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>
#include <zmq.h>

enum { USERS = 3, SILENT = 8 }; // SILENT: as many as it hears at a time

typedef struct {
    pthread_t thread;
    char dir[TEMP_PATH_MAX], request[400];
    bool is_answered;
    int exit_code, error;
    char lines[CONTROL_ANSWER_MAX];
    int done[2]; // the thread closes the writing end
    bool has_ended;
} user_t;

static control_t *control;
static user_t users[USERS];
static int silent[SILENT + 1];
static char last_request[CONTROL_REQUEST_MAX];
static int request_count;
static char path[TEMP_PATH_MAX];

// ---- both sides

static int answer(void *arg, const char *request, char ret_lines[CONTROL_ANSWER_MAX])
{
    assert_ptr_equal(arg, users);
    strcpy(last_request, request);
    request_count++;
    if (strncmp(request, "scale ", 6) != 0) {
        (void)snprintf(ret_lines, CONTROL_ANSWER_MAX, "it does not know '%s'\n", request);
        return EX_USAGE;
    }
    (void)snprintf(ret_lines, CONTROL_ANSWER_MAX, "restarters: %s\nrestarter-1 pid 7\n",
                   request + 6);
    return 0;
}

static int fill(void *arg, const char *request, char ret_lines[CONTROL_ANSWER_MAX])
{
    (void)arg, (void)request;
    memset(ret_lines, 'x', CONTROL_ANSWER_MAX - 1);
    ret_lines[CONTROL_ANSWER_MAX - 1] = '\0';
    return 255;
}

static void *ask(void *arg)
{
    user_t *self = arg;
    self->is_answered = control_ask(self->dir, self->request, &self->exit_code, self->lines);
    self->error = errno;
    close(self->done[1]);
    return NULL;
}

static void on_end(void *arg)
{
    user_t *self = arg;
    mm_loop_remove_descriptor(loop, self->done[0]);
    assert_int_equal(pthread_join(self->thread, NULL), 0);
    close(self->done[0]);
    self->has_ended = true;
}

static user_t *start_user(int which, const char *dir, const char *request)
{
    user_t *self = &users[which];
    *self = (user_t){.exit_code = -1};
    strcpy(self->dir, dir);
    strcpy(self->request, request);
    assert_int_equal(pipe2(self->done, O_CLOEXEC), 0);
    assert_int_equal(pthread_create(&self->thread, NULL, ask, self), 0);
    return self;
}

static void begin_to_ask(int which, const char *request)
{
    user_t *self = start_user(which, folder, request);
    mm_loop_add_descriptor(loop, "user", self->done[0], ZMQ_POLLIN, on_end, self);
}

static int new_control(void **state)
{
    make_loop(state);
    temp_path(path, "control");
    *last_request = '\0';
    request_count = 0;
    for (int i = 0; i <= SILENT; i++)
        silent[i] = -1;
    control = control_new(loop, folder, answer, users);
    return control ? 0 : -1;
}

static int end_control(void **state)
{
    control_destroy(&control);
    control_destroy(&control); // a second time: nothing happens
    for (int i = 0; i <= SILENT; i++)
        if (silent[i] >= 0)
            close(silent[i]);
    return end_loop(state);
}

static int connect_to(const char *where)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, where);
    int client = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(client >= 0);
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    return client;
}

static bool first_has_ended(void)
{
    return users[0].has_ended;
}

static bool all_have_ended(void)
{
    return users[0].has_ended && users[1].has_ended && users[2].has_ended;
}

static void assert_answer(int which, int exit_code, const char *lines)
{
    assert_true(users[which].is_answered);
    assert_int_equal(users[which].exit_code, exit_code);
    assert_string_equal(users[which].lines, lines);
}

// ---- requests

static void a_request_gets_its_exit_code_and_lines(void **state)
{
    (void)state;
    begin_to_ask(0, "scale 6");
    play((step_fn *const[]){first_has_ended, NULL});
    assert_answer(0, 0, "restarters: 6\nrestarter-1 pid 7\n");
    assert_string_equal(last_request, "scale 6");
}

static void an_unknown_request_gets_an_exit_code_too(void **state)
{
    (void)state;
    begin_to_ask(0, "dance");
    play((step_fn *const[]){first_has_ended, NULL});
    assert_answer(0, EX_USAGE, "it does not know 'dance'\n");
}

static void several_users_get_their_own_answers(void **state)
{
    (void)state;
    begin_to_ask(0, "scale 1");
    begin_to_ask(1, "scale 2");
    begin_to_ask(2, "dance");
    play((step_fn *const[]){all_have_ended, NULL});
    assert_answer(0, 0, "restarters: 1\nrestarter-1 pid 7\n");
    assert_answer(1, 0, "restarters: 2\nrestarter-1 pid 7\n");
    assert_answer(2, EX_USAGE, "it does not know 'dance'\n");
    assert_int_equal(request_count, 3);
}

static void a_request_that_is_too_long_is_cut(void **state)
{
    (void)state;
    char request[400];
    memset(request, 'r', sizeof request);
    request[sizeof request - 1] = '\0';
    begin_to_ask(0, request);
    play((step_fn *const[]){first_has_ended, NULL});
    assert_int_equal(users[0].exit_code, EX_USAGE);
    assert_int_equal(strlen(last_request), CONTROL_REQUEST_MAX - 1);
}

static void the_longest_answer_arrives_whole(void **state)
{
    (void)state;
    control_destroy(&control);
    control = control_new(loop, folder, fill, NULL);
    assert_non_null(control);
    begin_to_ask(0, "scale 256");
    play((step_fn *const[]){first_has_ended, NULL});
    assert_true(users[0].is_answered);
    assert_int_equal(users[0].exit_code, 255);
    assert_int_equal(strlen(users[0].lines), CONTROL_ANSWER_MAX - 1);
}

// ---- users that say nothing

static bool was_hung_up_on(int which)
{
    char byte;
    return recv(silent[which], &byte, 1, 0) == 0; // it was closed at the other end
}

static bool ask_as_first(void)
{
    begin_to_ask(0, "scale 6");
    return true;
}

static void one_that_says_nothing_and_hangs_up_is_forgotten(void **state)
{
    (void)state;
    close(connect_to(path));
    int asks_and_leaves = connect_to(path);
    assert_int_equal(send(asks_and_leaves, "scale 3", 7, 0), 7);
    close(asks_and_leaves);
    play((step_fn *const[]){ask_as_first, first_has_ended, NULL});
    assert_answer(0, 0, "restarters: 6\nrestarter-1 pid 7\n");
}

// For a turn of the story.
static void wake(void *arg)
{
    (void)arg;
}

static bool it_refuses_the_last(void)
{
    return was_hung_up_on(SILENT);
}

static bool some_hang_up(void)
{
    for (int i = 2; i < 5; i++) {
        close(silent[i]);
        silent[i] = -1;
    }
    return ask_as_first();
}

static void many_that_say_nothing_keep_others_out_only_while_they_are_there(void **state)
{
    (void)state;
    for (int i = 0; i <= SILENT; i++)
        silent[i] = connect_to(path);
    mm_loop_add_descriptor(loop, "refused", silent[SILENT], ZMQ_POLLIN, wake, NULL);
    play((step_fn *const[]){it_refuses_the_last, some_hang_up, first_has_ended, NULL});
    mm_loop_remove_descriptor(loop, silent[SILENT]);
    assert_answer(0, 0, "restarters: 6\nrestarter-1 pid 7\n");
    assert_false(was_hung_up_on(0));
}

static bool destroy_it(void)
{
    control_destroy(&control);
    return true;
}

static bool it_has_the_first(void)
{
    assert_int_equal(send(silent[1], "scale 1", 7, 0), 7);
    return true;
}

static bool a_later_one_was_answered(void)
{
    return request_count == 1;
}

static void its_end_hangs_up_on_those_that_say_nothing(void **state)
{
    (void)state;
    silent[0] = connect_to(path);
    silent[1] = connect_to(path);
    play((step_fn *const[]){it_has_the_first, a_later_one_was_answered, destroy_it, NULL});
    assert_true(was_hung_up_on(0));
}

// ---- the socket

static void only_the_owner_can_reach_it(void **state)
{
    (void)state;
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 07777, 0600);
    control_destroy(&control);
    assert_int_equal(stat(path, &status), -1);
}

static int ask_here(const char *dir)
{
    static char lines[CONTROL_ANSWER_MAX];
    int exit_code = -1;
    errno = 0;
    assert_false(control_ask(dir, "scale 6", &exit_code, lines));
    assert_int_equal(exit_code, -1);
    return errno;
}

static void where_nobody_is_asking_fails_at_once(void **state)
{
    (void)state;
    control_destroy(&control);
    assert_int_equal(ask_here(folder), ENOENT);
    int left = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    assert_int_equal(bind(left, (struct sockaddr *)&address, sizeof address), 0);
    close(left);
    assert_int_equal(ask_here(folder), ECONNREFUSED);
    // What a supervisor that was killed has left is replaced.
    control = control_new(loop, folder, answer, users);
    assert_non_null(control);
    begin_to_ask(0, "scale 6");
    play((step_fn *const[]){first_has_ended, NULL});
    assert_true(users[0].is_answered);
}

static void a_folder_without_a_place_for_it_is_an_error(void **state)
{
    (void)state;
    char dir[120];
    memset(dir, 'd', sizeof dir);
    dir[sizeof dir - 1] = '\0';
    errno = 0;
    assert_null(control_new(loop, dir, answer, users));
    assert_int_equal(errno, ENAMETOOLONG);
    assert_int_equal(ask_here(dir), ENAMETOOLONG);
    errno = 0;
    assert_null(control_new(loop, "/nonexistent", answer, users));
    assert_int_equal(errno, ENOENT);
}

// A socket on which nobody takes users, with its queue full.
static int fill_queue(const char *where, int queued[2])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, where);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 0), 0);
    queued[0] = connect_to(where);
    queued[1] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(queued[1], (struct sockaddr *)&address, sizeof address), -1);
    assert_int_equal(errno, EAGAIN);
    return listener;
}

static void assert_unanswered(user_t *user, int error)
{
    struct pollfd item = {.fd = user->done[0], .events = POLLIN};
    assert_int_equal(poll(&item, 1, PATIENCE_MS), 1);
    assert_int_equal(pthread_join(user->thread, NULL), 0);
    close(user->done[0]);
    assert_false(user->is_answered);
    assert_int_equal(user->error, error);
}

static void one_that_hangs_up_without_an_answer_is_an_error(void **state)
{
    (void)state;
    char request[32];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    control_destroy(&control);
    strcpy(address.sun_path, path);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    user_t *user = start_user(0, folder, "scale 6");
    int client = accept(listener, NULL, NULL);
    assert_int_equal(recv(client, request, sizeof request, 0), strlen("scale 6"));
    close(client);
    close(listener);
    assert_unanswered(user, ECONNRESET);
}

// As when it was stopped: its queue takes some, and then none.
static void one_that_does_not_answer_is_given_up_after_five_seconds(void **state)
{
    (void)state;
    char full[TEMP_PATH_MAX], full_path[TEMP_PATH_MAX];
    int queued[2];
    temp_path(full, "full");
    temp_path(full_path, "full/control");
    assert_int_equal(mkdir(full, 0700), 0);
    int listener = fill_queue(full_path, queued);
    user_t *waits = start_user(0, folder, "scale 6"); // the loop does not run
    user_t *is_kept_out = start_user(1, full, "scale 6");
    assert_unanswered(waits, ETIMEDOUT);
    assert_unanswered(is_kept_out, ETIMEDOUT);
    close(queued[0]);
    close(queued[1]);
    close(listener);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_control, end_control)

int main(void)
{
    mm_loop_block_signals();
    const struct CMUnitTest tests[] = {
        TEST(a_request_gets_its_exit_code_and_lines),
        TEST(an_unknown_request_gets_an_exit_code_too),
        TEST(several_users_get_their_own_answers),
        TEST(a_request_that_is_too_long_is_cut),
        TEST(the_longest_answer_arrives_whole),
        TEST(one_that_says_nothing_and_hangs_up_is_forgotten),
        TEST(many_that_say_nothing_keep_others_out_only_while_they_are_there),
        TEST(its_end_hangs_up_on_those_that_say_nothing),
        TEST(only_the_owner_can_reach_it),
        TEST(where_nobody_is_asking_fails_at_once),
        TEST(a_folder_without_a_place_for_it_is_an_error),
        TEST(one_that_hangs_up_without_an_answer_is_an_error),
        TEST(one_that_does_not_answer_is_given_up_after_five_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
