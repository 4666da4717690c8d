// See run_check.h.

#include "run_check.h"
#include "caller.h"
#include "child_process.h"
#include "run_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

// Waits until a FIFO has a writer: before that it seems to be at its end.
static void await(int stream)
{
    struct pollfd readable = {.fd = stream, .events = POLLIN};
    (void)poll(&readable, 1, -1);
    int flags = fcntl(stream, F_GETFL);
    if (flags >= 0)
        (void)fcntl(stream, F_SETFL, flags & ~O_NONBLOCK);
}

// What a publisher says of the list; NULL: *ret_exit_code, all has been said.
static char *ask(const run_settings_t *settings, int *ret_exit_code)
{
    arguments_t words = {0};
    child_end_t end = {0};
    size_t size;
    char *program = child_process_sibling("mayhem-publisher"), *text;
    arguments_add(&words, "%s", program);
    arguments_add_all(&words, &settings->arguments[MM_PROGRAM_PUBLISHER]);
    if (settings->config >= 0) // the copy in the folder is not there
        arguments_add(&words, "--config=/proc/%d/fd/%d", (int)getpid(), settings->config);
    arguments_add(&words, "--check");
    if (settings->stream >= 0)
        await(settings->stream);
    text = settings->stream >= 0 ? child_process_capture_fed(words.items, settings->stream,
                                                             STDERR_FILENO, &size, &end)
                                 : child_process_capture(words.items, STDERR_FILENO, &size, &end);
    *ret_exit_code =
        !text ? caller_fail(EX_UNAVAILABLE, "cannot start %s: %s; is the installation complete?",
                            program, strerror(errno))
        : end.signal != 0
            ? caller_fail(EX_SOFTWARE, "%s was killed by signal %d", program, end.signal)
            : end.code;
    if (*ret_exit_code != 0) {
        free(text);
        text = NULL;
    }
    free(program);
    arguments_clear(&words);
    return text;
}

// What the publisher says of a list; none of it: the hosts are invented.
typedef struct {
    bool is_list;
    uint64_t hosts, groups, repeated, bad;
} list_t;

static bool print_json(const run_settings_t *settings, const list_t *list)
{
    const run_driver_t *driver = &settings->driver;
    json_t *json =
        json_pack("{s:o, s:I, s:I, s:I, s:I, s:s, s:s?, s:b}", "hosts",
                  list->is_list ? json_integer((json_int_t)list->hosts) : json_null(), "groups",
                  (json_int_t)list->groups, "repeated", (json_int_t)list->repeated, "bad_lines",
                  (json_int_t)list->bad, "at_once", (json_int_t)driver->at_once, "driver",
                  driver->is_mock ? "mock" : driver->name, "proof", driver->proof, "rehearsed",
                  driver->is_mock || settings->options.dry_run);
    bool is_good = json && json_dumpf(json, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF;
    json_decref(json);
    return is_good;
}

// "the list has 2 bad lines to be skipped"; none is not worth a line.
static void print_count(uint64_t count, const char *noun, const char *behind)
{
    if (count > 0)
        (void)printf("the list has %" PRIu64 " %s%s%s\n", count, noun, count == 1 ? "" : "s",
                     behind);
}

static bool print_text(const run_settings_t *settings, const list_t *list)
{
    char *headline = run_driver_headline(settings, list->is_list ? (int64_t)list->hosts : -1);
    print_count(list->groups, "group", "");
    print_count(list->repeated, "repeated host", "");
    print_count(list->bad, "bad line", " to be skipped");
    (void)printf("%s%s\nconfiguration ok\n", headline,
                 settings->options.dry_run ? " (dry run)" : "");
    free(headline);
    return true;
}

int run_check_print(const run_settings_t *settings)
{
    int exit_code;
    list_t list = {0};
    char *text = ask(settings, &exit_code);
    if (!text)
        return exit_code;
    list.is_list =
        sscanf(text,
               "hosts: %" SCNu64 " groups: %" SCNu64 " repeated: %" SCNu64 " bad lines: %" SCNu64,
               &list.hosts, &list.groups, &list.repeated, &list.bad) == 4;
    free(text);
    bool is_good =
        settings->options.json ? print_json(settings, &list) : print_text(settings, &list);
    return is_good && fflush(stdout) == 0 && !ferror(stdout)
               ? 0
               : caller_fail(EX_IOERR, "the output cannot be written: %s", strerror(errno));
}
