// The log's ring and its writer thread. One producer, the thread of the loop, and one consumer, the
// writer. `head` and `tail` only grow; their difference is the number of bytes in the ring. A
// record is contiguous: when it does not fit before the end of the ring, a filler goes there. The
// loop makes a system call only to wake the writer, which sleeps when nothing was logged for a
// while. A second thread, the flusher, has the disk begin with what was written, in small steps:
// the writer must not wait for a disk.

#include "log_format.h"
#include "span.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define RING_BYTES     ((size_t)4 << 20)
#define RING_BYTES_MIN ((size_t)16 << 10) // holds the largest record twice
#define OUT_BYTES      ((size_t)256 << 10)
#define STEP_BYTES     ((size_t)2 << 20) // of a step of the flusher, which takes 0.2 ms
#define NAP_NS         5000000           // after a batch, so that the next one grows
#define STOP_WAIT_NS   800000000         // the longest wait for a writer that hangs in write(2)

// make CPPFLAGS=-DMM_LOG_BLOCKING BUILD=build-blocking: the loop formats and writes its own lines,
// for comparison only (docs/profiling.md).
#ifdef MM_LOG_BLOCKING
#define IS_BLOCKING true
#else
#define IS_BLOCKING false
#endif

enum { AWAKE = 0, NAPPING = 1, ASLEEP = 2 };

// The level of a filler.
#define FILLER UINT32_MAX

// In the ring, followed by its fields and then by the bytes that they point to. A filler may have
// only the first two members.
typedef struct {
    uint32_t size; // with fields and bytes, a multiple of 8
    uint32_t level;
    int64_t wall_ms;
    const char *message;
    uint64_t count; // of fields
} record_t;

static struct {
    bool is_running;
    bool is_abandoned; // the writer hangs: lines are lost
    int fd;            // of the log while it runs
    mm_log_format_t format;
    pthread_t writer;
    pthread_t flusher;
    bool has_flusher; // only a file has one
    char *ring;
    size_t size; // of the ring, a power of two
    char *out;   // the writer's: formatted lines
    // Written by the loop.
    _Alignas(64) atomic_size_t head;
    size_t tail_seen;
    uint64_t reported; // of the dropped lines
    atomic_uint_fast64_t dropped;
    // Written by the writer.
    _Alignas(64) atomic_size_t tail;
    bool has_failed;  // a write failed, and that was reported
    bool is_torn;     // the last write that failed has left half a line
    size_t unflushed; // bytes since the last step
    // Written by both.
    _Alignas(64) atomic_int state;
    atomic_bool is_stopping;
    atomic_int steps; // of the flusher; negative: it ends
} self;

mm_log_level_t mm_log_threshold = MM_LOG_INFO;

static void futex_wait(atomic_int *word, int expected, const struct timespec *timeout)
{
    // The caller does not rely on why it returns.
    (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout, NULL, 0);
}

static void futex_wake(atomic_int *word)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void wake_writer(void)
{
    if (atomic_exchange(&self.state, AWAKE) != AWAKE)
        futex_wake(&self.state);
}

static int64_t coarse_wall_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void say_failure(int error)
{
    if (!self.has_failed && self.fd != STDERR_FILENO)
        (void)dprintf(STDERR_FILENO, "%s: the log cannot be written: %s; lines are lost\n",
                      self.format.process.text, strerror(error));
    self.has_failed = true;
}

