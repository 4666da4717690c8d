// Tests of ctl/watch/screen.h, ctl/watch/page.h and ctl/human_format.h: the screen of a pipeline.

#include "human_format.h"
#include "screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static snapshot_process_t rows[40];
static snapshot_t snapshot;
static profiles_t profiles;
static page_t *page;

static snapshot_process_t *add_row(const char *name, mm_program_t role, double rate)
{
    snapshot_process_t *row = &rows[snapshot.process_count++];
    *row = (snapshot_process_t){.role = role,
                                .state = SNAPSHOT_UP,
                                .pid = 4000 + (int)snapshot.process_count,
                                .rate = rate,
                                .busy = 0.37,
                                .cpu = 0.41,
                                .memory_bytes = 14200000,
                                .held = 12,
                                .limit = 4096,
                                .p50_us = 800,
                                .p99_us = 12345,
                                .doing = "sqlite commit"};
    strcpy(row->name, name);
    return row;
}

// A pipeline with two restarters, of which the restarts are the limit.
static int set_up(void **state)
{
    (void)state;
    snapshot = (snapshot_t){.wall_ms = 1795695543210,
                            .processes = rows,
                            .has_publisher = true,
                            .has_consumer = true,
                            .rate = 4512.4,
                            .total = 20000,
                            .restarted = 11234,
                            .dead = 12,
                            .backlog = 8754,
                            .in_flight = 1000,
                            .retried = 312,
                            .reclaimed = 5,
                            .p50_us = 850,
                            .p99_us = 4400,
                            .limit = "restart",
                            .limit_why = "all 128 slots of the restarters are taken"};
    for (snapshot_stage_kind_t stage = 0; stage < SNAPSHOT_STAGES; stage++)
        snapshot.stages[stage] = (snapshot_stage_t){
            .wait_p50_us = -1, .wait_p99_us = -1, .took_p50_us = -1, .took_p99_us = -1};
    snapshot.stages[SNAPSHOT_RESTART] = (snapshot_stage_t){.waiting = 867,
                                                           .out = 127,
                                                           .capacity = 128,
                                                           .backoff = 3,
                                                           .blocked = 2,
                                                           .wait_p50_us = 959000,
                                                           .wait_p99_us = 1940000,
                                                           .took_p50_us = 127000,
                                                           .took_p99_us = 207000};
    (void)add_row("publisher", MM_PROGRAM_PUBLISHER, 4512);
    (void)add_row("consumer", MM_PROGRAM_CONSUMER, 4510);
    (void)add_row("saver", MM_PROGRAM_SAVER, 4509);
    (void)add_row("restarter-1", MM_PROGRAM_RESTARTER, 2300);
    (void)add_row("restarter-2", MM_PROGRAM_RESTARTER, 2212);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    page_destroy(&page);
    profiles_clear(&profiles);
    return 0;
}

static void show_top(screen_view_t view)
{
    page_destroy(&page);
    page = screen_top(&snapshot, &view);
}

// The row in which a text stands; fails when there is none.
static size_t row_with(const char *text)
{
    for (size_t i = 0; i < page->count; i++)
        if (strstr(page->rows[i].text, text))
            return i;
    page_print(page, stdout);
    fail_msg("nowhere on the page: %s", text);
    abort();
}

static bool has(const char *text)
{
    for (size_t i = 0; i < page->count; i++)
        if (strstr(page->rows[i].text, text))
            return true;
    return false;
}

static unsigned style_of(const char *text)
{
    const page_row_t *row = &page->rows[row_with(text)];
    return row->styles[strstr(row->text, text) - row->text];
}

// ---- numbers

static void times_have_three_digits_and_a_unit(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *text;
    } samples[] = {{-1, "-"},
                   {0, "0us"},
                   {999, "999us"},
                   {1000, "1.00ms"},
                   {9994, "9.99ms"},
                   {9996, "10.0ms"},
                   {99960, "100ms"},
                   {999499, "999ms"},
                   {999500, "1.00s"},
                   {12345678, "12.3s"},
                   {999499999, "999s"},
                   {1000000000, "16m"},
                   {INT64_C(86400000000), "24h"}};
    char text[HUMAN_TEXT];
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        assert_string_equal(human_us(samples[i].us, text), samples[i].text);
}

