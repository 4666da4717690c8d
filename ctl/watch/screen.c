// See screen.h.

#include "screen.h"
#include "group_table.h"
#include "human_format.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LENGTH(ARRAY) (sizeof(ARRAY) / sizeof *(ARRAY))

const char *const screen_sort_names[SCREEN_SORTS + 1] = {"role", "rate", "busy",   "cpu",
                                                         "held", "p99",  "memory", "failed"};

// ---- the first row and the last one

// Adds a text in as many rows as it takes, up to `rows`, broken at blanks.
static void put_wrapped(page_t *page, unsigned style, const char *text, size_t rows)
{
    for (size_t left = strlen(text); left > 0 && rows > 0; rows--) {
        size_t size = left;
        while (size > page->width)
            for (size--; size > 0 && text[size] != ' ';)
                size--;
        if (size == 0 || rows == 1)
            size = left; // it is cut off
        page_add(page);
        page_put(page, style, "%.*s", (int)size, text);
        text += size;
        left -= size;
        for (; left > 0 && *text == ' '; left--)
            text++;
    }
}

// What needs a person comes first: on a terminal the most urgent, else all.
static void put_attention(page_t *page, const snapshot_t *snapshot, const screen_view_t *view)
{
    size_t count = snapshot->attention_count, shown = view->height > 0 && count > 0 ? 1 : count;
    int64_t more = (int64_t)(count - shown) + snapshot->attention_left_out;
    for (size_t i = 0; i < shown; i++)
        put_wrapped(page, PAGE_RED | PAGE_BOLD, snapshot->attention[i].text,
                    view->height > 0 ? 2 : SIZE_MAX);
    if (more > 0) {
        page_add(page);
        page_put(page, PAGE_RED | PAGE_BOLD, "and %lld more%s", (long long)more,
                 view->height > 0 ? ": mayhem status" : "");
    }
}

// snapshot: NULL: of no time.
static page_t *begin(const screen_view_t *view, const snapshot_t *snapshot)
{
    page_t *page = page_new(view->width < SCREEN_WIDTH_MIN ? SCREEN_WIDTH_MIN : view->width);
    char date[2 + HUMAN_TEXT] = "  ";
    int64_t wall_ms = snapshot ? snapshot->wall_ms : 0;
    if (snapshot)
        put_attention(page, snapshot, view);
    page_add(page);
    if (view->title)
        page_put(page, PAGE_BOLD, "%s", view->title);
    size_t end = page->width;
    (void)human_date(wall_ms, date + 2);
    if (wall_ms > 0)
        end = page_put_right(page, end, PAGE_PLAIN, date);
    if (view->is_replay)
        end = page_put_right(page, end, PAGE_CYAN, "  recorded");
    if (view->is_paused)
        (void)page_put_right(page, end, PAGE_REVERSE, " PAUSED ");
    return page;
}

static page_t *finish(page_t *page, const screen_view_t *view, const char *keys)
{
    if (view->height == 0)
        return page;
    page_fit(page, view->height - 1);
    page_add(page);
    unsigned message_style = view->is_alarming ? PAGE_RED | PAGE_BOLD : PAGE_BOLD;
    page_put(page, view->message ? message_style : PAGE_DIM, "%s",
             view->message ? view->message : keys);
    return page;
}

// Rows for a table that is added now, without its head and the last row of the page.
static size_t rows_left(const page_t *page, const screen_view_t *view)
{
    if (view->height == 0)
        return SIZE_MAX;
    return view->height > page->count + 3 ? view->height - page->count - 2 : 1;
}

// ---- the state of a process

// With the time since its last answer, if it does not answer: "lost 12s".
static const char *state_of(const snapshot_process_t *process, char buffer[2 * HUMAN_TEXT])
{
    char number[HUMAN_TEXT];
    const char *state = snapshot_states[process->state];
    int64_t seconds = process->silent_ms / 1000;
    if (process->state != SNAPSHOT_LOST && process->state != SNAPSHOT_SILENT)
        return state;
    char unit = seconds < 100 ? 's' : seconds < 6000 ? 'm' : 'h';
    int64_t count = seconds / (unit == 's' ? 1 : unit == 'm' ? 60 : 3600);
    (void)snprintf(buffer, 2 * HUMAN_TEXT, "%s %s%c", state, human_count(count, number), unit);
    return buffer;
}

