// The options of all programs, from flags, environment, an INI file and defaults, in that order of
// precedence; see options.def. All values are checked: each is in its range, and together they make
// sense.

#ifndef MM_OPTIONS_H
#define MM_OPTIONS_H

#include "log.h"
#include "policy.h"

// A range of times, low_ms <= high_ms.
typedef struct {
    int64_t low_ms;
    int64_t high_ms;
} mm_range_t;

// Ports of tcp, first <= last; first 0: any.
typedef struct {
    unsigned first;
    unsigned last;
} mm_ports_t;

// Exit codes.
typedef struct {
    uint8_t bits[256 / 8]; // one for each code
    uint16_t count;        // of them
} mm_codes_t;

#define MM_RATE_MAX (-1.0) // options.rate: as fast as it goes

typedef enum { MM_LOG_FORMAT_TEXT = 0, MM_LOG_FORMAT_JSON } mm_log_format_t;
typedef enum { MM_ON_BAD_LINE_STOP = 0, MM_ON_BAD_LINE_SKIP } mm_on_bad_line_t;
typedef enum {
    MM_PROGRESS_AUTO = 0,
    MM_PROGRESS_BAR,
    MM_PROGRESS_LINES,
    MM_PROGRESS_OFF
} mm_progress_t;
typedef enum {
    MM_REPORT_OFF = 0,
    MM_REPORT_TEXT,
    MM_REPORT_JSON,
    MM_REPORT_DEAD
} mm_report_format_t;

// The field's type, for each kind in options.def.
#define MM_TYPE_TEXT         const char * // never NULL
#define MM_TYPE_LIST         const char * // the same; flags that are repeated add up, with commas
#define MM_TYPE_NAME         const char * // 1 to MM_NAME_MAX of [A-Za-z0-9._-]
#define MM_TYPE_FLAG         bool
#define MM_TYPE_INTEGER      int64_t
#define MM_TYPE_RATE         double  // a second, or MM_RATE_MAX
#define MM_TYPE_DURATION     int64_t // milliseconds
#define MM_TYPE_RANGE        mm_range_t
#define MM_TYPE_PERCENT      int64_t     // parts per million
#define MM_TYPE_AMOUNT       mm_amount_t // 0 and an empty text: not set
#define MM_TYPE_CODES        mm_codes_t
#define MM_TYPE_DAYTIME      int64_t // minutes since midnight; -1: none
#define MM_TYPE_PORTS        mm_ports_t
#define MM_TYPE_CHOICE(ENUM) ENUM

// One field per row of options.def (heartbeat_ms, backoff, exec ...). Options of other programs
// have their defaults. Strings are valid until mm_options_free. A driver's file counts less than
// any other source: `driver` names it, and each value of it is that of the option of its name, but
// for the commands.
typedef struct {
#define MM_OPTION(PROGRAMS, KIND, FIELD, ...) MM_TYPE_##KIND FIELD;
#include "options.def"
    // The commands of the driver's file that restart a host, in the order in which they are tried;
    // the first one is `exec`. None when that is from elsewhere.
    const char *restarts[MM_COMMANDS_MAX];
    size_t restart_count;
    mm_program_t program;
    struct mm_options_origins *origins; // of each value; owns the strings
} mm_options_t;

// Reads the options. False: exit with *ret_exit_code, which is 0 after help, version or
// print-config on stdout, and 64 for a bad flag or 78 for the environment or the file after one
// sentence on stderr; *ret_options is untouched. True: *ret_options is set, with the final values
// of `id`, `consumer`, `keys`, `db` and `slots`; with `check` the caller only checks what the table
// cannot know. Reorders argv.
bool mm_options_parse(mm_program_t program, int argc, char **argv, mm_options_t *ret_options,
                      int *ret_exit_code);

// Whether no source has set the option of this name.
bool mm_options_is_default(const mm_options_t *options, const char *name);
// The flags that the options were given and that another program has, too, one a call, as
// --NAME=VALUE; NULL when there are no more. *place is 0 before the first call.
const char *mm_options_flag_for(mm_options_t *options, mm_program_t program, size_t *place);

// The value of the option of this name, as it is read; the caller frees it.
char *mm_options_value(const mm_options_t *options, const char *name);

// A section [group NAME] of the file of --config, which has key and text NULL, or one of its keys.
// Neither key nor text has been checked; a key may come again.
typedef struct {
    const char *group;
    const char *key;
    const char *text;
    int line;
} mm_group_line_t;

// Those of all groups in the order of the file, each section before its keys. Valid as the strings
// are.
const mm_group_line_t *mm_options_group_lines(const mm_options_t *options, size_t *ret_count);
// Whether that file has any of a policy: such a section, or the key of an option of it.
bool mm_options_has_policy_lines(const mm_options_t *options);
// The file of --config, as messages call it; "": there is none.
const char *mm_options_file(const mm_options_t *options);
// Prints the sentence that begins with the program's name and, of a value of the option of this
// name, where that is from and what it is. Returns the exit code: 64 of a flag, else 78.
int mm_options_refuse(const mm_options_t *options, const char *name, const char *complaint);
// The same of a line of a section [group NAME].
int mm_options_refuse_line(const mm_options_t *options, const mm_group_line_t *line,
                           const char *complaint);

// Prints the options that some source has set, a line each: "attempts = 3 # flag --attempts". run:
// the options of `mayhem run`, by which those of a program were made: what it has set, and the
// flags, are left out; NULL: all are printed.
void mm_options_print_set(const mm_options_t *options, const mm_options_t *run);

// Where the value of the option of this name stands, as messages call it: "--health",
// "MAYHEM_HEALTH", "a.ini:3: health". Of the commands that restart a host (`exec`) `number` is one,
// from 0, as in "ssh.ini:12: restart". Returns buffer.
#define MM_ORIGIN_TEXT 256 // long paths are cut
char *mm_options_origin(const mm_options_t *options, const char *name, size_t number,
                        char buffer[MM_ORIGIN_TEXT]);

// Frees the strings and clears the options. Idempotent.
void mm_options_free(mm_options_t *options);

#endif
