// See commands_run.h.

#include "commands_run.h"

#include <dirent.h>

void skip_under_valgrind(void)
{
    if (getenv("MEMCHECK"))
        skip();
}

// Opens it anew; what is in it stays.
static void open_fifo(fixture_t *fixture)
{
    int fd = open(fixture->fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd >= 0);
    if (fixture->fd >= 0)
        (void)close(fixture->fd);
    fixture->fd = fd;
}

int set_up(void **state)
{
    fixture_t *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    (void)snprintf(fixture->folder, sizeof fixture->folder, "/tmp/mm-exec-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->fifo, sizeof fixture->fifo, "%s/fifo", fixture->folder);
    assert_int_equal(mkfifo(fixture->fifo, 0600), 0);
    fixture->fd = -1;
    open_fifo(fixture);
    *state = fixture;
    return 0;
}

int tear_down(void **state)
{
    fixture_t *fixture = *state;
    (void)close(fixture->fd);
    (void)unlink(fixture->fifo);
    assert_int_equal(rmdir(fixture->folder), 0);
    free(fixture);
    return 0;
}

void wait_readable(int fd)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    int count;
    do
        count = poll(&item, 1, LIMIT_MS);
    while (count < 0 && errno == EINTR);
    if (count != 1)
        fail_msg("nothing happened within %d ms", LIMIT_MS);
}

void read_line(fixture_t *fixture, char *ret_line, size_t size)
{
    size_t length = 0;
    for (;;) {
        wait_readable(fixture->fd);
        char c = '\0';
        ssize_t got = read(fixture->fd, &c, 1);
        if (got < 0 && errno == EAGAIN)
            continue;
        if (got == 0) {
            open_fifo(fixture); // else it stays at the end that an earlier script has left
            continue;
        }
        assert_int_equal(got, 1);
        if (c == '\n')
            break;
        assert_true(length + 1 < size);
        ret_line[length++] = c;
    }
    ret_line[length] = '\0';
}

void assert_line(fixture_t *fixture, const char *expected)
{
    char line[128];
    read_line(fixture, line, sizeof line);
    assert_string_equal(line, expected);
}

void assert_somebody_lives(fixture_t *fixture)
{
    struct pollfd item = {.fd = fixture->fd, .events = POLLIN};
    assert_int_equal(poll(&item, 1, 0), 0);
}

void wait_until_all_are_dead(fixture_t *fixture)
{
    char rest[256];
    ssize_t size;
    do {
        wait_readable(fixture->fd);
        size = read(fixture->fd, rest, sizeof rest);
    } while (size > 0 || (size < 0 && errno == EAGAIN));
    assert_int_equal(size, 0);
}

static char locks[sizeof "/tmp/mm-locks-XXXXXX"];

static void remove_locks(void)
{
    char path[sizeof locks + 256];
    DIR *folder = opendir(locks);
    for (const struct dirent *entry; folder && (entry = readdir(folder));) {
        (void)snprintf(path, sizeof path, "%s/%s", locks, entry->d_name);
        (void)unlink(path);
    }
    if (folder)
        (void)closedir(folder);
    (void)rmdir(locks);
}

static const char *locks_folder(void)
{
    if (*locks)
        return locks;
    (void)snprintf(locks, sizeof locks, "/tmp/mm-locks-XXXXXX");
    assert_non_null(mkdtemp(locks));
    assert_int_equal(atexit(remove_locks), 0);
    return locks;
}

mm_options_t exec_options(const char *exec)
{
    return (mm_options_t){.slots = 1,
                          .driver = "",
                          .exec = exec,
                          .locks = locks_folder(),
                          .identify = "",
                          .health = "",
                          .skip_if = "",
                          .before = "",
                          .after = "",
                          .attempts = 2,
                          .verify = "",
                          .lost_after_ms = 5000,
                          .timeout_ms = 5 * MINUTE,
                          .verify_timeout_ms = 10 * MINUTE};
}

driver_t *open_driver(const mm_options_t *options)
{
    char complaint[MM_ERROR_MAX];
    driver_t *driver = driver_exec_kind.new(options, complaint);
    if (!driver)
        fail_msg("%s", complaint);
    if (!driver_open(driver, complaint))
        fail_msg("%s", complaint);
    return driver;
}

driver_t *new_driver(const char *exec, const char *verify, uint32_t slots)
{
    static mm_options_t options; // of the driver made last
    options = exec_options(exec);
    options.slots = slots;
    options.verify = verify ? verify : "";
    return open_driver(&options);
}

