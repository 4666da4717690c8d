// See source_text.h.

#include "source_text.h"
#include "array.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

// ---- functions

static bool is_word(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_';
}

// Behind the parenthesis that closes the one at text; NULL: it is not in this line.
static const char *skip_parentheses(const char *text)
{
    int depth = 0;
    for (; *text; text++) {
        depth += (*text == '(') - (*text == ')');
        if (depth == 0)
            return text + 1;
    }
    return NULL;
}

// The word before the first parenthesis of a line that may begin a definition, attributes aside.
static const char *find_name(const char *line, size_t *ret_size)
{
    static const char attribute[] = "__attribute__";
    if (!isalpha((unsigned char)*line) && *line != '_')
        return NULL;
    while (line && strncmp(line, attribute, sizeof attribute - 1) == 0) {
        line = skip_parentheses(line + sizeof attribute - 1);
        line = line ? line + strspn(line, " ") : NULL;
    }
    const char *end = line ? strchr(line, '(') : NULL;
    if (!end || memchr(line, '=', (size_t)(end - line)))
        return NULL;
    const char *name = end;
    while (name > line && is_word(name[-1]))
        name--;
    *ret_size = (size_t)(end - name);
    return *ret_size > 0 ? name : NULL;
}

// The line of the brace that opens the body; line_count: it is no definition.
static size_t find_body(const source_t *self, size_t at)
{
    for (; at < self->line_count; at++) {
        const char *line = self->lines[at];
        size_t size = strlen(line);
        if (*line == '{' || (size > 0 && (line[size - 1] == '{' || line[size - 1] == '}')))
            return at;
        if (size == 0 || strchr(line, ';'))
            break;
    }
    return self->line_count;
}

// The line of the brace that closes the body: in the first column, or at the end of the same line.
static size_t find_end(const source_t *self, size_t at)
{
    size_t size = strlen(self->lines[at]);
    if (size > 1 && self->lines[at][size - 1] == '}')
        return at;
    while (at + 1 < self->line_count && *self->lines[at] != '}')
        at++;
    return at;
}

static void find_functions(source_t *self)
{
    for (size_t at = 0; at < self->line_count; at++) {
        size_t size;
        const char *name = find_name(self->lines[at], &size);
        size_t end = name ? find_body(self, at) : self->line_count;
        if (end == self->line_count)
            continue;
        end = find_end(self, end);
        source_function_t *function =
            MM_ARRAY_ADD(self->functions, self->function_count, self->function_capacity);
        *function = (source_function_t){
            .name = strndup(name, size), .first = (int)at + 1, .last = (int)end + 1};
        assert(function->name);
        at = end;
    }
}

const source_function_t *source_function_at(const source_t *self, int line)
{
    for (size_t i = 0; i < self->function_count; i++)
        if (self->functions[i].first <= line && line <= self->functions[i].last)
            return &self->functions[i];
    return NULL;
}

// ---- files

static FILE *open_source(const char *path)
{
    FILE *file = fopen(path, "re");
    // A relative name may be that of a library's source.
    for (bool is_absolute = *path == '/'; is_absolute && !file && (path = strchr(path, '/'));) {
        path += strspn(path, "/");
        file = fopen(path, "re");
    }
    return file;
}

// The last two parts of a path.
static const char *short_name(const char *path)
{
    const char *name = path + strlen(path);
    for (int slashes = 0; name > path && (slashes += name[-1] == '/') < 2;)
        name--;
    return name;
}

source_t *source_read(const char *path)
{
    struct stat status;
    FILE *file = open_source(path);
    if (!file)
        return NULL;
    if (fstat(fileno(file), &status) != 0 || !S_ISREG(status.st_mode)) {
        (void)fclose(file);
        return NULL;
    }
    source_t *self = calloc(1, sizeof *self);
    assert(self);
    self->changed = status.st_mtime;
    self->name = strdup(short_name(path));
    assert(self->name);
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, file) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        *MM_ARRAY_ADD(self->lines, self->line_count, self->line_capacity) = line;
        line = NULL;
        capacity = 0;
    }
    free(line);
    (void)fclose(file);
    find_functions(self);
    return self;
}

void source_destroy(source_t **self_p)
{
    source_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < self->line_count; i++)
        free(self->lines[i]);
    for (size_t i = 0; i < self->function_count; i++)
        free(self->functions[i].name);
    free(self->lines);
    free(self->functions);
    free(self->name);
    free(self);
}