// Writes complete lines. Lines that cannot be written are lost; standard error gets a note of that.
static void write_lines(int fd, const char *data, size_t size)
{
    size_t done = 0;
    if (self.is_torn && write(fd, "\n", 1) == 1)
        self.is_torn = false;
    while (done < size) {
        ssize_t written = write(fd, data + done, size - done);
        if (written >= 0) {
            done += (size_t)written;
        } else if (errno == EAGAIN) {
            (void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            say_failure(errno);
            self.is_torn = self.is_torn || (done > 0 && data[done - 1] != '\n');
            return;
        }
    }
}

// Wakes the flusher when enough was written.
static void count_written(size_t size)
{
    self.unflushed += size;
    if (self.unflushed < STEP_BYTES)
        return;
    self.unflushed = 0;
    atomic_fetch_add(&self.steps, 1);
    futex_wake(&self.steps);
}

// Left alone, the kernel writes back what has come together in half a minute, and each commit of a
// database beside it waits behind that. What a step finds still on its way is waited for, so that
// the disk never has more of this log than one step. An error is the kernel's to report.
static void *run_flusher(void *unused)
{
    (void)unused;
    for (int seen = 0, steps; (steps = atomic_load(&self.steps)) >= 0; seen = steps) {
        // The whole file: clean pages cost nothing, and somebody may have cut it off.
        if (steps != seen)
            (void)sync_file_range(self.fd, 0, 0,
                                  SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE);
        futex_wait(&self.steps, steps, NULL);
    }
    return NULL;
}

// Formats and writes a line at once, without the ring.
static void write_line(int fd, mm_log_level_t level, const char *message, const mm_field_t *fields,
                       size_t count)
{
    static char line[MM_LOG_LINE_MAX];
    mm_log_entry_t entry = {
        .wall_ms = coarse_wall_ms(), .level = level, .count = (uint32_t)count, .message = message};
    if (self.format.pid == 0) {
        mm_name_t name = {"mayhem"};
        (void)mm_name_from(mm_str(program_invocation_short_name), &name);
        mm_log_format_init(&self.format, name, getpid(), false);
    }
    write_lines(fd, line, mm_log_format(&self.format, &entry, fields, line));
}

// Formats the record at *tail_p and goes on to the next one. Returns the size of the line.
static size_t format_record(size_t *tail_p, char *line)
{
    const record_t *record = (const record_t *)(self.ring + (*tail_p & (self.size - 1)));
    *tail_p += record->size;
    if (record->level == FILLER)
        return 0;
    mm_log_entry_t entry = {.wall_ms = record->wall_ms,
                            .level = (mm_log_level_t)record->level,
                            .count = (uint32_t)record->count,
                            .message = record->message};
    return mm_log_format(&self.format, &entry, (const mm_field_t *)(record + 1), line);
}

// Writes all lines in the ring. False: there were none.
static bool drain_ring(void)
{
    size_t tail = atomic_load_explicit(&self.tail, memory_order_relaxed);
    size_t head = atomic_load(&self.head);
    size_t size = 0;
    if (tail == head)
        return false;
    while (tail != head) {
        size += format_record(&tail, self.out + size);
        if (size > OUT_BYTES - MM_LOG_LINE_MAX || tail == head) {
            // The lines are copies: the ring is free before the write.
            atomic_store_explicit(&self.tail, tail, memory_order_release);
            write_lines(self.fd, self.out, size);
            count_written(size);
            size = 0;
            head = atomic_load(&self.head);
        }
    }
    return true;
}

static void *run_writer(void *unused)
{
    (void)unused;
    for (;;) {
        // Read before the ring, so that all lines before the stop are in it.
        bool is_stopping = atomic_load(&self.is_stopping);
        if (drain_ring()) {
            atomic_store(&self.state, NAPPING);
            if (!atomic_load(&self.is_stopping))
                futex_wait(&self.state, NAPPING, &(struct timespec){.tv_nsec = NAP_NS});
            continue;
        }
        if (is_stopping)
            return NULL;
        // This pair (store state, load head) and the loop's (store head, load state): one of them
        // sees the other's store.
        atomic_store(&self.state, ASLEEP);
        if (atomic_load(&self.head) == atomic_load(&self.tail) && !atomic_load(&self.is_stopping))
            futex_wait(&self.state, ASLEEP, NULL);
        atomic_store(&self.state, AWAKE);
    }
}

static size_t used_bytes(void)
{
    self.tail_seen = atomic_load_explicit(&self.tail, memory_order_acquire);
    return atomic_load_explicit(&self.head, memory_order_relaxed) - self.tail_seen;
}

// Reserves contiguous bytes for a record, which end at *ret_head; NULL: the ring is full.
static record_t *reserve(size_t size, size_t *ret_head)
{
    size_t head = atomic_load_explicit(&self.head, memory_order_relaxed);
    size_t to_end = self.size - (head & (self.size - 1));
    size_t filler = size > to_end ? to_end : 0;
    if (head - self.tail_seen + filler + size > self.size &&
        used_bytes() + filler + size > self.size)
        return NULL;
    if (filler > 0) {
        record_t *record = (record_t *)(self.ring + (head & (self.size - 1)));
        record->size = (uint32_t)filler;
        record->level = FILLER;
        head += filler;
    }
    *ret_head = head + size;
    return (record_t *)(self.ring + (head & (self.size - 1)));
}

static size_t payload_size(const mm_field_t *fields, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        if (fields[i].type == MM_FIELD_TEXT)
            size += mm_log_text_size(fields[i].as.text);
        else if (fields[i].type == MM_FIELD_ID)
            size += sizeof(mm_id_t);
    }
    return size;
}

// Copies the fields and the bytes that they point to: the copies point into the ring.
static void copy_fields(record_t *record, const mm_field_t *fields)
{
    mm_field_t *copies = (mm_field_t *)(record + 1);
    char *payload = (char *)(copies + record->count);
    for (size_t i = 0; i < record->count; i++) {
        copies[i] = fields[i];
        if (fields[i].type == MM_FIELD_TEXT) {
            size_t size = mm_log_text_size(fields[i].as.text);
            if (size > 0)
                memcpy(payload, fields[i].as.text.data, size);
            copies[i].as.text = (mm_str_t){.data = payload, .size = size};
            payload += size;
        } else if (fields[i].type == MM_FIELD_ID) {
            memcpy(payload, fields[i].as.id, sizeof(mm_id_t));
            copies[i].as.id = (const mm_id_t *)payload;
            payload += sizeof(mm_id_t);
        }
    }
}

