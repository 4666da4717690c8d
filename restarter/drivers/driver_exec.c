// The exec driver: a restart is the command --exec, and --verify, if given, is polled afterwards.
// All waiting is by one epoll descriptor and one heap of due times; a run is in exactly one phase.
// There is never a shell. A command that ended by itself leaves alive what it has started; a run
// whose command was given up is over when all descendants of it are dead (spawner.h). Nothing is
// started for a job that lacks an attribute which either command names. What cannot be started here
// is returned: it is no fault of the host. It needs a descriptor per slot. All calls must come from
// the main thread.

#include "clock.h"
#include "command.h"
#include "drivers.h"
#include "duration.h"
#include "heap.h"
#include "host.h"
#include "launcher.h"
#include "service.h"
#include "uuid.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define KILL_AFTER_MS   2000  // from TERM to KILL
#define AGAIN_AFTER_MS  1000  // from what was left of a KILL to the next one
#define STOPPED_MS      1000  // from KILL to the result, when the driver is stopped
#define POLL_EVERY_MS   1000  // from the start of one verify to the start of the next
#define POLL_TIMEOUT_MS 10000 // of one verify

typedef enum {
    PHASE_COMMAND, // the command runs; due: its timeout
    PHASE_VERIFY,  // a poll runs; due: its timeout
    PHASE_PAUSE,   // between two polls; due: the next one
    PHASE_DONE     // until driver_next_finished takes it
} phase_t;

// What there is of the command or poll of a run.
typedef enum {
    PROCESS_NONE,
    PROCESS_WAITS, // for room at the spawner
    PROCESS_RUNS,  // it was asked for
    PROCESS_LEFT   // it was killed, and something is left; due: the next kill
} process_t;

// Why the command or poll that runs was sent TERM.
typedef enum { CUT_NONE, CUT_TIMEOUT, CUT_STOPPED } cut_t;

// How a run ended.
typedef enum {
    END_OK,
    END_FAILED,      // by its exit code or a signal
    END_TIMEOUT,     // the command took too long
    END_STOPPED,     // by driver_stop
    END_UNVERIFIED,  // no poll succeeded in time
    END_NOT_STARTED, // by the fault of this machine
    END_TOO_LONG,    // the arguments are
    END_LEFT,        // by driver_stop, and something of it cannot be killed
    END_LACKING,     // an attribute that a command names did not come with the job
    END_DRY_RUN
} end_t;

typedef struct run {
    mm_heap_node_t node; // when something is due; in no heap: only the process ends the phase
    struct run *next;    // in the list of free runs, of those done, or of those that wait
    uint32_t slot;       // its index in runs
    mm_task_t task;      // of its texts there are host and attributes
    char *texts;         // these, one behind the other; owned
    phase_t phase;
    phase_t last_phase; // before it was done
    cut_t cut;
    end_t end;
    process_t process;
    mm_process_t left; // PROCESS_LEFT: one that cannot be killed; pid 0: unknown
    int64_t until_ms;  // its timeout
    bool is_killed;    // that was asked for
    int64_t started_ms;
    int64_t ended_ms;        // when done
    int64_t verify_until_ms; // when verifying
    int64_t next_poll_ms;
    uint32_t polls;
    bool has_status; // the command has ended
    int status;      // of the command, as from waitpid
    int last_status; // of the command or poll that ended last
    int why;         // END_NOT_STARTED: an errno
} run_t;

typedef struct {
    run_t *first;
    run_t **last; // where the next one is appended
} queue_t;