static void counts_are_exact_up_to_seven_digits(void **state)
{
    (void)state;
    char text[HUMAN_TEXT];
    assert_string_equal(human_count(0, text), "0");
    assert_string_equal(human_count(9999999, text), "9999999");
    assert_string_equal(human_count(10000000, text), "10.0M");
    assert_string_equal(human_count(4.56e9, text), "4.56G");
    assert_string_equal(human_bytes(14200000, text), "14.2M");
    assert_string_equal(human_date(1795695543210, text), "2026-11-26 12:19:03Z");
}

// ---- pages

static void nothing_that_steers_a_terminal_gets_onto_a_page(void **state)
{
    (void)state;
    page = page_new(12);
    page_add(page);
    page_put(page, PAGE_PLAIN, "%s",
             "a\033[2J\n\x9b"
             "b");
    assert_string_equal(page->rows[0].text, "a?[2J??b    ");
}

static void what_is_beyond_the_edges_is_cut_off(void **state)
{
    (void)state;
    page = page_new(8);
    page_add(page);
    page_put(page, PAGE_PLAIN, "%5s", "");
    page_put(page, PAGE_BOLD, "abcdef");
    assert_int_equal(page_put_right(page, 3, PAGE_PLAIN, "12345"), 0);
    assert_string_equal(page->rows[0].text, "12345abc");
    assert_int_equal(page->rows[0].styles[5], PAGE_BOLD);
    page_fit(page, 3);
    assert_int_equal(page->count, 3);
    page_fit(page, 1);
    assert_string_equal(page->rows[0].text, "12345abc");
}

// ---- the screen

static void the_head_has_rate_jobs_and_limit(void **state)
{
    (void)state;
    show_top((screen_view_t){.width = 80});
    assert_true(has("2026-11-26 12:19:03Z"));
    assert_true(has("4512 jobs/s; accepted to acked p50 850us, p99 4.40ms"));
    assert_true(has("20000 in all: 11234 restarted, 12 dead; 8754 backlog, 1000 in flight"));
    assert_true(has("312 retried, 5 taken back, 0 nacked, 0 extended"));
    assert_true(has("limit: restart - all 128 slots of the restarters are taken"));
    assert_true(style_of("12 dead") & PAGE_RED);
    assert_false(has("DRAINING"));
    assert_false(has("refused"));
    snapshot.draining = true;
    snapshot.refused_keys = 7;
    snapshot.total = 0;
    show_top((screen_view_t){.width = 80});
    assert_true(has("DRAINING"));
    assert_true(has("keys   7 refused; the consumer's log says from where, and why"));
    assert_true(style_of("7 refused") & PAGE_YELLOW);
    assert_true(has("? in all"));
    assert_false(has("skipped"));
    assert_false(has("withdrawn"));
    snapshot.withdrawn = 7;
    show_top((screen_view_t){.width = 120});
    assert_true(has("12 dead; 8754 backlog, 1000 in flight, 7 withdrawn"));
    snapshot.skipped = 3;
    show_top((screen_view_t){.width = 120});
    assert_true(has("1000 in flight, 3 skipped, 7 withdrawn"));
}

static void the_limiting_hop_is_marked(void **state)
{
    (void)state;
    show_top((screen_view_t){.width = 100});
    const char *text = page->rows[row_with(">restart")].text;
    assert_non_null(strstr(text, "867"));
    assert_non_null(strstr(text, "127/128     959ms    1.94s     127ms    207ms       3        2"));
    assert_true(style_of(">restart") & PAGE_YELLOW);
    assert_true(has(" store"));
    strcpy(snapshot.limit, "window");
    show_top((screen_view_t){.width = 80});
    assert_true(has(">outbox"));
    assert_true(has(" restart "));
}

