// Tests of common/runtime/log.c: the ring keeps lines in order and counts what it drops, and lines
// get out.

#include "job.h"
#include "log.h"
#include "uuid.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

// The log's own calls come here: of the last file, how often it was asked for, and how often in
// vain.
static int write_backs, refusals;

int sync_file_range(int fd, off64_t offset, off64_t size, unsigned flags)
{
    long result = syscall(SYS_sync_file_range, fd, offset, size, flags);
    write_backs++;
    refusals += result != 0;
    return (int)result;
}

static char folder[] = "/tmp/test_log.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/log", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int remove_log(void **state)
{
    (void)state;
    mm_log_stop();
    mm_log_threshold = MM_LOG_INFO;
    write_backs = refusals = 0;
    (void)unlink(path);
    return 0;
}

// What the log file holds; the caller frees it.
static char *read_log(void)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = NULL;
    size_t capacity = 0;
    if (getdelim(&text, &capacity, '\0', file) < 0) {
        free(text);
        text = strdup("");
    }
    fclose(file);
    return text;
}

static void start(bool json, size_t ring_bytes)
{
    const mm_log_config_t config = {.process = "restarter-2",
                                    .path = path,
                                    .level = MM_LOG_INFO,
                                    .json = json,
                                    .ring_bytes = ring_bytes};
    assert_int_equal(mm_log_start(&config), 0);
}

static void lines_keep_their_order_and_none_is_lost(void **state)
{
    (void)state;
    enum { LINES = 20000 };
    start(false, 0);
    for (int i = 0; i < LINES; i++)
        mm_log(MM_LOG_INFO, "line", MM_INT("number", i), MM_STRING("host", "web-1"));
    mm_log_stop();
    assert_int_equal(mm_log_dropped(), 0);
    char *text = read_log(), *rest = NULL;
    int number = 0;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; number++) {
        char end[64];
        (void)snprintf(end, sizeof end, "] line number=%d host=web-1", number);
        assert_string_equal(line + strlen(line) - strlen(end), end);
        line = strtok_r(NULL, "\n", &rest);
    }
    assert_int_equal(number, LINES);
    free(text);
}

// Texts and ids are copied: what the caller does to his afterwards does not matter. The records of
// different sizes pass the end of a small ring at every offset.
static void records_wrap_around_the_ring_in_one_piece(void **state)
{
    (void)state;
    enum { LINES = 4000 };
    static size_t sizes[LINES];
    start(true, 1);
    for (int i = 0; i < LINES; i++) {
        char text[MM_ERROR_MAX];
        mm_id_t id = {{[15] = (uint8_t)(i % 251)}};
        sizes[i] = (size_t)(i * 37 % 500);
        memset(text, 'a' + i % 26, sizeof text);
        uint64_t dropped;
        do {
            dropped = mm_log_dropped();
            mm_log(MM_LOG_INFO, "line", MM_INT("n", i), MM_JOB(&id),
                   MM_STR("text", ((mm_str_t){text, sizes[i]})));
        } while (mm_log_dropped() != dropped && sched_yield() == 0);
        memset(text, '#', sizeof text);
    }
    mm_log_stop();
    char *log = read_log(), *rest = NULL;
    int number = 0;
    for (char *line = strtok_r(log, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(object);
        if (json_object_get(object, "count") == NULL) {
            char id[8], letter = (char)('a' + number % 26);
            (void)snprintf(id, sizeof id, "j%d", number % 251);
            const char *text = json_string_value(json_object_get(object, "text"));
            assert_int_equal(json_integer_value(json_object_get(object, "n")), number);
            assert_string_equal(json_string_value(json_object_get(object, "job")), id);
            assert_int_equal(strlen(text), sizes[number]);
            for (size_t k = 0; k < sizes[number]; k++)
                assert_int_equal(text[k], letter);
            number++;
        }
        json_decref(object);
    }
    assert_int_equal(number, LINES);
    free(log);
}

typedef struct {
    int fd;
    char *text;
    size_t size;
} pipe_reader_t;

static void *read_pipe(void *argument)
{
    pipe_reader_t *self = argument;
    size_t capacity = 1 << 20;
    self->text = malloc(capacity);
    for (;;) {
        if (self->size + 65536 > capacity)
            self->text = realloc(self->text, capacity *= 2);
        ssize_t got = read(self->fd, self->text + self->size, 65535);
        if (got <= 0)
            break;
        self->size += (size_t)got;
    }
    self->text[self->size] = '\0';
    return NULL;
}

// Makes the log file a pipe that nobody reads yet; returns the reading end.
static int open_pipe(void)
{
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
    return fd;
}

static void a_full_ring_drops_lines_and_says_how_many(void **state)
{
    (void)state;
    pipe_reader_t reader = {.fd = open_pipe()};
    start(false, 64 << 10);
    int logged = 0;
    while (mm_log_dropped() < 100)
        mm_log(MM_LOG_INFO, "line", MM_INT("number", logged++));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_pipe, &reader), 0);
    uint64_t dropped;
    do {
        dropped = mm_log_dropped();
        mm_log(MM_LOG_INFO, "line", MM_INT("number", logged++));
    } while (mm_log_dropped() != dropped && sched_yield() == 0);
    mm_log_stop();
    pthread_join(thread, NULL);
    close(reader.fd);

    // Each gap in the numbers is told where it is, in its size.
    int next = 0, reports = 0;
    char *rest = NULL;
    for (char *line = strtok_r(reader.text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        const char *report = strstr(line, "WARN restarter-2["), *number = strstr(line, "number=");
        if (report != NULL) {
            assert_non_null(strstr(line, "] log lines dropped count="));
            next += atoi(strstr(line, "count=") + 6);
            reports++;
        } else {
            assert_non_null(number);
            assert_int_equal(atoi(number + 7), next);
            next++;
        }
    }
    assert_int_equal(next, logged);
    assert_true(reports >= 1);
    free(reader.text);
}