static bool put_record(mm_log_level_t level, const char *message, const mm_field_t *fields,
                       size_t count)
{
    size_t size = sizeof(record_t) + count * sizeof(mm_field_t) + payload_size(fields, count), head;
    size = (size + 7) & ~(size_t)7;
    record_t *record = reserve(size, &head);
    if (!record)
        return false;
    record->size = (uint32_t)size;
    record->level = level;
    record->wall_ms = coarse_wall_ms();
    record->message = message;
    record->count = count;
    copy_fields(record, fields);
    atomic_store(&self.head, head);
    int state = atomic_load(&self.state);
    if (state == ASLEEP ||
        (state == NAPPING && head - self.tail_seen > self.size / 2 && used_bytes() > self.size / 2))
        wake_writer();
    return true;
}

// Logs the number of dropped lines, once half of the ring is free again.
static bool report_dropped(void)
{
    uint64_t dropped = mm_log_dropped();
    if (dropped == self.reported)
        return true;
    if (used_bytes() > self.size / 2)
        return false;
    if (!put_record(MM_LOG_WARN, "log lines dropped", &MM_INT("count", dropped - self.reported), 1))
        return false;
    self.reported = dropped;
    return true;
}

void mm_log_line(mm_log_level_t level, const char *message, const mm_field_t *fields, size_t count)
{
    MM_SPAN_COUNTED("log");
    assert(count <= MM_LOG_FIELDS);
    if (!self.is_running || IS_BLOCKING) {
        if (!self.is_abandoned)
            write_line(self.is_running ? self.fd : STDERR_FILENO, level, message, fields, count);
        return;
    }
    if (!report_dropped() || !put_record(level, message, fields, count))
        atomic_fetch_add_explicit(&self.dropped, 1, memory_order_relaxed);
}

uint64_t mm_log_dropped(void)
{
    return atomic_load_explicit(&self.dropped, memory_order_relaxed);
}

static int start_thread(pthread_t *thread, const char *name, void *(*run)(void *unused))
{
    sigset_t all, before;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(thread, NULL, run, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        (void)pthread_setname_np(*thread, name);
    return error;
}

static bool is_file(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

static void release(void)
{
    if (self.fd != STDERR_FILENO)
        (void)close(self.fd);
    free(self.ring);
    free(self.out);
}

int mm_log_start(const mm_log_config_t *config)
{
    mm_name_t process;
    bool is_name = mm_name_from(mm_str(config->process), &process);
    assert(is_name && !self.is_running && !self.is_abandoned);
    int fd = STDERR_FILENO;
    if (config->path != NULL)
        fd = open(config->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0)
        return -1;
    memset(&self, 0, sizeof self);
    size_t wanted = config->ring_bytes == 0 ? RING_BYTES : config->ring_bytes;
    self.size = RING_BYTES_MIN;
    while (self.size < wanted)
        self.size *= 2;
    self.ring = malloc(self.size);
    self.out = malloc(OUT_BYTES);
    assert(self.ring && self.out);
    self.fd = fd;
    mm_log_format_init(&self.format, process, getpid(), config->json);
    mm_log_threshold = config->level;
    int error = start_thread(&self.writer, "log writer", run_writer);
    self.is_running = error == 0;
    if (!self.is_running) {
        release();
        errno = error;
        return -1;
    }
    // Without one the log is as good, but the kernel writes it back when it likes.
    self.has_flusher = is_file(fd) && start_thread(&self.flusher, "log flusher", run_flusher) == 0;
    return 0;
}

// Behind the end of the writer. False: it hangs.
static bool end_flusher(const struct timespec *until)
{
    atomic_store(&self.steps, -1);
    futex_wake(&self.steps);
    return !self.has_flusher || pthread_timedjoin_np(self.flusher, NULL, until) == 0;
}

void mm_log_stop(void)
{
    if (!self.is_running)
        return;
    self.is_running = false;
    atomic_store(&self.is_stopping, true);
    wake_writer();
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += STOP_WAIT_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    // A stopped terminal, a full pipe or a disk that hangs must not keep the process alive.
    if (pthread_timedjoin_np(self.writer, NULL, &until) != 0 || !end_flusher(&until)) {
        self.is_abandoned = true;
        return;
    }
    uint64_t left = mm_log_dropped() - self.reported;
    if (left > 0)
        write_line(self.fd, MM_LOG_WARN, "log lines dropped", &MM_INT("count", left), 1);
    release();
}
