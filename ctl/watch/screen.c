// See screen.h: the screen of the whole pipeline. What does not fit into a narrow terminal is left
// out by columns, never by half a number.

#include "human_format.h"
#include "screen_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const char *const screen_sort_names[SCREEN_SORTS] = {"role", "rate", "busy",   "cpu",
                                                     "held", "p99",  "memory", "failed"};

// ---- shared by the screens

void screen_put_title(page_t *page, const screen_view_t *view, int64_t wall_ms)
{
    char date[HUMAN_TEXT];
    page_add(page);
    if (view->title)
        (void)page_put(page, 0, PAGE_BOLD, "%s", view->title);
    size_t end = page->width;
    if (wall_ms > 0) {
        page_put_right(page, end, PAGE_PLAIN, "  %s", human_date(wall_ms, date));
        end -= strlen(date) + 2;
    }
    if (view->is_replay) {
        page_put_right(page, end, PAGE_CYAN, "  recorded");
        end -= strlen("  recorded");
    }
    if (view->is_paused)
        page_put_right(page, end, PAGE_REVERSE, " PAUSED ");
}

void screen_finish(page_t *page, const screen_view_t *view, const char *keys)
{
    if (view->height == 0)
        return;
    page_fit(page, view->height - 1);
    page_add(page);
    if (view->verdict)
        (void)page_put(page, 0, view->is_alarming ? PAGE_RED | PAGE_BOLD : PAGE_BOLD, "%s",
                       view->verdict);
    else
        (void)page_put(page, 0, PAGE_DIM, "%s", keys);
}

const char *screen_state(const snapshot_process_t *process, char buffer[32])
{
    const char *state = snapshot_state_name(process->state);
    int64_t seconds = process->silent_ms / 1000;
    if (process->state != SNAPSHOT_LOST && process->state != SNAPSHOT_SILENT)
        return state;
    (void)snprintf(buffer, 32, "%s %d%c", state,
                   (int)(seconds < 100    ? seconds
                         : seconds < 6000 ? seconds / 60
                                          : seconds / 3600),
                   seconds < 100    ? 's'
                   : seconds < 6000 ? 'm'
                                    : 'h');
    return buffer;
}

unsigned screen_state_style(const snapshot_process_t *process)
{
    switch (process->state) {
    case SNAPSHOT_UP: return PAGE_PLAIN;
    case SNAPSHOT_DRAINING: return PAGE_CYAN;
    case SNAPSHOT_SILENT: return PAGE_YELLOW;
    case SNAPSHOT_LOST: return PAGE_RED | PAGE_BOLD;
    case SNAPSHOT_LEFT: return PAGE_DIM;
    }
    return PAGE_PLAIN;
}

// ---- the order

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
    double key;
    size_t place;
} ordered_t;

// The largest first; what is equal stays as it was.
static int by_key(const void *a, const void *b)
{
    const ordered_t *one = a, *other = b;
    if (one->key != other->key)
        return one->key > other->key ? -1 : 1;
    return one->place < other->place ? -1 : one->place > other->place;
}

void screen_order(const snapshot_t *snapshot, screen_sort_t sort, bool is_reversed,
                  size_t *ret_order)
{
    size_t count = snapshot->process_count;
    ordered_t *list = calloc(count + 1, sizeof *list);
    assert(list);
    for (size_t i = 0; i < count; i++)
        list[i] = (ordered_t){key_of(&snapshot->processes[i], sort), i};
    qsort(list, count, sizeof *list, by_key);
    for (size_t i = 0; i < count; i++)
        ret_order[i] = list[is_reversed ? count - 1 - i : i].place;
    free(list);
}

size_t screen_place(const snapshot_t *snapshot, const size_t *order, const screen_view_t *view)
{
    size_t same_name = SIZE_MAX;
    for (size_t i = 0; view->selected && i < snapshot->process_count; i++) {
        const snapshot_process_t *process = &snapshot->processes[order[i]];
        if (strcmp(process->name, view->selected) != 0)
            continue;
        if (view->selected_pid == 0 || process->pid == view->selected_pid)
            return i;
        same_name = same_name == SIZE_MAX ? i : same_name; // it was started again
    }
    return same_name == SIZE_MAX ? 0 : same_name;
}

