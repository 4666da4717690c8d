// The INI file. inih finds sections, comments, keys and malformed lines. The values come from the
// line itself, because inih cuts lines at 200 bytes and values at " ;", which would silently
// shorten a command. A key may occur once in [common] and once in the program's own section, which
// counts more. Keys of other programs are only looked up. A list may have several lines. The
// sections [group NAME] are the policy's: their lines are kept as they are (policy_file.c).
//
// The file of a driver is read in the same way: it has one section, [driver], in which `restart`
// may occur again, and counts less than all else.

#include "array.h"
#include "options_table.h"

#include <assert.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define COMMON (MM_PROGRAM_RUN + 1) // the section that is not a program's

typedef struct {
    mm_options_t *options;
    FILE *file;
    char *line; // the current one, by getline
    size_t capacity;
    int number;     // of the current line, from 1
    char *value;    // of the current line, in `line`; NULL: it has none
    int error_line; // 0: none so far
    bool is_driver;
    const char *group; // of the section [group NAME] that is read; NULL: it is another one
    char complaint[MM_COMPLAINT];
    // By row: the values in [common] and in the own section, or that of a driver.
    mm_origin_t found[2][MM_ROW_COUNT];
    mm_origin_t restarts[MM_COMMANDS_MAX]; // of a driver
    size_t restart_count;
} reader_t;

// Records what is wrong with the current line. Returns 0, which means a bad line to inih.
__attribute__((format(printf, 2, 3))) static int refuse(reader_t *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(self->complaint, sizeof self->complaint, format, arguments);
    va_end(arguments);
    self->error_line = self->number;
    return 0;
}

// The blanks of isspace: inih would join a line that begins with one to the line before.
#define BLANKS " \t\v\f\r\n"

static char *skip_blanks(char *text)
{
    return text + strspn(text, BLANKS);
}

static void cut_blanks(char *text)
{
    size_t size = strlen(text);
    while (size > 0 && strchr(BLANKS, text[size - 1]) != NULL)
        size--;
    text[size] = '\0';
}