static void a_process_that_is_the_limit_is_marked(void **state)
{
    (void)state;
    strcpy(snapshot.limit, "saver");
    show_top((screen_view_t){.width = 80});
    assert_true(has(">saver"));
    assert_false(has(">restart"));
}

static void each_process_has_a_row_at_any_width(void **state)
{
    (void)state;
    static const size_t widths[] = {1, 40, 80, 90, 100, 120, 300};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        show_top((screen_view_t){.width = widths[i]});
        for (size_t k = 0; k < snapshot.process_count; k++)
            assert_true(has(rows[k].name));
    }
    show_top((screen_view_t){.width = 80});
    const char *text = page->rows[row_with(" saver")].text;
    assert_string_equal(text, " saver            4003 up           4509    37   41     12/4096"
                              " 12.3ms sqlite co");
    show_top((screen_view_t){.width = 120});
    assert_true(has("14.2M       0 sqlite commit"));
}

static void a_long_name_keeps_its_end(void **state)
{
    (void)state;
    strcpy(rows[2].name, "a-very-long-name-of-a-saver-17");
    show_top((screen_view_t){.width = 80});
    assert_true(has(" ~f-a-saver-17 "));
    show_top((screen_view_t){.width = 120});
    assert_true(has(" ~g-name-of-a-saver-17 "));
}

static void a_lost_worker_is_red_with_how_long_it_is_silent(void **state)
{
    (void)state;
    rows[4].state = SNAPSHOT_LOST;
    rows[4].silent_ms = 12900;
    rows[3].state = SNAPSHOT_SILENT;
    rows[3].silent_ms = 200000;
    show_top((screen_view_t){.width = 80});
    assert_true(has("lost 12s"));
    assert_true(style_of("lost 12s") & PAGE_RED);
    assert_true(style_of("restarter-2") & PAGE_RED);
    assert_true(has("silent 3m"));
    assert_true(style_of("silent 3m") & PAGE_YELLOW);
}

static void rows_are_sorted_by_the_key_and_turned_around(void **state)
{
    (void)state;
    rows[3].memory_bytes = 99000000;
    rows[1].memory_bytes = 98000000;
    show_top((screen_view_t){.width = 80, .sort = SCREEN_MEMORY});
    assert_true(row_with("restarter-1") < row_with("consumer"));
    assert_true(row_with("consumer") < row_with("publisher")); // equal ones stay in order
    assert_true(row_with("publisher") < row_with("saver"));
    show_top((screen_view_t){.width = 80, .sort = SCREEN_MEMORY, .is_reversed = true});
    assert_true(row_with("restarter-1") > row_with("consumer"));
    for (screen_sort_t sort = 0; sort < SCREEN_SORTS; sort++) {
        show_top((screen_view_t){.width = 80, .sort = sort});
        assert_true(has("restarter-2"));
    }
}

static void the_screen_fills_its_height_and_ends_with_the_keys(void **state)
{
    (void)state;
    for (size_t height = 1; height < 60; height++) {
        show_top((screen_view_t){.width = 80, .height = height});
        assert_int_equal(page->count, height);
        assert_int_equal(row_with("q quit"), height - 1);
    }
    show_top((screen_view_t){.width = 80, .height = 24, .message = "saved", .is_alarming = true});
    assert_int_equal(row_with("saved"), 23);
    assert_true(style_of("saved") & PAGE_RED);
}

static void a_long_list_scrolls_to_the_selected_row(void **state)
{
    (void)state;
    char name[MM_NAME_MAX + 3];
    for (int i = 3; i <= 30; i++) {
        (void)snprintf(name, sizeof name, "restarter-%d", i % 100);
        (void)add_row(name, MM_PROGRAM_RESTARTER, 1);
    }
    for (size_t i = 0; i < snapshot.process_count; i++) {
        show_top((screen_view_t){
            .width = 80, .height = 24, .selected = rows[i].name, .selected_pid = rows[i].pid});
        (void)snprintf(name, sizeof name, " %.63s ", rows[i].name);
        assert_true(style_of(name) & PAGE_REVERSE);
        assert_int_equal(page->count, 24);
    }
    assert_false(has("publisher"));
}

