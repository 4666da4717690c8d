// What is in force, and who keeps a place: how it follows from orders and tasks, and how it is read
// a page at a time.

#include "order_play.h"

#include <inttypes.h>

#include "clock.h"

static real_task_t casualty(real_task_t task)
{
    task.real.is_casualty = true;
    return task;
}

static real_task_t with_row(real_task_t task, mm_attempt_row_t row)
{
    task.real.row = row;
    return task;
}

// ---- holds

static void resume_ends_what_it_names(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)give(store, order_of(1, MM_ACTION_TRIP, ""));
    (void)give(store, order_of(2, MM_ACTION_TRIP, "web"));
    (void)give(store, order_of(3, MM_ACTION_HALT, ""));
    (void)give(store, order_of(4, MM_ACTION_RESUME, "web"));
    assert_string_equal(state_of(store, RUN),
                        "trip / a bad kernel;halt / a bad kernel;resume web/ #4;");
    (void)give(store, order_of(5, MM_ACTION_TRIP, "db"));
    (void)give(store, order_of(6, MM_ACTION_RESUME, ""));
    assert_string_equal(state_of(store, RUN), "trip db/ a bad kernel;resume web/ #4;resume / #6;");
    assert_true(store_close(&store));
}

static void a_deny_ends_by_its_time_or_by_another(void **state)
{
    (void)state;
    store_t *store = open_store();
    mm_order_t deny = order_of(1, MM_ACTION_DENY, "web-7.example.net.");
    (void)give(store, deny); // for good
    assert_string_equal(state_of(store, 0), "deny web-7.example.net/ a bad kernel;");
    deny.id = ID(2);
    deny.until_ms = mm_clock_wall_ms() + 300;
    (void)give(store, deny);
    assert_non_null(strstr(state_of(store, 0), "deny web-7.example.net/ until="));
    while (mm_clock_wall_ms() < deny.until_ms)
        ;
    assert_string_equal(state_of(store, 0), "");
    deny.id = ID(3);
    deny.until_ms = 0;
    (void)give(store, deny);
    deny.id = ID(4);
    deny.until_ms = 1;
    (void)give(store, deny);
    assert_string_equal(query("SELECT count(*) FROM holds"), "0;");
    assert_true(store_close(&store));
}

static void a_run_that_begins_ends_the_trips_of_former_ones_alone(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)give(store, order_of(1, MM_ACTION_TRIP, "web"));
    (void)give(store, order_of(2, MM_ACTION_HALT, ""));
    (void)give(store, order_of(3, MM_ACTION_DENY, "db-1"));
    (void)ask(store, casualty(in_run(ended(1, 11, 1, MM_END_UNREACHABLE), "groups=web")));
    (void)give(store, order_of(4, MM_ACTION_RUN, "")); // the same run
    assert_non_null(strstr(state_of(store, RUN), "trip web"));
    mm_order_t run = order_of(5, MM_ACTION_RUN, "");
    run.run = UINT64_MAX;
    (void)give(store, run);
    assert_string_equal(state_of(store, UINT64_MAX), "halt / a bad kernel;deny db-1/ a bad kernel;"
                                                     "ended web-7.example.net/web casualty;");
    assert_true(store_close(&store));
}

// ---- places

static void a_place_is_kept_from_begin_to_end(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, in_run(begun(1, 11, 1), "bmc=10.0.0.1 groups=web,eu"));
    assert_string_equal(state_of(store, 0), "begun web-7.example.net/web,eu;");
    (void)ask(store, in_run(with_row(begun(1, 12, 1), MM_ROW_OPEN), "groups=web,eu"));
    assert_string_equal(state_of(store, 0), "begun web-7.example.net/web,eu;");
    (void)ask(store, in_run(ended(1, 13, 1, MM_END_EXIT), "groups=web,eu"));
    assert_string_equal(state_of(store, 0), "");
    (void)ask(store, in_run(begun(1, 14, 2), "groups=web,eu"));
    (void)ask(store, in_run(with_row(begun(1, 15, 2), MM_ROW_NOT_STARTED), "groups=web,eu"));
    assert_string_equal(state_of(store, 0), "");
    (void)ask(store, in_run(begun(1, 16, 2), "groups=web,eu"));
    (void)ask(store, in_run(begun(1, 17, 1), "groups=web,eu")); // of former ones: left alone
    (void)ask(store, settled(in_run(ended(1, 18, 2, MM_END_RESTARTED), "groups=web,eu"),
                             MM_OUTCOME_RESTARTED, MM_PROOF_PROVEN));
    assert_string_equal(state_of(store, 0), "");
    assert_string_equal(query("SELECT count(*) FROM places"), "0;");
    assert_true(store_close(&store));
}

