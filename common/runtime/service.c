// See service.h.

#include "service.h"
#include "clock.h"
#include "inherited.h"
#include "loop.h"
#include "socket.h"
#include "span.h"
#include "uuid_source.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

static uint64_t open_files;

uint64_t mm_service_open_files(void)
{
    return open_files;
}

static mm_key_t key;
static bool has_key;

const mm_key_t *mm_service_key(void)
{
    return has_key ? &key : NULL;
}

int mm_service_fail(const mm_options_t *options, int exit_code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)fprintf(stderr, "%s: ", options->id);
    (void)vfprintf(stderr, format, arguments);
    (void)putc('\n', stderr);
    va_end(arguments);
    return exit_code;
}

// Whether this key may be that of this process. Returns 0, or a sysexits code after a complaint.
static int check_key(mm_program_t program, const mm_options_t *options)
{
    const char *role = mm_key_role_name(key.role), *wanted = mm_program_name(program);
    if (strcmp(role, wanted) != 0)
        return mm_service_fail(options, EX_CONFIG,
                               "the key in %s is of a %s, and this is a %s: have one made (mayhem "
                               "keys new NAME --role %s)",
                               options->key, role, wanted, wanted);
    if (!mm_options_is_default(options, "id") && strcmp(options->id, key.name.text) != 0)
        return mm_service_fail(options, EX_CONFIG,
                               "--id is %s, and the key in %s is of %s: leave --id out, or have a "
                               "key made for it (mayhem keys new %s --role %s)",
                               options->id, options->key, key.name.text, options->id, wanted);
    if (mm_key_days_left(key.not_after_ms, mm_clock_wall_ms()) == 0)
        return mm_service_fail(options, EX_CONFIG,
                               "the key in %s has ended, by the clock of this machine: set the "
                               "clock, or have a new key made (mayhem keys new %s --role %s)",
                               options->key, key.name.text, wanted);
    return 0;
}

// On ipc there are no keys: the environment may have one for other commands. The options live as
// long as the key whose name they get.
static int read_key(mm_program_t program, mm_options_t *options, const mm_addresses_t *addresses)
{
    char error[MM_ERROR_MAX];
    if (*options->key == '\0' || mm_addresses_are_ipc(addresses))
        return 0;
    int exit_code = mm_key_read(options->key, &key, error);
    if (exit_code != 0)
        return mm_service_fail(options, exit_code, "%s", error);
    has_key = true;
    exit_code = check_key(program, options);
    options->id = key.name.text;
    return exit_code;
}

static void warn_of_key(const mm_options_t *options)
{
    int days = has_key ? mm_key_days_left(key.not_after_ms, mm_clock_wall_ms()) : -1;
    if (days >= 0)
        mm_log(MM_LOG_WARN, "The key ends soon: have a new one made", MM_INT("days", days),
               MM_STRING("file", options->key));
}

static int make_folder(const mm_options_t *options)
{
    struct stat status;
    if (mkdir(options->dir, 0700) == 0 ||
        (errno == EEXIST && stat(options->dir, &status) == 0 && S_ISDIR(status.st_mode)))
        return 0;
    return mm_service_fail(options, EX_CANTCREAT,
                           "cannot make the folder %s: %s; choose another --dir", options->dir,
                           strerror(errno));
}

static int only_check(const mm_options_t *options, mm_service_check_fn *check)
{
    int exit_code = check ? check(options) : 0;
    if (exit_code == 0)
        (void)printf("configuration ok\n");
    return exit_code;
}

static char *profile_folder;

static void log_saved(const char *path, int error)
{
    if (error == 0)
        mm_log(MM_LOG_INFO, "Saved a profile", MM_STRING("file", path));
    else
        mm_log(MM_LOG_WARN, "Cannot save a profile", MM_STRING("file", path),
               MM_STRING("error", strerror(error)));
}

static void log_slow(const char *handler, int64_t took_ns)
{
    mm_log(MM_LOG_WARN, "A slow callback", MM_STRING("handler", handler),
           MM_SECONDS("took", took_ns / 1000000));
}

