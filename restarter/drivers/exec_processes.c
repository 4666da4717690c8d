// The processes of the exec driver: what a task runs next, when it is given up, and what it has
// shown at its end. See exec_inside.h.

#include "exec_inside.h"

#include "clock.h"
#include "exec_words.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANNOT_TELL 126 // of --skip-if: not found, not executable, killed, a lost session

#define KILL_AFTER_MS  2000 // from TERM to KILL
#define AGAIN_AFTER_MS 1000 // from what was left of a KILL to the next one
#define STOPPED_MS     1000 // from KILL to the result, when the driver is stopped

// It costs the host nothing.
static void note_output(exec_t *self, const run_t *run, int error)
{
    if (self->base.note && error != 0)
        self->base.note(self->base.note_arg, run->number, DRIVER_NOTE_OUTPUT, strerror(error));
}

static void append(queue_t *queue, run_t *run)
{
    run->next = NULL;
    *queue->last = run;
    queue->last = &run->next;
}

// ---- what is next

char **exec_fill(mm_command_t *command, const run_t *run)
{
    mm_real_t real = {.machine = run->machine, .boot = run->boot};
    mm_task_t task = {.number = run->number,
                      .leg = run->leg,
                      .id = run->id,
                      .attempt = run->attempt,
                      .real = &real,
                      .host = run->host,
                      .attributes = run->attributes};
    return mm_command_fill(command, &task);
}

static void set_due(exec_t *self, run_t *run, int64_t due_ms)
{
    mm_heap_remove(&self->due, &run->node);
    if (due_ms != MM_NEVER)
        mm_heap_put(&self->due, &run->node, due_ms);
}

void exec_finish(exec_t *self, run_t *run, int64_t now_ms)
{
    assert(!run->is_done);
    if (run->process == PROCESS_RUNS)
        launcher_kill(self->launcher, run->slot); // a look that nobody waits for any more
    set_due(self, run, MM_NEVER);
    exec_unlock(self, run);
    run->is_done = true;
    run->ended_ms = now_ms;
    append(&self->done, run);
}

// When TERM comes, and KILL. A command's last instant is that of its KILL: who looks for it counts
// on that.
static void set_limits(run_t *run, int64_t now_ms)
{
    const restart_step_t *step = &run->step;
    run->until_ms = now_ms + step->limit_ms;
    run->kill_ms = run->until_ms + KILL_AFTER_MS;
    if (step->end_ms == INT64_MAX || run->kill_ms <= step->end_ms)
        return;
    if (step->what == RESTART_COMMAND) {
        int64_t left_ms = step->end_ms > now_ms ? step->end_ms - now_ms : 0;
        run->until_ms =
            mm_earlier(run->until_ms, step->end_ms - mm_earlier(KILL_AFTER_MS, left_ms / 4));
        run->kill_ms = step->end_ms;
    } else {
        run->until_ms = mm_earlier(run->until_ms, step->end_ms);
        run->kill_ms = run->until_ms + KILL_AFTER_MS;
    }
}

// The file that is to get all that the restart command writes; -1: none. An attempt may have
// several commands, and they may be sent in several runs of the same DIR.
static int open_output(exec_t *self, const run_t *run)
{
    char path[4096];
    if (!self->options->keep_output || run->step.what != RESTART_COMMAND)
        return -1;
    int size = snprintf(path, sizeof path, "%s/output/%.*s.%lu", self->options->dir,
                        (int)run->host.size, run->host.data, (unsigned long)run->attempt);
    int file = -1, error = ENAMETOOLONG;
    if (size > 0 && (size_t)size < sizeof path) {
        file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                    S_IRUSR | S_IWUSR);
        error = errno;
    }
    if (file < 0)
        note_output(self, run, error);
    return file;
}

// An instant of the driver's clock by the spawner's: in tests they differ. Never counted from now:
// this process may have been stopped since it has read its clock, and no instant moves with it.
static int64_t by_spawners_clock(const exec_t *self, int64_t at_ms, int64_t now_ms)
{
    bool is_same = !self->base.has_own_clock || at_ms == INT64_MAX;
    return is_same ? at_ms : mm_clock_ms() + (at_ms - now_ms);
}

