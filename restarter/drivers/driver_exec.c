// The exec driver: hosts are restarted and asked by commands. What is run for a task, and what that
// shows, is restart.h; here are the processes. All waiting is by one epoll descriptor and one heap
// of due times. There is never a shell. A command that ended by itself leaves alive what it has
// started; one that was given up is over when all descendants of it are dead (spawner.h). Nothing
// is started for a job that lacks an attribute which a command names. It needs a descriptor per
// slot. All calls must come from the main thread.

#include "drivers.h"
#include "exec_inside.h"
#include "exec_words.h"
#include "host.h"
#include "service.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define HELD_PAUSE_MS 5000 // before a held host is tried again

static exec_t *exec_of(driver_t *self)
{
    return (exec_t *)(void *)self;
}

static void exec_step(driver_t *base, int64_t now_ms)
{
    exec_look_around(exec_of(base), now_ms);
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

// ---- results

static void put_evidence(exec_t *self, mm_result_t *result, const char *key, const char *value)
{
    assert(result->evidence_count < MM_EVIDENCE_MAX);
    self->evidence[result->evidence_count++] = (mm_pair_t){mm_str(key), mm_str(value)};
}

static void fill_evidence(exec_t *self, const run_t *run, mm_result_t *result)
{
    result->evidence = self->evidence;
    if (run->command) {
        bool is_exit = WIFEXITED(run->command_status);
        (void)snprintf(self->code, sizeof self->code, "%d",
                       is_exit ? WEXITSTATUS(run->command_status) : WTERMSIG(run->command_status));
        put_evidence(self, result, is_exit ? "exit" : "signal", self->code);
    }
    if (run->restart.polls > 0) {
        (void)snprintf(self->polls, sizeof self->polls, "%lu", (unsigned long)run->restart.polls);
        put_evidence(self, result, "verify_polls", self->polls);
    }
    if (self->options->dry_run)
        put_evidence(self, result, "dry_run", "1");
}

static void fill_texts(exec_t *self, const run_t *run, mm_result_t *result)
{
    const command_t *failed =
        run->why ? exec_commands_get(&self->commands, run->failed, run->restart.command) : NULL;
    const exec_said_t said = {
        .command = run->command,
        .look = run->has_look_words ? launcher_output(self->launcher, run->slot) : NULL,
        .looked = run->has_looked ? &run->looked : NULL,
        .unprepared = run->unprepared ? run->unprepared : "",
        .unwell = run->unwell,
        .program = failed ? command_path(failed) : "",
        .error = run->why,
        .pid = (int)run->left.pid,
        .lacking = run->lacking,
        .number = run->restart.command,
        .timeout_ms = self->commands.config.timeout_ms,
        .verify_ms = self->commands.config.verify_ms};
    exec_words_error(&said, result, self->error, sizeof self->error);
    if (run->unlocked)
        (void)snprintf(self->error, sizeof self->error, "%s", run->unlocked);
    result->error = mm_str(self->error);
    (void)snprintf(self->words, sizeof self->words, "%s", run->cooled);
    if (run->command)
        (void)output_tail_text(run->command, self->words, sizeof self->words);
    // Who only looks leaves what the command of another task has said.
    else if (*run->cooled == '\0' && (run->leg == MM_LEG_PROBE || run->restart.command > 0))
        exec_words_look(&said, result, self->words, sizeof self->words);
    // Of a hook that has failed this is what is on record.
    if (run->unpaid && result->real->owes)
        (void)snprintf(self->words, sizeof self->words, "after: %.*s", MM_WORDS_MAX - 7,
                       run->unpaid);
    else if (run->unprepared)
        (void)snprintf(self->words, sizeof self->words, "before: %.*s", MM_WORDS_MAX - 8,
                       run->unprepared);
    result->real->words = mm_str(self->words);
}

static void free_texts(run_t *run)
{
    free(run->texts);
    free(run->command);
    free(run->unprepared);
    free(run->unpaid);
    free(run->unsent);
    free(run->unlocked);
    run->texts = run->unprepared = run->unpaid = run->unlocked = NULL;
    run->unsent = NULL;
    run->command = NULL;
}

static bool exec_next_finished(driver_t *base, int64_t now_ms, mm_result_t *ret_result)
{
    (void)now_ms;
    exec_t *self = exec_of(base);
    if (!self->done.first)
        return false;
    run_t *run = exec_take_first(&self->done);
    self->real = (mm_real_t){.exit = MM_EXIT_NONE};
    *ret_result = (mm_result_t){.number = run->number,
                                .leg = run->leg,
                                .real = &self->real,
                                .took_ms = run->ended_ms - run->started_ms};
    if (run->unlocked) {
        ret_result->status = MM_STATUS_RETURNED;
        self->real = (mm_real_t){.pause_ms = HELD_PAUSE_MS, .is_held = true};
    } else if (run->lacking.size > 0) {
        ret_result->status = MM_STATUS_FAILED;
        self->real.end = MM_END_LACKING;
    } else if (self->options->dry_run) {
        self->real.end = MM_END_RESTARTED;
        self->real.proof = MM_PROOF_REHEARSED;
    } else {
        restart_fill(&run->restart, ret_result);
    }
    fill_texts(self, run, ret_result);
    fill_evidence(self, run, ret_result);
    if (ret_result->status == MM_STATUS_RETURNED && !run->is_held)
        ret_result->real = NULL;
    free_texts(run);
    run->next = self->free_runs;
    self->free_runs = run;
    return true;
}

// ---- starts

// On one line that a shell could run: what restarts the host, and behind it what is asked and done
// beside that, in its order.
static void print_dry_run(exec_t *self, const run_t *run)
{
    const exec_commands_t *commands = &self->commands;
    const struct {
        const char *name;
        command_t *command;
    } others[] = {{"skip-if", commands->skip_if}, {"identify", commands->identify},
                  {"before", commands->before},   {"health", commands->health},
                  {"verify", commands->verify},   {"after", commands->after}};
    for (uint32_t i = 0; i < commands->config.commands; i++) {
        char *line = command_quote(exec_fill(commands->restarts[i], run));
        (void)printf("%s%s", i > 0 ? " # or: " : "", line);
        free(line);
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        char *line = others[i].command ? command_quote(exec_fill(others[i].command, run)) : NULL;
        if (line)
            (void)printf(" # %s: %s", others[i].name, line);
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
    run->number = task->number;
    run->leg = task->leg;
    run->attempt = task->attempt;
    run->id = task->id;
    run->host = mm_str_copy(&end, task->host);
    run->attributes = mm_str_copy(&end, task->attributes);
    if (!task->real)
        return;
    run->machine = task->real->machine;
    run->boot = task->real->boot;
}

static run_t *take_free(exec_t *self)
{
    run_t *run = self->free_runs;
    if (run) {
        self->free_runs = run->next;
        return run;
    }
    assert(self->used < self->options->slots);
    run = &self->runs[self->used];
    run->slot = self->used++;
    return run;
}

static void exec_start(driver_t *base, const mm_task_t *task, int64_t now_ms)
{
    exec_t *self = exec_of(base);
    assert(!self->stopped && !self->drained);
    assert(mm_leg_is_restarters(task->leg) && task->host.size <= MM_HOST_MAX);
    run_t *run = take_free(self);
    *run = (run_t){.slot = run->slot, .started_ms = now_ms};
    keep_task(run, task);
    restart_begin(&run->restart, &self->commands.config, task, self->seed ^ task->number, now_ms);
    run->lacking = exec_commands_lack(&self->commands, run->attributes);
    if (run->lacking.size > 0) {
        exec_finish(self, run, now_ms);
    } else if (self->options->dry_run) {
        print_dry_run(self, run);
        exec_finish(self, run, now_ms);
    } else if (!exec_lock(self, run, task)) {
        exec_finish(self, run, now_ms);
    } else {
        exec_advance(self, run, now_ms);
    }
}

// ---- the end

static void exec_drain(driver_t *base, int64_t now_ms)
{
    exec_t *self = exec_of(base);
    if (self->drained)
        return;
    self->drained = true;
    exec_drop_waiting(self, now_ms);
    for (uint32_t i = 0; i < self->used; i++) {
        run_t *run = &self->runs[i];
        if (run->is_done)
            continue;
        restart_drain(&run->restart, now_ms);
        if (run->restart.phase == RESTART_PHASE_DONE)
            exec_finish(self, run, now_ms);
        else if (run->process == PROCESS_NONE)
            exec_advance(self, run, now_ms); // --after may be what is next
    }
}

static void stop_run(exec_t *self, run_t *run, int64_t now_ms)
{
    restart_stop(&run->restart, now_ms);
    if (run->restart.phase == RESTART_PHASE_DONE)
        exec_finish(self, run, now_ms);
    else
        exec_cut_off(self, run, now_ms);
}

static void exec_stop(driver_t *base, int64_t now_ms)
{
    exec_t *self = exec_of(base);
    if (self->stopped)
        return;
    self->stopped = self->drained = true;
    exec_drop_waiting(self, now_ms);
    for (uint32_t i = 0; i < self->used; i++)
        if (!self->runs[i].is_done)
            stop_run(self, &self->runs[i], now_ms);
}

static void exec_destroy(driver_t *base)
{
    exec_t *self = exec_of(base);
    launcher_destroy(&self->launcher);
    for (uint32_t i = 0; i < self->used; i++) {
        host_lock_release(&self->runs[i].lock);
        free_texts(&self->runs[i]);
    }
    host_locks_close(&self->locks);
    mm_heap_clear(&self->due);
    exec_commands_close(&self->commands);
    free(self->runs);
    free(self);
}

// ssh must not ask: not on a terminal, which commands do not have, and not by a window.
static void forbid_questions(void)
{
    (void)setenv("SSH_ASKPASS_REQUIRE", "never", 1);
    (void)unsetenv("DISPLAY");
    (void)unsetenv("WAYLAND_DISPLAY");
}

// Without it nothing is kept, as each command says.
static void make_output_folder(const mm_options_t *options)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/output", options->dir);
    if (options->keep_output)
        (void)mkdir(path, S_IRWXU);
}

static bool exec_open(driver_t *base, char *complaint)
{
    exec_t *self = exec_of(base);
    forbid_questions();
    make_output_folder(self->options);
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

// What the command, or a hook, has written so far; when it has ended, of a host that answers what
// its health said, and else the command's words, or those of the look that got no answer.
static void put_words(const exec_t *self, const run_t *run, char *ret_words, size_t size)
{
    restart_phase_t phase = run->restart.phase;
    bool is_look = phase != RESTART_PHASE_COMMAND && phase != RESTART_PHASE_BEFORE &&
                   phase != RESTART_PHASE_AFTER;
    const output_tail_t *words = NULL;
    if (run->process == PROCESS_RUNS && !is_look)
        words = launcher_output(self->launcher, run->slot);
    else if (*run->unwell)
        (void)snprintf(ret_words, size, "%s", run->unwell);
    else if (run->command)
        words = run->command;
    else if (run->has_look_words && !run->restart.has_seen)
        words = launcher_output(self->launcher, run->slot);
    if (words)
        (void)output_tail_text(words, ret_words, size);
}

static bool exec_look(const driver_t *base, size_t *cursor, driver_view_t *ret_view)
{
    const exec_t *self = (const exec_t *)(const void *)base;
    while (*cursor < self->used) {
        const run_t *run = &self->runs[(*cursor)++];
        if (!run->texts || run->is_done)
            continue;
        *ret_view = (driver_view_t){.number = run->number,
                                    .doing = restart_doing(&run->restart),
                                    .command = run->restart.command,
                                    .since_ms = restart_since_ms(&run->restart, run->started_ms)};
        put_words(self, run, ret_view->words, sizeof ret_view->words);
        return true;
    }
    return false;
}

static const driver_ops_t exec_ops = {
    .open = exec_open,
    .destroy = exec_destroy,
    .start = exec_start,
    .step = exec_step,
    .next_finished = exec_next_finished,
    .deadline = exec_deadline,
    .descriptor = exec_descriptor,
    .drain = exec_drain,
    .stop = exec_stop,
    .is_lost = exec_is_lost,
    .look = exec_look,
};

static bool open_commands(exec_t *self, char *complaint)
{
    if (!exec_commands_open(&self->commands, self->options, complaint))
        return false;
    driver_t *base = &self->base;
    if (!exec_commands_keys(&self->commands, &base->attributes)) {
        (void)snprintf(complaint, MM_ERROR_MAX,
                       "the commands name more than %d attributes of a host; name fewer",
                       MM_ATTRIBUTES_MAX);
        return false;
    }
    for (size_t i = 0; i < base->attributes.count; i++)
        base->named_by[i] = exec_commands_naming(&self->commands, base->attributes.keys[i]);
    return true;
}

// A rehearsal has none, and --check makes none.
static bool open_locks(exec_t *self, char complaint[MM_ERROR_MAX])
{
    const mm_options_t *options = self->options;
    if (options->dry_run)
        return true;
    if (options->check)
        return host_locks_check(options, complaint);
    self->locks = host_locks_open(options, complaint);
    return self->locks != NULL;
}

static driver_t *exec_new(const mm_options_t *options, char ret_complaint[MM_ERROR_MAX])
{
    exec_t *self = calloc(1, sizeof *self);
    assert(self);
    self->base.ops = &exec_ops;
    self->options = options;
    self->seed = mm_service_seed(options);
    self->done.last = &self->done.first;
    self->waiting.last = &self->waiting.first;
    self->runs = calloc((size_t)options->slots, sizeof *self->runs);
    assert(self->runs);
    self->cooldown_ms = options->again ? 0 : options->cooldown_ms;
    if (!open_locks(self, ret_complaint) || !open_commands(self, ret_complaint)) {
        exec_destroy(&self->base);
        return NULL;
    }
    self->base.name = self->commands.name;
    self->base.proof = options->allow_unreachable ? "proven by boot id, unreachable ones by uptime"
                       : self->commands.identify  ? "proven by boot id"
                       : self->commands.verify    ? "verified by a command"
                                                  : "proven by nothing but an exit code";
    // A rehearsal asks no host either.
    const exec_commands_t *commands = &self->commands;
    self->base.verbs = MM_VERB_REAL;
    if (!options->dry_run)
        self->base.verbs |= (commands->identify ? MM_VERB_IDENTIFY : 0U) |
                            (commands->skip_if || self->cooldown_ms > 0 ? MM_VERB_SKIP : 0U) |
                            (commands->after ? MM_VERB_HOOKS : 0U);
    return &self->base;
}

static const char *exec_name(const mm_options_t *options)
{
    return *options->exec ? options->exec : NULL;
}

const driver_kind_t driver_exec_kind = {
    .name = exec_name, .describe = exec_commands_describe, .new = exec_new, .one_by_one = true};