static const unsigned state_styles[] = {[SNAPSHOT_UP] = PAGE_PLAIN,
                                        [SNAPSHOT_DRAINING] = PAGE_CYAN,
                                        [SNAPSHOT_SILENT] = PAGE_YELLOW,
                                        [SNAPSHOT_LOST] = PAGE_RED | PAGE_BOLD,
                                        [SNAPSHOT_LEFT] = PAGE_DIM};

// "127/128".
static const char *of_limit(int64_t held, int64_t limit, char buffer[2 * HUMAN_TEXT])
{
    char a[HUMAN_TEXT], b[HUMAN_TEXT];
    (void)snprintf(buffer, 2 * HUMAN_TEXT, "%s/%s", human_count(held, a), human_count(limit, b));
    return buffer;
}

// ---- the order of the processes

static double key_of(const snapshot_process_t *process, screen_sort_t sort)
{
    switch (sort) {
    case SCREEN_ROLE: return 0;
    case SCREEN_RATE: return process->rate;
    case SCREEN_BUSY: return process->busy;
    case SCREEN_CPU: return process->cpu;
    case SCREEN_HELD: return (double)process->held;
    case SCREEN_P99: return (double)process->p99_us;
    case SCREEN_MEMORY: return (double)process->memory_bytes;
    case SCREEN_FAILED: return (double)process->failed;
    case SCREEN_SORTS: break;
    }
    return 0;
}

typedef struct {
    const snapshot_t *snapshot;
    const screen_view_t *view;
} order_t;

// The largest first; equal ones in the order of the snapshot.
static int by_key(const void *a, const void *b, void *arg)
{
    const order_t *order = arg;
    const size_t *one = a, *other = b;
    double first = key_of(&order->snapshot->processes[*one], order->view->sort);
    double second = key_of(&order->snapshot->processes[*other], order->view->sort);
    int result =
        first != second ? (first < second) - (first > second) : (*one > *other) - (*one < *other);
    return order->view->is_reversed ? -result : result;
}

size_t *screen_order(const snapshot_t *snapshot, const screen_view_t *view)
{
    size_t count = snapshot->process_count, *order = calloc(count + 1, sizeof *order);
    assert(order);
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    qsort_r(order, count, sizeof *order, by_key, &(order_t){snapshot, view});
    return order;
}

size_t screen_place(const snapshot_t *snapshot, const size_t *order, const screen_view_t *view)
{
    size_t same_name = SIZE_MAX;
    for (size_t i = 0; view->selected && i < snapshot->process_count; i++) {
        const snapshot_process_t *process = &snapshot->processes[order ? order[i] : i];
        if (strcmp(process->name, view->selected) != 0)
            continue;
        if (view->selected_pid == 0 || process->pid == view->selected_pid)
            return i;
        same_name = same_name == SIZE_MAX ? i : same_name; // the process was started again
    }
    return same_name == SIZE_MAX ? 0 : same_name;
}

// ---- the whole pipeline: the head

static void begin_row(page_t *page, const char *name)
{
    page_add(page);
    page_put(page, PAGE_DIM, "%s", name);
}

