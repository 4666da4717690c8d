// The exec driver: a restart is the command --exec, and --verify, if given, is polled afterwards.
// All waiting is by one epoll descriptor and one heap of due times; a run is in exactly one phase.
// There is never a shell, and no command outlives its run: when a run has finished its process
// group is dead (child.h). Nothing is started for a job that lacks an attribute which either
// command names. It needs two descriptors per slot, and four more. All calls must come from the
// main thread, since a command dies with the thread that started it.

#include "child.h"
#include "command.h"
#include "drivers.h"
#include "duration.h"
#include "heap.h"
#include "host.h"
#include "service.h"
#include "uuid.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_AFTER_MS   2000  // from TERM to KILL
#define POLL_EVERY_MS   1000  // from the start of one verify to the start of the next
#define POLL_TIMEOUT_MS 10000 // of one verify
#define EVENTS_MAX      256   // in one step

typedef enum {
    PHASE_COMMAND, // the command runs; due: its timeout
    PHASE_VERIFY,  // a poll runs; due: its timeout
    PHASE_PAUSE,   // between two polls; due: the next one
    PHASE_DONE     // until driver_next_finished takes it
} phase_t;

// Why the command or poll that runs was sent TERM.
typedef enum { CUT_NONE, CUT_TIMEOUT, CUT_STOPPED } cut_t;

// How a run ended.
typedef enum {
    END_OK,
    END_FAILED,      // by its exit code or a signal
    END_TIMEOUT,     // the command took too long
    END_STOPPED,     // by driver_stop
    END_UNVERIFIED,  // no poll succeeded in time
    END_NOT_STARTED, // fork failed
    END_LACKING,     // an attribute that a command names did not come with the job
    END_DRY_RUN
} end_t;

typedef struct run {
    mm_heap_node_t node; // when something is due; in no heap: only the child ends the phase
    struct run *next;    // in the list of free runs, or of those done
    uint64_t index;      // in runs
    mm_task_t task;      // of its texts there are host and attributes
    char *texts;         // these, one behind the other; owned
    phase_t phase;
    cut_t cut;
    end_t end;
    child_t child; // the command, later the poll
    int64_t started_ms;
    int64_t ended_ms;        // when done
    int64_t verify_until_ms; // when verifying
    int64_t next_poll_ms;
    uint32_t polls;
    bool has_status; // the command has ended
    int status;      // of the command, as from waitpid
    int why;         // END_NOT_STARTED: an errno
} run_t;

typedef struct {
    driver_t base;
    const mm_options_t *options;
    command_t *exec;
    command_t *verify; // NULL: none
    int epoll;
    bool stopped;
    run_t *runs; // `slots` of them
    run_t *free_runs;
    run_t *first_done;
    run_t **last_done; // where the next one is appended
    mm_heap_t due;
    char error[MM_ERROR_MAX + 1]; // of the last result, as are the next three
    mm_pair_t evidence[MM_EVIDENCE_MAX];
    char code[16];
    char polls[16];
} exec_t;

static exec_t *exec_of(driver_t *self)
{
    return (exec_t *)(void *)self;
}

// ---- phases

static void set_due(exec_t *self, run_t *run, int64_t due_ms)
{
    mm_heap_remove(&self->due, &run->node);
    if (due_ms != MM_NEVER)
        mm_heap_put(&self->due, &run->node, due_ms);
}

static void end_run(exec_t *self, run_t *run, end_t end, int64_t now_ms)
{
    assert(run->phase != PHASE_DONE && run->child.pid == 0);
    set_due(self, run, MM_NEVER);
    run->phase = PHASE_DONE;
    run->end = end;
    run->ended_ms = now_ms;
    run->next = NULL;
    *self->last_done = run;
    self->last_done = &run->next;
}

static void run_command(exec_t *self, run_t *run, phase_t phase, int64_t until_ms, int64_t now_ms)
{
    char **arguments = command_fill(phase == PHASE_COMMAND ? self->exec : self->verify, &run->task);
    run->cut = CUT_NONE;
    run->why =
        child_start(&run->child, arguments, mm_service_open_files(), self->epoll, run->index);
    if (run->why != 0) {
        end_run(self, run, END_NOT_STARTED, now_ms);
        return;
    }
    run->phase = phase;
    set_due(self, run, until_ms);
}

static void poll_verify(exec_t *self, run_t *run, int64_t now_ms)
{
    int64_t until_ms = now_ms + POLL_TIMEOUT_MS;
    if (until_ms > run->verify_until_ms)
        until_ms = run->verify_until_ms;
    run->polls++;
    run->next_poll_ms = now_ms + POLL_EVERY_MS;
    run_command(self, run, PHASE_VERIFY, until_ms, now_ms);
}

