// See callgrind.h. A file may come from anywhere: everything in it is checked.

#include "callgrind.h"
#include "directory.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <uthash.h>

#define IDS_MAX (1 << 24) // numbers of compressed names: far above what callgrind gives

struct callgrind_name {
    UT_hash_handle hh;
    char text[];
};

// Names by their numbers.
typedef struct {
    const char **texts;
    size_t capacity;
} ids_t;

enum { ADDRESS, LINE, POSITIONS };

typedef struct {
    callgrind_t *self;
    ids_t objects, files, functions;
    bool has[POSITIONS];
    uint64_t at[POSITIONS]; // the last position
    size_t event;           // the place of Ir among the costs of a line
    bool counts_ir;
    bool is_call;   // the next line of costs is that of a call
    bool is_within; // a part has begun with its summary; its totals end it
    callgrind_cost_t now;
} reader_t;

// ---- names

static const char *intern(callgrind_t *self, const char *text, size_t size)
{
    callgrind_name_t *name;
    HASH_FIND(hh, self->names, text, size, name);
    if (name)
        return name->text;
    name = calloc(1, sizeof *name + size + 1);
    assert(name);
    memcpy(name->text, text, size);
    HASH_ADD_KEYPTR(hh, self->names, name->text, size, name);
    return name->text;
}

// A function that calls itself is called 2, 3, ... by callgrind: name'2.
static size_t size_without_depth(const char *text)
{
    size_t size = strlen(text), digits = size;
    while (digits > 0 && text[digits - 1] >= '0' && text[digits - 1] <= '9')
        digits--;
    return digits < size && digits > 1 && text[digits - 1] == '\'' ? digits - 1 : size;
}

// "(7) name" gives the name a number, "(7)" is that name, and "name" is itself. NULL: neither.
static const char *read_name(reader_t *self, ids_t *ids, const char *text)
{
    char *end;
    if (*text != '(' || text[1] < '0' || text[1] > '9')
        return intern(self->self, text, size_without_depth(text));
    unsigned long id = strtoul(text + 1, &end, 10);
    if (*end != ')' || id >= IDS_MAX)
        return NULL;
    if (id >= ids->capacity) {
        size_t capacity = (id + 1) * 2;
        ids->texts = realloc(ids->texts, capacity * sizeof *ids->texts);
        assert(ids->texts);
        memset(ids->texts + ids->capacity, 0, (capacity - ids->capacity) * sizeof *ids->texts);
        ids->capacity = capacity;
    }
    end += 1 + strspn(end + 1, " ");
    if (*end)
        ids->texts[id] = intern(self->self, end, size_without_depth(end));
    return ids->texts[id];
}

// ---- the header

// The process's name in the command line of valgrind's client.
static void read_command(reader_t *self, const char *text)
{
    const char *id = strstr(text, " --id");
    if (id && (id[5] == '=' || id[5] == ' ')) {
        self->now.process = intern(self->self, id + 6, strcspn(id + 6, " "));
        return;
    }
    size_t size = strcspn(text, " ");
    while (size > 0 && memrchr(text, '/', size)) {
        text++;
        size--;
    }
    self->now.process = intern(self->self, text, size);
}

static void read_positions(reader_t *self, const char *text)
{
    self->has[ADDRESS] = strstr(text, "instr") != NULL;
    self->has[LINE] = strstr(text, "line") != NULL;
}

static void read_events(reader_t *self, const char *text)
{
    self->event = 0;
    self->counts_ir = false;
    for (text += strspn(text, " "); *text && !self->counts_ir; text += strspn(text, " ")) {
        size_t size = strcspn(text, " ");
        self->counts_ir = size == 2 && strncmp(text, "Ir", 2) == 0;
        self->event += !self->counts_ir;
        text += size;
    }
}

// ---- costs

// A position: absolute, or "+3", "-3", "*" as seen from the last one.
static bool read_position(uint64_t *last, char **text_p)
{
    char *text = *text_p + strspn(*text_p, " "), sign = *text;
    if (sign == '*') {
        *text_p = text + 1;
        return true;
    }
    if (sign == '+' || sign == '-')
        text++;
    if (*text < '0' || *text > '9')
        return false;
    uint64_t number = strtoull(text, text_p, 0);
    *last = sign == '+' ? *last + number : sign == '-' ? *last - number : number;
    return true;
}

static void add_cost(reader_t *self)
{
    callgrind_t *all = self->self;
    if (all->count == all->capacity) {
        all->capacity = all->capacity == 0 ? 4096 : all->capacity * 2;
        all->costs = realloc(all->costs, all->capacity * sizeof *all->costs);
        assert(all->costs);
    }
    callgrind_cost_t *cost = &all->costs[all->count++];
    *cost = self->now;
    if (!self->is_call)
        cost->callee = cost->callee_file = NULL;
}

// "POSITIONS COSTS": costs that are not there are 0.
static bool read_cost(reader_t *self, char *text)
{
    for (size_t i = 0; i < POSITIONS; i++)
        if (self->has[i] && !read_position(&self->at[i], &text))
            return false;
    for (size_t i = 0; i <= self->event; i++) {
        text += strspn(text, " ");
        self->now.cost = strtoull(text, &text, 10); // 0 at the end of the line
    }
    if (self->at[LINE] > INT32_MAX || !self->now.function || !self->now.process ||
        !self->counts_ir || text[strspn(text, " 0123456789")] != '\0')
        return false;
    self->now.address = self->has[ADDRESS] ? self->at[ADDRESS] : 0;
    self->now.line = (int)self->at[LINE];
    if (self->now.cost > 0)
        add_cost(self);
    if (self->is_call)
        self->now.callee = self->now.callee_file = NULL;
    self->is_call = false;
    return true;
}