static void the_selection_follows_a_name_whose_process_is_gone(void **state)
{
    (void)state;
    size_t *order = screen_order(&snapshot, &(screen_view_t){.sort = SCREEN_ROLE});
    assert_int_equal(
        screen_place(&snapshot, order,
                     &(screen_view_t){.selected = "saver", .selected_pid = rows[2].pid}),
        2);
    assert_int_equal(
        screen_place(&snapshot, order, &(screen_view_t){.selected = "saver", .selected_pid = 1}),
        2);
    assert_int_equal(screen_place(&snapshot, order, &(screen_view_t){.selected = "nobody"}), 0);
    // Of two with one name the one of this pid.
    strcpy(rows[3].name, "restarter-2");
    assert_int_equal(
        screen_place(&snapshot, order,
                     &(screen_view_t){.selected = "restarter-2", .selected_pid = rows[4].pid}),
        4);
    free(order);
}

static void a_pipeline_without_processes_can_be_shown(void **state)
{
    (void)state;
    snapshot.process_count = 0;
    show_top((screen_view_t){.width = 80, .height = 24, .selected = "saver"});
    assert_int_equal(page->count, 24);
    show_top((screen_view_t){.width = 80});
}

static void paused_and_recorded_are_said(void **state)
{
    (void)state;
    show_top((screen_view_t){
        .width = 80, .height = 24, .title = "a title", .is_paused = true, .is_replay = true});
    assert_int_equal(row_with("PAUSED"), 0);
    assert_int_equal(row_with("recorded"), 0);
    assert_int_equal(row_with("a title"), 0);
}

// ---- looking into a process

#define NODE(NAME, KIND, CALLER, CALLS, CPU, WAIT)                                                 \
    "{\"name\": \"" NAME "\", \"kind\": \"" KIND "\", \"file\": \"saver/main.c\", \"line\": 7, "   \
    "\"caller\": " CALLER ", \"calls\": " CALLS ", \"cpu_ns\": " CPU ", \"wait_ns\": " WAIT        \
    ", \"max_ns\": 2500000, \"buckets\": []}"

static void read_profile(void)
{
    static const char text[] =
        "{\"mayhem\": \"profile\", \"version\": 1, \"process\": \"saver\", \"role\": \"saver\", "
        "\"pid\": 7, \"wall_ms\": 1795695543210, \"long_ns\": 10000000000, \"nodes\": [" NODE(
            "poll", "poll", "0", "5", "100000000", "5000000000") ", "      //
        NODE("on_tasks", "runs", "0", "100", "1000000000", "0") ", "       //
        NODE("turn", "runs", "0", "200", "500000000", "0") ", "            //
        NODE("commit", "waits", "2", "50", "200000000", "3000000000") ", " //
        NODE("never", "runs", "0", "0", "0", "0") ", "                     //
        NODE("log writer", "thread", "0", "0", "250000000", "0") "]}";
    char error[MM_ERROR_MAX];
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    assert_true(profiles_add(&profiles, json, error));
    json_decref(json);
}

static void a_drill_down_is_a_tree_with_the_most_expensive_first(void **state)
{
    (void)state;
    read_profile();
    screen_view_t view = {.width = 100, .height = 24, .selected = "saver", .selected_pid = 4003};
    page = screen_drill(&snapshot, profiles.items[0], &view);
    assert_true(has("saver  pid 4003  up  4509 jobs/s  busy 37%  cpu 41%  holds 12/4096"));
    assert_true(has("its loop in 10.0 s"));
    assert_int_equal(row_with("  commit"), row_with("turn") + 1);
    assert_int_equal(row_with("on_tasks"), row_with("turn") + 2);
    assert_non_null(strstr(page->rows[row_with("turn")].text,
                           "       20     5.0     0.0    37.0   2.50ms  turn  saver/main.c:7"));
    assert_non_null(strstr(page->rows[row_with("  commit")].text,
                           "        5     2.0    30.0    32.0   2.50ms    commit"));
    assert_false(has("never"));
    assert_true(has("thread log writer"));
    assert_true(has("(waits for something to do)"));
}