static void cut_off(exec_t *self, run_t *run, cut_t cut, int64_t now_ms)
{
    run->cut = cut;
    child_signal(&run->child, SIGTERM);
    set_due(self, run, now_ms + KILL_AFTER_MS);
}

// 126 and 127 say that the program could not be run, from a shell and from child.c alike.
static bool was_executed(int status)
{
    return !WIFEXITED(status) || (WEXITSTATUS(status) != 126 && WEXITSTATUS(status) != 127);
}

static void command_ended(exec_t *self, run_t *run, int64_t now_ms)
{
    run->has_status = true;
    run->status = run->child.status;
    bool is_success = WIFEXITED(run->status) && WEXITSTATUS(run->status) == 0;
    if (run->cut != CUT_NONE) {
        end_run(self, run, run->cut == CUT_STOPPED ? END_STOPPED : END_TIMEOUT, now_ms);
    } else if (self->verify && was_executed(run->status)) {
        run->verify_until_ms = now_ms + self->options->verify_timeout_ms;
        poll_verify(self, run, now_ms);
    } else {
        end_run(self, run, is_success ? END_OK : END_FAILED, now_ms);
    }
}

static void verify_ended(exec_t *self, run_t *run, int64_t now_ms)
{
    int status = run->child.status;
    if (run->cut == CUT_NONE && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        end_run(self, run, END_OK, now_ms);
    } else if (self->stopped) {
        end_run(self, run, END_STOPPED, now_ms);
    } else if (now_ms >= run->verify_until_ms) {
        end_run(self, run, END_UNVERIFIED, now_ms);
    } else {
        run->phase = PHASE_PAUSE;
        set_due(self, run,
                run->next_poll_ms < run->verify_until_ms ? run->next_poll_ms
                                                         : run->verify_until_ms);
    }
}

static void child_ended(exec_t *self, run_t *run, int64_t now_ms)
{
    switch (run->phase) {
    case PHASE_COMMAND: command_ended(self, run, now_ms); return;
    case PHASE_VERIFY: verify_ended(self, run, now_ms); return;
    case PHASE_PAUSE:
    case PHASE_DONE: break;
    }
    abort(); // no child runs in these
}

static void run_is_due(exec_t *self, run_t *run, int64_t now_ms)
{
    if (run->phase == PHASE_PAUSE && now_ms >= run->verify_until_ms) {
        end_run(self, run, END_UNVERIFIED, now_ms);
    } else if (run->phase == PHASE_PAUSE) {
        poll_verify(self, run, now_ms);
    } else if (run->cut == CUT_NONE) {
        cut_off(self, run, CUT_TIMEOUT, now_ms);
    } else {
        child_signal(&run->child, SIGKILL);
        set_due(self, run, MM_NEVER);
    }
}

// ---- the result of a run

static void print_status(int status, char *ret_text, size_t size)
{
    if (WIFEXITED(status))
        (void)snprintf(ret_text, size, "exit %d", WEXITSTATUS(status));
    else
        (void)snprintf(ret_text, size, "killed by signal %d", WTERMSIG(status));
}

// HEAD: TAIL; SUFFIX, where TAIL is what fits of the output; `otherwise` replaces an empty one.
static void compose(exec_t *self, const run_t *run, const char *head, const char *otherwise,
                    const char *suffix)
{
    char tail[MM_ERROR_MAX];
    size_t capacity = sizeof self->error - strlen(head) - strlen(suffix) - strlen(": ");
    if (child_tail_text(&run->child, tail, capacity < sizeof tail ? capacity : sizeof tail) == 0)
        (void)snprintf(tail, sizeof tail, "%s", otherwise);
    int size = snprintf(self->error, sizeof self->error, "%s%s%s%s", head, *tail ? ": " : "", tail,
                        suffix);
    assert(size > 0 && (size_t)size < sizeof self->error);
}

static void compose_unverified(exec_t *self, const run_t *run)
{
    char head[64];
    char time[MM_DURATION_TEXT];
    char verify[32];
    char command[32];
    char suffix[64];
    (void)snprintf(head, sizeof head, "verify did not succeed within %s",
                   mm_duration_print(self->options->verify_timeout_ms, time));
    if (run->cut == CUT_NONE)
        print_status(run->child.status, verify, sizeof verify);
    else
        (void)snprintf(verify, sizeof verify, "it did not end");
    print_status(run->status, command, sizeof command);
    (void)snprintf(suffix, sizeof suffix, "; command: %s", command);
    compose(self, run, head, verify, suffix);
}

// The key of an attribute that a command names and the job lacks; empty: there is none.
static mm_str_t find_lacking(const exec_t *self, const run_t *run)
{
    mm_str_t attributes = run->task.attributes, key = command_lacks(self->exec, attributes);
    return key.size == 0 && self->verify ? command_lacks(self->verify, attributes) : key;
}

