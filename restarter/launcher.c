// See launcher.h.

#include "launcher.h"
#include "random.h"
#include "uuid_source.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define READ_BYTES   (16 * 1024)  // in one read
#define STEP_BYTES   (128 * 1024) // of one pipe in one step, so that much output does not block
#define EVENTS_MAX   256          // in one step
#define ORPHANS_MAX  256 // pipes of commands that have ended; with more the oldest is closed
#define DATA_SPAWNER UINT64_MAX
#define DATA_ORPHAN  (UINT64_C(1) << 32) // and its index; else a slot

typedef struct {
    uint64_t tag; // of the last attempt
    int output;   // the pipe's reading end,
    bool is_open; // if there is one
} slot_t;

// A file that gets what is read of a pipe, too. All zeros: none.
typedef struct {
    int file;  // and 1
    int error; // why it is not whole
} copy_t;

struct launcher {
    mm_spawner_t *spawner;
    int epoll;
    uint64_t random; // the tags
    bool is_lost;
    uint32_t slots;
    slot_t *by_slot;
    output_tail_t *tails;     // by slot; one that is empty may be a page that nobody has touched
    copy_t *copies;           // by slot; NULL: there was none ever
    int orphans[ORPHANS_MAX]; // -1: none
    copy_t orphan_copies[ORPHANS_MAX];
    size_t next_orphan;
};

static bool watch(const launcher_t *self, int fd, int operation, uint64_t data)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = data};
    return epoll_ctl(self->epoll, operation, fd, &event) == 0;
}