// The line of a section: keeps the name of a group, which inih would cut. False: it is refused.
static bool read_section(reader_t *self, const char *line)
{
    struct mm_options_origins *origins = self->options->origins;
    const char *name = line + strlen("[group"), *end = line + strcspn(line, "]");
    self->group = NULL;
    if (self->is_driver || strncmp(line, "[group", strlen("[group")) != 0 || name > end ||
        (*name != ' ' && *name != '\t' && *name != ']'))
        return true;
    name += strspn(name, " \t");
    while (end > name && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (!mm_is_name((mm_str_t){name, (size_t)(end - name)}))
        return refuse(self,
                      "a group is called by a name of 1 to %d letters, digits, '.', '_' and '-', "
                      "as in [group web]",
                      MM_NAME_MAX);
    self->group = mm_options_keep(self->options, "%.*s", (int)(end - name), name);
    for (size_t i = 0; i < origins->group_line_count; i++) {
        const mm_group_line_t *other = &origins->group_lines[i];
        if (!other->key && strcmp(other->group, self->group) == 0)
            return refuse(self, "[group %s] began in line %d already: put the two together",
                          self->group, other->line);
    }
    *MM_ARRAY_ADD(origins->group_lines, origins->group_line_count, origins->group_line_capacity) =
        (mm_group_line_t){.group = self->group, .line = self->number};
    return true;
}

// inih's reader: gives it the line up to its '=' and keeps the value.
static char *read_line(char *buffer, int size, void *stream)
{
    reader_t *self = stream;
    ssize_t length = getline(&self->line, &self->capacity, self->file);
    if (length < 0 || self->error_line != 0)
        return NULL;
    self->number++;
    self->value = NULL;
    if (strlen(self->line) != (size_t)length) {
        (void)refuse(self, "it holds a zero byte: this is no INI file");
        return NULL;
    }
    char *start = self->line;
    if (self->number == 1 && strncmp(start, "\xef\xbb\xbf", 3) == 0)
        start += 3;
    start = skip_blanks(start);
    cut_blanks(start);
    if (*start == '[' && !read_section(self, start))
        return NULL;
    if (*start != '[' && *start != '#' && *start != ';') {
        char *equals = start + strcspn(start, "=:");
        if (*equals != '\0') {
            *equals = '\0';
            self->value = skip_blanks(equals + 1);
        }
    }
    const char *tail = self->value != NULL ? "= \n" : "\n";
    int capacity = size - (int)strlen(tail) - 1;
    if (*start == '#' || *start == ';')
        *start = '\0';
    (void)snprintf(buffer, (size_t)size, "%.*s%s", capacity, start, tail);
    return buffer;
}

// The section's number, or -1.
static int find_section(const char *name)
{
    if (strcmp(name, "common") == 0)
        return COMMON;
    if (strcmp(name, "run") == 0)
        return MM_PROGRAM_RUN;
    for (int i = 0; i < MM_PROGRAMS; i++) {
        if (strcmp(name, mm_program_name((mm_program_t)i)) == 0)
            return i;
    }
    return -1;
}

// [common] has the options of more than one program; [run] those that no program of the pipeline
// has.
static bool is_key_of(const mm_row_t *row, int section)
{
    unsigned programs = row->programs & MM_HAS_ALL;
    if ((row->programs & MM_FLAG_ONLY) != 0)
        return false;
    if ((row->programs & MM_OF_POLICY) != 0 && (section == MM_PROGRAM_RUN || section == COMMON))
        return true;
    if (section == COMMON)
        return (programs & (programs - 1)) != 0;
    if (section == MM_PROGRAM_RUN)
        return row->programs == MM_HAS(MM_PROGRAM_RUN);
    return (programs & MM_HAS(section)) != 0;
}

static int refuse_key(reader_t *self, int section, const char *section_name, const char *key)
{
    for (size_t i = 0; i < MM_ROW_COUNT; i++) {
        if (strcmp(mm_rows[i].name, key) != 0)
            continue;
        if ((mm_rows[i].programs & MM_FLAG_ONLY) != 0)
            return refuse(self, "'%s' is not for files: give it as --%s", key, key);
        if (i == MM_ROW_window && section == MM_PROGRAM_PUBLISHER)
            return refuse(self, "'window' is when restarts may begin, and belongs in [run]; jobs "
                                "under lease are 'leases'");
        int owner = (mm_rows[i].programs & MM_OF_POLICY) != 0 ? MM_PROGRAM_RUN : 0;
        while (!is_key_of(&mm_rows[i], owner))
            owner++;
        return refuse(self, "'%s' does not belong in [%s] but in [%s]", key, section_name,
                      mm_program_name((mm_program_t)owner));
    }
    if (strcmp(key, "cap") == 0)
        return refuse(self,
                      "'cap' is of a group; of the whole run it is called 'at-once', in [run]");
    unsigned programs = section == COMMON ? MM_HAS_ALL : MM_HAS(section);
    return refuse(self, "[%s] has no key '%s'; the nearest one is '%s'", section_name, key,
                  mm_options_nearest(programs, false, key));
}

// The value of the current line without quotes. Returns 0, which means a bad line, when there is
// one of them too few.
static int unquote(reader_t *self, const char *key)
{
    if (*self->value == '"' && !mm_value_unquote(self->value))
        return refuse(self,
                      "the value of '%s' begins with a quote, so it must end with one, and "
                      "hold \\\" and \\\\ for a quote and a backslash inside",
                      key);
    return 1;
}

// Keeps the value of the current line, which is that of a key. Returns 0, which means a bad line,
// when it is not the first one, and they do not add up.
static int keep_value(reader_t *self, const char *key, bool is_list, mm_origin_t *found)
{
    if (!unquote(self, key))
        return 0;
    if (found->line != 0 && is_list) {
        found->text = mm_options_keep(self->options, "%s,%s", found->text, self->value);
        return 1;
    }
    if (found->line != 0)
        return refuse(self, "'%s' was given in line %d already: take one of the two out", key,
                      found->line);
    found->source = MM_BY_FILE;
    found->line = self->number;
    found->text = mm_options_keep(self->options, "%s", self->value);
    return 1;
}

static int keep_group_line(reader_t *self, const char *key)
{
    struct mm_options_origins *origins = self->options->origins;
    if (!unquote(self, key))
        return 0;
    *MM_ARRAY_ADD(origins->group_lines, origins->group_line_count, origins->group_line_capacity) =
        (mm_group_line_t){.group = self->group,
                          .key = mm_options_keep(self->options, "%s", key),
                          .text = mm_options_keep(self->options, "%s", self->value),
                          .line = self->number};
    return 1;
}

// inih's handler: a key, whose value read_line has kept. Returns 0 to stop.
static int parse_key(void *user, const char *section_name, const char *key, const char *unused)
{
    reader_t *self = user;
    (void)unused;
    if (self->error_line != 0)
        return 0;
    assert(self->value);
    if (*section_name == '\0')
        return refuse(self, "'%s' stands above the first section: put it under [common] or [%s]",
                      key, mm_program_name(self->options->program));
    if (self->group)
        return keep_group_line(self, key);
    int section = find_section(section_name);
    if (section < 0)
        return refuse(self,
                      "there is no section [%s]; there are [common], [publisher], [consumer], "
                      "[saver], [restarter], [run] and, for the policy, [group NAME]",
                      section_name);
    mm_row_index_t row = 0;
    while (row < MM_ROW_COUNT &&
           (strcmp(mm_rows[row].name, key) != 0 || !is_key_of(&mm_rows[row], section)))
        row++;
    if (row == MM_ROW_COUNT)
        return refuse_key(self, section, section_name, key);
    bool is_policys = (mm_rows[row].programs & MM_OF_POLICY) != 0 && section == MM_PROGRAM_RUN;
    if (section != COMMON && section != (int)self->options->program && !is_policys)
        return 1;
    return keep_value(self, key, mm_rows[row].kind == MM_KIND_LIST,
                      &self->found[section != COMMON][row]);
}

// A key that may be in the file of a driver; MM_ROW_COUNT: it may not.
static mm_row_index_t find_driver_key(const char *key)
{
    mm_row_index_t row = 0;
    while (row < MM_ROW_COUNT &&
           (strcmp(mm_rows[row].name, key) != 0 || (mm_rows[row].programs & MM_IN_DRIVER) == 0))
        row++;
    return row;
}

static int refuse_driver_key(reader_t *self, const char *key)
{
    const char *keys = "restart";
    for (size_t i = 0; i < MM_ROW_COUNT; i++)
        if ((mm_rows[i].programs & MM_IN_DRIVER) != 0)
            keys = mm_options_keep(self->options, "%s, %s", keys, mm_rows[i].name);
    return refuse(self, "a driver has no key '%s'; it has %s", key, keys);
}

static int parse_restart(reader_t *self)
{
    mm_origin_t *first = &self->found[1][MM_ROW_exec], command = {0};
    if (!keep_value(self, "restart", false, &command))
        return 0;
    if (*command.text == '\0')
        return refuse(self, "'restart' is empty: name a program and its arguments");
    if (self->restart_count == MM_COMMANDS_MAX)
        return refuse(self, "there are more than %d commands: take some out", MM_COMMANDS_MAX);
    if (self->restart_count == 0)
        *first = command;
    self->restarts[self->restart_count++] = command;
    return 1;
}

// inih's handler for the file of a driver.
static int parse_driver_key(void *user, const char *section_name, const char *key,
                            const char *unused)
{
    reader_t *self = user;
    (void)unused;
    if (self->error_line != 0)
        return 0;
    assert(self->value);
    if (strcmp(section_name, "driver") != 0)
        return refuse(self, "'%s' stands %s%s: a driver has one section, [driver]", key,
                      *section_name ? "under " : "above the first section", section_name);
    mm_row_index_t row = find_driver_key(key);
    if (strcmp(key, "restart") == 0)
        return parse_restart(self);
    return row == MM_ROW_COUNT ? refuse_driver_key(self, key)
                               : keep_value(self, key, false, &self->found[1][row]);
}

// Applies the values: [common] first, then the own section. Both are checked.
static int set_all(reader_t *self)
{
    for (int own = 0; own <= 1; own++) {
        for (mm_row_index_t i = 0; i < MM_ROW_COUNT; i++) {
            if (self->found[own][i].line == 0)
                continue;
            if ((mm_rows[i].programs & MM_HAS(self->options->program)) == 0)
                continue;
            int code = mm_options_set(self->options, i, self->found[own][i]);
            if (code != 0)
                return code;
        }
    }
    return 0;
}

// What any other source has set stays; a value that it overrides is checked, too.
static int set_driver(reader_t *self)
{
    mm_options_t *options = self->options;
    for (mm_row_index_t i = 0; i < MM_ROW_COUNT; i++) {
        mm_origin_t found = self->found[1][i], former = options->origins->rows[i];
        if (found.line == 0 || (mm_rows[i].programs & MM_HAS(options->program)) == 0)
            continue;
        found.source = MM_BY_DRIVER;
        int code = mm_options_set(options, i, found);
        if (code == 0 && former.source > MM_BY_DRIVER)
            code = mm_options_set(options, i, former);
        if (code != 0)
            return code;
    }
    if (options->origins->rows[MM_ROW_exec].source != MM_BY_DRIVER)
        return 0;
    for (size_t i = 0; i < self->restart_count; i++) {
        options->restarts[i] = self->restarts[i].text;
        options->origins->restart_lines[i] = self->restarts[i].line;
    }
    options->restart_count = self->restart_count;
    return 0;
}

static int cannot_read(const mm_options_t *options, const char *option, const char *name, int error)
{
    fprintf(stderr, "%s: --%s=%s: cannot read it: %s\n", mm_options_title(options->program), option,
            name, strerror(error));
    return MM_EXIT_CONFIG;
}

static int read_lines(reader_t *self, const char *name, ini_handler parse)
{
    int bad_line = ini_parse_stream(read_line, self, parse, self);
    if (bad_line > 0 && (self->error_line == 0 || bad_line < self->error_line)) {
        self->number = bad_line;
        (void)refuse(self, "this is neither a [section] nor key = value nor a # comment");
    }
    if (self->error_line == 0)
        return 0;
    fprintf(stderr, "%s: %s:%d: %s\n", mm_options_title(self->options->program), name,
            self->error_line, self->complaint);
    return MM_EXIT_CONFIG;
}

static int read_file(mm_options_t *options, const char *option, const char *path, const char *name)
{
    bool is_driver = strcmp(option, "driver") == 0;
    reader_t *self = calloc(1, sizeof *self);
    assert(self);
    self->options = options;
    self->is_driver = is_driver;
    self->file = fopen(path, "re");
    int code;
    if (self->file == NULL) {
        code = cannot_read(options, option, name, errno);
    } else {
        errno = 0;
        code = read_lines(self, name, is_driver ? parse_driver_key : parse_key);
        if (ferror(self->file))
            code = cannot_read(options, option, name, errno);
        (void)fclose(self->file);
    }
    if (code == 0)
        code = is_driver ? set_driver(self) : set_all(self);
    free(self->line);
    free(self);
    return code;
}

int mm_options_read_file(mm_options_t *options, const char *path, const char *name)
{
    options->origins->path = mm_options_keep(options, "%s", name);
    return read_file(options, "config", path, options->origins->path);
}

int mm_options_read_driver_file(mm_options_t *options, const char *path)
{
    options->origins->driver = mm_options_keep(options, "%s", path);
    return read_file(options, "driver", path, options->origins->driver);
}
