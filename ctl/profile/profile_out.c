// See profile_out.h: the table, the folded stacks and the difference.

#include "profile_out.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const profile_t *profile;
    const profile_node_t *function;
    const profile_node_t *before; // in a difference; NULL: none
    double change;                // the difference, in seconds of CPU time per second
} row_t;

static double seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

static double per_call(int64_t ns, uint64_t calls)
{
    return calls > 0 ? seconds(ns) / (double)calls : 0;
}

// ---- sorting

static int compare_files(const row_t *a, const row_t *b)
{
    int order = strcmp(a->function->file, b->function->file);
    if (order == 0)
        order = (a->function->line > b->function->line) - (a->function->line < b->function->line);
    return order != 0 ? order : strverscmp(a->profile->process, b->profile->process);
}

static int64_t key_of(const profile_node_t *function, profile_sort_t sort)
{
    switch (sort) {
    case SORT_TOTTIME: return function->cpu_ns;
    case SORT_CUMTIME: return function->all_cpu_ns;
    case SORT_NCALLS: return (int64_t)function->calls;
    case SORT_FILE: break;
    }
    return 0;
}

static int by_key(const void *a, const void *b, void *arg)
{
    const row_t *one = a, *other = b;
    const profile_sort_t *sort = arg;
    int64_t first = key_of(one->function, *sort), second = key_of(other->function, *sort);
    return first != second ? (first < second) - (first > second) : compare_files(one, other);
}

static int by_change(const void *a, const void *b)
{
    const row_t *one = a, *other = b;
    double first = one->change < 0 ? -one->change : one->change;
    double second = other->change < 0 ? -other->change : other->change;
    return first != second ? (first < second) - (first > second) : compare_files(one, other);
}

// ---- the table

// All functions that work, in all processes. The caller frees it.
static row_t *list_rows(const profiles_t *profiles, size_t *ret_count)
{
    row_t *rows = calloc(profiles->count * MM_PROFILE_NODES + 1, sizeof *rows);
    assert(rows);
    *ret_count = 0;
    for (size_t i = 0; i < profiles->count; i++)
        for (size_t k = 0; k < profiles->items[i]->function_count; k++)
            if (profile_is_work(&profiles->items[i]->functions[k]))
                rows[(*ret_count)++] = (row_t){.profile = profiles->items[i],
                                               .function = &profiles->items[i]->functions[k]};
    return rows;
}

static void print_idle(FILE *file, const profiles_t *profiles)
{
    (void)fprintf(file, "\n%9s %9s %9s  idle and other threads\n", "cpu", "waiting", "wakes");
    for (size_t i = 0; i < profiles->count; i++) {
        const profile_t *profile = profiles->items[i];
        for (size_t k = 0; k < profile->function_count; k++) {
            const profile_node_t *function = &profile->functions[k];
            if (function->kind == MM_SPOT_POLL)
                (void)fprintf(file, "%9.3f %9.3f %9" PRIu64 "  %s poll\n",
                              seconds(function->cpu_ns), seconds(function->wait_ns),
                              function->calls, profile->process);
            else if (function->kind == MM_SPOT_THREAD)
                (void)fprintf(file, "%9.3f %9s %9s  %s thread %s\n", seconds(function->cpu_ns), "",
                              "", profile->process, function->name);
        }
    }
}

static void print_head(FILE *file, const profiles_t *profiles, const row_t *rows, size_t count)
{
    uint64_t calls = 0;
    int64_t cpu_ns = 0, long_ns = 0;
    for (size_t i = 0; i < count; i++) {
        calls += rows[i].function->calls;
        cpu_ns += rows[i].function->cpu_ns;
    }
    for (size_t i = 0; i < profiles->count; i++)
        if (profiles->items[i]->long_ns > long_ns)
            long_ns = profiles->items[i]->long_ns;
    (void)fprintf(file,
                  "%" PRIu64 " calls in %zu processes, %.3f seconds of CPU time in %.3f seconds\n",
                  calls, profiles->count, seconds(cpu_ns), seconds(long_ns));
}