static void a_run_without_a_policy_has_no_places(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, begun(1, 11, 1));
    (void)ask(store, casualty(ended(1, 12, 1, MM_END_UNREACHABLE)));
    assert_string_equal(state_of(store, 0), "");
    assert_true(store_close(&store));
}

static void a_casualty_stays_one_until_it_is_up_or_absolved(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, in_run(begun(1, 11, 1), "groups=web"));
    (void)ask(store, casualty(in_run(ended(1, 12, 1, MM_END_UNREACHABLE), "groups=web")));
    assert_string_equal(state_of(store, 0), "ended web-7.example.net/web casualty;");
    (void)ask(store, in_run(begun(1, 13, 2), "groups=web"));
    assert_string_equal(state_of(store, 0), "begun web-7.example.net/web casualty;"
                                            "ended web-7.example.net/web casualty;");
    (void)ask(store, in_run(with_row(begun(1, 14, 2), MM_ROW_NOT_STARTED), "groups=web"));
    assert_string_equal(state_of(store, 0), "ended web-7.example.net/web casualty;");
    (void)ask(store, in_run(begun(1, 15, 2), "groups=web"));
    (void)give(store, order_of(1, MM_ACTION_ABSOLVE, "WEB-7.example.net"));
    assert_string_equal(state_of(store, 0), "begun web-7.example.net/web;"); // it is open still
    (void)ask(store, casualty(in_run(ended(1, 16, 2, MM_END_UNHEALTHY), "groups=web")));
    (void)ask(store, settled(in_run(ended(1, 17, 2, MM_END_RESTARTED), "groups=web"),
                             MM_OUTCOME_RESTARTED, MM_PROOF_PROVEN));
    assert_string_equal(query("SELECT count(*) FROM places"), "0;"); // a late success
    assert_true(store_close(&store));
}

// The pipeline was killed behind the attempt's end: the job is settled behind the absolve.
static void a_settle_makes_no_casualty_anew_of_an_absolved_host(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, in_run(begun(1, 11, 1), "groups=web"));
    (void)ask(store, casualty(in_run(ended(1, 12, 1, MM_END_UNREACHABLE), "groups=web")));
    (void)give(store, order_of(1, MM_ACTION_ABSOLVE, "web-7.example.net"));
    real_task_t settle = casualty(in_run(ended(1, 13, 1, MM_END_UNREACHABLE), "groups=web"));
    (void)ask(store, settled(settle, MM_OUTCOME_DEAD, MM_PROOF_NONE));
    assert_string_equal(state_of(store, 0), "");
    // What the settle is the first to say counts.
    (void)ask(store, in_run(begun(2, 14, 1), "groups=web"));
    (void)give(store, order_of(2, MM_ACTION_ABSOLVE, "web-7.example.net"));
    settle = casualty(in_run(ended(2, 15, 1, MM_END_UNREACHABLE), "groups=web"));
    (void)ask(store, settled(settle, MM_OUTCOME_DEAD, MM_PROOF_NONE));
    assert_string_equal(state_of(store, 0), "ended web-7.example.net/web casualty;");
    assert_true(store_close(&store));
}

// In whatever spelling the list had it, and the operator has it.
static void who_is_absolved_may_pay_what_it_owes(void **state)
{
    (void)state;
    static const struct {
        const char *listed, *absolved;
    } cases[] = {{"WEB-7.example.net.", "web-7.EXAMPLE.net"},
                 {"2001:DB8::0:1", "2001:db8:0:0::1"},
                 {"::ffff:192.0.2.1", "192.0.2.1"}};
    static const char *const paid[] = {"1;", "2;", "3;"};
    store_t *store = open_store();
    for (uint8_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        real_task_t task = begun(i + 1, i + 11, 1);
        task.task.host = mm_str(cases[i].listed);
        task.real.owes = true;
        (void)ask(store, task);
    }
    (void)give(store, order_of(1, MM_ACTION_ABSOLVE, "web-8"));
    assert_string_equal(query("SELECT count(*) FILTER (WHERE owes = 2) FROM attempts"), "0;");
    for (uint8_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)give(store, order_of(i + 2, MM_ACTION_ABSOLVE, cases[i].absolved));
        assert_string_equal(query("SELECT count(*) FILTER (WHERE owes = 2) FROM attempts"),
                            paid[i]);
    }
    assert_true(store_close(&store));
}

