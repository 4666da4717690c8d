// See other_driver.h.

#include "other_driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#define DRIVER_TEXT 1024 // of a driver in a message
#define CONTEXT     24   // bytes beside a difference that are told again, and whole words

// A driver beside another one that is told in full: its name, and where their commands differ. What
// they share may be a long line.
static void print_difference(const char *text, const char *other, char ret_text[DRIVER_TEXT])
{
    size_t size = strlen(text), other_size = strlen(other), same = 0, rest = 0;
    const char *behind = strstr(text, ": ");
    size_t name = behind ? (size_t)(behind - text) + 2 : 0;
    while (same < size && text[same] == other[same])
        same++;
    while (rest < size - same && rest < other_size - same &&
           text[size - 1 - rest] == other[other_size - 1 - rest])
        rest++;
    size_t from = same > name + 2 * CONTEXT ? same - CONTEXT : name;
    size_t to = rest > 2 * CONTEXT ? size - rest + CONTEXT : size;
    while (from > name && text[from - 1] != ' ')
        from--;
    while (to < size && text[to] != ' ')
        to++;
    (void)snprintf(ret_text, DRIVER_TEXT, "%.*s%s%.*s%s", (int)name, text,
                   from > name ? "... " : "", (int)(to - from), text + from,
                   to < size ? " ..." : "");
}

int other_driver_refuse(const mm_options_t *options, const outbox_run_t *former, uint64_t left,
                        char error[SOURCE_ERROR_MAX])
{
    char difference[DRIVER_TEXT];
    print_difference(options->run_driver, former->driver, difference);
    (void)snprintf(error, SOURCE_ERROR_MAX,
                   "%" PRIu64 " jobs are left in %s/outbox.db from a run with the driver "
                   "\"%.2000s\", and this one has \"%s\"; finish that run with its own command; or "
                   "begin a new one with --take-over, which withdraws what is left of it; or "
                   "choose another --dir",
                   left, options->dir, former->driver, difference);
    return EX_CONFIG;
}
