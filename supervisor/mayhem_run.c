// See mayhem_run.h.

#include "mayhem_run.h"
#include "array.h"
#include "caller.h"
#include "child_process.h"
#include "clock.h"
#include "control.h"
#include "deposed.h"
#include "folder_watch.h"
#include "inherited.h"
#include "kept_stream.h"
#include "orphans.h"
#include "run_breaker.h"
#include "run_check.h"
#include "run_command.h"
#include "run_debts.h"
#include "run_files.h"
#include "run_folder.h"
#include "run_leash.h"
#include "run_messages.h"
#include "run_report.h"
#include "run_settings.h"
#include "run_starts.h"
#include "run_store.h"
#include "run_take_over.h"
#include "supervisor.h"
#include "supervisor_trace.h"
#include "user_screen.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>
#include <zmq.h>

#define KILL_MS 2000 // beyond the drain timeout
#define LOOK_MS 1000 // until the consumer has its sockets again
#define PLACES  (3 + SUPERVISOR_NUMBER_MAX)

typedef struct run run_t;

// A place in the pipeline, and the process that has it.
typedef struct {
    run_t *run;
    supervisor_child_t name;
    child_process_t process; // pid 0: there is none
} place_t;

struct run {
    int argc; // as it was called
    char **argv;
    run_settings_t settings;
    run_folder_t folder;
    user_screen_t *screen;
    run_messages_t messages;
    mm_loop_t *loop;
    supervisor_t *core;
    supervisor_actions_t actions;
    supervisor_action_t end; // its SUPERVISOR_EXIT
    kept_stream_t *stream;
    control_t *control;
    folder_watch_t *watch;
    place_t places[PLACES];
    int out;            // where the programs and this one print what is not the summary
    int nothing;        // /dev/null
    orphans_t *orphans; // as process 1; else NULL
    int signal;         // the first one
    int64_t stop_ms;    // when all were told to leave; after the end: how long that took
    int64_t look_ms;    // when to look for the consumer's sockets
    bool is_input_open; // at the end
    bool is_stopping;
    bool is_stepping;
    bool has_ended;
    supervisor_event_t *events; // that wait
    size_t event_count, event_capacity;
};

static place_t *place_of(run_t *self, supervisor_child_t name)
{
    size_t index = name.role == SUPERVISOR_RESTARTER ? 2 + name.number : (size_t)name.role;
    self->places[index].run = self;
    self->places[index].name = name;
    return &self->places[index];
}

// ---- processes

static void step(run_t *self, supervisor_event_t *event);

static bool is_own(void *arg, pid_t pid)
{
    const run_t *self = arg;
    for (size_t i = 0; i < PLACES; i++)
        if (self->places[i].process.pid == pid)
            return true;
    return false;
}

static void on_end(void *arg)
{
    place_t *place = arg;
    run_t *self = place->run;
    char name[SUPERVISOR_NAME_MAX];
    mm_loop_remove_descriptor(self->loop, place->process.descriptor);
    child_end_t end = child_process_end(&place->process);
    if (end.code > 128) // as a shell, or a program at its second signal, tells of a signal
        end.signal = end.code - 128;
    run_folder_remove_pid(&self->folder, supervisor_name(place->name, name));
    orphans_reap(self->orphans);
    bool is_deposed = place->name.role == SUPERVISOR_CONSUMER && end.signal == 0 &&
                      end.code == EX_TEMPFAIL && mm_deposed_remove(self->settings.dir);
    step(self, &(supervisor_event_t){
                   .kind = SUPERVISOR_ENDED,
                   .child = place->name,
                   .as.ended = {.code = end.code, .signal = end.signal, .is_deposed = is_deposed}});
}

// The command line of a process.
static void put_words(const run_t *self, mm_program_t program, const char *name, const char *log,
                      arguments_t *ret_words)
{
    char file[32];
    (void)snprintf(file, sizeof file, "mayhem-%s", mm_program_name(program));
    char *path = child_process_sibling(file);
    if (self->settings.has_lines) {
        // Instructions are dumped one by one: only then have inlined functions hits of their own.
        static const char *const under[] = {"valgrind", "-q", "--tool=callgrind",
                                            "--dump-instr=yes", "--collect-jumps=yes"};
        for (size_t i = 0; i < sizeof under / sizeof *under; i++)
            arguments_add(ret_words, "%s", under[i]);
        arguments_add(ret_words, "--callgrind-out-file=%s/profile/lines/%s.%%p.out",
                      self->settings.dir, name);
    }
    arguments_add(ret_words, "%s", path);
    arguments_add_all(ret_words, &self->settings.arguments[program]);
    arguments_add(ret_words, "--id=%s", name);
    arguments_add(ret_words, "--log-file=%s", log);
    free(path);
}