static void put_head(page_t *page, const snapshot_t *snapshot)
{
    char a[HUMAN_TEXT], b[HUMAN_TEXT], c[HUMAN_TEXT];
    begin_row(page, "rate   ");
    page_put(page, PAGE_BOLD, "%s jobs/s", human_number(snapshot->rate, 0, a));
    page_put(page, PAGE_PLAIN, "; accepted to acked p50 %s, p99 %s", human_us(snapshot->p50_us, a),
             human_us(snapshot->p99_us, b));
    begin_row(page, "jobs   ");
    page_put(page, PAGE_PLAIN, "%s in all: %s restarted, ",
             snapshot->total > 0 ? human_count(snapshot->total, a) : "?",
             human_count(snapshot->restarted, b));
    page_put(page, snapshot->dead > 0 ? PAGE_RED | PAGE_BOLD : PAGE_PLAIN, "%s dead",
             human_count(snapshot->dead, a));
    page_put(page, PAGE_PLAIN, "; %s backlog, %s in flight", human_count(snapshot->backlog, a),
             human_count(snapshot->in_flight, b));
    if (snapshot->skipped > 0)
        page_put(page, PAGE_PLAIN, ", %s skipped", human_count(snapshot->skipped, a));
    if (snapshot->withdrawn > 0)
        page_put(page, PAGE_PLAIN, ", %s withdrawn", human_count(snapshot->withdrawn, a));
    begin_row(page, "events ");
    page_put(page, PAGE_PLAIN, "%s retried, ", human_count(snapshot->retried, a));
    page_put(page, snapshot->reclaimed > 0 ? PAGE_YELLOW : PAGE_PLAIN, "%s taken back",
             human_count(snapshot->reclaimed, a));
    page_put(page, PAGE_PLAIN, ", %s nacked, %s extended", human_count(snapshot->nacked, b),
             human_count(snapshot->extended, c));
    if (snapshot->draining)
        page_put(page, PAGE_CYAN | PAGE_BOLD, "  DRAINING");
    if (snapshot->refused_keys > 0) {
        begin_row(page, "keys   ");
        page_put(page, PAGE_YELLOW, "%s refused", human_count(snapshot->refused_keys, a));
        page_put(page, PAGE_PLAIN, "; the consumer's log says from where, and why");
    }
    begin_row(page, "limit: ");
    page_put(page, PAGE_YELLOW | PAGE_BOLD, "%s", snapshot->limit);
    page_put(page, PAGE_PLAIN, " - %s", snapshot->limit_why);
}

// ---- its stages

// The name of the stage at which a limit shows; else the limit.
static const char *stage_of(const char *limit)
{
    static const char *const places[][2] = {
        {"source", "outbox"}, {"window", "outbox"}, {"hosts", "restart"}, {"retries", "restart"}};
    for (size_t i = 0; i < LENGTH(places); i++)
        if (strcmp(places[i][0], limit) == 0)
            return places[i][1];
    return limit;
}

static void put_stages(page_t *page, const snapshot_t *snapshot)
{
    static const page_column_t columns[] = {
        {.name = " HOP", .width = 8, .is_left = true},
        {.name = "WAITING", .width = 9},
        {.name = "OUT/ROOM", .width = 17},
        {.name = "WAIT P50", .width = 10},
        {.name = "P99", .width = 9},
        {.name = "TOOK P50", .width = 10},
        {.name = "P99", .width = 9},
        {.name = "LATER", .width = 8},
        {.name = "BLOCKED", .width = 9},
    };
    page_table_t table = page_table(columns, LENGTH(columns));
    for (snapshot_stage_kind_t kind = 0; kind < SNAPSHOT_STAGES; kind++) {
        const snapshot_stage_t *stage = &snapshot->stages[kind];
        const char *name = snapshot_stages[kind];
        bool is_limit = strcmp(name, stage_of(snapshot->limit)) == 0;
        char text[2 * HUMAN_TEXT];
        page_row(&table, is_limit ? PAGE_YELLOW | PAGE_BOLD : PAGE_PLAIN);
        page_cell(&table, 0, "%c%s", is_limit ? '>' : ' ', name);
        page_cell(&table, 0, "%s", human_count(stage->waiting, text));
        page_cell(&table, 0, "%s",
                  stage->capacity > 0 ? of_limit(stage->out, stage->capacity, text)
                                      : human_count(stage->out, text));
        page_cell(&table, 0, "%s", human_us(stage->wait_p50_us, text));
        page_cell(&table, 0, "%s", human_us(stage->wait_p99_us, text));
        page_cell(&table, 0, "%s", human_us(stage->took_p50_us, text));
        page_cell(&table, 0, "%s", human_us(stage->took_p99_us, text));
        if (kind != SNAPSHOT_STORE && kind != SNAPSHOT_RESTART)
            continue; // nothing is retried or blocked before
        page_cell(&table, 0, "%s", human_count(stage->backoff, text));
        page_cell(&table, 0, "%s", human_count(stage->blocked, text));
    }
    page_add_table(page, &table);
}

// ---- its processes

// From JOBS/S to FAILED in the order of screen_sort_t.
enum { SORTED_FROM = 3 };