typedef struct {
    driver_t base;
    const mm_options_t *options;
    command_t *exec;
    command_t *verify;    // NULL: none
    launcher_t *launcher; // NULL: until driver_open
    bool stopped;
    run_t *runs; // `slots` of them
    run_t *free_runs;
    queue_t done;
    queue_t waiting; // for room at the spawner
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

static void append(queue_t *queue, run_t *run)
{
    run->next = NULL;
    *queue->last = run;
    queue->last = &run->next;
}

static run_t *take_first(queue_t *queue)
{
    run_t *run = queue->first;
    queue->first = run->next;
    if (!queue->first)
        queue->last = &queue->first;
    return run;
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
    assert(run->phase != PHASE_DONE && run->process == PROCESS_NONE);
    set_due(self, run, MM_NEVER);
    run->last_phase = run->phase;
    run->phase = PHASE_DONE;
    run->end = end;
    run->ended_ms = now_ms;
    append(&self->done, run);
}

static void not_started(exec_t *self, run_t *run, int error, int64_t now_ms)
{
    run->process = PROCESS_NONE;
    run->why = error;
    end_run(self, run, error == E2BIG ? END_TOO_LONG : END_NOT_STARTED, now_ms);
}

// Asks for the start. The kill at the end is the spawner's own, for the case that this process is
// stopped until then.
static void launch(exec_t *self, run_t *run, int64_t now_ms)
{
    command_t *command = run->phase == PHASE_COMMAND ? self->exec : self->verify;
    int64_t left_ms = run->until_ms - now_ms + KILL_AFTER_MS;
    int error =
        launcher_start(self->launcher, &(launch_t){.slot = run->slot,
                                                   .path = command_path(command),
                                                   .arguments = command_fill(command, &run->task),
                                                   .not_after_ms = INT64_MAX,
                                                   .end_ms = mm_clock_boot_ms() + left_ms});
    // EPIPE: the spawner has ended, which is about to be seen.
    if (error == EAGAIN || error == EPIPE) {
        run->process = PROCESS_WAITS;
        append(&self->waiting, run);
    } else if (error != 0) {
        not_started(self, run, error, now_ms);
    } else {
        run->process = PROCESS_RUNS;
        set_due(self, run, run->until_ms);
    }
}

static void run_command(exec_t *self, run_t *run, phase_t phase, int64_t until_ms, int64_t now_ms)
{
    run->cut = CUT_NONE;
    run->is_killed = false;
    run->last_status = SIGKILL; // unless it is told
    run->phase = phase;
    run->until_ms = until_ms;
    launch(self, run, now_ms);
}

// The starts that there was no room for, until there is none again.
static void launch_waiting(exec_t *self, int64_t now_ms)
{
    queue_t waiting = self->waiting;
    if (!waiting.first || launcher_is_lost(self->launcher))
        return;
    self->waiting = (queue_t){.last = &self->waiting.first};
    while (waiting.first && !self->waiting.first)
        launch(self, take_first(&waiting), now_ms);
    if (!waiting.first)
        return;
    *self->waiting.last = waiting.first;
    self->waiting.last = waiting.last;
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
    launcher_signal(self->launcher, run->slot, SIGTERM);
    set_due(self, run, now_ms + KILL_AFTER_MS);
}

// 126 and 127 say that a shell could not run the program.
static bool was_executed(int status)
{
    return !WIFEXITED(status) || (WEXITSTATUS(status) != 126 && WEXITSTATUS(status) != 127);
}

static void command_ended(exec_t *self, run_t *run, int64_t now_ms)
{
    run->has_status = true;
    run->status = run->last_status;
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
    int status = run->last_status;
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

static void process_ended(exec_t *self, run_t *run, int64_t now_ms)
{
    run->process = PROCESS_NONE;
    switch (run->phase) {
    case PHASE_COMMAND: command_ended(self, run, now_ms); return;
    case PHASE_VERIFY: verify_ended(self, run, now_ms); return;
    case PHASE_PAUSE:
    case PHASE_DONE: break;
    }
    abort(); // no process runs in these
}

// Something is left of what was killed: the run is not over until it has gone.
static void keep_left(exec_t *self, run_t *run, const mm_survivors_t *survivors, int64_t now_ms)
{
    run->process = PROCESS_LEFT;
    run->left = survivors->named[0];
    if (self->stopped) {
        run->process = PROCESS_NONE;
        end_run(self, run, END_LEFT, now_ms);
    } else {
        set_due(self, run, now_ms + AGAIN_AFTER_MS);
    }
}

// The command was given up, and has ended; what it has started has not, maybe.
static void kill_rest(exec_t *self, run_t *run, int64_t now_ms)
{
    run->is_killed = true;
    launcher_kill_again(self->launcher, run->slot);
    if (self->stopped)
        set_due(self, run, now_ms + STOPPED_MS);
}

static void take_event(exec_t *self, const mm_spawner_event_t *event, int64_t now_ms)
{
    run_t *run = &self->runs[event->slot];
    if (run->phase == PHASE_DONE)
        return; // its end was not waited for
    if (event->kind == MM_SPAWNER_NOT_STARTED) {
        not_started(self, run, event->error, now_ms);
        return;
    }
    if (event->has_status)
        run->last_status = event->status;
    if (event->kind == MM_SPAWNER_KILLED && run->cut == CUT_NONE)
        run->cut = CUT_TIMEOUT; // by the spawner, at the end
    if (event->kind == MM_SPAWNER_ENDED && run->cut != CUT_NONE)
        kill_rest(self, run, now_ms);
    else if (event->kind == MM_SPAWNER_KILLED && event->survivors.count > 0)
        keep_left(self, run, &event->survivors, now_ms);
    else
        process_ended(self, run, now_ms);
}

// The time of the process is over.
static void process_is_due(exec_t *self, run_t *run, int64_t now_ms)
{
    if (run->process == PROCESS_LEFT) {
        launcher_kill_again(self->launcher, run->slot);
        set_due(self, run, MM_NEVER);
    } else if (run->cut == CUT_NONE) {
        cut_off(self, run, CUT_TIMEOUT, now_ms);
    } else if (!run->is_killed) {
        run->is_killed = true;
        launcher_kill(self->launcher, run->slot);
        set_due(self, run, self->stopped ? now_ms + STOPPED_MS : MM_NEVER);
    } else if (self->stopped) {
        run->process = PROCESS_NONE;
        end_run(self, run, END_LEFT, now_ms);
    } else {
        set_due(self, run, MM_NEVER); // the kill goes on
    }
}

static void run_is_due(exec_t *self, run_t *run, int64_t now_ms)
{
    if (run->process != PROCESS_NONE)
        process_is_due(self, run, now_ms);
    else if (now_ms >= run->verify_until_ms)
        end_run(self, run, END_UNVERIFIED, now_ms);
    else
        poll_verify(self, run, now_ms);
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
    if (output_tail_text(launcher_output(self->launcher, run->slot), tail,
                         capacity < sizeof tail ? capacity : sizeof tail) == 0)
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
        print_status(run->last_status, verify, sizeof verify);
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
        (void)snprintf(self->error, sizeof self->error, "cannot start %.200s: %s",
                       command_path(run->last_phase == PHASE_VERIFY ? self->verify : self->exec),
                       strerror(run->why));
        return;
    case END_TOO_LONG:
        (void)snprintf(self->error, sizeof self->error, "the command's arguments are too long");
        return;
    case END_LEFT:
        (void)snprintf(self->error, sizeof self->error, "still running");
        if (run->left.pid > 0)
            (void)snprintf(self->error, sizeof self->error, "still running, pid %d",
                           (int)run->left.pid);
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
    if (!self->done.first)
        return false;
    run_t *run = take_first(&self->done);
    compose_error(self, run);
    bool is_ok = run->end == END_OK || run->end == END_DRY_RUN;
    bool is_returned = run->end == END_NOT_STARTED && !run->has_status;
    *ret_result = (mm_result_t){.number = run->task.number,
                                .status = is_ok         ? MM_STATUS_OK
                                          : is_returned ? MM_STATUS_RETURNED
                                                        : MM_STATUS_FAILED,
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

    *run = (run_t){.slot = run->slot, .started_ms = now_ms};
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
    mm_spawner_event_t event;
    launcher_step(self->launcher);
    while (launcher_next(self->launcher, &event))
        take_event(self, &event, now_ms);
    launch_waiting(self, now_ms);
    while (mm_heap_deadline(&self->due) <= now_ms)
        run_is_due(self, MM_HEAP_OWNER(mm_heap_first(&self->due), run_t, node), now_ms);
}

static int64_t exec_deadline(const driver_t *base)
{
    const exec_t *self = (const exec_t *)(const void *)base;
    return self->done.first ? 0 : mm_heap_deadline(&self->due);
}

static int exec_descriptor(const driver_t *base)
{
    return launcher_descriptor(((const exec_t *)(const void *)base)->launcher);
}

static void stop_run(exec_t *self, run_t *run, int64_t now_ms)
{
    process_t process = run->process;
    if (process == PROCESS_RUNS) {
        if (run->cut == CUT_NONE)
            cut_off(self, run, CUT_STOPPED, now_ms);
        else if (run->is_killed)
            set_due(self, run, now_ms + STOPPED_MS);
        return;
    }
    run->process = PROCESS_NONE;
    if (process == PROCESS_LEFT) {
        end_run(self, run, END_LEFT, now_ms);
    } else {
        run->why = ECANCELED;
        end_run(self, run, process == PROCESS_WAITS ? END_NOT_STARTED : END_STOPPED, now_ms);
    }
}

static void exec_stop(driver_t *base, int64_t now_ms)
{
    exec_t *self = exec_of(base);
    if (self->stopped)
        return;
    self->stopped = true;
    self->waiting = (queue_t){.last = &self->waiting.first};
    for (int64_t i = 0; i < self->options->slots; i++)
        if (self->runs[i].phase != PHASE_DONE)
            stop_run(self, &self->runs[i], now_ms);
}

static void exec_destroy(driver_t *base)
{
    exec_t *self = exec_of(base);
    launcher_destroy(&self->launcher);
    for (int64_t i = 0; i < self->options->slots; i++)
        free(self->runs[i].texts);
    mm_heap_clear(&self->due);
    command_destroy(&self->exec);
    command_destroy(&self->verify);
    free(self->runs);
    free(self);
}

static bool exec_open(driver_t *base, char *complaint)
{
    exec_t *self = exec_of(base);
    int error = launcher_new(&(mm_spawner_config_t){.slots = (uint32_t)self->options->slots,
                                                    .open_files = mm_service_open_files()},
                             &self->launcher);
    if (error == EPERM)
        (void)snprintf(complaint, MM_ERROR_MAX,
                       "--exec: the hard limit of real-time CPU time is not unlimited, which marks "
                       "commands; raise it (ulimit -HR unlimited)");
    else if (error != 0)
        (void)snprintf(complaint, MM_ERROR_MAX,
                       "--exec: cannot start the process that starts "
                       "commands: %s; are the limits of processes and open files high enough?",
                       strerror(error));
    return error == 0;
}

static bool exec_is_lost(const driver_t *base)
{
    return launcher_is_lost(((const exec_t *)(const void *)base)->launcher);
}

static const driver_ops_t exec_ops = {
    .open = exec_open,
    .destroy = exec_destroy,
    .start = exec_start,
    .step = exec_step,
    .next_finished = exec_next_finished,
    .deadline = exec_deadline,
    .descriptor = exec_descriptor,
    .stop = exec_stop,
    .is_lost = exec_is_lost,
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

static driver_t *exec_new(const mm_options_t *options, char ret_complaint[MM_ERROR_MAX])
{
    exec_t *self = calloc(1, sizeof *self);
    assert(self);
    self->base.ops = &exec_ops;
    self->options = options;
    self->done.last = &self->done.first;
    self->waiting.last = &self->waiting.first;
    self->runs = calloc((size_t)options->slots, sizeof *self->runs);
    assert(self->runs);
    for (int64_t i = options->slots; i-- > 0;) {
        self->runs[i].slot = (uint32_t)i;
        self->runs[i].phase = PHASE_DONE;
        self->runs[i].next = self->free_runs;
        self->free_runs = &self->runs[i];
    }
    if (!open_commands(self, ret_complaint)) {
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