// ---- lines

static const char *after(const char *line, const char *key)
{
    size_t size = strlen(key);
    return strncmp(line, key, size) == 0 ? line + size : NULL;
}

// "key=name". The file of a callee is the caller's unless it is said; its object does not matter.
static bool read_specification(reader_t *self, const char *line)
{
    const char *text;
    if ((text = after(line, "ob=")))
        return (self->now.object = read_name(self, &self->objects, text)) != NULL;
    if ((text = after(line, "cob=")))
        return read_name(self, &self->objects, text) != NULL;
    if ((text = after(line, "fl=")) || (text = after(line, "fi=")) || (text = after(line, "fe=")))
        return (self->now.file = read_name(self, &self->files, text)) != NULL;
    if ((text = after(line, "cfi=")) || (text = after(line, "cfl=")))
        return (self->now.callee_file = read_name(self, &self->files, text)) != NULL;
    if ((text = after(line, "fn=")))
        return (self->now.function = read_name(self, &self->functions, text)) != NULL;
    if ((text = after(line, "cfn=")))
        return (self->now.callee = read_name(self, &self->functions, text)) != NULL;
    if (after(line, "calls=")) { // how many and where to: the costs are in the next line
        self->is_call = true;
        if (!self->now.callee_file)
            self->now.callee_file = self->now.file;
        return self->now.callee != NULL;
    }
    return true; // jumps, and what later versions add
}

static bool read_line(reader_t *self, char *line)
{
    const char *text;
    if (*line == '\0' || *line == '#')
        return true;
    if (strchr("+-*0123456789", *line))
        return read_cost(self, line);
    if ((text = after(line, "cmd:")))
        read_command(self, text + strspn(text, " "));
    else if ((text = after(line, "positions:")))
        read_positions(self, text);
    else if ((text = after(line, "events:")))
        read_events(self, text);
    else if (after(line, "summary:"))
        self->is_within = true;
    else if (after(line, "totals:"))
        self->is_within = false;
    else if (line[strcspn(line, "=:")] == '=')
        return read_specification(self, line);
    else
        return strchr(line, ':') != NULL;
    return true;
}

bool callgrind_parse(callgrind_t *self, FILE *file, char error[CALLGRIND_ERROR_MAX])
{
    reader_t reader = {.self = self, .has = {[LINE] = true}};
    reader.now.object = reader.now.file = intern(self, "", 0);
    reader.now.process = intern(self, "?", 1);
    char *line = NULL;
    size_t capacity = 0, number = 0, before = self->count;
    bool is_good = true;
    for (ssize_t size; is_good && (size = getline(&line, &capacity, file)) >= 0;) {
        number++;
        line[strcspn(line, "\r\n")] = '\0';
        is_good = read_line(&reader, line);
    }
    if (!is_good)
        (void)snprintf(error, CALLGRIND_ERROR_MAX, "line %zu is not in callgrind's format%s",
                       number, reader.counts_ir ? "" : ", or counts no instructions (Ir)");
    else if (reader.is_within)
        (void)snprintf(error, CALLGRIND_ERROR_MAX,
                       "it is cut off, its process was killed while it wrote: remove it");
    else if (self->count == before)
        (void)snprintf(error, CALLGRIND_ERROR_MAX, "there are no costs in it");
    free(line);
    free(reader.objects.texts);
    free(reader.files.texts);
    free(reader.functions.texts);
    return is_good && !reader.is_within && self->count > before;
}

// ---- files

static bool read_file(callgrind_t *self, const char *path, char error[CALLGRIND_ERROR_MAX])
{
    char why[CALLGRIND_ERROR_MAX];
    struct stat status;
    FILE *file = fopen(path, "re");
    if (!file || fstat(fileno(file), &status) != 0) {
        (void)snprintf(error, CALLGRIND_ERROR_MAX, "cannot read %s: %s", path, strerror(errno));
        if (file)
            (void)fclose(file);
        return false;
    }
    bool is_good = callgrind_parse(self, file, why);
    if (!is_good)
        (void)snprintf(error, CALLGRIND_ERROR_MAX, "cannot use %.200s: %.280s", path, why);
    if (self->taken == 0 || status.st_mtime < self->taken)
        self->taken = status.st_mtime;
    (void)fclose(file);
    return is_good;
}

typedef struct {
    callgrind_t *callgrind;
    char *error;
    bool is_good;
} reading_t;

static bool read_one(void *arg, const char *file)
{
    reading_t *reading = arg;
    reading->is_good = read_file(reading->callgrind, file, reading->error);
    return reading->is_good;
}

bool callgrind_read(callgrind_t *self, const char *path, char error[CALLGRIND_ERROR_MAX])
{
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        return read_file(self, path, error);
    reading_t reading = {self, error, false};
    int count = directory_each(path, ".out", read_one, &reading);
    if (count <= 0)
        (void)snprintf(error, CALLGRIND_ERROR_MAX,
                       "cannot read %s: %s; ./run.sh --profile=lines leaves such files", path,
                       count < 0 ? strerror(errno) : "no *.out is in it");
    return reading.is_good;
}

void callgrind_only(callgrind_t *self, const char *process)
{
    size_t kept = 0, size = strlen(process);
    for (size_t i = 0; i < self->count; i++) {
        const char *name = self->costs[i].process;
        if (strncmp(name, process, size) == 0 && (name[size] == '\0' || name[size] == '-'))
            self->costs[kept++] = self->costs[i];
    }
    self->count = kept;
}

void callgrind_clear(callgrind_t *self)
{
    callgrind_name_t *name, *next;
    HASH_ITER (hh, self->names, name, next) {
        HASH_DELETE(hh, self->names, name);
        free(name);
    }
    free(self->costs);
    *self = (callgrind_t){0};
}
