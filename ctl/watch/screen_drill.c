// See screen.h: the loop of one process, as a tree of its handlers and the spans inside them; and
// the help.

#include "human_format.h"
#include "screen_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

// A node with how deep it is in the tree.
typedef struct {
    const call_node_t *node;
    size_t depth;
} leaf_t;

typedef struct {
    leaf_t list[MM_PROFILE_NODES];
    size_t count;
} tree_t;

static int64_t all_ns(const call_node_t *node)
{
    return node->all_cpu_ns + node->all_wait_ns;
}

static bool is_work(const call_node_t *node)
{
    return node->kind == MM_SPOT_RUNS || node->kind == MM_SPOT_WAITS;
}

static int by_time(const void *a, const void *b)
{
    const call_node_t *one = *(const call_node_t *const *)a;
    const call_node_t *other = *(const call_node_t *const *)b;
    if (all_ns(one) != all_ns(other))
        return all_ns(one) > all_ns(other) ? -1 : 1;
    return one < other ? -1 : one > other;
}

// Those that `caller` calls, with what is inside them, the most expensive first. What was not
// called in this time is left out. The callers are always earlier nodes: it ends.
static void grow(const profile_t *profile, size_t caller, size_t depth, tree_t *tree)
{
    const call_node_t *inside[MM_PROFILE_NODES];
    size_t count = 0;
    for (size_t i = 1; i < profile->node_count; i++) {
        const call_node_t *node = &profile->nodes[i];
        if (node->caller == caller && is_work(node) && (node->calls > 0 || all_ns(node) > 0))
            inside[count++] = node;
    }
    qsort(inside, count, sizeof *inside, by_time);
    for (size_t i = 0; i < count; i++) {
        tree->list[tree->count++] = (leaf_t){inside[i], depth};
        grow(profile, (size_t)(inside[i] - profile->nodes), depth + 1, tree);
    }
}

static double share(int64_t ns, const profile_t *profile)
{
    return profile->long_ns > 0 ? 100 * (double)ns / (double)profile->long_ns : 0;
}

static double per_second(uint64_t calls, const profile_t *profile)
{
    return profile->long_ns > 0 ? 1e9 * (double)calls / (double)profile->long_ns : 0;
}

enum { CALLS_END = 9, CPU_END = 17, WAIT_END = 25, CUM_END = 33, MAX_END = 42, NAME_AT = 44 };

static void put_table_head(page_t *page)
{
    page_add(page);
    page_put_right(page, CALLS_END, PAGE_PLAIN, "CALLS/S");
    page_put_right(page, CPU_END, PAGE_PLAIN, "CPU%%");
    page_put_right(page, WAIT_END, PAGE_PLAIN, "WAIT%%");
    page_put_right(page, CUM_END, PAGE_PLAIN, "CUM%%");
    page_put_right(page, MAX_END, PAGE_PLAIN, "MAX");
    (void)page_put(page, NAME_AT, PAGE_PLAIN, "HANDLER OR SPAN");
    page_style(page, PAGE_REVERSE);
}

static void put_leaf(page_t *page, const profile_t *profile, const leaf_t *leaf)
{
    char text[HUMAN_TEXT];
    const call_node_t *node = leaf->node;
    bool waits = node->wait_ns > node->cpu_ns && share(node->wait_ns, profile) >= 10;
    page_add(page);
    page_put_right(page, CALLS_END, PAGE_PLAIN, "%s",
                   human_count(per_second(node->calls, profile), text));
    page_put_right(page, CPU_END, share(node->cpu_ns, profile) >= 10 ? PAGE_BOLD : PAGE_PLAIN,
                   "%.1f", share(node->cpu_ns, profile));
    page_put_right(page, WAIT_END, waits ? PAGE_YELLOW : PAGE_PLAIN, "%.1f",
                   share(node->wait_ns, profile));
    page_put_right(page, CUM_END, PAGE_PLAIN, "%.1f", share(all_ns(node), profile));
    page_put_right(page, MAX_END, PAGE_PLAIN, "%s",
                   node->max_ns > 0 ? human_us(node->max_ns / 1000, text) : "-"); // counted only
    size_t at = NAME_AT + 2 * leaf->depth;
    at = page_put(page, at, leaf->depth == 0 ? PAGE_BOLD : PAGE_PLAIN, "%s", node->name);
    if (page->width >= 100)
        (void)page_put(page, at + 2, PAGE_DIM, "%s:%d", node->file, node->line);
}

// The loop's wait for something to do, and the other threads.
static void put_rest(page_t *page, const profile_t *profile)
{
    for (size_t i = 0; i < profile->node_count; i++) {
        const call_node_t *node = &profile->nodes[i];
        if (is_work(node))
            continue;
        bool is_poll = node->kind == MM_SPOT_POLL;
        page_add(page);
        page_put_right(page, CPU_END, PAGE_DIM, "%.1f", share(node->cpu_ns, profile));
        if (is_poll)
            page_put_right(page, WAIT_END, PAGE_DIM, "%.1f", share(node->wait_ns, profile));
        (void)page_put(page, NAME_AT, PAGE_DIM, "%s%s",
                       is_poll ? "(waits for something to do)" : "thread ",
                       is_poll ? "" : node->name);
    }
}