// Only a missing program, or one that is no program, stays so.
static bool is_final(int error)
{
    return error == ENOENT || error == EACCES || error == ENOEXEC || error == ENOTDIR;
}

static void spawn(run_t *self, supervisor_child_t child)
{
    static const mm_program_t programs[] = {MM_PROGRAM_CONSUMER, MM_PROGRAM_SAVER,
                                            MM_PROGRAM_PUBLISHER, MM_PROGRAM_RESTARTER};
    char name[SUPERVISOR_NAME_MAX], log[RUN_PATH_MAX];
    arguments_t words = {0};
    place_t *place = place_of(self, child);
    supervisor_name(child, name);
    (void)snprintf(log, sizeof log, "%s/log/%s.log", self->settings.dir, name);
    if (self->settings.is_demo && !self->settings.options.quiet)
        user_screen_follow(self->screen, log);
    put_words(self, programs[child.role], name, log, &words);
    bool has_stream = child.role == SUPERVISOR_PUBLISHER && self->stream;
    int input = has_stream ? kept_stream_open(self->stream) : self->nothing;
    int error = input < 0 ? errno
                          : child_process_start(words.items, input, self->out, STDERR_FILENO,
                                                &place->process);
    if (has_stream && input >= 0)
        close(input);
    arguments_clear(&words);
    if (error != 0) {
        step(self, &(supervisor_event_t){.kind = SUPERVISOR_UNBORN,
                                         .child = child,
                                         .as.unborn = {error, is_final(error)}});
        return;
    }
    mm_loop_add_descriptor(self->loop, "process", place->process.descriptor, ZMQ_POLLIN, on_end,
                           place);
    run_folder_set_pid(&self->folder, name, place->process.pid);
    run_messages_say(&self->messages, "%-14s pid %d", name, (int)place->process.pid);
}

static void apply(run_t *self, const supervisor_action_t *action)
{
    switch (action->kind) {
    case SUPERVISOR_SPAWN: spawn(self, action->child); break;
    case SUPERVISOR_TERM:
        if (action->child.role != SUPERVISOR_RESTARTER && !self->is_stopping) {
            self->is_stopping = true;
            self->stop_ms = mm_clock_ms();
        }
        child_process_signal(&place_of(self, action->child)->process, SIGTERM);
        break;
    case SUPERVISOR_KILL:
        child_process_signal(&place_of(self, action->child)->process, SIGKILL);
        break;
    case SUPERVISOR_SAY: run_messages_tell(&self->messages, action); break;
    case SUPERVISOR_SCALED: break; // the answer says what there is
    case SUPERVISOR_EXIT:
        self->end = *action;
        self->has_ended = true;
        mm_loop_stop(self->loop);
        break;
    }
}

// A spawn that fails is an event of its own: it comes when all actions of this one are done.
static void step(run_t *self, supervisor_event_t *event)
{
    *MM_ARRAY_ADD(self->events, self->event_count, self->event_capacity) = *event;
    if (self->is_stepping)
        return;
    self->is_stepping = true;
    for (size_t next = 0; next < self->event_count && !self->has_ended; next++) {
        supervisor_event_t current = self->events[next];
        current.now_ms = mm_clock_ms();
        supervisor_step(self->core, &current, &self->actions);
        for (size_t i = 0; i < self->actions.count; i++)
            apply(self, &self->actions.items[i]);
    }
    self->event_count = 0;
    self->is_stepping = false;
}

static void on_signal(void *arg, int number)
{
    run_t *self = arg;
    if (number == SIGUSR1)
        return;
    if (self->signal == 0)
        self->signal = number;
    step(self, &(supervisor_event_t){.kind = SUPERVISOR_SIGNALED, .as.signal = number});
}

// ---- requests

