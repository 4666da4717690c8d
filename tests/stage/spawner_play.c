// See spawner_play.h.

#include "spawner_play.h"

#include <dirent.h>

void play_skip_under_valgrind(void)
{
    if (getenv("MEMCHECK"))
        skip();
}

int play_set_up(void **state)
{
    play_t *self = calloc(1, sizeof *self);
    assert_non_null(self);
    for (int i = 0; i < PLAY_SLOTS; i++)
        self->outputs[i] = -1;
    assert_int_equal(mm_spawner_new(&(mm_spawner_config_t){.slots = PLAY_SLOTS, .open_files = 77},
                                    &self->spawner),
                     0);
    *state = self;
    return 0;
}

int play_tear_down(void **state)
{
    play_t *self = *state;
    mm_spawner_destroy(&self->spawner);
    for (uint32_t i = 0; i < PLAY_SLOTS; i++)
        play_close(self, i);
    free(self);
    return 0;
}

// Another one also in the child of a fork.
static uint64_t next_tag(void)
{
    static uint64_t last;
    static pid_t owner;
    if (owner != getpid())
        last = MM_TAG_MIN + ((uint64_t)mm_clock_ns() ^ (uint64_t)getpid() << 40) % (MM_TAG_MAX / 2);
    owner = getpid();
    return ++last;
}

int play_try_start(play_t *self, uint32_t slot, const char *path, char *const *arguments,
                   char *const *environment, int64_t not_after_ms)
{
    int fds[2];
    play_close(self, slot);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    self->outputs[slot] = fds[0];
    self->tags[slot] = next_tag();
    int error = mm_spawner_start(self->spawner, &(mm_spawner_start_t){.slot = slot,
                                                                      .tag = self->tags[slot],
                                                                      .path = path,
                                                                      .arguments = arguments,
                                                                      .environment = environment,
                                                                      .output = fds[1],
                                                                      .not_after_ms = not_after_ms,
                                                                      .end_ms = self->end_ms});
    (void)close(fds[1]);
    return error;
}

void play_start(play_t *self, uint32_t slot, const char *script)
{
    char *arguments[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)script, NULL};
    assert_int_equal(play_try_start(self, slot, "/bin/sh", arguments, NULL, INT64_MAX), 0);
}

static void wait_readable(int fd, int64_t until_ms)
{
    struct pollfd item = {.fd = fd, .events = POLLIN};
    int64_t wait_ms = until_ms == INT64_MAX ? PLAY_LIMIT_MS : until_ms - mm_clock_ms();
    int count = poll(&item, 1, wait_ms < 0 ? 0 : (int)wait_ms);
    if (count == 0 && until_ms == INT64_MAX)
        fail_msg("nothing happened within %d ms", PLAY_LIMIT_MS);
}

mm_spawner_event_t play_next(play_t *self)
{
    mm_spawner_event_t event;
    while (!mm_spawner_next(self->spawner, &event))
        wait_readable(mm_spawner_descriptor(self->spawner), mm_spawner_deadline(self->spawner));
    return event;
}

mm_spawner_event_t play_wait(play_t *self, uint32_t slot, mm_spawner_kind_t kind)
{
    mm_spawner_event_t event = play_next(self);
    assert_int_equal(event.kind, kind);
    if (kind != MM_SPAWNER_LOST) {
        assert_int_equal(event.slot, slot);
        assert_int_equal(event.tag, self->tags[slot]);
    }
    return event;
}

void play_assert_exit(play_t *self, uint32_t slot, int code)
{
    mm_spawner_event_t event = play_wait(self, slot, MM_SPAWNER_ENDED);
    assert_true(event.has_status && WIFEXITED(event.status));
    assert_int_equal(WEXITSTATUS(event.status), code);
}

void play_kill(play_t *self, uint32_t slot)
{
    mm_spawner_kill(self->spawner, slot);
    mm_spawner_event_t event = play_wait(self, slot, MM_SPAWNER_KILLED);
    assert_int_equal(event.survivors.count, 0);
    assert_int_equal(play_count_tagged(self->tags[slot], NULL), 0);
    play_assert_all_dead(self, slot);
}

// The next byte; false: the end.
static bool read_byte(const play_t *self, uint32_t slot, char *ret_byte)
{
    for (;;) {
        ssize_t size = read(self->outputs[slot], ret_byte, 1);
        if (size >= 0)
            return size == 1;
        assert_int_equal(errno, EAGAIN);
        wait_readable(self->outputs[slot], INT64_MAX);
    }
}

bool play_line(play_t *self, uint32_t slot, char *ret_line, size_t size)
{
    size_t length = 0;
    char byte;
    while (read_byte(self, slot, &byte)) {
        if (byte == '\n') {
            ret_line[length] = '\0';
            return true;
        }
        assert_true(length + 1 < size);
        ret_line[length++] = byte;
    }
    assert_int_equal(length, 0);
    return false;
}

void play_assert_line(play_t *self, uint32_t slot, const char *expected)
{
    char line[256];
    if (!play_line(self, slot, line, sizeof line)) {
        mm_spawner_event_t event = play_next(self);
        fail_msg("no line but the end; event %d of slot %u: error %d, status %d", (int)event.kind,
                 event.slot, event.error, event.status);
    }
    assert_string_equal(line, expected);
}

void play_assert_all_dead(play_t *self, uint32_t slot)
{
    char rest[4096];
    ssize_t size;
    while ((size = read(self->outputs[slot], rest, sizeof rest)) > 0)
        continue;
    assert_int_equal(size, 0);
}

void play_close(play_t *self, uint32_t slot)
{
    if (self->outputs[slot] >= 0)
        (void)close(self->outputs[slot]);
    self->outputs[slot] = -1;
}

static bool read_text(const char *pid, const char *name, char *ret_text, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%.20s/%s", pid, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    size_t got = fread(ret_text, 1, size - 1, file);
    ret_text[got] = '\0';
    (void)fclose(file);
    return got > 0;
}

int play_count_tagged(uint64_t tag, pid_t *ret_pid)
{
    char text[4096], line[64];
    int count = 0;
    (void)snprintf(line, sizeof line, "Max realtime timeout      %llu ", (unsigned long long)tag);
    DIR *proc = opendir("/proc");
    assert_non_null(proc);
    for (const struct dirent *entry; (entry = readdir(proc));) {
        if (*entry->d_name < '1' || *entry->d_name > '9' ||
            !read_text(entry->d_name, "limits", text, sizeof text) || !strstr(text, line) ||
            !read_text(entry->d_name, "status", text, sizeof text) || strstr(text, "\nState:\tZ") ||
            strstr(text, "\nState:\tX"))
            continue;
        count++;
        if (ret_pid)
            *ret_pid = (pid_t)strtol(entry->d_name, NULL, 10);
    }
    (void)closedir(proc);
    return count;
}