static void a_drill_down_scrolls(void **state)
{
    (void)state;
    read_profile();
    screen_view_t view = {.width = 80, .height = 6, .selected = "saver"};
    page = screen_drill(&snapshot, profiles.items[0], &view);
    assert_true(has("turn"));
    for (view.scroll = 1; view.scroll < 200; view.scroll += 66) {
        page_destroy(&page);
        page = screen_drill(&snapshot, profiles.items[0], &view);
        assert_int_equal(page->count, 6);
        assert_false(has("turn"));
    }
    assert_true(has("on_tasks"));
}

static void a_drill_down_says_that_its_profile_is_not_there_yet(void **state)
{
    (void)state;
    screen_view_t view = {.width = 80, .height = 24, .selected = "gone"};
    page = screen_drill(&snapshot, NULL, &view);
    assert_true(has("its profile is asked for"));
    page_destroy(&page);
    view.is_replay = true;
    page = screen_drill(&snapshot, NULL, &view);
    assert_true(has("the recording has no profile of it yet"));
}

static void looking_into_the_consumer_says_why_restarts_wait(void **state)
{
    (void)state;
    screen_view_t view = {.width = 80, .height = 24, .selected = "consumer"};
    page = screen_drill(&snapshot, NULL, &view);
    assert_false(has("restarts wait"));
    page_destroy(&page);
    strcpy(snapshot.stages[SNAPSHOT_RESTART].reason, "host busy");
    page = screen_drill(&snapshot, NULL, &view);
    assert_true(has("restarts wait: host busy"));
    page_destroy(&page);
    view.selected = "saver";
    page = screen_drill(&snapshot, NULL, &view);
    assert_false(has("restarts wait"));
}

// ---- groups

static snapshot_group_t groups[3] = {
    {.name = "", .hosts = 40, .cap = -1, .budget = -1, .in_progress = 4, .closes_ms = -1},
    {.name = "web",
     .hosts = 30,
     .cap = 3,
     .budget = 4,
     .in_progress = 3,
     .casualties = 1,
     .waiting = 21,
     .reason = "cap of its group",
     .step = 2,
     .steps = 3,
     .step_hosts = 5,
     .proven = 4,
     .closes_ms = 1795705200000},
    {.name = "db",
     .hosts = 10,
     .cap = -1,
     .budget = 1,
     .casualties = 1,
     .waiting = 9,
     .step = 1,
     .steps = 2,
     .step_hosts = 1,
     .proven = 1,
     .baked_ms = 1795700000000,
     .tripped = true,
     .why = "1 in a row is dead",
     .opens_ms = -1,
     .closes_ms = -1}};

static void show_groups(screen_view_t view)
{
    snapshot.groups = groups;
    snapshot.group_count = 3;
    page_destroy(&page);
    page = screen_groups(&snapshot, &view);
}

static void a_group_has_its_limits_and_why_its_hosts_wait(void **state)
{
    (void)state;
    show_groups((screen_view_t){.width = 130, .height = 24});
    assert_int_equal(page->count, 24);
    const char *row = page->rows[row_with(" web ")].text;
    assert_non_null(strstr(row, "3/3"));
    assert_non_null(strstr(row, "1/4"));
    assert_non_null(strstr(row, "2/3: 4/5"));
    assert_non_null(strstr(row, "to 11-26 15:00Z"));
    assert_non_null(strstr(row, "cap of its group"));
    row = page->rows[row_with(" db ")].text;
    assert_non_null(strstr(row, "1/2 bakes to 11-26 13:33Z"));
    assert_non_null(strstr(row, "never opens"));
    assert_non_null(strstr(row, "tripped: 1 in a row is dead"));
    assert_true(has("(whole run)"));
    assert_true(style_of("never opens") & PAGE_RED);
}

static void a_long_list_of_groups_scrolls(void **state)
{
    (void)state;
    show_groups((screen_view_t){.width = 120, .height = 7, .scroll = 9});
    assert_true(has(" db "));
    assert_false(has("(whole run)"));
    show_groups((screen_view_t){.width = 120, .height = 7});
    assert_true(has("(whole run)"));
}