static void compose_error(exec_t *self, const run_t *run)
{
    mm_str_t lacking;
    char head[64] = "";
    char time[MM_DURATION_TEXT];
    switch (run->end) {
    case END_OK:
    case END_DRY_RUN: self->error[0] = '\0'; return;
    case END_FAILED:
        print_status(run->status, head, sizeof head);
        compose(self, run, head, "", "");
        return;
    case END_TIMEOUT:
        (void)snprintf(head, sizeof head, "timed out after %s",
                       mm_duration_print(self->options->timeout_ms, time));
        compose(self, run, head, "", "");
        return;
    case END_STOPPED: (void)snprintf(self->error, sizeof self->error, "stopped"); return;
    case END_UNVERIFIED: compose_unverified(self, run); return;
    case END_NOT_STARTED:
        (void)snprintf(self->error, sizeof self->error, "cannot start a process: %s",
                       strerror(run->why));
        return;
    case END_LACKING:
        lacking = find_lacking(self, run);
        (void)snprintf(self->error, sizeof self->error, "no attribute %.*s came with the job",
                       (int)lacking.size, lacking.data);
        return;
    }
    abort();
}

static void put_evidence(exec_t *self, mm_result_t *result, const char *key, const char *value)
{
    assert(result->evidence_count < MM_EVIDENCE_MAX);
    self->evidence[result->evidence_count++] = (mm_pair_t){mm_str(key), mm_str(value)};
}

static bool exec_next_finished(driver_t *base, int64_t now_ms, mm_result_t *ret_result)
{
    (void)now_ms;
    exec_t *self = exec_of(base);
    run_t *run = self->first_done;
    if (!run)
        return false;
    self->first_done = run->next;
    if (!self->first_done)
        self->last_done = &self->first_done;

    compose_error(self, run);
    bool is_ok = run->end == END_OK || run->end == END_DRY_RUN;
    *ret_result = (mm_result_t){.number = run->task.number,
                                .status = is_ok ? MM_STATUS_OK : MM_STATUS_FAILED,
                                .took_ms = run->ended_ms - run->started_ms,
                                .error = mm_str(self->error),
                                .evidence = self->evidence};
    if (run->has_status) {
        bool is_exit = WIFEXITED(run->status);
        (void)snprintf(self->code, sizeof self->code, "%d",
                       is_exit ? WEXITSTATUS(run->status) : WTERMSIG(run->status));
        put_evidence(self, ret_result, is_exit ? "exit" : "signal", self->code);
    }
    if (run->polls > 0) {
        (void)snprintf(self->polls, sizeof self->polls, "%lu", (unsigned long)run->polls);
        put_evidence(self, ret_result, "verify_polls", self->polls);
    }
    if (run->end == END_DRY_RUN)
        put_evidence(self, ret_result, "dry_run", "1");
    free(run->texts);
    run->texts = NULL;
    run->next = self->free_runs;
    self->free_runs = run;
    return true;
}

// ---- the interface

static void print_dry_run(exec_t *self, const run_t *run)
{
    command_t *commands[] = {self->exec, self->verify};
    for (size_t i = 0; i < 2 && commands[i]; i++) {
        char *line = command_quote(command_fill(commands[i], &run->task));
        (void)printf("%s%s", i > 0 ? " # verify: " : "", line);
        free(line);
    }
    (void)putchar('\n');
    (void)fflush(stdout);
}

// The task, with copies of the texts that commands are filled in with.
static void keep_task(run_t *run, const mm_task_t *task)
{
    char *end = run->texts = malloc(task->host.size + task->attributes.size);
    assert(end);
    run->task = (mm_task_t){.number = task->number,
                            .id = task->id,
                            .attempt = task->attempt,
                            .host = mm_str_copy(&end, task->host),
                            .attributes = mm_str_copy(&end, task->attributes)};
}

static void exec_start(driver_t *base, const mm_task_t *task, int64_t now_ms)
{
    exec_t *self = exec_of(base);
    run_t *run = self->free_runs;
    assert(run && !self->stopped);
    assert(task->leg == MM_LEG_RESTART && task->host.size <= MM_HOST_MAX);
    self->free_runs = run->next;

    *run = (run_t){.index = run->index, .started_ms = now_ms};
    keep_task(run, task);
    if (find_lacking(self, run).size > 0) {
        end_run(self, run, END_LACKING, now_ms);
    } else if (self->options->dry_run) {
        print_dry_run(self, run);
        end_run(self, run, END_DRY_RUN, now_ms);
    } else {
        run_command(self, run, PHASE_COMMAND, now_ms + self->options->timeout_ms, now_ms);
    }
}

