// See span.h. The CPU times of the process's threads are read once a second.

#include "span.h"
#include "clock.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 8 // of libzmq, and the log's two; further ones are ignored

typedef struct {
    mm_spot_t spot;
    pid_t id; // 0: free
    char name[32];
} thread_t;

mm_profile_t *mm_span_profile;

static struct {
    mm_span_config_t config;
    mm_counted_t *counted; // those with calls in this turn
    thread_t threads[THREADS_MAX];
    pid_t loop; // the thread of the loop
} self;

void mm_span_start(const mm_span_config_t *config)
{
    assert(!mm_span_profile);
    self.config = *config;
    self.loop = gettid();
    mm_span_profile = mm_profile_new(mm_clock_ns(), mm_clock_thread_ns());
}

void mm_span_stop(void)
{
    mm_profile_destroy(&mm_span_profile);
}

// ---- threads

static thread_t *thread_of(pid_t id)
{
    thread_t *thread = self.threads;
    while (thread < self.threads + THREADS_MAX && thread->id != 0 && thread->id != id)
        thread++;
    if (thread == self.threads + THREADS_MAX)
        return NULL;
    if (thread->id == id)
        return thread;
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/task/%d/comm", (int)id);
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    bool is_read = fgets(thread->name, sizeof thread->name, file) != NULL;
    (void)fclose(file);
    if (!is_read)
        return NULL;
    thread->name[strcspn(thread->name, "\n")] = '\0';
    thread->id = id;
    thread->spot = (mm_spot_t){thread->name, "", 0, MM_SPOT_THREAD};
    return thread;
}

// The number of a thread's CPU clock, which Linux has fixed: see
// include/linux/posix-timers_types.h, CPUCLOCK_PERTHREAD_MASK and CPUCLOCK_SCHED.
static clockid_t clock_of(pid_t thread)
{
    return (clockid_t)(~(unsigned)thread << 3 | 6);
}

void mm_span_see_threads(void)
{
    if (!mm_span_profile)
        return;
    DIR *folder = opendir("/proc/self/task");
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        pid_t id = (pid_t)strtol(entry->d_name, NULL, 10);
        struct timespec time;
        thread_t *thread = id > 0 && id != self.loop ? thread_of(id) : NULL;
        if (thread && clock_gettime(clock_of(id), &time) == 0)
            mm_profile_set_thread(mm_span_profile, &thread->spot,
                                  (int64_t)time.tv_sec * 1000000000 + time.tv_nsec);
    }
    (void)closedir(folder);
}

// ---- as JSON

static const char *const kinds[] = {[MM_SPOT_POLL] = "poll",
                                    [MM_SPOT_RUNS] = "runs",
                                    [MM_SPOT_WAITS] = "waits",
                                    [MM_SPOT_THREAD] = "thread"};

// The buckets that are not empty: [[bucket, calls], ...].
static json_t *buckets_json(const uint32_t *histogram)
{
    json_t *list = json_array();
    for (size_t i = 0; i < MM_PROFILE_BUCKETS; i++)
        if (histogram[i] > 0)
            json_array_append_new(list,
                                  json_pack("[I, I]", (json_int_t)i, (json_int_t)histogram[i]));
    return list;
}

static json_t *node_json(const mm_profile_node_t *node, const mm_profile_sums_t *sums)
{
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:o}", "name", node->spot->name, "kind",
        kinds[node->spot->kind], "file", node->spot->file, "line", (int)node->spot->line, "caller",
        (int)node->caller, "calls", (json_int_t)sums->calls, "cpu_ns", (json_int_t)sums->cpu_ns,
        "wait_ns", (json_int_t)sums->wait_ns, "max_ns", (json_int_t)node->max_ns, "buckets",
        buckets_json(node->histogram));
    assert(object);
    return object;
}

json_t *mm_span_json(uint32_t seconds)
{
    mm_profile_sums_t sums[MM_PROFILE_NODES];
    if (!mm_span_profile)
        return NULL;
    mm_span_see_threads();
    int64_t now_ns = mm_clock_ns(), long_ns = now_ns - mm_profile_since_ns(mm_span_profile);
    if (seconds > 0)
        long_ns = mm_profile_last(mm_span_profile, seconds, now_ns, sums);
    json_t *nodes = json_array();
    for (size_t i = 0; i < mm_profile_count(mm_span_profile); i++) {
        mm_profile_node_t node = mm_profile_node(mm_span_profile, i);
        json_array_append_new(nodes, node_json(&node, seconds > 0 ? &sums[i] : &node.sums));
    }
    json_t *object = json_pack(
        "{s:s, s:i, s:s, s:s, s:i, s:I, s:I, s:o}", "mayhem", "profile", "version", 1, "process",
        self.config.process, "role", self.config.role, "pid", (int)getpid(), "wall_ms",
        (json_int_t)mm_clock_wall_ms(), "long_ns", (json_int_t)long_ns, "nodes", nodes);
    assert(object);
    return object;
}

