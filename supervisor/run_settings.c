// See run_settings.h.

#include "run_settings.h"
#include "array.h"
#include "caller.h"
#include "duration.h"
#include "run_driver.h"
#include "run_leash.h"
#include "run_policy.h"
#include "run_starts.h"
#include "run_store.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define CONFIG_MAX (1 << 20) // bytes of the file of --config

void arguments_add(arguments_t *self, const char *format, ...)
{
    va_list values;
    char *text;
    va_start(values, format);
    int size = vasprintf(&text, format, values);
    va_end(values);
    assert(size >= 0);
    *MM_ARRAY_ADD(self->items, self->count, self->capacity) = text;
    *MM_ARRAY_ADD(self->items, self->count, self->capacity) = NULL;
    self->count--; // the NULL stays behind the last one
}

void arguments_add_all(arguments_t *self, const arguments_t *others)
{
    for (size_t i = 0; i < others->count; i++)
        arguments_add(self, "%s", others->items[i]);
}

void arguments_clear(arguments_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->items[i]);
    free(self->items);
    *self = (arguments_t){0};
}

static bool is_standard_input(const char *path)
{
    return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0;
}

// ---- the file of --config

// Copies what a descriptor has to `copy`. Returns 0, or an errno.
static int copy_all(int descriptor, int copy)
{
    char bytes[65536];
    size_t total = 0;
    for (ssize_t size; (size = read(descriptor, bytes, sizeof bytes)) != 0;) {
        if (size < 0 && errno == EINTR)
            continue;
        total += size > 0 ? (size_t)size : 0;
        if (size < 0 || total > CONFIG_MAX || write(copy, bytes, (size_t)size) != size)
            return size < 0 ? errno : EFBIG;
    }
    return 0;
}

// Reads the file once, whatever it is, and has the options read the copy. What cannot be read is
// left for the options to refuse. Returns 0, or an exit code.
static int keep_config(run_settings_t *self, const char *path, arguments_t *ret_words)
{
    int file = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    int copy = memfd_create("config", MFD_CLOEXEC);
    int error = file < 0 || copy < 0 ? errno : copy_all(file, copy);
    struct stat status;
    self->config_is_standard = is_standard_input(path);
    self->has_streams = self->has_streams || self->config_is_standard ||
                        (file >= 0 && fstat(file, &status) == 0 && !S_ISREG(status.st_mode));
    if (file >= 0)
        close(file);
    // By this process's number, since the restarter reads it, too.
    if (error == 0)
        arguments_add(ret_words, "--config=/proc/%d/fd/%d", (int)getpid(), copy);
    else
        arguments_add(ret_words, "--config=%s", path);
    arguments_add(ret_words, "--config-name=%s", path);
    if (error != 0 && copy >= 0)
        close(copy);
    if (error == EFBIG)
        return caller_fail(EX_CONFIG, "--config=%s: cannot read it: %s", path, strerror(error));
    if (self->config >= 0)
        close(self->config); // the last one counts
    self->config = error == 0 ? copy : -1;
    return 0;
}

// The words as mm_options_parse takes them: "--profile lines" is one option, and the file of
// --config was read. Returns 0, or an exit code.
static int take_words(run_settings_t *self, int argc, char **argv, arguments_t *ret_words)
{
    int exit_code = 0;
    for (int i = 0; i < argc && exit_code == 0; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--profile") == 0 &&
            (strcmp(next, "lines") == 0 || strncmp(next, "lines:", 6) == 0))
            arguments_add(ret_words, "--profile=%s", argv[++i]);
        else if (strncmp(argv[i], "--config=", 9) == 0)
            exit_code = keep_config(self, argv[i] + 9, ret_words);
        else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc)
            exit_code = keep_config(self, argv[++i], ret_words);
        else
            arguments_add(ret_words, "%s", argv[i]);
    }
    return exit_code;
}

// ---- the programs' options