// Of the mock, and of a job of which nothing has begun.
static void a_settle_without_a_row_counts_too(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, settled(casualty(in_run(plain(1, 11), "groups=web")), MM_OUTCOME_DEAD,
                             MM_PROOF_NONE));
    assert_string_equal(state_of(store, 0), "ended web-7.example.net/web casualty;");
    // Another job of that host says nothing of it.
    (void)ask(store,
              settled(in_run(plain(2, 12), "groups=web"), MM_OUTCOME_WITHDRAWN, MM_PROOF_NONE));
    assert_string_equal(state_of(store, 0), "ended web-7.example.net/web casualty;");
    (void)ask(store, in_run(begun(3, 13, 1), "groups=web"));
    (void)ask(store, settled(in_run(plain(2, 14), "groups=web"), MM_OUTCOME_WITHDRAWN,
                             MM_PROOF_NONE)); // its outcome is on record
    (void)ask(store, settled(in_run(plain(4, 15), "groups=web"), MM_OUTCOME_WITHDRAWN,
                             MM_PROOF_NONE)); // and this one has never begun
    assert_string_equal(state_of(store, 0), "begun web-7.example.net/web casualty;"
                                            "ended web-7.example.net/web casualty;");
    (void)ask(store, settled(in_run(plain(3, 16), "groups=web"), MM_OUTCOME_DEAD, MM_PROOF_NONE));
    assert_string_equal(state_of(store, 0), "ended web-7.example.net/web casualty;");
    assert_true(store_close(&store));
}

// A consumer that has not heard the answer says it again, after somebody has absolved the host.
static void a_repeated_task_makes_no_casualty_anew(void **state)
{
    (void)state;
    store_t *store = open_store();
    real_task_t end = casualty(in_run(ended(1, 11, 1, MM_END_UNREACHABLE), "groups=web"));
    real_task_t settle = settled(end, MM_OUTCOME_DEAD, MM_PROOF_NONE);
    (void)ask(store, end);
    (void)ask(store, settle);
    (void)give(store, order_of(1, MM_ACTION_ABSOLVE, "web-7.example.net"));
    (void)ask(store, end);
    (void)ask(store, settle);
    assert_string_equal(state_of(store, 0), "");
    assert_true(store_close(&store));
}

static void places_and_holds_survive_another_saver(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, in_run(begun(1, 11, 1), "groups=web"));
    (void)give(store, order_of(1, MM_ACTION_HALT, ""));
    assert_true(store_close(&store));
    store = open_store();
    assert_string_equal(state_of(store, RUN), "halt / a bad kernel;begun web-7.example.net/web;");
    assert_true(store_close(&store));
}

// ---- outcomes, and pages

static void outcomes_of_the_run_come_in_their_order(void **state)
{
    (void)state;
    store_t *store = open_store();
    const mm_outcome_t outcomes[] = {MM_OUTCOME_RESTARTED, MM_OUTCOME_DEAD, MM_OUTCOME_SKIPPED,
                                     MM_OUTCOME_WITHDRAWN};
    for (unsigned i = 0; i < 4; i++)
        (void)ask(store,
                  settled(in_run(plain(i + 1, i + 1), "groups=web"), outcomes[i], MM_PROOF_NONE));
    real_task_t other = settled(in_run(plain(9, 9), "groups=web"), MM_OUTCOME_DEAD, MM_PROOF_NONE);
    other.real.run = RUN + 1;
    (void)ask(store, other);
    assert_string_equal(state_of(store, RUN), "ended web-7.example.net/web restarted #1;"
                                              "ended web-7.example.net/web dead #2;"
                                              "ended web-7.example.net/web skipped #3;"
                                              "ended web-7.example.net/web withdrawn #4;");
    assert_string_equal(state_of(store, RUN + 1), "ended web-7.example.net/web dead #5;");
    assert_string_equal(state_of(store, 0), "");
    assert_true(store_close(&store));
}

#define SQL_PLACES                                                                                 \
    "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 600)"               \
    "INSERT INTO places (host, groups, open, casualty, job, since_ms)"                             \
    " SELECT format('p-%04d', i), 'web', 1, i % 3 = 0, zeroblob(16), 1 FROM n"
#define SQL_PLACES_IN_POSTGRESQL                                                                   \
    "INSERT INTO places (host, groups, open, casualty, job, since_ms)"                             \
    " SELECT 'p-' || lpad(i::text, 4, '0'), 'web', 1, (i % 3 = 0)::int, lpad('', 32, '0')::uuid, " \
    "1 FROM generate_series(0, 600) AS n (i)"