static void start_profile(mm_program_t program, const mm_options_t *options)
{
    int length = *options->save_profile ? asprintf(&profile_folder, "%s", options->save_profile)
                                        : asprintf(&profile_folder, "%s/profile", options->dir);
    assert(length > 0);
    mm_span_start(&(mm_span_config_t){.process = options->id,
                                      .role = mm_program_name(program),
                                      .folder = profile_folder,
                                      .slow_ns = options->slow_callback_ms * 1000000,
                                      .slow = log_slow,
                                      .saved = log_saved});
}

// All that is left to do before the program's own start. Returns 0, or a sysexits code.
static int prepare(mm_program_t program, const mm_options_t *options)
{
    bool only_reads = options->report != MM_REPORT_OFF;
    int exit_code = only_reads ? 0 : make_folder(options);
    if (exit_code != 0)
        return exit_code;
    open_files = mm_socket_raise_descriptors();
    if (open_files == 0)
        return mm_service_fail(options, EX_UNAVAILABLE,
                               "at least 4096 descriptors are needed, and the hard limit is below "
                               "that; raise it (ulimit -Hn)");
    mm_log_config_t log = {.process = options->id,
                           .path = *options->log_file ? options->log_file : NULL,
                           .level = options->log_level,
                           .json = options->log_format == MM_LOG_FORMAT_JSON};
    if (mm_log_start(&log) != 0)
        return mm_service_fail(options, EX_CANTCREAT,
                               "cannot open the log file %s: %s; choose another --log-file",
                               options->log_file, strerror(errno));
    start_profile(program, options);
    warn_of_key(options);
    return 0;
}

bool mm_service_start(mm_program_t program, int argc, char **argv, mm_service_check_fn *check,
                      mm_options_t *ret_options, mm_addresses_t *ret_addresses, int *ret_exit_code)
{
    char error[MM_ERROR_MAX];
    mm_loop_block_signals();
    *ret_exit_code = EX_UNAVAILABLE;
    if (!mm_inherited_follow_parent() ||
        !mm_options_parse(program, argc, argv, ret_options, ret_exit_code))
        return false;
    bool only_checks = ret_options->check;
    bool is_list = mm_addresses_parse(ret_options->consumer, ret_addresses, error);
    assert(is_list); // the options were checked
    *ret_exit_code = read_key(program, ret_options, ret_addresses);
    if (*ret_exit_code == 0)
        *ret_exit_code =
            only_checks ? only_check(ret_options, check) : prepare(program, ret_options);
    if (!only_checks && *ret_exit_code == 0)
        return true;
    mm_options_free(ret_options);
    return false;
}

int mm_service_quit(mm_options_t *options, int exit_code)
{
    if (*options->save_profile)
        mm_span_save(false);
    mm_socket_end();
    mm_span_stop();
    free(profile_folder);
    mm_log_stop();
    mm_key_clear(&key);
    mm_options_free(options);
    return exit_code;
}

int mm_service_end(mm_options_t *options, int exit_code)
{
    mm_log(MM_LOG_INFO, "Flushing metrics");
    mm_socket_end();
    if (exit_code == 0)
        mm_log(MM_LOG_INFO, "Successfully shutdown the Mayhem service.");
    else
        mm_log(MM_LOG_WARN, "Shutdown the Mayhem service.", MM_INT("exit", exit_code));
    return mm_service_quit(options, exit_code);
}

int mm_service_open_trace(const mm_options_t *options, FILE **ret_trace)
{
    FILE *trace = *options->trace ? fopen(options->trace, "ae") : NULL;
    if (*options->trace && !trace)
        return mm_service_fail(options, EX_CANTCREAT,
                               "cannot write the trace %s: %s; choose another --trace",
                               options->trace, strerror(errno));
    *ret_trace = trace;
    return 0;
}

void mm_service_log_signal(int number)
{
    const char *message = number == SIGTERM  ? "Received exit signal SIGTERM..."
                          : number == SIGINT ? "Received exit signal SIGINT..."
                                             : "Received exit signal SIGHUP...";
    mm_log(MM_LOG_INFO, message);
}

uint64_t mm_service_seed(const mm_options_t *options)
{
    return options->seed != 0 ? (uint64_t)options->seed : mm_instance_draw();
}