// "scale N": the answer lists the restarters.
static int on_request(void *arg, const char *request, char ret_lines[CONTROL_ANSWER_MAX])
{
    run_t *self = arg;
    unsigned wanted;
    char rest;
    if (sscanf(request, "scale %u%c", &wanted, &rest) != 1 || wanted > SUPERVISOR_RESTARTERS_MAX) {
        (void)snprintf(ret_lines, CONTROL_ANSWER_MAX, "it does not know '%s'\n", request);
        return EX_USAGE;
    }
    if (self->is_stopping) {
        (void)snprintf(ret_lines, CONTROL_ANSWER_MAX, "it is stopping\n");
        return EX_UNAVAILABLE;
    }
    step(self, &(supervisor_event_t){.kind = SUPERVISOR_SCALE, .as.restarters = wanted});
    size_t used = (size_t)snprintf(ret_lines, CONTROL_ANSWER_MAX, "restarters: %u\n", wanted);
    unsigned count = 0;
    bool is_running;
    for (uint32_t number = 0; (number = supervisor_next_restarter(self->core, number, &is_running));
         count++) {
        char name[SUPERVISOR_NAME_MAX], pid[16] = "(restarting)";
        supervisor_child_t child = {SUPERVISOR_RESTARTER, number};
        if (is_running)
            (void)snprintf(pid, sizeof pid, "%d", (int)place_of(self, child)->process.pid);
        used += (size_t)snprintf(ret_lines + used, CONTROL_ANSWER_MAX - used, "%-14s pid %s\n",
                                 supervisor_name(child, name), pid);
    }
    if (count == wanted)
        return 0;
    (void)snprintf(ret_lines, CONTROL_ANSWER_MAX,
                   "there are %u restarters: too many others are still leaving; ask again\n",
                   count);
    return EX_TEMPFAIL;
}

// ---- files that somebody takes away

// The consumer removes its sockets itself, and makes them anew at a restart: they are looked for
// when that would be done.
static void look_for_sockets(run_t *self)
{
    char path[RUN_PATH_MAX];
    self->look_ms = MM_NEVER;
    (void)snprintf(path, sizeof path, "%s/consumer.inbox", self->settings.dir);
    if (self->is_stopping || self->places[SUPERVISOR_CONSUMER].process.pid == 0 ||
        access(path, F_OK) == 0)
        return;
    run_messages_warn(
        &self->messages,
        "somebody has removed %s: no worker can join and nothing can be looked at; stop it, and "
        "the same command goes on",
        path);
}

static bool make_control(run_t *self)
{
    control_destroy(&self->control);
    self->control = control_new(self->loop, self->settings.dir, on_request, self);
    return self->control != NULL;
}

// What was done about a file of the folder that has gone, or is to be done; NULL: it is none that
// counts.
static const char *restore(run_t *self, const char *file)
{
    char name[SUPERVISOR_NAME_MAX], pid_file[SUPERVISOR_NAME_MAX + 8];
    if (strcmp(file, "run.pid") == 0) {
        run_folder_set_pid(&self->folder, "run", getpid());
        return "it was written again";
    }
    if (strcmp(file, "control") == 0)
        return make_control(self) ? "it was made again" : "`scale` cannot reach this run";
    if (strcmp(file, "run.lock") == 0)
        return "do not start another run in this folder";
    if (strcmp(file, "mayhem.db") == 0 || strcmp(file, "outbox.db") == 0)
        return "what is on record from now on is lost with this run: stop it";
    for (size_t i = 0; i < PLACES; i++) {
        const place_t *place = &self->places[i];
        (void)snprintf(pid_file, sizeof pid_file, "%s.pid", supervisor_name(place->name, name));
        if (place->process.pid != 0 && strcmp(file, pid_file) == 0) {
            run_folder_set_pid(&self->folder, name, place->process.pid);
            return "it was written again";
        }
    }
    return NULL;
}

static void on_removed(void *arg, const char *file)
{
    run_t *self = arg;
    const char *dir = self->settings.dir;
    char path[RUN_PATH_MAX];
    if (!file) {
        run_messages_warn(
            &self->messages,
            "somebody has removed or renamed the folder %s: stop it, and bring it back", dir);
        return;
    }
    (void)snprintf(path, sizeof path, "%s/%s", dir, file);
    if (self->is_stopping || access(path, F_OK) == 0)
        return;
    if (strncmp(file, "consumer.", 9) == 0 && strcmp(file, "consumer.pid") != 0)
        self->look_ms = mm_clock_ms() + LOOK_MS;
    const char *what = restore(self, file);
    if (what)
        run_messages_warn(&self->messages, "somebody has removed %s: %s", path, what);
}

