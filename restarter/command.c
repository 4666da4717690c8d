// See command.h. The line is split once, into a list of pieces: characters, placeholders and ends
// of arguments. To fill it in is then to copy the pieces into one reused buffer.

#include "command.h"

#include "uuid.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum { PIECE_CHAR, PIECE_HOST, PIECE_JOB, PIECE_ATTEMPT, PIECE_END } piece_kind_t;

typedef struct {
    piece_kind_t kind;
    char character; // of PIECE_CHAR
} piece_t;

struct command {
    char *name;
    piece_t *pieces; // never more than one for each byte of the line, and one for its end
    size_t piece_count;
    size_t argument_count;
    char *buffer; // of command_fill: all arguments, one behind the other
    size_t buffer_size;
    char **arguments; // argument_count of them, and a NULL
};

static const struct {
    const char *word;
    piece_kind_t kind;
} placeholders[] = {{"{host}", PIECE_HOST}, {"{job}", PIECE_JOB}, {"{attempt}", PIECE_ATTEMPT}};

// The state of the splitting.
typedef struct {
    command_t *command;
    const char *line;
    size_t at;
    bool is_inside; // of an argument
    char *complaint;
} split_t;

__attribute__((format(printf, 3, 4))) static bool complain(const char *name, char *complaint,
                                                           const char *format, ...)
{
    int size = snprintf(complaint, COMMAND_COMPLAINT_MAX, "%s: ", name);
    if (size < 0 || size >= COMMAND_COMPLAINT_MAX)
        return false;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(complaint + size, COMMAND_COMPLAINT_MAX - (size_t)size, format, arguments);
    va_end(arguments);
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void put_piece(split_t *split, piece_kind_t kind, char character)
{
    command_t *command = split->command;
    command->pieces[command->piece_count++] = (piece_t){kind, character};
    split->is_inside = kind != PIECE_END;
    if (kind == PIECE_END)
        command->argument_count++;
}

// The size of the {word} at `text`, braces included; 0: there is none.
static size_t word_size(const char *text)
{
    size_t size = 1;
    while (text[size] >= 'a' && text[size] <= 'z')
        size++;
    return text[0] == '{' && size > 1 && text[size] == '}' ? size + 1 : 0;
}

// Parses one placeholder or one character.
static bool parse_one(split_t *split)
{
    const char *text = split->line + split->at;
    size_t size = word_size(text);
    if (size == 0) {
        put_piece(split, PIECE_CHAR, *text);
        split->at++;
        return true;
    }
    for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++) {
        if (strlen(placeholders[i].word) == size && memcmp(placeholders[i].word, text, size) == 0) {
            put_piece(split, placeholders[i].kind, 0);
            split->at += size;
            return true;
        }
    }
    return complain(split->command->name, split->complaint,
                    "character %zu: %.*s is no placeholder; there are {host}, {job} and "
                    "{attempt}; outside quotes \\{ is a brace",
                    split->at + 1, size > 64 ? 64 : (int)size, text);
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
            put_piece(split, PIECE_CHAR, next);
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
            put_piece(split, PIECE_END, 0);
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
    put_piece(split, PIECE_CHAR, text[1]);
    split->at += 2;
    return true;
}

static bool split_line(split_t *split)
{
    command_t *command = split->command;
    while (split->line[split->at] != '\0') {
        if (!parse_next(split))
            return false;
    }
    if (split->is_inside)
        put_piece(split, PIECE_END, 0);
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

command_t *command_new(const char *name, const char *line,
                       char ret_complaint[COMMAND_COMPLAINT_MAX])
{
    command_t *self = calloc(1, sizeof *self);
    assert(self);
    self->name = strdup(name);
    // One piece for each byte, and an end for each argument: a blank, or the end of the line.
    self->pieces = calloc(strlen(line) + 1, sizeof *self->pieces);
    assert(self->name && self->pieces);
    split_t split = {.command = self, .line = line, .complaint = ret_complaint};
    if (!split_line(&split)) {
        command_destroy(&self);
        return NULL;
    }
    self->arguments = calloc(self->argument_count + 1, sizeof *self->arguments);
    assert(self->arguments);
    return self;
}

void command_destroy(command_t **self_p)
{
    command_t *self = *self_p;
    if (!self)
        return;
    free(self->name);
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

// Whether a folder of `path` (as in PATH) has the program. *ret_found is set to a file of that name
// which may not be executed; the caller frees it.
static bool is_in_path(const char *path, const char *program, char **ret_found)
{
    for (const char *at = path;; at++) {
        size_t size = strcspn(at, ":");
        char *candidate = NULL;
        int rc = asprintf(&candidate, "%.*s%s%s", (int)size, at, size ? "/" : "./", program);
        assert(rc >= 0);
        int why = why_not_runnable(candidate);
        if (why == EACCES && !*ret_found)
            *ret_found = candidate;
        else
            free(candidate);
        if (why == 0)
            return true;
        at += size;
        if (*at == '\0')
            return false;
    }
}

bool command_find(const command_t *self, char ret_complaint[COMMAND_COMPLAINT_MAX])
{
    size_t size = 0;
    while (self->pieces[size].kind == PIECE_CHAR)
        size++;
    char *program = calloc(1, size + 1);
    char *found = NULL;
    assert(program);
    for (size_t i = 0; i < size; i++)
        program[i] = self->pieces[i].character;

    bool ok = true;
    if (strchr(program, '/')) {
        int why = why_not_runnable(program);
        if (why != 0)
            ok = complain(self->name, ret_complaint, "cannot run %.200s: %s; %s", program,
                          strerror(why),
                          why == EACCES ? "make it executable (chmod +x)" : "correct its path");
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
    free(found);
    free(program);
    return ok;
}

// The text of a piece.
static mm_str_t piece_text(const piece_t *piece, mm_str_t host, mm_str_t job, mm_str_t attempt)
{
    switch (piece->kind) {
    case PIECE_CHAR: return (mm_str_t){&piece->character, 1};
    case PIECE_HOST: return host;
    case PIECE_JOB: return job;
    case PIECE_ATTEMPT: return attempt;
    case PIECE_END: return (mm_str_t){"", 1}; // its NUL
    }
    abort();
}

char **command_fill(command_t *self, mm_str_t host, const mm_id_t *job, uint32_t attempt,
                    size_t *ret_count)
{
    char job_text[MM_ID_TEXT];
    char attempt_text[16];
    mm_id_print(job, job_text);
    (void)snprintf(attempt_text, sizeof attempt_text, "%lu", (unsigned long)attempt);
    mm_str_t job_as_text = mm_str(job_text);
    mm_str_t attempt_as_text = mm_str(attempt_text);

    size_t size = 0;
    for (size_t i = 0; i < self->piece_count; i++)
        size += piece_text(&self->pieces[i], host, job_as_text, attempt_as_text).size;
    if (size > self->buffer_size) {
        self->buffer = realloc(self->buffer, size);
        assert(self->buffer);
        self->buffer_size = size;
    }

    char *at = self->buffer;
    size_t count = 0;
    bool is_first = true;
    for (size_t i = 0; i < self->piece_count; i++) {
        if (is_first)
            self->arguments[count++] = at;
        mm_str_t text = piece_text(&self->pieces[i], host, job_as_text, attempt_as_text);
        if (text.size > 0)
            memcpy(at, text.data, text.size);
        at += text.size;
        is_first = self->pieces[i].kind == PIECE_END;
    }
    assert(count == self->argument_count);
    self->arguments[count] = NULL;
    *ret_count = count;
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

char *command_quote(char *const *arguments)
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