static void lines_dropped_at_the_end_are_told_at_the_stop(void **state)
{
    (void)state;
    pipe_reader_t reader = {.fd = open_pipe()};
    start(false, 64 << 10);
    while (mm_log_dropped() < 7)
        mm_log(MM_LOG_INFO, "line");
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_pipe, &reader), 0);
    mm_log_stop();
    pthread_join(thread, NULL);
    close(reader.fd);
    static const char last[] = " log lines dropped count=7\n";
    assert_string_equal(reader.text + reader.size - strlen(last), last);
    free(reader.text);
}

// In a child, because the thread that hangs stays behind.
static void a_writer_that_hangs_does_not_keep_the_process(void **state)
{
    (void)state;
    int fd = open_pipe();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        alarm(20);
        start(false, 64 << 10);
        while (mm_log_dropped() == 0)
            mm_log(MM_LOG_INFO, "line");
        mm_log_stop();
        mm_log(MM_LOG_ERROR, "lost");
        // Not _exit: valgrind would miss the thread's memory.
        (void)execl("/bin/true", "true", (char *)NULL);
        abort();
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    close(fd);
}

// Logs 9 MiB into the file at `path`, all of which gets out; stops the log.
static void log_megabytes(void)
{
    static char text[MM_ERROR_MAX];
    memset(text, 'x', sizeof text);
    for (size_t logged = 0; logged < (size_t)9 << 20;) {
        uint64_t dropped = mm_log_dropped();
        mm_log(MM_LOG_INFO, "line", MM_STR("text", ((mm_str_t){text, sizeof text})));
        if (mm_log_dropped() == dropped)
            logged += sizeof text;
        else
            (void)sched_yield();
    }
    mm_log_stop();
}

static void a_file_is_written_back_in_small_steps(void **state)
{
    (void)state;
    start(false, 0);
    log_megabytes();
    assert_in_range(write_backs, 1, 5); // of 2 MiB or a little more; fewer behind a slow disk
    assert_int_equal(refusals, 0);
}