static void put_about(page_t *page, const snapshot_process_t *process, const char *reason,
                      const screen_view_t *view)
{
    char a[HUMAN_TEXT], b[HUMAN_TEXT], state[32];
    page_add(page);
    if (!process) {
        (void)page_put(page, 0, PAGE_BOLD, "%s", view->selected ? view->selected : "nobody");
        return;
    }
    size_t at = page_put(page, 0, PAGE_BOLD, "%s", process->name);
    at = page_put(page, at, PAGE_PLAIN, "  pid %d  ", process->pid);
    at = page_put(page, at, screen_state_style(process), "%s", screen_state(process, state));
    at = page_put(page, at, PAGE_PLAIN, "  %s jobs/s  busy %.0f%%  cpu %.0f%%",
                  human_count(process->rate, a), 100 * process->busy, 100 * process->cpu);
    at = page_put(page, at, PAGE_PLAIN, "  holds %s/%s", human_count((double)process->held, a),
                  human_count((double)process->limit, b));
    (void)page_put(page, at, PAGE_PLAIN, "  p99 %s  %s", human_us(process->p99_us, a),
                   human_bytes(process->memory_bytes, b));
    if (process->role == SNAPSHOT_CONSUMER && *reason) {
        page_add(page);
        (void)page_put(page, 0, PAGE_PLAIN, "restarts wait: %s", reason);
    }
}

static const snapshot_process_t *find_selected(const snapshot_t *snapshot,
                                               const screen_view_t *view)
{
    const snapshot_process_t *found = NULL;
    for (size_t i = 0; view->selected && i < snapshot->process_count; i++) {
        const snapshot_process_t *process = &snapshot->processes[i];
        if (strcmp(process->name, view->selected) == 0 &&
            (!found || process->pid == view->selected_pid))
            found = process;
    }
    return found;
}

static void put_profile(page_t *page, const profile_t *profile, const screen_view_t *view)
{
    char date[HUMAN_TEXT];
    tree_t tree = {.count = 0};
    page_add(page);
    (void)page_put(page, 0, PAGE_DIM, "its loop in %.1f s, until %s; 100%% is one core",
                   (double)profile->long_ns / 1e9, human_date(profile->wall_ms, date));
    put_table_head(page);
    grow(profile, 0, 0, &tree);
    size_t capacity = view->height > page->count + 2 ? view->height - page->count - 1 : 1;
    size_t first = tree.count <= capacity || view->height == 0 ? 0
                   : view->scroll < tree.count - capacity      ? view->scroll
                                                               : tree.count - capacity;
    for (size_t i = first; i < tree.count; i++)
        put_leaf(page, profile, &tree.list[i]);
    put_rest(page, profile);
}

page_t *screen_drill(const snapshot_t *snapshot, const profile_t *profile,
                     const screen_view_t *view)
{
    page_t *page = page_new(view->width < SCREEN_WIDTH_MIN ? SCREEN_WIDTH_MIN : view->width);
    screen_put_title(page, view, snapshot->wall_ms);
    put_about(page, find_selected(snapshot, view), snapshot->stages[SNAPSHOT_RESTART].reason, view);
    if (profile) {
        put_profile(page, profile, view);
    } else {
        page_add(page);
        (void)page_put(page, 0, PAGE_DIM, "%s",
                       view->is_replay ? "the recording has no profile of it yet"
                                       : "its profile is asked for");
    }
    screen_finish(page, view, "Esc back  up/down scroll  p pause  w save profiles  h help  q quit");
    return page;
}

page_t *screen_help(const screen_view_t *view)
{
    static const char *const lines[] = {
        "up, down        select a process, scroll",
        "Enter, right    look into the selected process: where its loop's time goes",
        "Esc, left       back",
        "p, blank        pause, and go on; what happens meanwhile is still received",
        "s, r            sort by the next column, reverse the order",
        "w               save the profiles of all processes over the last 30 s",
        "q               quit",
        "",
        "WAITING         jobs that wait to go over this hop now",
        "OUT/ROOM        jobs beyond it, and how many can be: window or slots",
        "WAIT, TOOK      how long they waited before it, and were beyond it",
        "LATER, BLOCKED  have failed and are tried again; wait for their host",
        "BUSY%, CPU%     of the loop's time; of one core, all threads",
        "HELD/LIMIT      jobs in its hands, and at most",
        "events          since the consumer was started",
        "P99             how long a job is in its hands, but for one in a hundred",
        "limit, >        what keeps it from going faster",
    };
    page_t *page = page_new(view->width < SCREEN_WIDTH_MIN ? SCREEN_WIDTH_MIN : view->width);
    screen_put_title(page, view, 0);
    page_add(page);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        page_add(page);
        (void)page_put(page, 1, PAGE_PLAIN, "%s", lines[i]);
    }
    screen_finish(page, view, "any key goes back");
    return page;
}
