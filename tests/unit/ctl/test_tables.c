// Tests of all tables of mayhem with the largest, the smallest and the longest values that their
// types can hold: cells never run together, and no number is cut.

#include "line_table.h"
#include "profile_out.h"
#include "screen.h"
#include "temp_folder.h"

#include <float.h>

#define WIDE 400 // nothing has to be left out on a page of this width

static snapshot_process_t rows[4];
static snapshot_t snapshot;
static page_t *page;
static profiles_t profiles[2];
static callgrind_t callgrind;
static line_costs_t *costs;
static char *output;

static int start(void **state)
{
    (void)state;
    make_temp_folder();
    return 0;
}

static int stop(void **state)
{
    page_destroy(&page);
    profiles_clear(&profiles[0]);
    profiles_clear(&profiles[1]);
    line_costs_destroy(&costs);
    callgrind_clear(&callgrind);
    free(output);
    output = NULL;
    return remove_temp_folder(state);
}

// ---- words of a row

typedef struct {
    char text[1024];
    char *words[64];
    size_t count;
} row_t;

static row_t *split(const char *text)
{
    static row_t found[2];
    static size_t turn;
    row_t *row = &found[turn++ % 2];
    row->count = 0;
    (void)snprintf(row->text, sizeof row->text, "%.*s", (int)strcspn(text, "\n"), text);
    for (char *rest = row->text, *word; (word = strtok_r(rest, " ", &rest)) != NULL;)
        row->words[row->count++] = word;
    return row;
}

static bool has_word(const row_t *row, const char *word)
{
    for (size_t i = 0; i < row->count; i++)
        if (strcmp(row->words[i], word) == 0)
            return true;
    return false;
}

// How many of these words are in the row.
static size_t count_words(const row_t *row, const char *const *words)
{
    size_t count = 0;
    for (; *words; words++)
        count += has_word(row, *words);
    return count;
}

static const char *find_line(const char *text, const char *what)
{
    const char *hit = strstr(text, what);
    if (!hit)
        fail_msg("nowhere in the output: %s", what);
    while (hit > text && hit[-1] != '\n')
        hit--;
    return hit;
}

static const char *row_with(const char *text)
{
    for (size_t i = 0; i < page->count; i++)
        if (strstr(page->rows[i].text, text))
            return page->rows[i].text;
    page_print(page, stdout);
    fail_msg("nowhere on the page: %s", text);
    return NULL;
}

// ---- top and status

// Values that are as wide as can be, and those around them.
static const int64_t numbers[] = {0,         9999999,  10000000,      999499999, 100000000000000,
                                  INT64_MAX, -9999999, INT64_MAX / 7, INT64_MIN};
static const double reals[] = {0,       0.999,    99999.4,   9999999.4, 1e15,
                               DBL_MAX, -DBL_MAX, 9.9995e20, -1};

#define COUNT(ARRAY) (sizeof(ARRAY) / sizeof *(ARRAY))

static void fill(size_t which)
{
    int64_t number = numbers[which];
    double real = reals[which];
    snapshot = (snapshot_t){.wall_ms = number,
                            .processes = rows,
                            .process_count = COUNT(rows),
                            .rate = real,
                            .total = number,
                            .limit = "restart"};
    for (snapshot_stage_kind_t stage = 0; stage < SNAPSHOT_STAGES; stage++)
        snapshot.stages[stage] = (snapshot_stage_t){.waiting = number,
                                                    .out = number,
                                                    .capacity = number,
                                                    .backoff = number,
                                                    .blocked = number,
                                                    .wait_p50_us = number,
                                                    .wait_p99_us = number,
                                                    .took_p50_us = number,
                                                    .took_p99_us = number};
    static const snapshot_state_t states[] = {SNAPSHOT_UP, SNAPSHOT_SILENT, SNAPSHOT_LOST,
                                              SNAPSHOT_DRAINING};
    for (size_t i = 0; i < COUNT(rows); i++) {
        rows[i] = (snapshot_process_t){.state = states[i],
                                       .pid = number < 0 ? INT32_MIN : INT32_MAX,
                                       .silent_ms = number,
                                       .rate = real,
                                       .busy = real,
                                       .cpu = real,
                                       .memory_bytes = number,
                                       .held = number,
                                       .limit = number,
                                       .p99_us = number,
                                       .failed = number};
        (void)snprintf(rows[i].name, sizeof rows[i].name, "%0*d", i % 2 ? MM_NAME_MAX : 6, (int)i);
    }
}

