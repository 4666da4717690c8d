// See command.h. The line is split once, into a list of pieces: characters, placeholders and ends
// of arguments. To fill it in is then to copy the pieces into one reused buffer.

#include "command.h"

#include "array.h"
#include "uuid.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum {
    PIECE_CHAR,
    PIECE_HOST,
    PIECE_JOB,
    PIECE_ATTEMPT,
    PIECE_MACHINE,
    PIECE_BOOT,
    PIECE_ADDRESS,
    PIECE_ATTRIBUTE,
    PIECE_OPTIONAL, // an attribute that the argument cannot do without, but the command
    PIECE_END
} piece_kind_t;

typedef struct {
    piece_kind_t kind;
    mm_str_t text; // in the line: a character, or the key of an attribute
} piece_t;

struct mm_command {
    char *name;
    char *path; // of the program; NULL: not looked for yet
    char *line;
    piece_t *pieces; // at most one for each byte of the line, and one for its end
    size_t piece_count;
    size_t argument_count;
    char *buffer; // of mm_command_fill: all arguments, one behind the other
    size_t buffer_size;
    char **arguments; // argument_count of them, and a NULL
};

static const struct {
    const char *word;
    piece_kind_t kind;
} own[] = {{"host", PIECE_HOST},          {"job", PIECE_JOB},      {"attempt", PIECE_ATTEMPT},
           {"machine_id", PIECE_MACHINE}, {"boot_id", PIECE_BOOT}, {"address", PIECE_ADDRESS}};

// The state of the splitting.
typedef struct {
    mm_command_t *command;
    const char *line;
    size_t at;
    bool is_inside; // of an argument
    char *complaint;
} split_t;

