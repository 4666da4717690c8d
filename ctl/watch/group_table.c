// See group_table.h.

#include "group_table.h"
#include "human_format.h"

#include <string.h>

#define LENGTH(ARRAY) (sizeof(ARRAY) / sizeof *(ARRAY))

static const page_column_t columns[] = {
    {.name = " GROUP", .width = 14, .is_left = true},
    {.name = "HOSTS", .width = 7},
    {.name = "IN PROGRESS", .width = 12},
    {.name = "CASUALTIES", .width = 11},
    {.name = " RAMP", .width = 14, .is_left = true},
    {.name = " WINDOW", .width = 14, .is_left = true},
    {.name = "WAITING", .width = 8},
    {.name = " BREAKER, OR WHY THEY WAIT", .is_left = true},
};

// "3/5"; without a limit "3".
static const char *of(int64_t count, int64_t limit, char buffer[2 * HUMAN_TEXT])
{
    char a[HUMAN_TEXT], b[HUMAN_TEXT];
    (void)snprintf(buffer, 2 * HUMAN_TEXT, "%s%s%s", human_count(count, a), limit < 0 ? "" : "/",
                   limit < 0 ? "" : human_count(limit, b));
    return buffer;
}

// "12-24 06:00Z".
static const char *instant(int64_t wall_ms, char buffer[HUMAN_TEXT])
{
    char date[HUMAN_TEXT];
    bool is_date = strlen(human_date(wall_ms, date)) == sizeof "2026-12-24 06:00:00Z" - 1;
    (void)snprintf(buffer, HUMAN_TEXT, is_date ? "%.11sZ" : "%s", date + (is_date ? 5 : 0));
    return buffer;
}

static void put_ramp(page_table_t *table, const snapshot_group_t *group)
{
    char a[HUMAN_TEXT], b[HUMAN_TEXT], progress[2 * HUMAN_TEXT];
    if (group->steps <= 0)
        page_cell(table, PAGE_DIM, " -");
    else if (group->step > group->steps)
        page_cell(table, PAGE_PLAIN, " done");
    else if (group->baked_ms > 0)
        page_cell(table, PAGE_YELLOW, " %s/%s bakes to %s", human_count(group->step, a),
                  human_count(group->steps, b), instant(group->baked_ms, progress));
    else
        page_cell(table, PAGE_PLAIN, " %s/%s: %s", human_count(group->step, a),
                  human_count(group->steps, b), of(group->proven, group->step_hosts, progress));
}

static void put_window(page_table_t *table, const snapshot_group_t *group)
{
    char text[HUMAN_TEXT];
    if (group->opens_ms < 0)
        page_cell(table, PAGE_RED | PAGE_BOLD, " never opens");
    else if (group->opens_ms > 0)
        page_cell(table, PAGE_YELLOW, " opens %s", instant(group->opens_ms, text));
    else if (group->closes_ms < 0)
        page_cell(table, PAGE_DIM, " -");
    else
        page_cell(table, PAGE_PLAIN, " to %s", instant(group->closes_ms, text));
}

static bool is_used_up(int64_t count, int64_t limit)
{
    return limit >= 0 && count >= limit;
}

static void put_group(page_table_t *table, const snapshot_group_t *group)
{
    char text[2 * HUMAN_TEXT];
    int64_t down = group->casualties;
    page_row(table, group->tripped ? PAGE_RED : PAGE_PLAIN);
    page_cell(table, PAGE_PLAIN, " %s", *group->name ? group->name : "(whole run)");
    page_cell(table, PAGE_PLAIN, "%s", group->hosts > 0 ? human_count(group->hosts, text) : "?");
    page_cell(table, is_used_up(group->in_progress, group->cap) ? PAGE_YELLOW : PAGE_PLAIN, "%s",
              of(group->in_progress, group->cap, text));
    page_cell(table,
              down > 0 ? is_used_up(down, group->budget) ? PAGE_RED | PAGE_BOLD : PAGE_YELLOW
                       : PAGE_PLAIN,
              "%s", of(down, group->budget, text));
    put_ramp(table, group);
    put_window(table, group);
    page_cell(table, PAGE_PLAIN, "%s", human_count(group->waiting, text));
    if (group->tripped)
        page_cell(table, PAGE_RED | PAGE_BOLD, " tripped%s%s", *group->why ? ": " : "", group->why);
    else
        page_cell(table, PAGE_PLAIN, " %s", group->reason);
}

void group_table_put(page_t *page, const snapshot_t *snapshot, size_t first, size_t rows)
{
    bool is_cut = snapshot->groups_left_out > 0;
    rows -= is_cut && rows > 1;
    size_t count = snapshot->group_count, shown = count < rows ? count : rows;
    if (first > count - shown)
        first = count - shown;
    page_table_t table = page_table(columns, LENGTH(columns));
    for (size_t i = first; i < first + shown; i++)
        put_group(&table, &snapshot->groups[i]);
    page_add_table(page, &table);
    if (!is_cut)
        return;
    page_add(page);
    page_put(page, PAGE_DIM, " and %lld more; those that have tripped go before others",
             (long long)snapshot->groups_left_out);
}