static const page_column_t process_columns[] = {
    {.name = " PROCESS", .is_left = true},
    {.name = "PID", .width = 8},
    {.name = " STATE", .width = 11, .is_left = true},
    {.name = "JOBS/S", .width = 7},
    {.name = "BUSY%", .width = 6},
    {.name = "CPU%", .width = 5},
    {.name = "HELD/LIMIT", .width = 12},
    {.name = "P99", .width = 7},
    {.name = "MEM", .width = 6, .page_width = 90},
    {.name = "FAILED", .width = 8, .page_width = 100},
    {.name = " DOING", .is_left = true},
};

// style: of the row. A name is cut at its front: the number at the end matters more.
static void put_process(page_table_t *table, const snapshot_process_t *process, const char *limit,
                        unsigned style)
{
    char text[2 * HUMAN_TEXT];
    size_t size = strlen(process->name), room = table->columns[0].width - 1;
    bool is_limit = strcmp(process->name, limit) == 0, is_cut = size > room;
    page_row(table, process->state == SNAPSHOT_LOST ? style | PAGE_RED : style);
    page_cell(table, is_limit ? PAGE_YELLOW | PAGE_BOLD : PAGE_PLAIN, "%c%s%s",
              is_limit ? '>' : ' ', is_cut ? "~" : "",
              process->name + (is_cut ? size - (room - 1) : 0));
    page_cell(table, PAGE_PLAIN, "%d", process->pid);
    page_cell(table, state_styles[process->state], " %s", state_of(process, text));
    page_cell(table, PAGE_PLAIN, "%s", human_number(process->rate, 0, text));
    page_cell(table, PAGE_PLAIN, "%s", human_number(100 * process->busy, 0, text));
    page_cell(table, PAGE_PLAIN, "%s", human_number(100 * process->cpu, 0, text));
    page_cell(table, PAGE_PLAIN, "%s", of_limit(process->held, process->limit, text));
    page_cell(table, PAGE_PLAIN, "%s", human_us(process->p99_us, text));
    page_cell(table, PAGE_PLAIN, "%s", human_bytes(process->memory_bytes, text));
    page_cell(table, process->failed > 0 ? PAGE_YELLOW : PAGE_PLAIN, "%s",
              human_count(process->failed, text));
    page_cell(table, PAGE_DIM, " %s", process->doing);
}

static void put_processes(page_t *page, const snapshot_t *snapshot, const screen_view_t *view)
{
    size_t count = snapshot->process_count, *order = screen_order(snapshot, view);
    page_column_t columns[LENGTH(process_columns)];
    memcpy(columns, process_columns, sizeof columns);
    columns[0].width = page->width >= 110 ? 22 : 14;
    if (view->sort != SCREEN_ROLE)
        columns[SORTED_FROM + view->sort - SCREEN_RATE].style = PAGE_BOLD | PAGE_CYAN;
    size_t selected = screen_place(snapshot, order, view), room = rows_left(page, view);
    size_t shown = count < room ? count : room;
    size_t first = selected < shown / 2 ? 0 : selected - shown / 2;
    if (first > count - shown)
        first = count - shown;
    page_table_t table = page_table(columns, LENGTH(columns));
    for (size_t i = first; i < first + shown; i++)
        put_process(&table, &snapshot->processes[order[i]], snapshot->limit,
                    view->selected && i == selected ? PAGE_REVERSE : PAGE_PLAIN);
    page_add_table(page, &table);
    free(order);
}

page_t *screen_top(const snapshot_t *snapshot, const screen_view_t *view)
{
    page_t *page = begin(view, snapshot);
    bool is_airy = view->height == 0 || view->height >= 30;
    put_head(page, snapshot);
    if (is_airy)
        page_add(page);
    put_stages(page, snapshot);
    if (is_airy)
        page_add(page);
    put_processes(page, snapshot, view);
    if (view->height == 0 && snapshot->group_count > 0) {
        page_add(page);
        group_table_put(page, snapshot, 0, SIZE_MAX);
    }
    return finish(page, view,
                  "q quit  Enter look into  g groups  p pause  s sort  r reverse  w save profiles  "
                  "h help");
}