// Some of all, by long and by short texts: each entry is there once, in the same order, whatever
// the first part fills of a page.
static void pages_hold_each_entry_once(void **state)
{
    (void)state;
    char why[MM_ERROR_MAX + 1], host[32];
    memset(why, 'w', MM_ERROR_MAX);
    for (unsigned denies = 250; denies < 260; denies++) {
        assert_int_equal(make_store_folder(state), 0);
        store_t *store = open_store();
        for (unsigned i = 0; i < denies; i++) {
            (void)snprintf(host, sizeof host, "h-%04u", i);
            mm_order_t deny = order_of(1, MM_ACTION_DENY, host);
            deny.id.bytes[0] = (uint8_t)i;
            deny.id.bytes[1] = (uint8_t)(i >> 8);
            deny.why = (mm_str_t){why, i % 7 == 0 ? MM_ERROR_MAX : 3};
            (void)give(store, deny);
        }
        execute(is_in_postgresql() ? SQL_PLACES_IN_POSTGRESQL : SQL_PLACES);
        unsigned seen = 0, pages = 0, doubles = 0;
        store_page_t page = {0};
        do {
            ask_state(store, RUN, page.next, &page);
            assert_in_range(page.count, 1, MM_BATCH_ITEMS);
            pages++;
            for (size_t i = 0; i < page.count; i++) {
                bool is_hold = seen < denies;
                if (page.items[i].action == MM_ACTION_ENDED) {
                    doubles++;
                    continue;
                }
                (void)snprintf(host, sizeof host, is_hold ? "h-%04u" : "p-%04u",
                               is_hold ? seen : seen - denies);
                assert_true(mm_str_equal(page.items[i].name, mm_str(host)));
                seen++;
            }
        } while (page.next != 0);
        assert_int_equal(seen, denies + 601);
        assert_int_equal(doubles, 201);
        assert_true(pages >= 4);
        assert_true(store_close(&store));
        assert_int_equal(remove_store_folder(state), 0);
    }
    assert_int_equal(make_store_folder(state), 0);
}

// What somebody has written into the record is cut to what the wire takes.
static void a_strange_record_is_read_within_the_limits(void **state)
{
    (void)state;
    store_t *store = open_store();
    execute("INSERT INTO holds (kind, name, run, until_ms, since_ms, why, actor) VALUES"
            " ('halt', '', 0, -5, -5, hex(zeroblob(2000)), ''), ('music', 'x', 0, 0, 0, '', ''),"
            " ('trip', cast(x'ff' AS TEXT), 0, 0, 0, 'y', '');"
            "INSERT INTO places (host, groups, open, casualty, job, since_ms) VALUES"
            " (hex(zeroblob(500)), hex(zeroblob(500)), 7, 0, zeroblob(1), -1)");
    store_page_t page;
    ask_state(store, RUN, 0, &page);
    assert_int_equal(page.count, 3);
    assert_int_equal(page.items[0].why.size, MM_ERROR_MAX);
    assert_int_equal(page.items[0].until_ms + page.items[0].at_ms, 0);
    assert_int_equal(page.items[1].name.size, 0);
    assert_int_equal(page.items[2].name.size, MM_HOST_MAX);
    assert_int_equal(page.items[2].groups.size, MM_GROUPS_BYTES);
    ask_state(store, RUN, UINT64_MAX, &page);
    assert_int_equal(page.count + page.next, 0);
    assert_true(store_close(&store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(resume_ends_what_it_names),
        STORE_TEST(a_deny_ends_by_its_time_or_by_another),
        STORE_TEST(a_run_that_begins_ends_the_trips_of_former_ones_alone),
        STORE_TEST(a_place_is_kept_from_begin_to_end),
        STORE_TEST(a_run_without_a_policy_has_no_places),
        STORE_TEST(a_casualty_stays_one_until_it_is_up_or_absolved),
        STORE_TEST(a_settle_makes_no_casualty_anew_of_an_absolved_host),
        STORE_TEST(who_is_absolved_may_pay_what_it_owes),
        STORE_TEST(a_settle_without_a_row_counts_too),
        STORE_TEST(a_repeated_task_makes_no_casualty_anew),
        STORE_TEST(places_and_holds_survive_another_saver),
        STORE_TEST(outcomes_of_the_run_come_in_their_order),
        STORE_TEST(pages_hold_each_entry_once),
    };
    const struct CMUnitTest of_a_file[] = {
        STORE_TEST(a_strange_record_is_read_within_the_limits),
    };
    return cmocka_run_group_tests(of_a_file, NULL, NULL) + RUN_STORE_TESTS(tests);
}