int launcher_new(const mm_spawner_config_t *config, launcher_t **ret_self)
{
    launcher_t *self = calloc(1, sizeof *self);
    assert(self);
    self->slots = config->slots;
    self->random = mm_instance_draw(); // never the seed of the options, which others have, too
    self->by_slot = calloc(config->slots, sizeof *self->by_slot);
    self->tails = calloc(config->slots, sizeof *self->tails);
    assert(self->by_slot && self->tails);
    for (size_t i = 0; i < ORPHANS_MAX; i++)
        self->orphans[i] = -1;
    int error = 0;
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (self->epoll < 0)
        error = errno;
    else
        error = mm_spawner_new(config, &self->spawner);
    if (error == 0 &&
        !watch(self, mm_spawner_descriptor(self->spawner), EPOLL_CTL_ADD, DATA_SPAWNER))
        error = errno;
    if (error == 0)
        *ret_self = self;
    else
        launcher_destroy(&self);
    return error;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static void close_output(slot_t *slot)
{
    if (slot->is_open)
        (void)close(slot->output);
    slot->is_open = false;
}

static void close_copy(copy_t *copy)
{
    if (copy->file > 0)
        (void)close(copy->file - 1);
    copy->file = 0;
}

// NULL: no command's output is copied.
static copy_t *copy_of(launcher_t *self, uint32_t slot)
{
    return self->copies ? &self->copies[slot] : NULL;
}

static void set_copy(launcher_t *self, uint32_t slot, int file)
{
    if (file >= 0 && !self->copies) {
        self->copies = calloc(self->slots, sizeof *self->copies);
        assert(self->copies);
    }
    if (self->copies)
        self->copies[slot] = (copy_t){.file = file + 1};
}

void launcher_destroy(launcher_t **self_p)
{
    launcher_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    mm_spawner_destroy(&self->spawner);
    for (uint32_t i = 0; i < self->slots; i++)
        close_output(&self->by_slot[i]);
    for (uint32_t i = 0; i < self->slots && self->copies; i++)
        close_copy(&self->copies[i]);
    for (size_t i = 0; i < ORPHANS_MAX; i++) {
        close_fd(&self->orphans[i]);
        close_copy(&self->orphan_copies[i]);
    }
    close_fd(&self->epoll);
    free(self->by_slot);
    free(self->tails);
    free(self->copies);
    free(self);
}

// ---- requests

int launcher_start(launcher_t *self, const launch_t *launch)
{
    slot_t *slot = &self->by_slot[launch->slot];
    assert(launch->slot < self->slots && !slot->is_open);
    int fds[2];
    // The command's end must block: programs do not expect EAGAIN.
    if (pipe2(fds, O_CLOEXEC) != 0)
        return errno;
    uint64_t tag = MM_TAG_MIN + mm_random_below(&self->random, MM_TAG_MAX - MM_TAG_MIN);
    int error = 0;
    if (fcntl(fds[0], F_SETFL, O_NONBLOCK) != 0 ||
        !watch(self, fds[0], EPOLL_CTL_ADD, launch->slot))
        error = errno;
    else
        error = mm_spawner_start(self->spawner,
                                 &(mm_spawner_start_t){.slot = launch->slot,
                                                       .tag = tag,
                                                       .path = launch->path,
                                                       .arguments = launch->arguments,
                                                       .output = fds[1],
                                                       .not_after_ms = launch->not_after_ms,
                                                       .end_ms = launch->end_ms});
    (void)close(fds[1]);
    if (error != 0) {
        (void)close(fds[0]);
        return error == ETOOMANYREFS ? EAGAIN : error;
    }
    slot->tag = tag;
    slot->output = fds[0];
    slot->is_open = true;
    set_copy(self, launch->slot, launch->copy);
    if (self->tails[launch->slot].size > 0)
        self->tails[launch->slot] = (output_tail_t){0};
    return 0;
}

void launcher_signal(launcher_t *self, uint32_t slot, int signal)
{
    mm_spawner_signal(self->spawner, slot, signal);
}

void launcher_kill(launcher_t *self, uint32_t slot)
{
    mm_spawner_kill(self->spawner, slot);
}

void launcher_kill_again(launcher_t *self, uint32_t slot)
{
    mm_spawner_kill_again(self->spawner, slot, self->by_slot[slot].tag);
}

// ---- output

// A full disk ends the copy, and nothing else.
static void write_copy(copy_t *copy, const char *data, size_t size)
{
    while (copy && copy->file > 0 && size > 0) {
        ssize_t written = write(copy->file - 1, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0) {
            copy->error = errno;
            close_copy(copy);
        } else {
            data += written;
            size -= (size_t)written;
        }
    }
}

// Reads what there is, a bounded part of it. tail, copy: NULL: there is none. False: the end.
static bool read_some(int fd, output_tail_t *tail, copy_t *copy)
{
    char buffer[READ_BYTES];
    for (size_t total = 0; total < STEP_BYTES;) {
        ssize_t size = read(fd, buffer, sizeof buffer);
        if (size < 0 && errno == EINTR)
            continue;
        if (size <= 0)
            return size < 0; // EAGAIN: nothing more for now
        if (tail)
            output_tail_add(tail, (mm_str_t){buffer, (size_t)size});
        write_copy(copy, buffer, (size_t)size);
        total += (size_t)size;
    }
    return true;
}

// The command has ended, and something that it has left running may write on: without a reader it
// would get PIPE.
static void keep_open(launcher_t *self, int fd, copy_t *copy)
{
    int *orphan = &self->orphans[self->next_orphan];
    copy_t *orphan_copy = &self->orphan_copies[self->next_orphan];
    close_fd(orphan);
    close_copy(orphan_copy);
    if (watch(self, fd, EPOLL_CTL_MOD, DATA_ORPHAN | self->next_orphan)) {
        *orphan = fd;
        if (copy) {
            orphan_copy->file = copy->file;
            copy->file = 0;
        }
        self->next_orphan = (self->next_orphan + 1) % ORPHANS_MAX;
    } else {
        (void)close(fd);
    }
}

static void read_orphan(launcher_t *self, size_t index)
{
    copy_t *copy = &self->orphan_copies[index];
    if (self->orphans[index] < 0 || read_some(self->orphans[index], NULL, copy))
        return;
    close_fd(&self->orphans[index]);
    close_copy(copy);
}

static void read_slot(launcher_t *self, uint32_t index)
{
    slot_t *slot = &self->by_slot[index];
    // At its end it is closed when the command has ended: until then the slot is not free.
    if (slot->is_open && !read_some(slot->output, &self->tails[index], copy_of(self, index)))
        close_output(slot);
}

static void end_output(launcher_t *self, uint32_t index, bool has_ended)
{
    slot_t *slot = &self->by_slot[index];
    copy_t *copy = copy_of(self, index);
    read_slot(self, index);
    if (slot->is_open && has_ended) {
        keep_open(self, slot->output, copy);
        slot->is_open = false;
    }
    close_output(slot);
    if (copy)
        close_copy(copy);
}

// ---- events

void launcher_step(launcher_t *self)
{
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(self->epoll, events, EVENTS_MAX, 0);
    assert(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; i++) {
        uint64_t data = events[i].data.u64;
        if (data == DATA_SPAWNER)
            continue; // for launcher_next
        if (data & DATA_ORPHAN)
            read_orphan(self, (size_t)(data ^ DATA_ORPHAN));
        else
            read_slot(self, (uint32_t)data);
    }
}

bool launcher_next(launcher_t *self, mm_spawner_event_t *ret_event)
{
    mm_spawner_event_t event;
    while (mm_spawner_next(self->spawner, &event)) {
        if (event.kind == MM_SPAWNER_LOST) {
            self->is_lost = true;
            continue;
        }
        end_output(self, event.slot, event.kind == MM_SPAWNER_ENDED);
        *ret_event = event;
        return true;
    }
    return false;
}

const output_tail_t *launcher_output(const launcher_t *self, uint32_t slot)
{
    return &self->tails[slot];
}

int launcher_copy_error(const launcher_t *self, uint32_t slot)
{
    return self->copies ? self->copies[slot].error : 0;
}

int launcher_descriptor(const launcher_t *self)
{
    return self->epoll;
}

bool launcher_is_lost(const launcher_t *self)
{
    return self->is_lost;
}
