// What the parts of the option reader share: the table as data, and the origins of the values.
// Private to options*.c.

#ifndef MM_OPTIONS_TABLE_H
#define MM_OPTIONS_TABLE_H

#include "options.h"

#include <stdio.h>

#define MM_EXIT_USAGE  64 // sysexits.h: EX_USAGE
#define MM_EXIT_CONFIG 78 // sysexits.h: EX_CONFIG

// Bits of mm_row_t.programs.
#define MM_HAS(PROGRAM) (1U << (PROGRAM))
#define MM_HAS_ALL      (MM_HAS(MM_PROGRAMS) - 1)
#define MM_FLAG_ONLY    MM_HAS(MM_PROGRAM_RUN + 1)
#define MM_IN_DRIVER    MM_HAS(MM_PROGRAM_RUN + 2)
#define MM_OF_POLICY    MM_HAS(MM_PROGRAM_RUN + 3)

typedef enum {
    MM_KIND_TEXT,
    MM_KIND_LIST,
    MM_KIND_NAME,
    MM_KIND_FLAG,
    MM_KIND_INTEGER,
    MM_KIND_RATE,
    MM_KIND_DURATION,
    MM_KIND_RANGE,
    MM_KIND_PERCENT,
    MM_KIND_AMOUNT,
    MM_KIND_CODES,
    MM_KIND_DAYTIME,
    MM_KIND_PORTS,
    MM_KIND_CHOICE
} mm_kind_t;

// A row of options.def.
typedef struct {
    unsigned programs;
    mm_kind_t kind;
    size_t offset; // of the field in mm_options_t
    const char *name;
    const char *fallback; // the default, as text
    int64_t low, high;
    const char *argument;
    const char *help;
} mm_row_t;

// MM_ROW_heartbeat_ms and so on: the index of a field's row.
typedef enum {
#define MM_OPTION(PROGRAMS, KIND, FIELD, ...) MM_ROW_##FIELD,
#include "options.def"
    MM_ROW_COUNT
} mm_row_index_t;

extern const mm_row_t mm_rows[MM_ROW_COUNT];

// In order of precedence.
typedef enum {
    MM_BY_DEFAULT = 0,
    MM_BY_DRIVER, // the file of --driver
    MM_BY_FILE,
    MM_BY_ENVIRONMENT,
    MM_BY_FLAG
} mm_source_t;

// Where a value came from.
typedef struct {
    mm_source_t source;
    int line;         // in the file
    const char *text; // as it was given
} mm_origin_t;

struct mm_options_origins {
    mm_origin_t rows[MM_ROW_COUNT];
    const char *path;                   // of the INI file, as the user has named it; NULL: none
    const char *driver;                 // of the driver's file; NULL: none
    int restart_lines[MM_COMMANDS_MAX]; // there, of mm_options_t.restarts
    mm_group_line_t *group_lines;       // of the INI file
    size_t group_line_count;
    size_t group_line_capacity;
    char **strings; // all strings that the options own
    size_t string_count;
    size_t string_capacity;
};

// What a program is called in messages: "mayhem-publisher", "mayhem run".
const char *mm_options_title(mm_program_t program);

// A formatted text that lives as long as the options.
__attribute__((format(printf, 2, 3))) const char *mm_options_keep(mm_options_t *options,
                                                                  const char *format, ...);

// Prints on stderr, in one sentence, what is wrong with the row's value from `origin`. Returns the
// exit code: 64 for a flag, else 78.
int mm_options_complain(const mm_options_t *options, mm_row_index_t index,
                        const mm_origin_t *origin, const char *complaint);

// Sets a field from its text. Returns 0, or the exit code after a complaint.
int mm_options_set(mm_options_t *options, mm_row_index_t index, mm_origin_t origin);

// The name in the rows of these programs that is most like `name`. flags: FLAG_ONLY rows, too.
const char *mm_options_nearest(unsigned programs, bool flags, const char *name);

// options_value.c: reads one value into the row's field. False: `complaint` says what is wrong.
#define MM_COMPLAINT 400
bool mm_value_parse(mm_options_t *options, const mm_row_t *row, const char *text,
                    char complaint[MM_COMPLAINT]);
// Prints the row's field as mm_value_parse reads it; texts are quoted where an INI file needs it.
void mm_value_print(const mm_options_t *options, const mm_row_t *row, FILE *file);
// Reads a quoted text of an INI file in place; false when it is not closed at its end.
bool mm_value_unquote(char *text);

// options_ini.c: reads options from the file at `path`, which messages call `name`. Returns 0, or
// the exit code.
int mm_options_read_file(mm_options_t *options, const char *path, const char *name);
// The same from the file of a driver, which no other source has been read behind.
int mm_options_read_driver_file(mm_options_t *options, const char *path);

// options_driver.c: finds the file of --driver, if there is one, and reads it. Returns 0, or the
// exit code.
int mm_options_read_driver(mm_options_t *options);

// options_check.c: whether the options fit together. Returns 0, or the exit code.
int mm_options_cross_check(const mm_options_t *options);

#endif
