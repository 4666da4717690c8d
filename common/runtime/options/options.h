// The options of all programs, from flags, environment, an INI file and defaults, in that order of
// precedence; see options.def. Values are checked: what mm_options_parse gives out is in its range
// and fits together.

#ifndef MM_OPTIONS_H
#define MM_OPTIONS_H

#include "log.h"

// A range of times, low_ms <= high_ms.
typedef struct {
    int64_t low_ms;
    int64_t high_ms;
} mm_range_t;

#define MM_RATE_MAX (-1.0) // options.rate: as fast as it goes

typedef enum { MM_LOG_FORMAT_TEXT = 0, MM_LOG_FORMAT_JSON } mm_log_format_t;
typedef enum { MM_ON_BAD_LINE_STOP = 0, MM_ON_BAD_LINE_SKIP } mm_on_bad_line_t;
typedef enum {
    MM_PROGRESS_AUTO = 0,
    MM_PROGRESS_BAR,
    MM_PROGRESS_LINES,
    MM_PROGRESS_OFF
} mm_progress_t;
typedef enum { MM_REPORT_OFF = 0, MM_REPORT_TEXT, MM_REPORT_JSON } mm_report_format_t;

// The type of the field that a row of options.def makes.
#define MM_TYPE_TEXT         const char * // never NULL
#define MM_TYPE_NAME         const char * // 1 to MM_NAME_MAX of [A-Za-z0-9._-]
#define MM_TYPE_FLAG         bool
#define MM_TYPE_INTEGER      int64_t
#define MM_TYPE_RATE         double  // a second, or MM_RATE_MAX
#define MM_TYPE_DURATION     int64_t // milliseconds
#define MM_TYPE_RANGE        mm_range_t
#define MM_TYPE_PERCENT      int64_t // parts per million
#define MM_TYPE_CHOICE(ENUM) ENUM

// One field per row of options.def (heartbeat_ms, backoff, exec ...). Those of other programs hold
// their defaults. Strings live until mm_options_free.
typedef struct {
#define MM_OPTION(PROGRAMS, KIND, FIELD, ...) MM_TYPE_##KIND FIELD;
#include "options.def"
    mm_program_t program;
    struct mm_options_origins *origins; // where each value came from; owns the strings
} mm_options_t;

// Reads the options. False: there is nothing left to do, all has been said (help, version,
// print-config: on stdout; one sentence on stderr otherwise); exit with *ret_exit_code: 0, 64 for a
// bad flag, 78 for the environment or the file. *ret_options is then untouched. True: *ret_options
// is set; `id`, `consumer`, `db` and `slots` have their final values; with `check` the caller has
// only to check what the table cannot know. argv may be reordered.
bool mm_options_parse(mm_program_t program, int argc, char **argv, mm_options_t *ret_options,
                      int *ret_exit_code);

// Gives the strings back. Idempotent.
void mm_options_free(mm_options_t *options);

#endif