static int64_t turn(void *arg)
{
    run_t *self = arg;
    int64_t now_ms = mm_clock_ms();
    if (!self->has_ended && now_ms >= supervisor_deadline(self->core))
        step(self, &(supervisor_event_t){.kind = SUPERVISOR_TIME});
    if (now_ms >= self->look_ms)
        look_for_sockets(self);
    return self->has_ended ? MM_NEVER : mm_earlier(self->look_ms, supervisor_deadline(self->core));
}

// ---- start and end

static int open_stream(run_t *self)
{
    char path[RUN_PATH_MAX];
    if (self->settings.stream < 0)
        return 0;
    (void)snprintf(path, sizeof path, "%s/stdin", self->settings.dir);
    self->stream = kept_stream_new(self->loop, self->settings.stream, path);
    self->settings.stream = -1; // it is the stream's now
    return self->stream ? 0
                        : caller_fail(EX_CANTCREAT, "cannot write %s: %s", path, strerror(errno));
}

static int open_all(run_t *self)
{
    const run_settings_t *settings = &self->settings;
    const mm_options_t *options = &settings->options;
    int exit_code = run_files_prepare(settings);
    if (exit_code == 0)
        exit_code = run_command_write(settings->dir, self->argc, self->argv);
    if (exit_code != 0)
        return exit_code;
    supervisor_config_t config = {.restarters = (uint32_t)options->restarters,
                                  .drain_ms = settings->drain_ms,
                                  .kill_ms = KILL_MS,
                                  .crash_limit = (uint32_t)options->crash_limit,
                                  .backoff_low_ms = options->restart_pause.low_ms,
                                  .backoff_high_ms = options->restart_pause.high_ms,
                                  .run_ms = settings->run_ms};
    // Only now: until here a signal ends it at once, and nothing was started.
    mm_loop_block_signals();
    self->loop = mm_loop_new(turn, self);
    self->core = supervisor_new(&config, mm_clock_ms());
    mm_loop_on_every_signal(self->loop, on_signal, self);
    if (getpid() == 1)
        self->orphans = orphans_new(self->loop, is_own, self);
    exit_code = open_stream(self);
    if (exit_code != 0)
        return exit_code;
    if (!make_control(self))
        return caller_fail(EX_CANTCREAT,
                           "cannot make the socket %s/control: %s; choose a folder that can have "
                           "sockets with --dir",
                           settings->dir, strerror(errno));
    self->watch = folder_watch_new(self->loop, settings->dir, on_removed, self);
    return 0;
}

// Those that were killed at once have not been waited for.
static void reap(run_t *self)
{
    char name[SUPERVISOR_NAME_MAX];
    for (size_t i = 0; i < PLACES; i++) {
        place_t *place = &self->places[i];
        if (place->process.pid == 0)
            continue;
        mm_loop_remove_descriptor(self->loop, place->process.descriptor);
        (void)child_process_end(&place->process);
        run_folder_remove_pid(&self->folder, supervisor_name(place->name, name));
    }
}

static int supervise(run_t *self)
{
    char parent[32];
    // When this process is killed, the others drain.
    (void)snprintf(parent, sizeof parent, "%d", (int)getpid());
    (void)setenv("MAYHEM_PARENT", parent, 1);
    (void)setenv("MAYHEM_CALLED", caller_program(), 1);
    step(self, &(supervisor_event_t){.kind = SUPERVISOR_START});
    mm_loop_run(self->loop);
    (void)unsetenv("MAYHEM_PARENT"); // the report does not drain
    (void)unsetenv("MAYHEM_CALLED");
    int64_t now_ms = mm_clock_ms();
    reap(self);
    int error = self->stream ? kept_stream_error(self->stream) : 0;
    self->is_input_open = self->stream && !kept_stream_has_ended(self->stream);
    if (error != 0)
        run_messages_warn(&self->messages,
                          "the input could not be kept in %s/stdin: %s; the last hosts are missing",
                          self->settings.dir, strerror(error));
    self->stop_ms = self->stop_ms > 0 ? now_ms - self->stop_ms : 0;
    return error != 0 ? EX_IOERR : self->end.as.exit.code;
}