void profile_out_table(FILE *file, const profiles_t *profiles, profile_sort_t sort, size_t limit)
{
    static const char *const names[] = {[SORT_TOTTIME] = "internal time",
                                        [SORT_CUMTIME] = "cumulative time",
                                        [SORT_NCALLS] = "call count",
                                        [SORT_FILE] = "file name"};
    size_t count;
    row_t *rows = list_rows(profiles, &count);
    qsort_r(rows, count, sizeof *rows, by_key, &sort);
    print_head(file, profiles, rows, count);
    (void)fprintf(file, "Ordered by: %s\n\n", names[sort]);
    (void)fprintf(file, "%9s %8s %11s %8s %11s %8s  %-12s %s\n", "ncalls", "tottime", "percall",
                  "cumtime", "percall", "waiting", "process", "file:line(function)");
    for (size_t i = 0; i < count && (limit == 0 || i < limit); i++) {
        const profile_node_t *function = rows[i].function;
        (void)fprintf(file, "%9" PRIu64 " %8.3f %11.6f %8.3f %11.6f %8.3f  %-12s %s:%d(%s)\n",
                      function->calls, seconds(function->cpu_ns),
                      per_call(function->cpu_ns, function->calls), seconds(function->all_cpu_ns),
                      per_call(function->all_cpu_ns, function->calls), seconds(function->wait_ns),
                      rows[i].profile->process, function->file, function->line, function->name);
    }
    print_idle(file, profiles);
    free(rows);
}

// ---- folded stacks

static void print_stack(FILE *file, const profile_t *profile, size_t index)
{
    const profile_node_t *node = &profile->nodes[index];
    if (node->caller != 0)
        print_stack(file, profile, node->caller);
    else
        (void)fputs(profile->process, file);
    (void)fprintf(file, ";%s", node->name);
}

void profile_out_folded(FILE *file, const profiles_t *profiles)
{
    for (size_t i = 0; i < profiles->count; i++)
        for (size_t k = 0; k < profiles->items[i]->node_count; k++) {
            int64_t us = (profiles->items[i]->nodes[k].cpu_ns + 500) / 1000;
            if (us <= 0)
                continue;
            print_stack(file, profiles->items[i], k);
            (void)fprintf(file, " %" PRId64 "\n", us);
        }
}

// ---- the difference

static const profile_node_t *find_same(const profiles_t *profiles, const row_t *row,
                                       int64_t *ret_long_ns)
{
    for (size_t i = 0; i < profiles->count; i++) {
        const profile_t *profile = profiles->items[i];
        if (strcmp(profile->process, row->profile->process) != 0)
            continue;
        *ret_long_ns = profile->long_ns;
        // By name: lines move from version to version.
        for (size_t k = 0; k < profile->function_count; k++)
            if (strcmp(profile->functions[k].name, row->function->name) == 0 &&
                strcmp(profile->functions[k].file, row->function->file) == 0)
                return &profile->functions[k];
    }
    return NULL;
}

static double per_second(const profile_node_t *function, int64_t long_ns)
{
    return function && long_ns > 0 ? (double)function->cpu_ns / (double)long_ns : 0;
}

static void set_change(row_t *row, const profiles_t *before)
{
    int64_t long_ns = 0;
    row->before = find_same(before, row, &long_ns);
    row->change =
        per_second(row->function, row->profile->long_ns) - per_second(row->before, long_ns);
}

static void print_side(FILE *file, const profile_node_t *function)
{
    if (function)
        (void)fprintf(file, " %9" PRIu64 " %11.6f", function->calls,
                      per_call(function->cpu_ns, function->calls));
    else
        (void)fprintf(file, " %9s %11s", "-", "-");
}

void profile_out_diff(FILE *file, const profiles_t *before, const profiles_t *after)
{
    size_t count, old_count;
    row_t *rows = list_rows(after, &count), *old_rows = list_rows(before, &old_count);
    rows = realloc(rows, (count + old_count + 1) * sizeof *rows);
    assert(rows);
    for (size_t i = 0; i < count; i++)
        set_change(&rows[i], before);
    for (size_t i = 0; i < old_count; i++) {
        row_t gone = old_rows[i];
        set_change(&gone, after);
        if (gone.before)
            continue;
        gone.before = gone.function; // which marks it as gone
        gone.change = -gone.change;
        rows[count++] = gone;
    }
    qsort(rows, count, sizeof *rows, by_change);
    (void)fprintf(file,
                  "Change of CPU time in milliseconds a second; calls and seconds a call\n\n");
    (void)fprintf(file, "%9s %9s %11s %9s %11s  %-12s %s\n", "change", "ncalls", "percall",
                  "ncalls", "percall", "process", "file:line(function)");
    for (size_t i = 0; i < count; i++) {
        bool is_gone = rows[i].before == rows[i].function;
        (void)fprintf(file, "%+9.3f", rows[i].change * 1000);
        print_side(file, rows[i].before);
        print_side(file, is_gone ? NULL : rows[i].function);
        (void)fprintf(file, "  %-12s %s:%d(%s)\n", rows[i].profile->process, rows[i].function->file,
                      rows[i].function->line, rows[i].function->name);
    }
    free(rows);
    free(old_rows);
}