// ---- the head

static void put_head(page_t *page, const snapshot_t *snapshot)
{
    char a[HUMAN_TEXT], b[HUMAN_TEXT], c[HUMAN_TEXT];
    page_add(page);
    size_t at = page_put(page, 0, PAGE_DIM, "rate   ");
    at = page_put(page, at, PAGE_BOLD, "%s jobs/s", human_count(snapshot->rate, a));
    (void)page_put(page, at, PAGE_PLAIN, "; accepted to acked p50 %s, p99 %s",
                   human_us(snapshot->p50_us, a), human_us(snapshot->p99_us, b));
    page_add(page);
    at = page_put(page, 0, PAGE_DIM, "jobs   ");
    at = page_put(page, at, PAGE_PLAIN, "%s in all: %s restarted, ",
                  snapshot->total > 0 ? human_count((double)snapshot->total, a) : "?",
                  human_count((double)snapshot->restarted, b));
    at = page_put(page, at, snapshot->dead > 0 ? PAGE_RED | PAGE_BOLD : PAGE_PLAIN, "%s dead",
                  human_count((double)snapshot->dead, a));
    (void)page_put(page, at, PAGE_PLAIN, "; %s backlog, %s in flight",
                   human_count((double)snapshot->backlog, a),
                   human_count((double)snapshot->in_flight, b));
    page_add(page);
    at = page_put(page, 0, PAGE_DIM, "events ");
    at = page_put(page, at, PAGE_PLAIN, "%s retried, ", human_count((double)snapshot->retried, a));
    at = page_put(page, at, snapshot->reclaimed > 0 ? PAGE_YELLOW : PAGE_PLAIN, "%s taken back",
                  human_count((double)snapshot->reclaimed, a));
    at = page_put(page, at, PAGE_PLAIN, ", %s nacked, %s extended",
                  human_count((double)snapshot->nacked, b),
                  human_count((double)snapshot->extended, c));
    if (snapshot->draining)
        (void)page_put(page, at, PAGE_CYAN | PAGE_BOLD, "  DRAINING");
    page_add(page);
    at = page_put(page, 0, PAGE_DIM, "limit: ");
    at = page_put(page, at, PAGE_YELLOW | PAGE_BOLD, "%s", snapshot->limit);
    (void)page_put(page, at, PAGE_PLAIN, " - %s", snapshot->bottleneck_why);
}

// ---- hops

// The hop at which the limit shows; SNAPSHOT_STAGES: none.
static snapshot_stage_kind_t limiting_hop(const char *limit)
{
    static const struct {
        const char *limit;
        snapshot_stage_kind_t stage;
    } places[] = {{"source", SNAPSHOT_OUTBOX}, {"window", SNAPSHOT_OUTBOX},
                  {"store", SNAPSHOT_STORE},   {"restart", SNAPSHOT_RESTART},
                  {"hosts", SNAPSHOT_RESTART}, {"retries", SNAPSHOT_RESTART},
                  {"outbox", SNAPSHOT_OUTBOX}, {"wire", SNAPSHOT_WIRE}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strcmp(places[i].limit, limit) == 0)
            return places[i].stage;
    return SNAPSHOT_STAGES;
}

