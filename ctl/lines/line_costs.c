// See line_costs.h. Costs are sorted by place, so that those of one line are together, within a
// line those of one compiled function, and within that those of one instruction.

#include "line_costs.h"
#include "array.h"

#include <string.h>

// ---- order

// Texts are interned: their addresses give an order. That of files is the order of the output. 0:
// the costs are of one line of one compiled function.
static int compare_copies(const callgrind_cost_t *one, const callgrind_cost_t *other)
{
    const uintptr_t keys[][2] = {{(uintptr_t)one->line, (uintptr_t)other->line},
                                 {(uintptr_t)one->process, (uintptr_t)other->process},
                                 {(uintptr_t)one->object, (uintptr_t)other->object},
                                 {(uintptr_t)one->function, (uintptr_t)other->function}};
    int order = one->file == other->file ? 0 : strcmp(one->file, other->file);
    for (size_t i = 0; i < sizeof keys / sizeof *keys && order == 0; i++)
        order = (keys[i][0] > keys[i][1]) - (keys[i][0] < keys[i][1]);
    return order;
}

static int by_place(const void *a, const void *b)
{
    const callgrind_cost_t *one = a, *other = b;
    int order = compare_copies(one, other);
    return order != 0 ? order : (one->address > other->address) - (one->address < other->address);
}

static int by_own(const void *a, const void *b)
{
    const costed_object_t *one = a, *other = b;
    if (one->own != other->own)
        return one->own < other->own ? 1 : -1;
    return strcmp(one->name, other->name);
}

// ---- summing up

static uint64_t count_hits(const callgrind_cost_t *costs, size_t count)
{
    uint64_t hits = 0;
    for (size_t i = 0, next; i < count; i = next) {
        uint64_t executed = 0;
        for (next = i; next < count && costs[next].address == costs[i].address; next++)
            executed += costs[next].callee ? 0 : costs[next].cost - costs[next].repeats;
        hits = executed > hits ? executed : hits;
    }
    return hits;
}

static bool is_own_call(const costed_file_t *file, const callgrind_cost_t *cost)
{
    const source_function_t *function =
        cost->callee_file == cost->file ? source_function_at(file->source, cost->line) : NULL;
    return function && strcmp(function->name, cost->callee) == 0;
}

static void add_line(line_costs_t *self, const costed_file_t *file, const callgrind_cost_t *costs,
                     size_t count)
{
    line_cost_t *line = &file->costs[costs->line];
    for (size_t i = 0; i < count; i++) {
        if (!costs[i].callee)
            line->own += costs[i].cost;
        if (!costs[i].callee || !is_own_call(file, &costs[i]))
            line->all += costs[i].cost;
    }
    if (self->has_hits)
        line->hits += count_hits(costs, count);
}

static void add_object(line_costs_t *self, const callgrind_cost_t *cost)
{
    size_t i = 0;
    while (i < self->object_count && self->objects[i].name != cost->object)
        i++;
    if (i == self->object_count)
        *MM_ARRAY_ADD(self->objects, self->object_count, self->object_capacity) =
            (costed_object_t){.name = cost->object};
    self->objects[i].own += cost->cost;
}

// The headers of the compiler and of libraries are not shown.
static bool is_system_header(const char *path)
{
    return strncmp(path, "/usr/include/", 13) == 0 || strncmp(path, "/usr/lib/", 9) == 0;
}

// The file with this path: the last one, or a new one.
static costed_file_t *find_file(line_costs_t *self, const char *path)
{
    if (self->file_count > 0 && self->files[self->file_count - 1].path == path)
        return &self->files[self->file_count - 1];
    costed_file_t *file = MM_ARRAY_ADD(self->files, self->file_count, self->file_capacity);
    *file = (costed_file_t){.path = path};
    if (!is_system_header(path))
        file->source = source_read(path);
    if (file->source) {
        file->costs = calloc(file->source->line_count + 1, sizeof *file->costs);
        assert(file->costs);
    }
    return file;
}

line_costs_t *line_costs_new(const callgrind_t *callgrind)
{
    line_costs_t *self = calloc(1, sizeof *self);
    size_t count = callgrind->count;
    callgrind_cost_t *costs = calloc(count + 1, sizeof *costs);
    assert(self && costs);
    self->callgrind = callgrind;
    if (count > 0)
        memcpy(costs, callgrind->costs, count * sizeof *costs);
    qsort(costs, count, sizeof *costs, by_place);
    for (size_t i = 0; i < count; i++)
        self->has_hits = self->has_hits || costs[i].address > 0;
    for (size_t i = 0, next; i < count; i = next) {
        costed_file_t *file = find_file(self, costs[i].file);
        bool has_source =
            file->source && costs[i].line > 0 && (size_t)costs[i].line <= file->source->line_count;
        for (next = i; next < count && compare_copies(&costs[next], &costs[i]) == 0; next++) {
            self->total += costs[next].callee ? 0 : costs[next].cost;
            if (!has_source && !costs[next].callee)
                add_object(self, &costs[next]);
        }
        if (has_source)
            add_line(self, file, costs + i, next - i);
    }
    if (self->object_count > 0)
        qsort(self->objects, self->object_count, sizeof *self->objects, by_own);
    free(costs);
    return self;
}

void line_costs_destroy(line_costs_t **self_p)
{
    line_costs_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    for (size_t i = 0; i < self->file_count; i++) {
        source_destroy(&self->files[i].source);
        free(self->files[i].costs);
    }
    free(self->files);
    free(self->objects);
    free(self);
}

line_cost_t line_costs_of(const costed_file_t *file, const source_function_t *function)
{
    line_cost_t sum = {0};
    for (int line = function->first; line <= function->last; line++) {
        sum.own += file->costs[line].own;
        sum.all += file->costs[line].all;
    }
    return sum;
}