page_t *screen_groups(const snapshot_t *snapshot, const screen_view_t *view)
{
    page_t *page = begin(view, snapshot);
    begin_row(page, "limit: ");
    page_put(page, PAGE_YELLOW | PAGE_BOLD, "%s", snapshot->limit);
    page_put(page, PAGE_PLAIN, " - %s", snapshot->limit_why);
    page_add(page);
    if (snapshot->group_count > 0)
        group_table_put(page, snapshot, view->scroll, rows_left(page, view));
    else
        begin_row(page, "this run has no policy: there are no groups");
    return finish(page, view, "g, Esc back  up/down scroll  p pause  h help  q quit");
}

// ---- one process: the tree of its handlers and the spans in them

// A node and its depth in the tree.
typedef struct {
    const profile_node_t *node;
    size_t depth;
} leaf_t;

typedef struct {
    leaf_t list[MM_PROFILE_NODES];
    size_t count;
} tree_t;

static int64_t all_ns(const profile_node_t *node)
{
    return node->all_cpu_ns + node->all_wait_ns;
}

static int by_time(const void *a, const void *b)
{
    const profile_node_t *one = *(const profile_node_t *const *)a;
    const profile_node_t *other = *(const profile_node_t *const *)b;
    if (all_ns(one) != all_ns(other))
        return all_ns(one) > all_ns(other) ? -1 : 1;
    return one < other ? -1 : one > other;
}

// Adds the callees of a node and theirs, the most expensive first, without those that were not
// called in this time. It ends, since callers are always earlier nodes.
static void grow(const profile_t *profile, size_t caller, size_t depth, tree_t *tree)
{
    const profile_node_t *inside[MM_PROFILE_NODES];
    size_t count = 0;
    for (size_t i = 1; i < profile->node_count; i++) {
        const profile_node_t *node = &profile->nodes[i];
        if (node->caller == caller && profile_is_work(node) &&
            (node->calls > 0 || all_ns(node) > 0))
            inside[count++] = node;
    }
    qsort(inside, count, sizeof *inside, by_time);
    for (size_t i = 0; i < count; i++) {
        tree->list[tree->count++] = (leaf_t){inside[i], depth};
        grow(profile, (size_t)(inside[i] - profile->nodes), depth + 1, tree);
    }
}

static double percent(int64_t ns, const profile_t *profile)
{
    return profile->long_ns > 0 ? 100 * (double)ns / (double)profile->long_ns : 0;
}

static void put_percent(page_table_t *table, unsigned style, double percentage)
{
    char text[HUMAN_TEXT];
    page_cell(table, style, "%s", human_number(percentage, 1, text));
}

static void put_leaf(page_table_t *table, const profile_t *profile, const leaf_t *leaf,
                     bool has_place)
{
    char text[HUMAN_TEXT], place[256] = "";
    const profile_node_t *node = leaf->node;
    double cpu = percent(node->cpu_ns, profile), wait = percent(node->wait_ns, profile);
    double rate = profile->long_ns > 0 ? 1e9 * (double)node->calls / (double)profile->long_ns : 0;
    page_row(table, PAGE_PLAIN);
    page_cell(table, PAGE_PLAIN, "%s", human_number(rate, 0, text));
    put_percent(table, cpu >= 10 ? PAGE_BOLD : PAGE_PLAIN, cpu);
    put_percent(table, wait > cpu && wait >= 10 ? PAGE_YELLOW : PAGE_PLAIN, wait);
    put_percent(table, PAGE_PLAIN, percent(all_ns(node), profile));
    page_cell(table, PAGE_PLAIN, "%s",
              node->max_ns > 0 ? human_us(node->max_ns / 1000, text) : "-"); // it is only counted
    if (has_place)
        (void)snprintf(place, sizeof place, "\t%.200s:%d", node->file, node->line);
    page_cell(table, leaf->depth == 0 ? PAGE_BOLD : PAGE_PLAIN, "  %*s%s%s", 2 * (int)leaf->depth,
              "", node->name, place);
}

// The time that the loop waits for events, and the other threads.
static void put_rest(page_table_t *table, const profile_t *profile)
{
    for (size_t i = 0; i < profile->node_count; i++) {
        const profile_node_t *node = &profile->nodes[i];
        bool is_poll = node->kind == MM_SPOT_POLL;
        if (profile_is_work(node))
            continue;
        page_row(table, PAGE_DIM);
        page_cell(table, PAGE_PLAIN, "%s", "");
        put_percent(table, PAGE_PLAIN, percent(node->cpu_ns, profile));
        if (is_poll)
            put_percent(table, PAGE_PLAIN, percent(node->wait_ns, profile));
        else
            page_cell(table, PAGE_PLAIN, "%s", "");
        page_cell(table, PAGE_PLAIN, "%s", "");
        page_cell(table, PAGE_PLAIN, "%s", "");
        page_cell(table, PAGE_PLAIN, "  %s%s", is_poll ? "(waits for something to do)" : "thread ",
                  is_poll ? "" : node->name);
    }
}