static void exec_step(driver_t *base, int64_t now_ms)
{
    exec_t *self = exec_of(base);
    struct epoll_event events[EVENTS_MAX];
    int count = epoll_wait(self->epoll, events, EVENTS_MAX, 0);
    assert(count >= 0 || errno == EINTR);
    for (int i = 0; i < count; i++) {
        // An earlier event may have ended this child; then the step finds nothing.
        run_t *run = &self->runs[events[i].data.u64];
        if (child_step(&run->child))
            child_ended(self, run, now_ms);
    }
    while (mm_heap_deadline(&self->due) <= now_ms)
        run_is_due(self, MM_HEAP_OWNER(mm_heap_first(&self->due), run_t, node), now_ms);
}

static int64_t exec_deadline(const driver_t *base)
{
    const exec_t *self = (const exec_t *)(const void *)base;
    return self->first_done ? 0 : mm_heap_deadline(&self->due);
}

static int exec_descriptor(const driver_t *base)
{
    return ((const exec_t *)(const void *)base)->epoll;
}

static void exec_stop(driver_t *base, int64_t now_ms)
{
    exec_t *self = exec_of(base);
    if (self->stopped)
        return;
    self->stopped = true;
    for (int64_t i = 0; i < self->options->slots; i++) {
        run_t *run = &self->runs[i];
        if (run->child.pid > 0 && run->cut == CUT_NONE)
            cut_off(self, run, CUT_STOPPED, now_ms);
        else if (run->child.pid == 0 && run->phase == PHASE_PAUSE)
            end_run(self, run, END_STOPPED, now_ms);
    }
}

static void exec_destroy(driver_t *base)
{
    exec_t *self = exec_of(base);
    for (int64_t i = 0; i < self->options->slots; i++) {
        child_kill(&self->runs[i].child);
        free(self->runs[i].texts);
    }
    mm_heap_clear(&self->due);
    command_destroy(&self->exec);
    command_destroy(&self->verify);
    if (self->epoll >= 0)
        (void)close(self->epoll);
    free(self->runs);
    free(self);
}

static const driver_ops_t exec_ops = {
    .destroy = exec_destroy,
    .start = exec_start,
    .step = exec_step,
    .next_finished = exec_next_finished,
    .deadline = exec_deadline,
    .descriptor = exec_descriptor,
    .stop = exec_stop,
};

static bool open_commands(exec_t *self, char *complaint)
{
    self->exec = command_new("--exec", self->options->exec, complaint);
    if (!self->exec || !command_find(self->exec, complaint))
        return false;
    if (*self->options->verify) {
        self->verify = command_new("--verify", self->options->verify, complaint);
        if (!self->verify || !command_find(self->verify, complaint))
            return false;
    }
    mm_attribute_keys_t *keys = &self->base.attributes;
    if (command_keys(self->exec, keys) && (!self->verify || command_keys(self->verify, keys)))
        return true;
    (void)snprintf(complaint, MM_ERROR_MAX,
                   "--exec and --verify name more than %d attributes; name fewer",
                   MM_ATTRIBUTES_MAX);
    return false;
}

static bool open_descriptors(exec_t *self, char *complaint)
{
    // child_start needs descriptors 0 to 2 to be open.
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (fd >= 0)
        (void)close(fd);
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (fd >= 0 && self->epoll >= 0)
        return true;
    (void)snprintf(complaint, MM_ERROR_MAX,
                   "--exec: cannot open a descriptor: %s; is the limit of open files "
                   "(ulimit -n) high enough?",
                   strerror(errno));
    return false;
}

static driver_t *exec_new(const mm_options_t *options, char ret_complaint[MM_ERROR_MAX])
{
    exec_t *self = calloc(1, sizeof *self);
    assert(self);
    self->base.ops = &exec_ops;
    self->options = options;
    self->epoll = -1;
    self->last_done = &self->first_done;
    self->runs = calloc((size_t)options->slots, sizeof *self->runs);
    assert(self->runs);
    for (int64_t i = options->slots; i-- > 0;) {
        self->runs[i].index = (uint64_t)i;
        self->runs[i].phase = PHASE_DONE;
        self->runs[i].next = self->free_runs;
        self->free_runs = &self->runs[i];
    }
    if (!open_commands(self, ret_complaint) || !open_descriptors(self, ret_complaint)) {
        exec_destroy(&self->base);
        return NULL;
    }
    return &self->base;
}

static const char *exec_name(const mm_options_t *options)
{
    return *options->exec ? options->exec : NULL;
}

static void exec_describe(const mm_options_t *options)
{
    (void)printf("exec: %s%s%s%s", options->exec, *options->verify ? " verify: " : "",
                 options->verify, options->dry_run ? " (dry run)" : "");
}

const driver_kind_t driver_exec_kind = {
    .name = exec_name, .describe = exec_describe, .new = exec_new, .one_by_one = true};
