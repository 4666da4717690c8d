// See callgrind.h. A file may come from anywhere: all of it is checked.

#include "callgrind.h"
#include "array.h"
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <uthash.h>

#define IDS_MAX (1 << 24) // numbers of compressed names: far above those of callgrind

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
    size_t event;           // index of Ir among the costs of a line
    bool counts_ir;
    bool is_call;    // the next line of costs is that of a call
    uint64_t jumps;  // the next line is the source of so many jumps
    uint64_t target; // to this address
    bool is_within;  // a part has begun with its summary and will end with its totals
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

// Callgrind names recursive calls of a function name'2, name'3, ...
static size_t size_without_depth(const char *text)
{
    size_t size = strlen(text), digits = size;
    while (digits > 0 && text[digits - 1] >= '0' && text[digits - 1] <= '9')
        digits--;
    return digits < size && digits > 1 && text[digits - 1] == '\'' ? digits - 1 : size;
}

// "(7) name" gives a name the number 7, "(7)" is that name, "name" a name without a number. NULL:
// none of them.
static const char *read_name(reader_t *self, ids_t *ids, const char *text)
{
    char *end;
    if (*text != '(' || text[1] < '0' || text[1] > '9')
        return intern(self->self, text, size_without_depth(text));
    unsigned long id = strtoul(text + 1, &end, 10);
    if (*end != ')' || id >= IDS_MAX)
        return NULL;
    size_t before = ids->capacity;
    ids->texts = mm_array_reserve(ids->texts, &ids->capacity, id + 1, sizeof *ids->texts);
    memset(ids->texts + before, 0, (ids->capacity - before) * sizeof *ids->texts);
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
    const char *slash = memrchr(text, '/', size), *name = slash ? slash + 1 : text;
    self->now.process = intern(self->self, name, size - (size_t)(name - text));
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

// A position: absolute, or "+3", "-3", "*" relative to the last one.
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
    callgrind_cost_t *cost = MM_ARRAY_ADD(all->costs, all->count, all->capacity);
    *cost = self->now;
    if (!self->is_call)
        cost->callee = cost->callee_file = NULL;
}

// "COUNT TARGET", or "TAKEN/EXECUTED TARGET". Only a jump of an instruction to itself matters: its
// line repeats, and is executed once for all repetitions.
static bool read_jump(reader_t *self, char *text)
{
    uint64_t count = strtoull(text, &text, 10);
    if (*text == '/')
        (void)strtoull(text + 1, &text, 10);
    self->target = self->at[ADDRESS];
    self->jumps = self->has[ADDRESS] ? count : 0;
    return !self->has[ADDRESS] || read_position(&self->target, &text);
}

// "POSITIONS COSTS": missing costs are 0.
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
    self->now.address = self->at[ADDRESS];
    self->now.line = (int)self->at[LINE];
    self->now.repeats = self->target == self->now.address ? self->jumps : 0;
    self->jumps = 0;
    if (self->now.cost > 0 || self->now.repeats > 0)
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

// "KEY=NAME", of which those of a jump's target may give a name its number. Without a file of its
// own, a callee has that of its caller; its object does not matter.
static bool read_specification(reader_t *self, char *line)
{
    const char *unused, *text;
    const struct {
        const char *key;
        ids_t *ids;
        const char **to;
    } names[] = {{"ob=", &self->objects, &self->now.object},
                 {"fl=", &self->files, &self->now.file},
                 {"fi=", &self->files, &self->now.file},
                 {"fe=", &self->files, &self->now.file},
                 {"fn=", &self->functions, &self->now.function},
                 {"cob=", &self->objects, &unused},
                 {"cfi=", &self->files, &self->now.callee_file},
                 {"cfl=", &self->files, &self->now.callee_file},
                 {"cfn=", &self->functions, &self->now.callee},
                 {"jfi=", &self->files, &unused},
                 {"jfn=", &self->functions, &unused}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((text = after(line, names[i].key)))
            return (*names[i].to = read_name(self, names[i].ids, text)) != NULL;
    if (after(line, "jump=") || after(line, "jcnd="))
        return read_jump(self, line + strlen("jump="));
    if (after(line, "calls=")) { // their count and target; the costs are in the next line
        self->is_call = true;
        if (!self->now.callee_file)
            self->now.callee_file = self->now.file;
        return self->now.callee != NULL;
    }
    return true; // an addition of a later version
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
        self->has[ADDRESS] = strstr(text, "instr"), self->has[LINE] = strstr(text, "line");
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

static bool parse(callgrind_t *self, FILE *file, char error[MM_ERROR_MAX])
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
    free(line);
    free(reader.objects.texts);
    free(reader.files.texts);
    free(reader.functions.texts);
    if (!is_good)
        return ctl_error(error, "line %zu is not in callgrind's format%s", number,
                         reader.counts_ir ? "" : ", or counts no instructions (Ir)");
    if (reader.is_within)
        return ctl_error(error, "it is cut off, its process was killed while it wrote: remove it");
    return self->count > before || ctl_error(error, "there are no costs in it");
}

// ---- files

static bool read_file(void *arg, const char *path, char error[MM_ERROR_MAX])
{
    callgrind_t *self = arg;
    char why[MM_ERROR_MAX];
    struct stat status = {0};
    FILE *file = fopen(path, "re");
    if (!file)
        return ctl_error(error, "cannot read %s: %s", path, strerror(errno));
    (void)fstat(fileno(file), &status);
    bool is_good =
        parse(self, file, why) || ctl_error(error, "cannot use %.200s: %.280s", path, why);
    if (self->taken == 0 || status.st_mtime < self->taken)
        self->taken = status.st_mtime;
    (void)fclose(file);
    return is_good;
}

bool callgrind_read(callgrind_t *self, const char *path, char error[MM_ERROR_MAX])
{
    return ctl_read_files(path, ".out", "; ./run.sh --profile=lines leaves such files", read_file,
                          self, error);
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