static void put_profile(page_t *page, const profile_t *profile, const screen_view_t *view)
{
    static const page_column_t columns[] = {
        {.name = "CALLS/S", .width = 9}, {.name = "CPU%", .width = 8},
        {.name = "WAIT%", .width = 8},   {.name = "CUM%", .width = 8},
        {.name = "MAX", .width = 9},     {.name = "  HANDLER OR SPAN", .is_left = true}};
    page_table_t table = page_table(columns, LENGTH(columns));
    char date[HUMAN_TEXT];
    tree_t tree = {.count = 0};
    page_add(page);
    page_put(page, PAGE_DIM, "its loop in %.1f s, until %s; 100%% is one core",
             (double)profile->long_ns / 1e9, human_date(profile->wall_ms, date));
    grow(profile, 0, 0, &tree);
    size_t room = rows_left(page, view), most = tree.count > room ? tree.count - room : 0;
    size_t first = view->scroll < most ? view->scroll : most;
    for (size_t i = first; i < tree.count; i++)
        put_leaf(&table, profile, &tree.list[i], page->width >= 100);
    put_rest(&table, profile);
    page_add_table(page, &table);
}

static void put_about(page_t *page, const snapshot_t *snapshot, const screen_view_t *view)
{
    char a[HUMAN_TEXT], b[HUMAN_TEXT], c[HUMAN_TEXT], text[2 * HUMAN_TEXT];
    size_t place = screen_place(snapshot, NULL, view);
    const snapshot_process_t *process = &snapshot->processes[place];
    page_add(page);
    if (place >= snapshot->process_count || !view->selected ||
        strcmp(process->name, view->selected) != 0) {
        page_put(page, PAGE_BOLD, "%s", view->selected ? view->selected : "nobody");
        return;
    }
    page_put(page, PAGE_BOLD, "%s", process->name);
    page_put(page, PAGE_PLAIN, "  pid %d  ", process->pid);
    page_put(page, state_styles[process->state], "%s", state_of(process, text));
    page_put(page, PAGE_PLAIN, "  %s jobs/s  busy %s%%  cpu %s%%",
             human_number(process->rate, 0, a), human_number(100 * process->busy, 0, b),
             human_number(100 * process->cpu, 0, c));
    page_put(page, PAGE_PLAIN, "  holds %s  p99 %s  %s",
             of_limit(process->held, process->limit, text), human_us(process->p99_us, a),
             human_bytes(process->memory_bytes, b));
    const char *reason = snapshot->stages[SNAPSHOT_RESTART].reason;
    if (process->role == MM_PROGRAM_CONSUMER && *reason) {
        page_add(page);
        page_put(page, PAGE_PLAIN, "restarts wait: %s", reason);
    }
}

page_t *screen_drill(const snapshot_t *snapshot, const profile_t *profile,
                     const screen_view_t *view)
{
    page_t *page = begin(view, snapshot);
    put_about(page, snapshot, view);
    if (profile)
        put_profile(page, profile, view);
    else
        begin_row(page, view->is_replay ? "the recording has no profile of it yet"
                                        : "its profile is asked for");
    return finish(page, view, "Esc back  up/down scroll  p pause  w save profiles  h help  q quit");
}

// ---- the help

page_t *screen_help(const screen_view_t *view)
{
    static const char *const lines[] = {
        "up, down        select a process, scroll",
        "Enter, right    look into the selected process: where its loop's time goes",
        "Esc, left       back",
        "g               groups: what holds their hosts back",
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
    page_t *page = begin(view, NULL);
    page_add(page);
    for (size_t i = 0; i < LENGTH(lines); i++) {
        page_add(page);
        page_put(page, PAGE_PLAIN, " %s", lines[i]);
    }
    return finish(page, view, "any key goes back");
}