static void groups_that_are_left_out_are_counted(void **state)
{
    (void)state;
    snapshot.groups_left_out = 769;
    show_groups((screen_view_t){.width = 120, .height = 7});
    assert_true(has(" and 769 more"));
    assert_true(has("(whole run)"));
    show_groups((screen_view_t){.width = 120});
    assert_true(row_with(" and 769 more") > row_with(" db "));
    snapshot.groups_left_out = 0;
    show_groups((screen_view_t){.width = 120});
    assert_false(has(" more"));
}

static void without_a_policy_there_are_no_groups(void **state)
{
    (void)state;
    page = screen_groups(&snapshot, &(screen_view_t){.width = 80, .height = 24});
    assert_true(has("this run has no policy"));
}

static void what_needs_a_person_is_the_first_line_of_each_page(void **state)
{
    (void)state;
    strcpy(
        snapshot.attention[0].text,
        "halted since 2026-11-26 10:00:00Z by ann (uid 1000, pid 4711): the kernel is bad; to go "
        "on: mayhem resume --why TEXT");
    strcpy(snapshot.attention[1].text, "the breaker of web has tripped");
    snapshot.attention_count = 2;
    show_top((screen_view_t){.width = 80, .height = 40});
    assert_int_equal(row_with("halted since"), 0);
    assert_int_equal(row_with("mayhem resume --why TEXT"), 1); // wrapped
    assert_int_equal(row_with("and 1 more"), 2);
    assert_int_equal(page->count, 40);
    assert_true(style_of("halted since") & PAGE_RED);
    show_groups((screen_view_t){.width = 80, .height = 24});
    assert_int_equal(row_with("halted since"), 0);
    show_top((screen_view_t){.width = 120}); // printed: all of it
    assert_int_equal(row_with("the breaker of web has tripped"), 1);
    assert_true(has("(whole run)"));
}

static void the_help_fits_into_a_small_terminal(void **state)
{
    (void)state;
    page = screen_help(&(screen_view_t){.width = 80, .height = 24});
    assert_int_equal(page->count, 24);
    assert_true(has("what keeps it from going faster"));
    for (size_t i = 0; i < page->count; i++)
        assert_int_equal(page->rows[i].text[79], ' '); // nothing is cut off
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(times_have_three_digits_and_a_unit),
        TEST(counts_are_exact_up_to_seven_digits),
        TEST(nothing_that_steers_a_terminal_gets_onto_a_page),
        TEST(what_is_beyond_the_edges_is_cut_off),
        TEST(the_head_has_rate_jobs_and_limit),
        TEST(the_limiting_hop_is_marked),
        TEST(a_process_that_is_the_limit_is_marked),
        TEST(each_process_has_a_row_at_any_width),
        TEST(a_long_name_keeps_its_end),
        TEST(a_lost_worker_is_red_with_how_long_it_is_silent),
        TEST(rows_are_sorted_by_the_key_and_turned_around),
        TEST(the_screen_fills_its_height_and_ends_with_the_keys),
        TEST(a_long_list_scrolls_to_the_selected_row),
        TEST(the_selection_follows_a_name_whose_process_is_gone),
        TEST(a_pipeline_without_processes_can_be_shown),
        TEST(paused_and_recorded_are_said),
        TEST(a_drill_down_is_a_tree_with_the_most_expensive_first),
        TEST(a_drill_down_scrolls),
        TEST(looking_into_the_consumer_says_why_restarts_wait),
        TEST(a_drill_down_says_that_its_profile_is_not_there_yet),
        TEST(a_group_has_its_limits_and_why_its_hosts_wait),
        TEST(a_long_list_of_groups_scrolls),
        TEST(groups_that_are_left_out_are_counted),
        TEST(without_a_policy_there_are_no_groups),
        TEST(what_needs_a_person_is_the_first_line_of_each_page),
        TEST(the_help_fits_into_a_small_terminal),
    };
    return cmocka_run_group_tests_name("screen", tests, NULL, NULL);
}