void mm_span_add(json_t *object)
{
    mm_profile_sums_t sums[MM_PROFILE_NODES];
    int64_t idle_ns = 0, ran_ns = 0, most_ns = 0;
    const char *doing = "";
    if (!mm_span_profile)
        return;
    int64_t long_ns = mm_profile_last(mm_span_profile, 1, mm_clock_ns(), sums);
    for (size_t i = 0; i < mm_profile_count(mm_span_profile); i++) {
        const mm_spot_t *spot = mm_profile_node(mm_span_profile, i).spot;
        int64_t own_ns = sums[i].cpu_ns + sums[i].wait_ns;
        ran_ns += sums[i].cpu_ns;
        if (spot->kind == MM_SPOT_POLL)
            idle_ns += own_ns;
        if ((spot->kind == MM_SPOT_RUNS || spot->kind == MM_SPOT_WAITS) && own_ns > most_ns) {
            most_ns = own_ns;
            doing = spot->name;
        }
    }
    double seconds = long_ns > 0 ? (double)long_ns : 1;
    double busy = 1 - (double)idle_ns / seconds;
    json_object_set_new(object, "busy", json_real(busy < 0 ? 0 : busy > 1 ? 1 : busy));
    json_object_set_new(object, "cpu", json_real((double)ran_ns / seconds));
    json_object_set_new(object, "doing", json_string(doing));
}

// Writes the profile to `path`, through a new file beside it. Returns 0, or an errno.
static int write_profile(const char *path)
{
    char *name = NULL;
    int length = asprintf(&name, "%s.new", path), error = 0;
    assert(length > 0);
    json_t *json = mm_span_json(0);
    errno = 0;
    if (json_dump_file(json, name, JSON_INDENT(1)) != 0 || rename(name, path) != 0) {
        error = errno ? errno : EIO;
        (void)unlink(name);
    }
    json_decref(json);
    free(name);
    return error;
}

void mm_span_save(bool is_one_of_many)
{
    char stamp[32] = "", *path = NULL;
    time_t now = time(NULL);
    struct tm parts;
    if (!mm_span_profile)
        return;
    if (is_one_of_many && gmtime_r(&now, &parts))
        (void)strftime(stamp, sizeof stamp, "-%Y%m%dT%H%M%SZ", &parts);
    int length = asprintf(&path, "%s/%s%s.json", self.config.folder, self.config.process, stamp);
    assert(length > 0);
    bool is_there = mkdir(self.config.folder, 0700) == 0 || errno == EEXIST;
    self.config.saved(path, is_there ? write_profile(path) : errno);
    free(path);
}

// ---- spans

void mm_span_enter(const mm_spot_t *spot)
{
    mm_profile_enter(mm_span_profile, spot, mm_clock_ns());
}

void mm_span_leave(mm_profile_t *const *entered)
{
    if (*entered && *entered == mm_span_profile)
        mm_profile_leave(mm_span_profile, mm_clock_ns());
}

int64_t mm_span_begin_counted(mm_counted_t *counted)
{
    if (!counted->is_listed) {
        counted->is_listed = true;
        counted->next = self.counted;
        self.counted = counted;
    }
    return mm_clock_ns();
}

void mm_span_end_counted(mm_counted_t *counted, int64_t since_ns)
{
    counted->timed++;
    counted->timed_ns += mm_clock_ns() - since_ns;
}

static void add_counted(void)
{
    for (mm_counted_t *counted = self.counted; counted; counted = counted->next) {
        int64_t each_ns = counted->timed > 0 ? counted->timed_ns / counted->timed : 0;
        mm_profile_add(mm_span_profile, &counted->spot, counted->calls, each_ns * counted->calls);
        counted->calls = counted->timed = 0;
        counted->timed_ns = 0;
        counted->is_listed = false;
    }
    self.counted = NULL;
}

// ---- turns

void mm_span_begin_turn(void)
{
    if (mm_span_profile)
        mm_profile_begin_turn(mm_span_profile, mm_clock_ns(), mm_clock_thread_ns());
}

static void warn_of_slow(void)
{
    const mm_spot_t *handler;
    int64_t long_ns = mm_profile_last_turn(mm_span_profile, &handler);
    if (self.config.slow_ns > 0 && long_ns >= self.config.slow_ns)
        self.config.slow(handler->name, long_ns);
}

void mm_span_end_turn(void)
{
    if (!mm_span_profile)
        return;
    add_counted();
    int64_t now_ns = mm_clock_ns();
    mm_profile_end_turn(mm_span_profile, now_ns, mm_clock_thread_ns());
    warn_of_slow();
    if (!mm_profile_is_due(mm_span_profile, now_ns))
        return;
    mm_span_see_threads();
    mm_profile_close_slice(mm_span_profile, now_ns);
}