static void put_stages(page_t *page, const snapshot_t *snapshot)
{
    static const struct {
        const char *name;
        size_t end;
    } columns[] = {{"WAITING", 17},  {"OUT/ROOM", 34}, {"WAIT P50", 44}, {"P99", 53},
                   {"TOOK P50", 63}, {"P99", 72},      {"LATER", 80},    {"BLOCKED", 89}};
    char a[HUMAN_TEXT], b[HUMAN_TEXT], out_room[2 * HUMAN_TEXT + 2];
    snapshot_stage_kind_t limiting = limiting_hop(snapshot->limit);
    page_add(page);
    (void)page_put(page, 1, PAGE_PLAIN, "HOP");
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        if (columns[i].end <= page->width)
            page_put_right(page, columns[i].end, PAGE_PLAIN, "%s", columns[i].name);
    page_style(page, PAGE_REVERSE);
    for (snapshot_stage_kind_t kind = 0; kind < SNAPSHOT_STAGES; kind++) {
        const snapshot_stage_t *stage = &snapshot->stages[kind];
        unsigned style = kind == limiting ? PAGE_YELLOW | PAGE_BOLD : PAGE_PLAIN;
        if (stage->capacity > 0)
            (void)snprintf(out_room, sizeof out_room, "%s/%s", human_count((double)stage->out, a),
                           human_count((double)stage->capacity, b));
        else
            (void)snprintf(out_room, sizeof out_room, "%s", human_count((double)stage->out, a));
        page_add(page);
        (void)page_put(page, 0, style, "%c%s", kind == limiting ? '>' : ' ',
                       snapshot_stage_name(kind));
        page_put_right(page, columns[0].end, style, "%s", human_count((double)stage->waiting, a));
        page_put_right(page, columns[1].end, style, "%s", out_room);
        page_put_right(page, columns[2].end, style, "%s", human_us(stage->wait_p50_us, a));
        page_put_right(page, columns[3].end, style, "%s", human_us(stage->wait_p99_us, a));
        page_put_right(page, columns[4].end, style, "%s", human_us(stage->took_p50_us, a));
        page_put_right(page, columns[5].end, style, "%s", human_us(stage->took_p99_us, a));
        if (kind != SNAPSHOT_STORE && kind != SNAPSHOT_RESTART)
            continue; // nothing is tried again, or blocked, before
        if (columns[6].end <= page->width)
            page_put_right(page, columns[6].end, style, "%s",
                           human_count((double)stage->backoff, a));
        if (columns[7].end <= page->width)
            page_put_right(page, columns[7].end, style, "%s",
                           human_count((double)stage->blocked, a));
    }
}

// ---- processes

typedef enum { PID, STATE, RATE, BUSY, CPU, HELD, P99, MEMORY, FAILED, DOING } column_t;

typedef struct {
    column_t column;
    const char *name;
    size_t width;       // with the blank before it
    size_t from_width;  // of the terminal
    screen_sort_t sort; // SCREEN_ROLE: not by this
} process_column_t;

static const process_column_t process_columns[] = {{PID, "PID", 8, 0, SCREEN_ROLE},
                                                   {STATE, "STATE", 11, 0, SCREEN_ROLE},
                                                   {RATE, "JOBS/S", 7, 0, SCREEN_RATE},
                                                   {BUSY, "BUSY%", 6, 0, SCREEN_BUSY},
                                                   {CPU, "CPU%", 5, 0, SCREEN_CPU},
                                                   {HELD, "HELD/LIMIT", 12, 0, SCREEN_HELD},
                                                   {P99, "P99", 7, 0, SCREEN_P99},
                                                   {MEMORY, "MEM", 6, 90, SCREEN_MEMORY},
                                                   {FAILED, "FAILED", 8, 100, SCREEN_FAILED},
                                                   {DOING, "DOING", 14, 0, SCREEN_ROLE}};

#define NAME_WIDTH(PAGE_WIDTH) ((PAGE_WIDTH) >= 110 ? (size_t)22 : (size_t)14)

static void put_column(page_t *page, const process_column_t *column, size_t at,
                       const snapshot_process_t *process)
{
    char a[HUMAN_TEXT], b[HUMAN_TEXT], state[32];
    size_t end = at + column->width;
    switch (column->column) {
    case PID: page_put_right(page, end, PAGE_PLAIN, "%d", process->pid); break;
    case STATE:
        (void)page_put(page, at + 1, screen_state_style(process), "%s",
                       screen_state(process, state));
        break;
    case RATE: page_put_right(page, end, PAGE_PLAIN, "%s", human_count(process->rate, a)); break;
    case BUSY: page_put_right(page, end, PAGE_PLAIN, "%.0f", 100 * process->busy); break;
    case CPU: page_put_right(page, end, PAGE_PLAIN, "%.0f", 100 * process->cpu); break;
    case HELD:
        page_put_right(page, end, PAGE_PLAIN, "%s/%s", human_count((double)process->held, a),
                       human_count((double)process->limit, b));
        break;
    case P99: page_put_right(page, end, PAGE_PLAIN, "%s", human_us(process->p99_us, a)); break;
    case MEMORY:
        page_put_right(page, end, PAGE_PLAIN, "%s", human_bytes(process->memory_bytes, a));
        break;
    case FAILED:
        page_put_right(page, end, process->failed > 0 ? PAGE_YELLOW : PAGE_PLAIN, "%s",
                       human_count((double)process->failed, a));
        break;
    case DOING: (void)page_put(page, at + 1, PAGE_DIM, "%s", process->doing); break;
    }
}