static void start_failed(run_t *run, int error, int64_t now_ms)
{
    run->process = PROCESS_NONE;
    run->failed = run->step.what;
    run->why = error == ETIME ? 0 : error;
    restart_how_t how = error == ETIME   ? RESTART_TOO_LATE
                        : error == E2BIG ? RESTART_UNABLE
                                         : RESTART_NOT_STARTED;
    restart_ended(&run->restart, &(restart_end_t){.how = how}, now_ms);
}

// Asks for the start. The kill at the end is the spawner's own, for the case that this process is
// stopped until then. Returns false when the run is to go on with something else.
static bool launch(exec_t *self, run_t *run, int64_t now_ms)
{
    const restart_step_t *step = &run->step;
    mm_command_t *command = exec_commands_get(&self->commands, step->what, run->restart.command);
    int error = step->what == RESTART_COMMAND ? exec_lock_send(self, run) : 0;
    if (error != 0) {
        start_failed(run, error, now_ms);
        return false;
    }
    int copy = open_output(self, run);
    set_limits(run, now_ms);
    error = launcher_start(
        self->launcher,
        &(launch_t){.slot = run->slot,
                    .path = mm_command_path(command),
                    .arguments = exec_fill(command, run),
                    .not_after_ms = by_spawners_clock(self, step->not_after_ms, now_ms),
                    .end_ms = by_spawners_clock(self, run->kill_ms, now_ms),
                    .copy = copy});
    if (error != 0 && copy >= 0)
        (void)close(copy);
    // EPIPE: the spawner has ended, which is about to be seen.
    if (error == EAGAIN || error == EPIPE) {
        run->process = PROCESS_WAITS;
        append(&self->waiting, run);
    } else if (error != 0) {
        start_failed(run, error, now_ms);
        return false;
    } else {
        run->process = PROCESS_RUNS;
        set_due(self, run, run->until_ms);
    }
    return true;
}

static void note_refusal(exec_t *self, run_t *run)
{
    if (!run->restart.is_refused || run->is_refusal_noted)
        return;
    run->is_refusal_noted = true;
    if (self->base.note)
        self->base.note(self->base.note_arg, run->number, DRIVER_NOTE_PERMIT,
                        "no command may be started now");
}

// Runs what is next, or waits for its time.
void exec_advance(exec_t *self, run_t *run, int64_t now_ms)
{
    const driver_t *base = &self->base;
    restart_permit(&run->restart, base->permit ? base->permit(base->permit_arg) : 0);
    while (restart_next(&run->restart, &run->step)) {
        if (run->step.at_ms > now_ms) {
            set_due(self, run, run->step.at_ms);
            return;
        }
        run->cut = CUT_NONE;
        run->is_killed = false;
        run->status = SIGKILL; // unless the spawner reports another
        if (restart_run(&run->restart, now_ms) && launch(self, run, now_ms))
            return;
        note_refusal(self, run);
    }
    exec_finish(self, run, now_ms);
}

void exec_advance_waiting(exec_t *self, int64_t now_ms)
{
    for (uint32_t i = 0; i < self->used; i++) {
        run_t *run = &self->runs[i];
        if (!run->is_done && run->texts && run->process == PROCESS_NONE && run->restart.is_waiting)
            exec_advance(self, run, now_ms);
    }
}

// The starts that there was no room for, until there is none again.
static void launch_waiting(exec_t *self, int64_t now_ms)
{
    queue_t waiting = self->waiting;
    if (!waiting.first || launcher_is_lost(self->launcher))
        return;
    self->waiting = (queue_t){.last = &self->waiting.first};
    while (waiting.first && !self->waiting.first) {
        run_t *run = exec_take_first(&waiting);
        if (!launch(self, run, now_ms))
            exec_advance(self, run, now_ms);
    }
    if (!waiting.first)
        return;
    *self->waiting.last = waiting.first;
    self->waiting.last = waiting.last;
}

// ---- ends of processes

static void note(exec_t *self, const run_t *run, driver_note_t kind, const restart_end_t *end)
{
    char text[MM_ERROR_MAX + 1];
    if (!self->base.note)
        return;
    const output_tail_t *output = launcher_output(self->launcher, run->slot);
    if (run->step.what == RESTART_IDENTIFY && end->how == RESTART_EXITED && end->number == 0)
        exec_words_answer(output, text, sizeof text);
    else
        exec_words_end(end, output, text, sizeof text);
    self->base.note(self->base.note_arg, run->number, kind, text);
}