// The options of a program with these arguments. False: end with *ret_exit_code.
static bool parse_program(const run_settings_t *self, mm_program_t program,
                          mm_options_t *ret_options, int *ret_exit_code)
{
    const arguments_t *arguments = &self->arguments[program];
    char **argv = calloc(arguments->count + 2, sizeof *argv);
    assert(argv);
    argv[0] = (char *)(uintptr_t)mm_program_name(program);
    for (size_t i = 0; i < arguments->count; i++)
        argv[i + 1] = arguments->items[i];
    bool is_good =
        mm_options_parse(program, (int)arguments->count + 1, argv, ret_options, ret_exit_code);
    free(argv);
    return is_good;
}

static void forward(run_settings_t *self)
{
    for (mm_program_t program = 0; program < MM_PROGRAMS; program++) {
        size_t place = 0;
        for (const char *flag; (flag = mm_options_flag_for(&self->options, program, &place));)
            if (strncmp(flag, "--dir=", 6) != 0)
                arguments_add(&self->arguments[program], "%s", flag);
        arguments_add(&self->arguments[program], "--dir=%s", self->dir);
    }
}

void run_settings_default(run_settings_t *self, const mm_options_t *options, const char *name,
                          const char *value)
{
    if (mm_options_is_default(options, name))
        arguments_add(&self->arguments[options->program], "--%s=%s", name, value);
}

static void set_demo(run_settings_t *self, const mm_options_t programs[MM_PROGRAMS])
{
    run_settings_default(self, &programs[MM_PROGRAM_RESTARTER], "mock-time", "0s..1s");
    run_settings_default(self, &programs[MM_PROGRAM_RESTARTER], "mock-fail", "25%");
    run_settings_default(self, &programs[MM_PROGRAM_SAVER], "inject-time", "0s..1s");
    run_settings_default(self, &programs[MM_PROGRAM_SAVER], "inject-fail", "25%");
}

// ---- --profile

// By line, a process runs under valgrind's callgrind, which counts instructions and makes it some
// forty times slower: it gets more time before others presume it lost, unless the user has set
// that. Valgrind keeps to the soft limit of descriptors, which is 1024 after most logins.
static void prepare_lines(run_settings_t *self, const mm_options_t programs[MM_PROGRAMS])
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 4096) {
        limit.rlim_cur = limit.rlim_max < 4096 ? limit.rlim_max : 4096;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    for (mm_program_t program = 0; program < MM_PROGRAMS; program++) {
        run_settings_default(self, &programs[program], "lost-after", "1m");
        run_settings_default(self, &programs[program], "slow-callback", "0s");
    }
    run_settings_default(self, &programs[MM_PROGRAM_PUBLISHER], "ack-deadline", "1m");
    run_settings_default(self, &programs[MM_PROGRAM_CONSUMER], "ack-deadline", "1m");
}

// "no", "yes", TIME, "lines" or "lines:TIME"; a number alone is seconds.
static int prepare_profile(run_settings_t *self, const mm_options_t programs[MM_PROGRAMS])
{
    const char *text = self->options.profile;
    char seconds[32];
    if (strcmp(text, "no") == 0)
        return 0;
    self->has_profile = true;
    self->has_lines = strncmp(text, "lines", 5) == 0 && (text[5] == '\0' || text[5] == ':');
    if (self->has_lines)
        prepare_lines(self, programs);
    else
        for (mm_program_t program = 0; program < MM_PROGRAMS; program++)
            arguments_add(&self->arguments[program], "--save-profile=%s/profile", self->dir);
    const char *time = self->has_lines ? text + strcspn(text, ":") : text;
    time += *time == ':';
    if (*time == '\0' || strcmp(time, "yes") == 0)
        return 0;
    if (strspn(time, "0123456789") == strlen(time)) {
        (void)snprintf(seconds, sizeof seconds, "%ss", time);
        time = seconds;
    }
    if (!mm_duration_parse(mm_str(time), &self->run_ms) && self->run_ms > 0)
        return 0;
    return caller_fail(EX_USAGE,
                       "--profile=%s: say a time, as in --profile=5s or --profile=lines:5s", text);
}

// ---- the input