static void what_is_no_file_is_not_written_back(void **state)
{
    (void)state;
    pipe_reader_t reader = {.fd = open_pipe()};
    pthread_t thread;
    start(false, 0);
    assert_int_equal(pthread_create(&thread, NULL, read_pipe, &reader), 0);
    log_megabytes();
    pthread_join(thread, NULL);
    close(reader.fd);
    assert_true(reader.size > (size_t)9 << 20);
    assert_int_equal(write_backs, 0);
    free(reader.text);
}

static void lines_below_the_level_are_not_even_evaluated(void **state)
{
    (void)state;
    int evaluated = 0;
    start(false, 0);
    mm_log(MM_LOG_DEBUG, "quiet", MM_INT("n", evaluated++));
    mm_log(MM_LOG_INFO, "loud", MM_INT("n", evaluated++));
    mm_log_stop();
    assert_int_equal(evaluated, 1);
    char *text = read_log();
    assert_null(strstr(text, "quiet"));
    assert_non_null(strstr(text, "loud n=0\n"));
    free(text);
}

static void a_second_start_appends(void **state)
{
    (void)state;
    for (int i = 1; i <= 2; i++) {
        start(false, 0);
        mm_log(MM_LOG_ERROR, "started", MM_INT("time", i));
        mm_log_stop();
        mm_log_stop();
    }
    char *text = read_log();
    assert_true(strstr(text, "time=1\n") < strstr(text, "time=2\n"));
    assert_non_null(strstr(text, "time=1\n"));
    free(text);
}

static void a_file_that_cannot_be_opened_is_told(void **state)
{
    (void)state;
    const mm_log_config_t config = {.process = "saver", .path = "/nonexistent/log"};
    assert_int_equal(mm_log_start(&config), -1);
    assert_int_equal(errno, ENOENT);
}

// Makes standard error the log file; returns what it was.
static int redirect_errors(void)
{
    int saved = dup(STDERR_FILENO), fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(saved >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    close(fd);
    return saved;
}

static void restore_errors(int saved)
{
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
}

static void a_full_disk_is_told_once_on_standard_error(void **state)
{
    (void)state;
    int saved = redirect_errors();
    const mm_log_config_t config = {.process = "saver", .path = "/dev/full"};
    assert_int_equal(mm_log_start(&config), 0);
    for (int i = 0; i < 10000; i++)
        mm_log(MM_LOG_ERROR, "lost");
    mm_log_stop();
    restore_errors(saved);
    char *text = read_log();
    assert_string_equal(text, "saver: the log cannot be written: No space left on device; "
                              "lines are lost\n");
    free(text);
}

static void without_a_writer_lines_go_to_standard_error(void **state)
{
    (void)state;
    int saved = redirect_errors();
    mm_log(MM_LOG_WARN, "early", MM_STRING("host", "a b"));
    const mm_log_config_t config = {.process = "saver", .level = MM_LOG_INFO};
    assert_int_equal(mm_log_start(&config), 0);
    mm_log(MM_LOG_INFO, "between");
    mm_log_stop();
    mm_log(MM_LOG_INFO, "late");
    restore_errors(saved);
    char *text = read_log(), line[64];
    assert_non_null(strstr(text, "early host=\"a b\"\n"));
    (void)snprintf(line, sizeof line, "INFO saver[%d] between\n", (int)getpid());
    assert_non_null(strstr(text, line));
    assert_non_null(strstr(strstr(text, line), " late\n"));
    free(text);
}

#define TEST(NAME) cmocka_unit_test_teardown(NAME, remove_log)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lines_keep_their_order_and_none_is_lost),
        TEST(records_wrap_around_the_ring_in_one_piece),
        TEST(a_full_ring_drops_lines_and_says_how_many),
        TEST(lines_dropped_at_the_end_are_told_at_the_stop),
        TEST(a_writer_that_hangs_does_not_keep_the_process),
        TEST(a_file_is_written_back_in_small_steps),
        TEST(what_is_no_file_is_not_written_back),
        TEST(lines_below_the_level_are_not_even_evaluated),
        TEST(a_second_start_appends),
        TEST(a_file_that_cannot_be_opened_is_told),
        TEST(a_full_disk_is_told_once_on_standard_error),
        TEST(without_a_writer_lines_go_to_standard_error),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