// The row of the wide page has all cells; each cell of the narrow one must be one of them, whole.
static void is_whole(const row_t *narrow, const char *wide_text)
{
    row_t *wide = split(wide_text);
    size_t at = 0;
    for (size_t i = 1; i < narrow->count; i++) { // a name may be cut at its front, DOING at its end
        if (strncmp("DOING", narrow->words[i], strlen(narrow->words[i])) == 0)
            continue;
        while (at < wide->count && strcmp(wide->words[at], narrow->words[i]) != 0)
            at++;
        if (at == wide->count)
            fail_msg("'%s' is no cell of: %s", narrow->words[i], wide_text);
    }
}

static void check_stages(size_t width)
{
    static const char *const heads[] = {"HOP", "WAITING", "OUT/ROOM", "LATER", "BLOCKED", NULL};
    row_t *head = split(row_with(" HOP "));
    // P50 and P99 stand there twice, each P50 behind another word.
    size_t later = has_word(head, "LATER") + has_word(head, "BLOCKED");
    size_t cells = head->count - has_word(head, "WAIT") - has_word(head, "TOOK");
    assert_true(count_words(head, heads) >= 2);
    assert_int_equal(split(row_with(">restart "))->count, cells);
    assert_int_equal(split(row_with(" outbox "))->count, cells - later);
    if (width >= 110)
        assert_int_equal(cells, 9);
}

static void check_processes(size_t width)
{
    static const char *const heads[] = {"PROCESS",    "PID", "STATE", "JOBS/S", "BUSY%", "CPU%",
                                        "HELD/LIMIT", "P99", "MEM",   "FAILED", NULL};
    size_t index = 0;
    while (!strstr(page->rows[index].text, " PROCESS "))
        index++;
    row_t *head = split(page->rows[index].text);
    size_t cells = count_words(head, heads);
    bool has_doing = strncmp(head->words[head->count - 1], "DOING", 1) == 0;
    assert_int_equal(head->count, cells + has_doing);
    if (width >= 130)
        assert_int_equal(cells, 10);
    for (size_t i = 0; i < COUNT(rows); i++) {
        row_t *row = split(page->rows[index + 1 + i].text);
        bool has_time =
            rows[i].state == SNAPSHOT_SILENT || rows[i].state == SNAPSHOT_LOST; // "lost 12s"
        if (row->count != cells + has_time)
            fail_msg("%zu columns: %s\n%s", width, page->rows[index].text,
                     page->rows[index + 1 + i].text);
    }
}

static void cells_of_a_pipeline_never_run_together(void **state)
{
    (void)state;
    for (size_t which = 0; which < COUNT(numbers); which++) {
        fill(which);
        page_t *wide = screen_top(&snapshot, &(screen_view_t){.width = WIDE});
        for (size_t width = 80; width <= 200; width++) {
            page = screen_top(&snapshot, &(screen_view_t){.width = width});
            check_stages(width);
            check_processes(width);
            assert_int_equal(page->count, wide->count);
            for (size_t i = 6; i < page->count; i++) // below the sentences of the head
                is_whole(split(page->rows[i].text), wide->rows[i].text);
            page_destroy(&page);
        }
        page_destroy(&wide);
    }
}

// ---- profiles

#define NODE(NAME, KIND, CALLER, NUMBER)                                                           \
    "{\"name\": \"" NAME "\", \"kind\": \"" KIND "\", \"file\": \"saver/main.c\", \"line\": "      \
    "2147483647, \"caller\": " CALLER ", \"calls\": " NUMBER ", \"cpu_ns\": " NUMBER               \
    ", \"wait_ns\": " NUMBER ", \"max_ns\": " NUMBER ", \"buckets\": []}"
#define MOST  "9223372036854775807"
#define LEAST "0"

static void add_profile(profiles_t *to, const char *long_ns, const char *number)
{
    char text[4096], error[512];
    (void)snprintf(
        text, sizeof text,
        "{\"mayhem\": \"profile\", \"version\": 1, \"process\": \"%0*d\", \"role\": "
        "\"saver\", \"pid\": 7, \"wall_ms\": 1795695543210, \"long_ns\": %s, "
        "\"nodes\": [" NODE("poll", "poll", "0", MOST) "," NODE("turn", "runs", "0", MOST) "," NODE(
            "commit", "waits", "1", "%s") "," NODE("writer", "thread", "0", MOST) "]}",
        MM_NAME_MAX, 1, long_ns, number, number, number, number);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    if (!profiles_add(to, json, error))
        fail_msg("%s", error);
    json_decref(json);
}