static void keep_command(exec_t *self, run_t *run, const restart_end_t *end)
{
    assert(!run->command);
    run->command_status = run->status;
    run->command = malloc(sizeof *run->command);
    assert(run->command);
    *run->command = *launcher_output(self->launcher, run->slot);
    note(self, run, DRIVER_NOTE_COMMAND, end);
    note_output(self, run, launcher_copy_error(self->launcher, run->slot));
}

static void keep_hook(exec_t *self, run_t *run, const restart_end_t *end)
{
    bool is_before = run->step.what == RESTART_BEFORE;
    char **words = is_before ? &run->unprepared : &run->unpaid, text[MM_WORDS_MAX + 1];
    free(*words);
    *words = NULL;
    run->has_look_words = false;
    if (end->how != RESTART_EXITED || end->number != 0) {
        exec_words_end(end, launcher_output(self->launcher, run->slot), text, sizeof text);
        *words = strdup(text);
        assert(*words);
    }
    note(self, run, is_before ? DRIVER_NOTE_BEFORE : DRIVER_NOTE_AFTER, end);
}

static void keep_health(run_t *run, const restart_end_t *end, bool is_good)
{
    run->unwell[0] = '\0';
    if (!is_good && end->line.size > 0)
        (void)snprintf(run->unwell, sizeof run->unwell, "%.*s", (int)end->line.size,
                       end->line.data);
    else if (!is_good)
        exec_words_end(end, NULL, run->unwell, sizeof run->unwell);
}

static void keep_look(exec_t *self, run_t *run, const restart_end_t *end)
{
    bool is_good = run->step.what == RESTART_IDENTIFY
                       ? end->identity != NULL
                       : end->how == RESTART_EXITED && end->number == 0;
    run->has_looked = run->has_look_words = true;
    run->looked = (restart_end_t){.how = end->how, .number = end->number};
    if (run->step.what == RESTART_HEALTH)
        keep_health(run, end, is_good);
    bool is_probe = run->leg == MM_LEG_PROBE;
    if (is_good || run->is_noted || (is_probe && run->step.what != RESTART_IDENTIFY))
        return;
    run->is_noted = true;
    note(self, run, is_probe ? DRIVER_NOTE_PROBE : DRIVER_NOTE_LOOK, end);
}

// The process is over: what has it shown?
static void process_ended(exec_t *self, run_t *run, restart_how_t how, int64_t now_ms)
{
    identity_t identity;
    char line[MM_HEALTH_MAX + 1];
    const output_tail_t *output = launcher_output(self->launcher, run->slot);
    restart_end_t end = {.how = how};
    if (how == RESTART_EXITED)
        end.number = WEXITSTATUS(run->status);
    else if (how == RESTART_SIGNALED)
        end.number = WTERMSIG(run->status);
    if (run->step.what == RESTART_IDENTIFY && how == RESTART_EXITED && end.number == 0 &&
        identity_parse(output_tail_whole(output), &identity))
        end.identity = &identity;
    if (run->step.what == RESTART_HEALTH)
        end.line = (mm_str_t){line, output_tail_line(output, line, sizeof line)};
    run->process = PROCESS_NONE;
    switch (run->step.what) {
    case RESTART_COMMAND: keep_command(self, run, &end); break;
    case RESTART_BEFORE:
    case RESTART_AFTER: keep_hook(self, run, &end); break;
    case RESTART_SKIP_IF:
        if (how != RESTART_EXITED || end.number >= CANNOT_TELL)
            note(self, run, DRIVER_NOTE_SKIP, &end);
        break;
    case RESTART_IDENTIFY:
    case RESTART_HEALTH:
    case RESTART_VERIFY: keep_look(self, run, &end); break;
    }
    restart_ended(&run->restart, &end, now_ms);
    exec_advance(self, run, now_ms);
}

static void not_started(exec_t *self, run_t *run, int error, int64_t now_ms)
{
    start_failed(run, error, now_ms);
    exec_advance(self, run, now_ms);
}

static restart_how_t how_it_ended(const run_t *run)
{
    switch (run->cut) {
    case CUT_TIMEOUT: return RESTART_TIMED_OUT;
    case CUT_STOPPED: return RESTART_STOPPED;
    case CUT_NONE: break;
    }
    return WIFEXITED(run->status) ? RESTART_EXITED : RESTART_SIGNALED;
}