__attribute__((format(printf, 3, 4))) static bool complain(const char *name, char *complaint,
                                                           const char *format, ...)
{
    int size = snprintf(complaint, MM_ERROR_MAX, "%s: ", name);
    if (size < 0 || size >= MM_ERROR_MAX)
        return false;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(complaint + size, MM_ERROR_MAX - (size_t)size, format, arguments);
    va_end(arguments);
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void put_piece(split_t *split, piece_kind_t kind, mm_str_t text)
{
    mm_command_t *command = split->command;
    command->pieces[command->piece_count++] = (piece_t){kind, text};
    split->is_inside = kind != PIECE_END;
    if (kind == PIECE_END)
        command->argument_count++;
}

// The word in braces at `text`, without them and a ?; empty: there is none.
static mm_str_t find_word(const char *text)
{
    if (*text != '{')
        return (mm_str_t){0};
    size_t size = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz0123456789_");
    const char *end = text + 1 + size + (text[1 + size] == '?');
    bool is_word = text[1] >= 'a' && text[1] <= 'z' && *end == '}';
    return (mm_str_t){text + 1, is_word ? size : 0};
}

static piece_kind_t kind_of(mm_str_t word)
{
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (mm_str_equal(word, mm_str(own[i].word)))
            return own[i].kind;
    return PIECE_ATTRIBUTE;
}

static void put_char(split_t *split, const char *character)
{
    put_piece(split, PIECE_CHAR, (mm_str_t){character, 1});
}

static void put_end(split_t *split)
{
    put_piece(split, PIECE_END, (mm_str_t){"", 1}); // its NUL
}

// Parses one placeholder or one character.
static bool parse_one(split_t *split)
{
    const char *text = split->line + split->at;
    mm_str_t word = find_word(text);
    if (word.size == 0) {
        put_char(split, text);
        split->at++;
        return true;
    }
    if (!mm_attribute_is_key(word))
        return complain(split->command->name, split->complaint,
                        "character %zu: {%.*s...} is no placeholder: a name has at most %d "
                        "characters; outside quotes \\{ is a brace",
                        split->at + 1, MM_ATTRIBUTE_KEY_MAX, word.data, MM_ATTRIBUTE_KEY_MAX);
    piece_kind_t kind = kind_of(word);
    bool is_optional = word.data[word.size] == '?';
    put_piece(split, kind == PIECE_ATTRIBUTE && is_optional ? PIECE_OPTIONAL : kind, word);
    split->at += word.size + 2 + is_optional;
    return true;
}

static bool parse_quoted(split_t *split)
{
    size_t opened = split->at;
    char quote = split->line[split->at++];
    split->is_inside = true; // '' is an argument too
    for (;;) {
        char c = split->line[split->at];
        if (c == '\0')
            return complain(split->command->name, split->complaint,
                            "the quote (%c) at character %zu is not closed; add another %c, or "
                            "put \\ before it if it is meant as it is",
                            quote, opened + 1, quote);
        if (c == quote) {
            split->at++;
            return true;
        }
        char next = split->line[split->at + 1];
        if (quote == '"' && c == '\\' && (next == '"' || next == '\\')) {
            put_char(split, split->line + split->at + 1);
            split->at += 2;
        } else if (!parse_one(split)) {
            return false;
        }
    }
}

static bool parse_next(split_t *split)
{
    const char *text = split->line + split->at;
    if (is_blank(*text)) {
        if (split->is_inside)
            put_end(split);
        split->at++;
        return true;
    }
    if (*text == '\'' || *text == '"')
        return parse_quoted(split);
    if (*text != '\\')
        return parse_one(split);
    if (text[1] == '\0')
        return complain(split->command->name, split->complaint,
                        "nothing follows the \\ at character %zu; write \\\\ for a backslash",
                        split->at + 1);
    put_char(split, text + 1);
    split->at += 2;
    return true;
}

static bool split_line(split_t *split)
{
    mm_command_t *command = split->command;
    while (split->line[split->at] != '\0') {
        if (!parse_next(split))
            return false;
    }
    if (split->is_inside)
        put_end(split);
    if (command->argument_count == 0)
        return complain(command->name, split->complaint,
                        "the command is empty; name a program and its arguments");
    if (command->pieces[0].kind == PIECE_END)
        return complain(command->name, split->complaint,
                        "the program's name is empty; name a program and its arguments");
    for (const piece_t *piece = command->pieces; piece->kind != PIECE_END; piece++) {
        if (piece->kind != PIECE_CHAR)
            return complain(command->name, split->complaint,
                            "the program's name has a placeholder, so it cannot be checked "
                            "before the start; give the placeholder as an argument");
    }
    return true;
}

mm_command_t *mm_command_new(const char *name, const char *line, char ret_complaint[MM_ERROR_MAX])
{
    mm_command_t *self = calloc(1, sizeof *self);
    assert(self);
    self->name = strdup(name);
    self->line = strdup(line);
    // One piece for each byte, and an end for each argument: a blank, or the end of the line.
    self->pieces = calloc(strlen(line) + 1, sizeof *self->pieces);
    assert(self->name && self->line && self->pieces);
    split_t split = {.command = self, .line = self->line, .complaint = ret_complaint};
    if (!split_line(&split)) {
        mm_command_destroy(&self);
        return NULL;
    }
    self->arguments = calloc(self->argument_count + 1, sizeof *self->arguments);
    assert(self->arguments);
    return self;
}

void mm_command_destroy(mm_command_t **self_p)
{
    mm_command_t *self = *self_p;
    if (!self)
        return;
    free(self->name);
    free(self->path);
    free(self->line);
    free(self->pieces);
    free(self->buffer);
    free(self->arguments);
    free(self);
    *self_p = NULL;
}

// 0, or an errno that says why it cannot be run.
static int why_not_runnable(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return errno;
    if (S_ISDIR(info.st_mode))
        return EISDIR;
    if (!S_ISREG(info.st_mode))
        return EACCES;
    return eaccess(path, X_OK) == 0 ? 0 : errno;
}

// Whether a folder of `path` (as in PATH) has the program. *ret_found, which was NULL, is set to
// where it is, or else to a file of that name which may not be executed; the caller frees it.
static bool is_in_path(const char *path, const char *program, char **ret_found)
{
    for (const char *at = path;; at++) {
        size_t size = strcspn(at, ":");
        char *candidate = NULL;
        int rc = asprintf(&candidate, "%.*s%s%s", (int)size, at, size ? "/" : "./", program);
        assert(rc >= 0);
        int why = why_not_runnable(candidate);
        if (why == 0) {
            free(*ret_found);
            *ret_found = candidate;
            return true;
        }
        if (why == EACCES && !*ret_found)
            *ret_found = candidate;
        else
            free(candidate);
        at += size;
        if (*at == '\0')
            return false;
    }
}

bool mm_command_find(mm_command_t *self, char ret_complaint[MM_ERROR_MAX])
{
    size_t size = 0;
    while (self->pieces[size].kind == PIECE_CHAR)
        size++;
    char *program = calloc(1, size + 1);
    char *found = NULL;
    assert(program);
    for (size_t i = 0; i < size; i++)
        program[i] = *self->pieces[i].text.data;

    bool ok = true;
    if (strchr(program, '/')) {
        int why = why_not_runnable(program);
        if (why != 0)
            ok = complain(self->name, ret_complaint, "cannot run %.200s: %s; %s", program,
                          strerror(why),
                          why == EACCES ? "make it executable (chmod +x)" : "correct its path");
        found = strdup(program);
        assert(found);
    } else {
        const char *path = getenv("PATH");
        if (!path)
            path = "/bin:/usr/bin"; // the default of execvp
        if (!is_in_path(path, program, &found)) {
            if (found)
                ok = complain(self->name, ret_complaint,
                              "%.200s may not be executed; make it executable (chmod +x)", found);
            else
                ok = complain(self->name, ret_complaint,
                              "%.100s is in no folder of PATH (%.200s); install it or give its "
                              "path",
                              program, path);
        }
    }
    free(program);
    free(self->path);
    self->path = found;
    return ok;
}

const char *mm_command_path(const mm_command_t *self)
{
    return self->path;
}

bool mm_command_names_ids(const mm_command_t *self)
{
    for (size_t i = 0; i < self->piece_count; i++)
        if (self->pieces[i].kind == PIECE_MACHINE || self->pieces[i].kind == PIECE_BOOT)
            return true;
    return false;
}

bool mm_command_keys(const mm_command_t *self, mm_attribute_keys_t *keys)
{
    for (size_t i = 0; i < self->piece_count; i++) {
        const piece_t *piece = &self->pieces[i];
        bool is_optional = piece->kind == PIECE_OPTIONAL || piece->kind == PIECE_ADDRESS;
        if (piece->kind == PIECE_ATTRIBUTE && !mm_attribute_keys_add(keys, piece->text))
            return false;
        if (is_optional && !mm_attribute_keys_add_optional(keys, piece->text))
            return false;
    }
    return true;
}

bool mm_command_names(const mm_command_t *self, mm_str_t key)
{
    for (size_t i = 0; i < self->piece_count; i++) {
        const piece_t *piece = &self->pieces[i];
        bool is_key = piece->kind == PIECE_ATTRIBUTE || piece->kind == PIECE_OPTIONAL ||
                      piece->kind == PIECE_ADDRESS;
        if (is_key && mm_str_equal(piece->text, key))
            return true;
    }
    return false;
}

bool mm_command_is_of_task(const mm_command_t *self)
{
    for (size_t i = 0; i < self->piece_count; i++)
        if (self->pieces[i].kind != PIECE_CHAR && self->pieces[i].kind != PIECE_END)
            return true;
    return false;
}

const char *mm_command_name(const mm_command_t *self)
{
    return self->name;
}

mm_str_t mm_command_lacks(const mm_command_t *self, mm_str_t attributes)
{
    mm_str_t value;
    for (size_t i = 0; i < self->piece_count; i++)
        if (self->pieces[i].kind == PIECE_ATTRIBUTE &&
            !mm_attributes_find(attributes, self->pieces[i].text, &value))
            return self->pieces[i].text;
    return (mm_str_t){0};
}

// What is filled in, as text.
typedef struct {
    const mm_task_t *task;
    char job[MM_ID_TEXT];
    char attempt[16];
    char machine[MM_HEX_TEXT];
    char boot[MM_UUID_TEXT];
} values_t;

static void print_values(values_t *values, const mm_task_t *task, bool names_ids)
{
    values->task = task;
    mm_id_print(&task->id, values->job);
    (void)snprintf(values->attempt, sizeof values->attempt, "%" PRIu32, task->attempt);
    if (!names_ids)
        return;
    strcpy(values->machine, "{machine_id}"); // as long as nobody knows it
    strcpy(values->boot, "{boot_id}");
    if (task->real && !mm_id_is_none(&task->real->machine))
        (void)mm_hex_print(&task->real->machine, values->machine);
    if (task->real && !mm_id_is_none(&task->real->boot))
        (void)mm_uuid_print(&task->real->boot, values->boot);
}

// The text of a piece. An attribute that is lacking, as only an optional one may be, has none.
static mm_str_t piece_text(const piece_t *piece, const values_t *values)
{
    mm_str_t value = {0};
    switch (piece->kind) {
    case PIECE_HOST: return values->task->host;
    case PIECE_JOB: return mm_str(values->job);
    case PIECE_ATTEMPT: return mm_str(values->attempt);
    case PIECE_MACHINE: return mm_str(values->machine);
    case PIECE_BOOT: return mm_str(values->boot);
    case PIECE_ADDRESS:
        value = values->task->host;
        (void)mm_attributes_find(values->task->attributes, piece->text, &value);
        return value;
    case PIECE_ATTRIBUTE:
    case PIECE_OPTIONAL:
        (void)mm_attributes_find(values->task->attributes, piece->text, &value);
        return value;
    case PIECE_CHAR:
    case PIECE_END: break;
    }
    return piece->text;
}

// Whether the argument that ends with the piece at *end, which it sets, is to be there.
static bool is_wanted(const mm_command_t *self, size_t from, const mm_task_t *task, size_t *end)
{
    bool is_complete = true;
    mm_str_t value;
    size_t i = from;
    for (; self->pieces[i].kind != PIECE_END; i++)
        is_complete =
            is_complete && (self->pieces[i].kind != PIECE_OPTIONAL ||
                            mm_attributes_find(task->attributes, self->pieces[i].text, &value));
    *end = i;
    return is_complete;
}

char **mm_command_fill(mm_command_t *self, const mm_task_t *task)
{
    values_t values = {0};
    print_values(&values, task, mm_command_names_ids(self));
    size_t size = 0;
    for (size_t i = 0; i < self->piece_count; i++)
        size += piece_text(&self->pieces[i], &values).size;
    self->buffer = mm_array_reserve(self->buffer, &self->buffer_size, size, 1);

    char *at = self->buffer;
    size_t count = 0, end;
    for (size_t i = 0; i < self->piece_count; i = end + 1) {
        if (!is_wanted(self, i, task, &end))
            continue;
        self->arguments[count++] = at;
        for (; i <= end; i++)
            (void)mm_str_copy(&at, piece_text(&self->pieces[i], &values));
    }
    assert(count <= self->argument_count);
    self->arguments[count] = NULL;
    return self->arguments;
}

static void quote_argument(FILE *out, const char *argument)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                               "_@%+=:,./-";
    bool has_control = false;
    for (const char *c = argument; *c; c++)
        has_control |= (unsigned char)*c < 0x20 || *c == 0x7f;
    if (*argument && argument[strspn(argument, safe)] == '\0') {
        (void)fputs(argument, out);
        return;
    }
    (void)fputs(has_control ? "$'" : "'", out);
    for (const char *c = argument; *c; c++) {
        if (has_control && ((unsigned char)*c < 0x20 || *c == 0x7f))
            (void)fprintf(out, "\\%03o", (unsigned)(unsigned char)*c);
        else if (has_control && (*c == '\'' || *c == '\\'))
            (void)fprintf(out, "\\%c", *c);
        else if (*c == '\'')
            (void)fputs("'\\''", out);
        else
            (void)fputc(*c, out);
    }
    (void)fputc('\'', out);
}

char *mm_command_quote(char *const *arguments)
{
    char *line = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&line, &size);
    assert(out);
    for (size_t i = 0; arguments[i]; i++) {
        if (i > 0)
            (void)fputc(' ', out);
        quote_argument(out, arguments[i]);
    }
    int rc = fclose(out);
    assert(rc == 0);
    return line;
}