static void cells_of_a_process_never_run_together(void **state)
{
    (void)state;
    static const char *const heads[] = {"CALLS/S", "CPU%", "WAIT%", "CUM%", "MAX", NULL};
    static const char *const covers[] = {"0", "1", "1000000000", MOST};
    fill(0);
    for (size_t i = 0; i < COUNT(covers); i++) {
        add_profile(&profiles[0], covers[i], LEAST);
        const profile_t *profile = profiles[0].items[0];
        screen_view_t view = {.width = WIDE};
        page_t *wide = screen_drill(&snapshot, profile, &view);
        for (view.width = 80; view.width <= 200; view.width++) {
            page = screen_drill(&snapshot, profile, &view);
            assert_int_equal(count_words(split(row_with("CALLS/S")), heads), 5);
            row_t *row = split(row_with(" turn "));
            assert_int_equal(row->count, view.width >= 100 ? 7 : 6);
            assert_string_equal(row->words[5], "turn");
            if (view.width >= 100)
                row->count--; // the place in the source may be cut off
            is_whole(row, row_with(" turn "));
            page_destroy(&page);
        }
        page_destroy(&wide);
        profiles_clear(&profiles[0]);
    }
}

static FILE *open_output(size_t *ret_size)
{
    free(output);
    output = NULL;
    FILE *file = open_memstream(&output, ret_size);
    assert_non_null(file);
    return file;
}

static void cells_of_profiles_never_run_together(void **state)
{
    (void)state;
    size_t size;
    add_profile(&profiles[0], "1", MOST);
    FILE *file = open_output(&size);
    profile_out_table(file, &profiles[0], SORT_TOTTIME, 0);
    (void)fclose(file);
    assert_int_equal(split(find_line(output, "ncalls"))->count, 8);
    assert_int_equal(split(find_line(output, "(turn)"))->count, 8);
    assert_int_equal(split(find_line(output, "(commit)"))->count, 8);
    assert_int_equal(split(find_line(output, " poll"))->count, 5);
    assert_int_equal(split(find_line(output, " thread writer"))->count, 4);
    add_profile(&profiles[1], "1000000000000", LEAST);
    for (size_t i = 0; i < 2; i++) {
        file = open_output(&size);
        profile_out_diff(file, &profiles[i], &profiles[1 - i]);
        (void)fclose(file);
        assert_int_equal(split(find_line(output, "(turn)"))->count, 7);
        assert_int_equal(split(find_line(output, "(commit)"))->count, 7);
    }
}

// ---- lines

static void cells_of_lines_never_run_together(void **state)
{
    (void)state;
    char path[TEMP_PATH_MAX], text[4096], error[512];
    size_t size;
    temp_path(path, "work.c");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs("int work(void)\n{\n    return 1;\n}\n", file);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(text, sizeof text,
                   "cmd: x --id=saver\npositions: instr line\nevents: Ir\nob=%0200d\nfl=%s\n"
                   "fn=work\n0x10 1 18446744073709551615\nfl=???\nfn=other\n"
                   "0x20 0 18446744073709551615\n",
                   1, path);
    temp_path(path, "callgrind.out");
    file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_true(callgrind_read(&callgrind, path, error));
    costs = line_costs_new(&callgrind);
    const costed_file_t *costed = costs->files[0].source ? &costs->files[0] : &costs->files[1];
    file = open_output(&size);
    line_table_print(file, costs, costed, &costed->source->functions[0]);
    line_table_list(file, costs, false, 9);
    (void)fclose(file);
    assert_int_equal(split(find_line(output, "Line #"))->count, 2 + 1 + 1 + 2 + 2 + 2);
    assert_int_equal(split(find_line(output, "  int work(void)"))->count, 5 + 2);
    assert_int_equal(split(find_line(output, "(work)"))->count, 5);
    assert_int_equal(split(find_line(output, "0000000001"))->count, 3);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cells_of_a_pipeline_never_run_together),
        TEST(cells_of_a_process_never_run_together),
        TEST(cells_of_profiles_never_run_together),
        TEST(cells_of_lines_never_run_together),
    };
    return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