static void give_up_left(exec_t *self, run_t *run, int64_t now_ms)
{
    process_ended(self, run, RESTART_LEFT, now_ms);
}

// Something is left of what was killed: the run is not over until it has gone.
static void keep_left(exec_t *self, run_t *run, const mm_survivors_t *survivors, int64_t now_ms)
{
    char text[32];
    bool is_new = run->process != PROCESS_LEFT;
    run->process = PROCESS_LEFT;
    run->left = survivors->named[0];
    exec_lock_left(self, run);
    (void)snprintf(text, sizeof text, "pid %d", (int)run->left.pid);
    if (is_new && self->base.note)
        self->base.note(self->base.note_arg, run->number, DRIVER_NOTE_LEFT, text);
    if (self->stopped)
        give_up_left(self, run, now_ms);
    else
        set_due(self, run, now_ms + AGAIN_AFTER_MS);
}

// It was given up, and has ended; what it has started has not, maybe.
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
    if (run->is_done)
        return; // its end was not waited for
    if (event->kind == MM_SPAWNER_NOT_STARTED) {
        not_started(self, run, event->error, now_ms);
        return;
    }
    if (event->has_status)
        run->status = event->status;
    if (event->kind == MM_SPAWNER_KILLED && run->cut == CUT_NONE)
        run->cut = CUT_TIMEOUT; // by the spawner, at the end
    if (event->kind == MM_SPAWNER_ENDED && run->cut != CUT_NONE)
        kill_rest(self, run, now_ms);
    else if (event->kind == MM_SPAWNER_KILLED && event->survivors.count > 0)
        keep_left(self, run, &event->survivors, now_ms);
    else
        process_ended(self, run, how_it_ended(run), now_ms);
}

// ---- times

static void cut_off(exec_t *self, run_t *run, cut_t cut, int64_t now_ms)
{
    int64_t latest_ms = run->step.what == RESTART_COMMAND ? run->kill_ms : INT64_MAX;
    run->cut = cut;
    launcher_signal(self->launcher, run->slot, SIGTERM);
    set_due(self, run, mm_earlier(now_ms + KILL_AFTER_MS, latest_ms));
}

// The time of the process is over; nothing is due of it any more.
static void process_is_due(exec_t *self, run_t *run, int64_t now_ms)
{
    if (run->process == PROCESS_LEFT) {
        launcher_kill_again(self->launcher, run->slot);
    } else if (run->cut == CUT_NONE) {
        cut_off(self, run, CUT_TIMEOUT, now_ms);
    } else if (!run->is_killed) {
        run->is_killed = true;
        launcher_kill(self->launcher, run->slot);
        if (self->stopped)
            set_due(self, run, now_ms + STOPPED_MS);
    } else if (self->stopped) {
        give_up_left(self, run, now_ms);
    } // else the kill goes on
}

void exec_look_around(exec_t *self, int64_t now_ms)
{
    mm_spawner_event_t event;
    launcher_step(self->launcher);
    while (launcher_next(self->launcher, &event))
        take_event(self, &event, now_ms);
    launch_waiting(self, now_ms);
    while (mm_heap_deadline(&self->due) <= now_ms) {
        run_t *run = MM_HEAP_OWNER(mm_heap_first(&self->due), run_t, node);
        set_due(self, run, MM_NEVER);
        if (run->process != PROCESS_NONE)
            process_is_due(self, run, now_ms);
        else
            exec_advance(self, run, now_ms);
    }
}

// ---- the end

void exec_drop_waiting(exec_t *self, int64_t now_ms)
{
    queue_t waiting = self->waiting;
    self->waiting = (queue_t){.last = &self->waiting.first};
    while (waiting.first)
        not_started(self, exec_take_first(&waiting), ECANCELED, now_ms);
}

void exec_cut_off(exec_t *self, run_t *run, int64_t now_ms)
{
    if (run->process == PROCESS_LEFT)
        give_up_left(self, run, now_ms);
    else if (run->process == PROCESS_RUNS && run->cut == CUT_NONE)
        cut_off(self, run, CUT_STOPPED, now_ms);
    else if (run->process == PROCESS_RUNS && run->is_killed)
        set_due(self, run, now_ms + STOPPED_MS);
}
