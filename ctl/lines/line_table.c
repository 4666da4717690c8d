// See line_table.h.

#include "line_table.h"
#include "array.h"

#include <inttypes.h>
#include <string.h>

#define OBJECTS_MAX 5 // libraries in the list
#define SUGGESTED   5

static double percent(uint64_t part, uint64_t whole)
{
    return whole > 0 ? 100.0 * (double)part / (double)whole : 0;
}

// Whether its lines may not be those that ran.
static bool has_changed(const line_costs_t *costs, const source_t *source)
{
    return source->changed > costs->callgrind->taken;
}

// ---- the table

// The processes in its costs, in the order of their files.
static void print_processes(FILE *file, const callgrind_t *callgrind, const char *path,
                            const source_function_t *function)
{
    const char *last = NULL;
    for (size_t i = 0; i < callgrind->count; i++) {
        const callgrind_cost_t *cost = &callgrind->costs[i];
        if (cost->file != path || cost->line < function->first || cost->line > function->last ||
            cost->process == last)
            continue;
        (void)fprintf(file, "%s%s", last ? ", " : "Process: ", cost->process);
        last = cost->process;
    }
    if (last)
        (void)fputc('\n', file);
}

static void print_line(FILE *file, const line_costs_t *costs, const line_cost_t *cost, int line,
                       uint64_t total, const char *text)
{
    double share = percent(cost->all, total);
    if (cost->all == 0 && *text == '\0')
        (void)fprintf(file, "%6d\n", line);
    else if (cost->all == 0)
        (void)fprintf(file, "%6d %10s %13s %10s %8s  %s\n", line, "", "", "", "", text);
    else if (!costs->has_hits)
        (void)fprintf(file, "%6d %10s %13" PRIu64 " %10s %8.1f  %s\n", line, "", cost->all, "",
                      share, text);
    else
        (void)fprintf(file, "%6d %10" PRIu64 " %13" PRIu64 " %10.1f %8.1f  %s\n", line, cost->hits,
                      cost->all, cost->hits > 0 ? (double)cost->all / (double)cost->hits : 0, share,
                      text);
}

void line_table_print(FILE *file, const line_costs_t *costs, const costed_file_t *source,
                      const source_function_t *function)
{
    uint64_t total = line_costs_of(source, function).all;
    (void)fprintf(file, "Total time: %" PRIu64 " instructions\n", total);
    print_processes(file, costs->callgrind, source->path, function);
    (void)fprintf(
        file, "File: %s%s\n", source->source->name,
        has_changed(costs, source->source) ? " (changed since it ran: lines may have moved)" : "");
    (void)fprintf(file, "Function: %s at line %d\n\n", function->name, function->first);
    (void)fprintf(file, "%6s %10s %13s %10s %8s  %s\n", "Line #", "Hits", "Time", "Per Hit",
                  "% Time", "Line Contents");
    (void)fputs("==================================================================\n", file);
    for (int line = function->first; line <= function->last; line++)
        print_line(file, costs, &source->costs[line], line, total, source->source->lines[line - 1]);
}

// ---- the list

typedef struct {
    const costed_file_t *file;
    const source_function_t *function;
    line_cost_t cost;
    size_t distance; // from the name that was asked for
} row_t;

static int by_own(const void *a, const void *b)
{
    const row_t *one = a, *other = b;
    if (one->cost.own != other->cost.own)
        return one->cost.own < other->cost.own ? 1 : -1;
    int order = strcmp(one->file->source->name, other->file->source->name);
    return order != 0 ? order : one->function->first - other->function->first;
}

static int by_all(const void *a, const void *b)
{
    const row_t *one = a, *other = b;
    int order = (one->cost.all < other->cost.all) - (one->cost.all > other->cost.all);
    return order != 0 ? order : by_own(a, b);
}

// All functions that have run. The caller frees them.
static row_t *list_rows(const line_costs_t *costs, size_t *ret_count)
{
    row_t *rows = NULL;
    size_t count = 0, capacity = 0;
    for (size_t i = 0; i < costs->file_count; i++) {
        const source_t *source = costs->files[i].source;
        for (size_t k = 0; source && k < source->function_count; k++) {
            row_t row = {.file = &costs->files[i], .function = &source->functions[k]};
            row.cost = line_costs_of(row.file, row.function);
            if (row.cost.all > 0)
                *MM_ARRAY_ADD(rows, count, capacity) = row;
        }
    }
    *ret_count = count;
    return rows;
}

static void print_objects(FILE *file, const line_costs_t *costs)
{
    uint64_t rest = 0;
    (void)fprintf(file, "\n%13s %6s  without source\n", "own", "%");
    for (size_t i = 0; i < costs->object_count; i++) {
        const costed_object_t *object = &costs->objects[i];
        const char *slash = strrchr(object->name, '/');
        if (i < OBJECTS_MAX)
            (void)fprintf(file, "%13" PRIu64 " %6.1f  %s\n", object->own,
                          percent(object->own, costs->total), slash ? slash + 1 : object->name);
        else
            rest += object->own;
    }
    if (rest > 0)
        (void)fprintf(file, "%13" PRIu64 " %6.1f  others\n", rest, percent(rest, costs->total));
}

static void print_changed(FILE *file, const line_costs_t *costs)
{
    size_t changed = 0;
    for (size_t i = 0; i < costs->file_count; i++)
        changed += costs->files[i].source && has_changed(costs, costs->files[i].source);
    if (changed > 0)
        (void)fprintf(file,
                      "\n%zu source files have changed since it ran: run it again, for their "
                      "lines may have moved\n",
                      changed);
}

void line_table_list(FILE *file, const line_costs_t *costs, bool by_time, size_t top)
{
    size_t count;
    row_t *rows = list_rows(costs, &count);
    if (count > 0)
        qsort(rows, count, sizeof *rows, by_time ? by_all : by_own);
    (void)fprintf(file, "%" PRIu64 " instructions\nOrdered by: %s\n\n%13s %6s %13s %6s  %s\n",
                  costs->total, by_time ? "time" : "own", "own", "%", "time", "%",
                  "file:line(function)");
    for (size_t i = 0; i < count && i < top; i++)
        (void)fprintf(file, "%13" PRIu64 " %6.1f %13" PRIu64 " %6.1f  %s:%d(%s)\n",
                      rows[i].cost.own, percent(rows[i].cost.own, costs->total), rows[i].cost.all,
                      percent(rows[i].cost.all, costs->total), rows[i].file->source->name,
                      rows[i].function->first, rows[i].function->name);
    print_objects(file, costs);
    print_changed(file, costs);
    free(rows);
}

// ---- names that are near

static int by_distance(const void *a, const void *b)
{
    const row_t *one = a, *other = b;
    int order = (one->distance > other->distance) - (one->distance < other->distance);
    return order != 0 ? order : by_own(a, b);
}

void line_table_suggest(FILE *file, const line_costs_t *costs, const char *name)
{
    size_t count, said = 0;
    row_t *rows = list_rows(costs, &count);
    for (size_t i = 0; i < count; i++) {
        const char *other = rows[i].function->name;
        bool is_part = strstr(other, name) || strstr(name, other);
        rows[i].distance = is_part ? 0 : mm_edit_distance(other, name);
    }
    if (count > 0)
        qsort(rows, count, sizeof *rows, by_distance);
    for (size_t i = 0; i < count && said < SUGGESTED; i++)
        if (i == 0 || strcmp(rows[i].function->name, rows[i - 1].function->name) != 0)
            (void)fprintf(file, "%s%s", said++ > 0 ? ", " : "", rows[i].function->name);
    free(rows);
}