driver_t *new_scripts(fixture_t *fixture, const char *exec, const char *verify, uint32_t slots)
{
    char exec_line[1024];
    char verify_line[1024];
    int size = snprintf(exec_line, sizeof exec_line, "sh -c \"%s\" x %s", exec, fixture->fifo);
    assert_in_range(size, 1, sizeof exec_line - 1);
    size = snprintf(verify_line, sizeof verify_line, "sh -c \"%s\" x %s", verify ? verify : "",
                    fixture->fifo);
    assert_in_range(size, 1, sizeof verify_line - 1);
    return new_driver(exec_line, verify ? verify_line : NULL, slots);
}

void start(driver_t *driver, uint64_t number, int64_t now_ms)
{
    char host[32] = "web-7"; // or another one: at a host there is one at a time
    if (number != 1)
        (void)snprintf(host, sizeof host, "web-%u", (unsigned)(100 + number));
    mm_task_t task = {.number = number,
                      .leg = MM_LEG_RESTART,
                      .id = {{0x01, 0x93, 0x5a, [15] = 0x17}},
                      .host = mm_str(host),
                      .attempt = 2};
    driver_start(driver, &task, now_ms);
}

static void copy(mm_str_t text, char *ret_text, size_t size)
{
    assert_true(text.size < size);
    if (text.size > 0)
        memcpy(ret_text, text.data, text.size);
    ret_text[text.size] = '\0';
}

bool take(driver_t *driver, int64_t now_ms, ended_t *ret_ended)
{
    mm_result_t finish;
    if (!driver_next_finished(driver, now_ms, &finish))
        return false;
    static const mm_real_t none;
    const mm_real_t *real = finish.real ? finish.real : &none;
    bool is_back = finish.status == MM_STATUS_RETURNED;
    assert_true(!finish.real == (is_back && !real->is_held));
    *ret_ended = (ended_t){.number = finish.number,
                           .status = finish.status,
                           .took_ms = finish.took_ms,
                           .end = real->end,
                           .is_held = real->is_held,
                           .proof = real->proof,
                           .exit = real->exit,
                           .sent = real->sent,
                           .more = real->more};
    copy(finish.error, ret_ended->error, sizeof ret_ended->error);
    copy(real->words, ret_ended->words, sizeof ret_ended->words);
    copy(real->health, ret_ended->health, sizeof ret_ended->health);
    size_t size = 0;
    for (uint32_t i = 0; i < finish.evidence_count; i++) {
        const mm_pair_t *pair = &finish.evidence[i];
        size += (size_t)snprintf(ret_ended->evidence + size, sizeof ret_ended->evidence - size,
                                 "%s%.*s=%.*s", i > 0 ? " " : "", (int)pair->key.size,
                                 pair->key.data, (int)pair->value.size, pair->value.data);
        assert_true(size < sizeof ret_ended->evidence);
    }
    return true;
}

ended_t wait_finished(driver_t *driver, int64_t now_ms)
{
    ended_t ended;
    while (!take(driver, now_ms, &ended)) {
        wait_readable(driver_descriptor(driver));
        driver_step(driver, now_ms);
    }
    return ended;
}

int64_t wait_deadline_other_than(driver_t *driver, int64_t deadline_ms, int64_t now_ms)
{
    while (driver_deadline(driver) == deadline_ms) {
        wait_readable(driver_descriptor(driver));
        driver_step(driver, now_ms);
    }
    return driver_deadline(driver);
}

void wait_deadline(driver_t *driver, int64_t deadline_ms, int64_t now_ms)
{
    while (driver_deadline(driver) != deadline_ms) {
        wait_readable(driver_descriptor(driver));
        driver_step(driver, now_ms);
    }
}

ended_t run_once(const char *exec)
{
    driver_t *driver = new_driver(exec, NULL, 1);
    start(driver, 1, 1000);
    ended_t ended = wait_finished(driver, 1500);
    assert_int_equal(ended.took_ms, 500);
    assert_true(driver_deadline(driver) == MM_NEVER);
    driver_destroy(&driver);
    return ended;
}

void assert_failed(const ended_t *ended, const char *error)
{
    assert_string_equal(ended->error, error);
    assert_int_equal(ended->status, MM_STATUS_FAILED);
}

void assert_returned(const ended_t *ended, const char *error)
{
    assert_string_equal(ended->error, error);
    assert_string_equal(ended->evidence, "");
    assert_int_equal(ended->status, MM_STATUS_RETURNED);
}

void assert_ok(const ended_t *ended, const char *evidence)
{
    assert_string_equal(ended->error, "");
    assert_int_equal(ended->status, MM_STATUS_OK);
    assert_string_equal(ended->evidence, evidence);
}

int lowest_free_descriptor(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    (void)close(fd);
    return fd;
}
