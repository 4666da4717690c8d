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
static int prepare(mm_program_t program, const mm_options_t *options, mm_endpoint_t *ret_base)
{
    bool only_reads = options->report != MM_REPORT_OFF;
    int exit_code = only_reads ? 0 : make_folder(options);
    if (exit_code != 0)
        return exit_code;
    bool is_address = mm_endpoint_parse(options->consumer, ret_base);
    assert(is_address); // the options were checked
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
    return 0;
}

bool mm_service_start(mm_program_t program, int argc, char **argv, mm_service_check_fn *check,
                      mm_options_t *ret_options, mm_endpoint_t *ret_base, int *ret_exit_code)
{
    mm_loop_block_signals();
    *ret_exit_code = EX_UNAVAILABLE;
    if (!mm_inherited_follow_parent() ||
        !mm_options_parse(program, argc, argv, ret_options, ret_exit_code))
        return false;
    bool only_checks = ret_options->check;
    *ret_exit_code =
        only_checks ? only_check(ret_options, check) : prepare(program, ret_options, ret_base);
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