// Whether a column that would begin there is shown.
static bool is_shown(const page_t *page, const process_column_t *column, size_t at)
{
    return page->width >= column->from_width &&
           (at + column->width <= page->width || column->column == DOING);
}

static void put_process_head(page_t *page, const screen_view_t *view)
{
    page_add(page);
    (void)page_put(page, 1, PAGE_PLAIN, "PROCESS");
    size_t at = NAME_WIDTH(page->width);
    for (size_t i = 0; i < sizeof process_columns / sizeof *process_columns; i++) {
        const process_column_t *column = &process_columns[i];
        if (!is_shown(page, column, at))
            continue;
        bool is_sorted = column->sort != SCREEN_ROLE && column->sort == view->sort;
        unsigned style = is_sorted ? PAGE_BOLD | PAGE_CYAN : PAGE_PLAIN;
        if (column->column == STATE || column->column == DOING)
            (void)page_put(page, at + 1, style, "%s", column->name);
        else
            page_put_right(page, at + column->width, style, "%s", column->name);
        at += column->width;
    }
    page_style(page, PAGE_REVERSE);
}

static void put_process(page_t *page, const snapshot_t *snapshot, const snapshot_process_t *process)
{
    bool is_limit = strcmp(process->name, snapshot->limit) == 0;
    size_t name_width = NAME_WIDTH(page->width), size = strlen(process->name);
    bool is_cut = size > name_width - 1; // at its front: the number at the end matters more
    page_add(page);
    (void)page_put(page, 0, is_limit ? PAGE_YELLOW | PAGE_BOLD : PAGE_PLAIN, "%c%s%s",
                   is_limit ? '>' : ' ', is_cut ? "~" : "",
                   process->name + (is_cut ? size - (name_width - 2) : 0));
    size_t at = name_width;
    for (size_t i = 0; i < sizeof process_columns / sizeof *process_columns; i++) {
        if (!is_shown(page, &process_columns[i], at))
            continue;
        put_column(page, &process_columns[i], at, process);
        at += process_columns[i].width;
    }
    if (process->state == SNAPSHOT_LOST)
        page_style(page, PAGE_RED);
}

static void put_processes(page_t *page, const snapshot_t *snapshot, const screen_view_t *view)
{
    size_t count = snapshot->process_count;
    size_t *order = calloc(count + 1, sizeof *order);
    assert(order);
    screen_order(snapshot, view->sort, view->is_reversed, order);
    size_t selected = screen_place(snapshot, order, view);
    put_process_head(page, view);
    size_t first = 0, shown = count;
    if (view->height > 0) { // the last row is the notice
        size_t capacity = view->height > page->count + 2 ? view->height - page->count - 1 : 1;
        shown = count < capacity ? count : capacity;
        first = selected < shown / 2 ? 0 : selected - shown / 2;
        if (first > count - shown)
            first = count - shown;
    }
    for (size_t i = first; i < first + shown; i++) {
        put_process(page, snapshot, &snapshot->processes[order[i]]);
        if (view->selected && i == selected)
            page_style(page, PAGE_REVERSE);
    }
    free(order);
}

page_t *screen_top(const snapshot_t *snapshot, const screen_view_t *view)
{
    page_t *page = page_new(view->width < SCREEN_WIDTH_MIN ? SCREEN_WIDTH_MIN : view->width);
    bool is_airy = view->height == 0 || view->height >= 30;
    screen_put_title(page, view, snapshot->wall_ms);
    put_head(page, snapshot);
    if (is_airy)
        page_add(page);
    put_stages(page, snapshot);
    if (is_airy)
        page_add(page);
    put_processes(page, snapshot, view);
    screen_finish(page, view,
                  "q quit  Enter look into  p pause  s sort  r reverse  w save profiles  h help");
    return page;
}