static void close_all(run_t *self)
{
    folder_watch_destroy(&self->watch);
    control_destroy(&self->control);
    kept_stream_destroy(&self->stream);
    orphans_destroy(&self->orphans);
    mm_loop_destroy(&self->loop);
    supervisor_destroy(&self->core);
    supervisor_actions_clear(&self->actions);
    free(self->events);
    user_screen_destroy(&self->screen);
}

static void say_first_line(run_t *self)
{
    char starts[RUN_STARTS_MAX];
    const char *headline = self->settings.headline;
    (void)run_starts_words(&self->settings, starts);
    if (self->settings.is_leashed)
        run_messages_say(&self->messages, "%s", RUN_LEASH_FIRST);
    if (headline || *starts)
        run_messages_say(&self->messages, "%s%s%s", headline ? headline : "",
                         headline && *starts ? ", " : "", starts);
}

// What an earlier run has left on record may let nothing begin: an exit code, and the summary says
// so.
static int see_record(run_t *self)
{
    run_breaker_t breaker = run_breaker_read(&self->settings);
    int exit_code = run_breaker_stops(&breaker, &self->settings)
                        ? run_report_stopped(&self->settings, &breaker)
                        : run_breaker_pass(&breaker, &self->settings);
    if (exit_code == 0)
        exit_code = run_take_over_record(&self->settings);
    run_breaker_clear(&breaker);
    return exit_code;
}

static int run(run_t *self)
{
    const run_settings_t *settings = &self->settings;
    int exit_code = access(settings->dir, F_OK) == 0 ? 0 : run_files_check_list(settings);
    if (exit_code == 0)
        exit_code = run_folder_take(&self->folder, settings->dir, settings->drain_ms + KILL_MS);
    if (exit_code == 0)
        exit_code = run_store_keep(settings);
    if (exit_code == 0)
        exit_code = see_record(self);
    if (exit_code == 0)
        run_debts_pay(settings, self->nothing, settings->options.quiet ? self->nothing : self->out);
    if (exit_code == 0)
        exit_code = open_all(self);
    bool has_begun = exit_code == 0;
    if (has_begun) {
        run_starts_begin(&self->settings);
        say_first_line(self);
        exit_code = supervise(self);
    }
    close_all(self);
    if (has_begun && exit_code == RUN_AT_ONCE && !*self->messages.unclean)
        (void)snprintf(self->messages.unclean, RUN_UNCLEAN_MAX, "all were killed");
    if (has_begun) {
        run_report_t report = {.end = &self->end,
                               .exit_code = exit_code,
                               .signal = self->signal,
                               .unclean = self->messages.unclean,
                               .stop_ms = self->stop_ms,
                               .is_input_open = self->is_input_open,
                               .shown = self->out};
        exit_code = run_report_print(settings, &report);
        char line[RUN_UNCLEAN_MAX + 64];
        (void)snprintf(line, sizeof line, "ended with %d, clean shutdown: %s%s", exit_code,
                       *self->messages.unclean ? "no; " : "yes", self->messages.unclean);
        run_folder_record(&self->folder, line);
    }
    run_folder_release(&self->folder);
    return exit_code;
}

int mayhem_run(int argc, char **argv)
{
    run_t *self = calloc(1, sizeof *self);
    int exit_code;
    assert(self);
    caller_start(argc, argv);
    mm_inherited_repair();
    self->argc = argc;
    self->argv = argv;
    self->look_ms = MM_NEVER;
    self->folder = (run_folder_t){.lock = -1, .record = -1};
    bool is_good = run_settings_read(argc, argv, &self->settings, &exit_code);
    if (is_good && self->settings.options.check) {
        exit_code = run_check_print(&self->settings);
    } else if (is_good && (exit_code = run_check_begin(&self->settings)) == 0) {
        self->out = self->settings.options.json ? STDERR_FILENO : STDOUT_FILENO;
        self->nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
        self->screen = user_screen_new(self->out, STDERR_FILENO);
        bool has_bar = mm_inherited_may_draw() && !self->settings.is_demo;
        self->messages = (run_messages_t){.settings = &self->settings,
                                          .folder = &self->folder,
                                          .screen = self->screen,
                                          .clear = has_bar ? "\r\033[K" : ""};
        exit_code = run(self);
        if (self->nothing >= 0)
            close(self->nothing);
    }
    run_settings_clear(&self->settings);
    free(self);
    return exit_code;
}