// A stream is read here and kept: everything but a file, a folder, and what is not there, which the
// publisher refuses. Names below /dev and /proc mean the descriptors of this process.
// Returns 0, or a sysexits code after a complaint.
static int open_stream(run_settings_t *self, const char *input)
{
    struct stat status;
    bool is_standard = is_standard_input(input);
    if (*input == '\0')
        return 0;
    if (is_standard && self->config_is_standard)
        return caller_fail(EX_USAGE, "standard input is the configuration or the hosts, not both");
    if ((is_standard ? fstat(STDIN_FILENO, &status) : stat(input, &status)) != 0)
        return 0;
    if (is_standard && S_ISDIR(status.st_mode))
        return caller_fail(EX_DATAERR, "standard input is a folder; give it a list of hosts");
    if (S_ISDIR(status.st_mode))
        return 0;
    bool is_own = strncmp(input, "/dev/", 5) == 0 || strncmp(input, "/proc/", 6) == 0;
    if (!is_standard && S_ISREG(status.st_mode) && !is_own)
        return 0;
    self->has_streams = true;
    // A FIFO without a writer must not hold the start up.
    self->stream = is_standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                               : open(input, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (self->stream >= 0)
        arguments_add(&self->arguments[MM_PROGRAM_PUBLISHER], "--input=-");
    if (self->stream >= 0 && !is_standard)
        arguments_add(&self->arguments[MM_PROGRAM_PUBLISHER], "--input-name=%s", input);
    return 0;
}

// ---- all together

// An empty command would be a mock, which records a fleet as restarted.
static int refuse_empty(const run_settings_t *self)
{
    const mm_options_t *options = &self->options;
    if (!mm_options_is_default(options, "input") && *options->input == '\0')
        return caller_fail(EX_USAGE, "-i needs the name of a file");
    if (!mm_options_is_default(options, "exec") && *options->exec == '\0' && !options->mock)
        return caller_fail(EX_USAGE, "-x needs a command: without one the restart is a mock");
    if (!mm_options_is_default(options, "verify") && *options->verify == '\0' && !options->mock)
        return caller_fail(EX_USAGE, "--verify needs a command");
    return 0;
}

// Without restarters of its own nothing would ever begin, unless others can join.
static int refuse_nobody(const run_settings_t *self, const mm_options_t *consumer)
{
    if (self->options.restarters > 0 || *consumer->listen != '\0')
        return 0;
    return caller_fail(EX_USAGE, "-n takes the number of restarters, from 1 to 256; 0 is for a run "
                                 "whose restarters are elsewhere and join by --listen");
}

static int prepare(run_settings_t *self, const mm_options_t programs[MM_PROGRAMS])
{
    const mm_options_t *publisher = &programs[MM_PROGRAM_PUBLISHER];
    self->drain_ms = programs[MM_PROGRAM_CONSUMER].drain_timeout_ms;
    self->max_dead = programs[MM_PROGRAM_CONSUMER].max_dead;
    int exit_code =
        run_store_find(self, &programs[MM_PROGRAM_SAVER], &programs[MM_PROGRAM_CONSUMER]);
    if (exit_code == 0)
        exit_code = refuse_nobody(self, &programs[MM_PROGRAM_CONSUMER]);
    if (exit_code == 0)
        exit_code = prepare_profile(self, programs);
    if (exit_code == 0)
        exit_code = run_policy_read(self, programs);
    if (exit_code == 0)
        exit_code = run_driver_read(self, programs);
    self->is_demo = *publisher->input == '\0' && self->driver.is_mock;
    if (self->is_demo)
        set_demo(self, programs);
    arguments_add(&self->arguments[MM_PROGRAM_PUBLISHER], "--progress=%s",
                  self->is_demo || self->options.quiet ? "off" : "auto");
    run_starts_read(self, publisher);
    if (exit_code == 0)
        exit_code = open_stream(self, publisher->input);
    if (self->stream < 0 && *publisher->input != '\0') {
        self->list = strdup(publisher->input);
        assert(self->list);
    }
    self->allows_empty = publisher->allow_empty;
    if (exit_code == 0) {
        run_driver_settle(self, programs);
        run_policy_settle(self, programs);
    }
    return exit_code;
}

// Each program's options once more, now that all arguments are there.
static int check_programs(const run_settings_t *self)
{
    bool shows = self->options.check && !self->options.json;
    if (shows)
        mm_options_print_set(&self->options, NULL);
    for (mm_program_t program = 0; program < MM_PROGRAMS; program++) {
        mm_options_t options;
        int exit_code;
        if (!parse_program(self, program, &options, &exit_code))
            return exit_code;
        if (shows)
            mm_options_print_set(&options, &self->options);
        mm_options_free(&options);
    }
    return 0;
}

// From now on the copy in the folder counts.
static void name_config(run_settings_t *self)
{
    for (mm_program_t program = 0; program < MM_PROGRAMS && self->config >= 0; program++)
        arguments_add(&self->arguments[program], "--config=%s/config", self->dir);
}

// A dry run does not belong in the record of real ones.
static void choose_dir(run_settings_t *self)
{
    bool is_dry = self->options.dry_run && mm_options_is_default(&self->options, "dir");
    free(self->dir);
    self->dir = strdup(is_dry ? "run.dry" : self->options.dir);
    assert(self->dir);
    for (size_t size = strlen(self->dir); size > 1 && self->dir[size - 1] == '/'; size--)
        self->dir[size - 1] = '\0';
}

// The options of each program, by what it is given. False: end with *ret_exit_code.
static bool parse_programs(run_settings_t *self, mm_options_t programs[MM_PROGRAMS],
                           int *ret_exit_code)
{
    for (mm_program_t program = 0; program < MM_PROGRAMS; program++) {
        mm_options_free(&programs[program]);
        arguments_clear(&self->arguments[program]);
    }
    choose_dir(self);
    forward(self);
    if (self->is_leashed)
        for (mm_program_t program = 0; program < MM_PROGRAMS; program++)
            if (program == MM_PROGRAM_CONSUMER || program == MM_PROGRAM_RESTARTER)
                arguments_add(&self->arguments[program], "--dry-run=yes");
    for (mm_program_t program = 0; program < MM_PROGRAMS; program++)
        if (!parse_program(self, program, &programs[program], ret_exit_code))
            return false;
    return true;
}

static int read_settings(run_settings_t *self)
{
    mm_options_t programs[MM_PROGRAMS] = {{0}};
    int exit_code = refuse_empty(self);
    bool is_good = exit_code == 0 && parse_programs(self, programs, &exit_code);
    self->is_leashed = is_good && run_leash_holds(self, programs);
    // A file may say so of the restarter alone.
    bool is_dry = is_good && (self->is_leashed || programs[MM_PROGRAM_RESTARTER].dry_run);
    if (is_dry && !self->options.dry_run) {
        self->options.dry_run = true;
        is_good = parse_programs(self, programs, &exit_code);
    }
    if (is_good)
        exit_code = prepare(self, programs);
    if (exit_code == 0)
        exit_code = check_programs(self);
    for (mm_program_t program = 0; program < MM_PROGRAMS; program++)
        mm_options_free(&programs[program]);
    name_config(self);
    return exit_code;
}

bool run_settings_read(int argc, char **argv, run_settings_t *ret_settings, int *ret_exit_code)
{
    run_settings_t *self = ret_settings;
    arguments_t words = {0};
    *self = (run_settings_t){.config = -1, .stream = -1};
    int exit_code = take_words(self, argc, argv, &words);
    bool is_good = exit_code == 0 && mm_options_parse(MM_PROGRAM_RUN, (int)words.count, words.items,
                                                      &self->options, &exit_code);
    if (is_good)
        exit_code = read_settings(self);
    *ret_exit_code = exit_code;
    arguments_clear(&words);
    return is_good && exit_code == 0;
}

void run_settings_clear(run_settings_t *self)
{
    for (mm_program_t program = 0; program < MM_PROGRAMS; program++)
        arguments_clear(&self->arguments[program]);
    mm_options_free(&self->options);
    free(self->dir);
    free(self->db);
    free(self->list);
    free(self->headline);
    run_driver_clear(&self->driver);
    run_policy_clear(self);
    if (self->config >= 0)
        close(self->config);
    if (self->stream >= 0)
        close(self->stream);
    *self = (run_settings_t){.config = -1, .stream = -1};
}
