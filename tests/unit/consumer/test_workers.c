// Who is there and who is not: joining, refusing, losing, leaving (docs/protocol.md, P9.14 to
// P9.21). Credit and who holds what are in test_workers_held.c.

#include "workers_play.h"

// ---- joining

static void a_hello_is_welcomed_to_a_new_session(void **state)
{
    (void)state;
    hello("r1", 0);
    then("open 11; welcome r1 11");
    hello("r2", 0);
    then("open 12; welcome r2 12");
}

static void a_hello_that_crossed_with_its_welcome_gets_the_same(void **state)
{
    (void)state;
    joins("r1");
    uint64_t number = hands_out("r1");
    hello("r1", 0); // it lists nothing, and yet ends nothing
    then("welcome r1 11");
    assert_int_equal(the("r1")->out, 1);
    assignment(number);
    hello("r1", 11); // this one knows of it, and wants another
    then("close 11; open 12; welcome r1 12");
}

static void a_session_is_higher_than_any_that_a_worker_has_had(void **state)
{
    (void)state;
    hello("r1", FIRST_SESSION); // of a former consumer
    then("open 11; welcome r1 11");
    hello("r2", 0);
    then("open 12; welcome r2 12");
}

// R16: the sessions of all others would begin above it, and a new consumer's would not.
static void a_session_that_nobody_has_given_is_refused(void **state)
{
    (void)state;
    static const uint64_t claims[] = {FIRST_SESSION + 1, UINT64_C(1) << 63, UINT64_MAX - 1,
                                      UINT64_MAX};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        hello("r1", claims[i]);
        then("refused r1: no consumer has given it that session");
    }
    hello("r1", 0);
    then("open 11; welcome r1 11");
    hello("r2", 12);
    then("refused r2: no consumer has given it that session");
}

// R16: a joined process is not locked out by one that speaks in its name, and jumps.
static void a_sequence_that_cannot_be_reached_is_ignored(void **state)
{
    (void)state;
    uint64_t session = joins("r1");
    static const uint64_t claims[] = {65537, UINT64_C(1) << 63, UINT64_MAX - 1};
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
        says.sequence = the("r1")->sequence + claims[i];
        says.slots = 0;
        heartbeat("r1", session);
        then("ignored r1: a sequence that it cannot have reached");
    }
    says.slots = 3;
    heartbeat("r1", session);
    then("");
    assert_int_equal(the("r1")->slots, 3);
}

// R16: whoever was first in its name is believed, for as long as it is heard.
static void a_sequence_counts_until_its_worker_is_lost(void **state)
{
    (void)state;
    says.sequence = UINT64_MAX;
    hello("r1", 0);
    then("open 11; welcome r1 11");
    sequence = 5;
    heartbeat("r1", 11);
    now_ms += LOST_AFTER;
    check();
    then("loss r1; close 11");
    heartbeat("r1", 11);
    then("rejoin r1");
    hello("r1", 11);
    then("open 12; welcome r1 12");
    heartbeat("r1", 12);
    then("");
    assert_int_equal(the("r1")->sequence, 9);
}

// R16: of a joined one it is known how many results there can be; a lost one begins anew.
static void results_that_cannot_be_are_ignored(void **state)
{
    (void)state;
    uint64_t session = joins("r1"), number = hands_out("r1");
    says.last_serial = 65537;
    heartbeat("r1", session);
    then("ignored r1: more results than it was given tasks");
    result("r1", UINT64_MAX, number);
    then("");
    result("r1", 1, number + 1);
    then("ignored r1: a result of a task that nobody has given it");
    says.last_serial = 1;
    result("r1", 2, number);
    then("read 2 of 101");
    says.last_serial = 2;
    heartbeat("r1", session);
    then("");
}

static void serials_that_were_not_its_own_are_forgotten_with_its_loss(void **state)
{
    (void)state;
    says.last_serial = UINT64_MAX; // in the name of r1, before it has said anything
    hello("r1", 0);
    then("open 11; welcome r1 11");
    result("r1", 1, 7);
    then("read 1");
    the("r1")->acknowledged_through = UINT64_MAX; // as if it had told of them all
    now_ms += LOST_AFTER;
    check();
    then("loss r1; close 11");
    says.last_serial = 3;
    hello("r1", 11);
    then("open 12; welcome r1 12");
    assert_int_equal(the("r1")->acknowledged_through, 0);
    result("r1", 1, 8);
    then("read 1");
}

static void another_process_is_refused_while_the_former_is_heard(void **state)
{
    (void)state;
    joins("r1");
    uint64_t number = hands_out("r1");
    now_ms += LOST_AFTER - 1;
    says.instance = 2;
    hello("r1", 0);
    then("refused r1: another process with this id is alive; give this one another --id, or a key "
         "of another name if it has one");
    now_ms += 1;
    says.instance = 2;
    hello("r1", 0);
    assert_int_equal(number, 101);
    then("loss r1 (its next process has joined); 101 lost; close 11; open 12; welcome r1 12");
    assert_null(workers_find(workers, mm_str("r1"), 1));
    assert_non_null(workers_find(workers, mm_str("r1"), 2));
}

static void a_lost_process_makes_room_for_another_at_once(void **state)
{
    (void)state;
    joins("r1");
    now_ms += LOST_AFTER;
    check();
    then("loss r1; close 11");
    says.instance = 2;
    hello("r1", 0);
    then("open 12; welcome r1 12");
}

static void one_worker_too_many_is_refused(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++) {
        char name[] = {'r', (char)('0' + i), '\0'};
        joins(name);
    }
    hello("r4", 0);
    then("refused r4: there are too many restarters already");
    says.role = MM_ROLE_SAVER;
    hello("s1", 0);
    then("open 14; welcome s1 14");
    says.role = MM_ROLE_SAVER;
    hello("s2", 0);
    then("refused s2: there is another saver already");
    hello("r1", 11); // whoever is there may say hello again
    then("close 11; open 15; welcome r1 15");
    bye("r2", 12, 0);
    then("left r2; close 12");
    hello("r4", 0);
    then("open 16; welcome r4 16");
}

static void a_lost_worker_takes_no_place_but_needs_one_to_come_back(void **state)
{
    (void)state;
    says.role = MM_ROLE_SAVER;
    joins("s1");
    now_ms += LOST_AFTER;
    check();
    then("loss s1; close 11");
    says.role = MM_ROLE_SAVER;
    hello("s2", 0);
    then("open 12; welcome s2 12");
    says.role = MM_ROLE_SAVER;
    hello("s1", 11);
    then("refused s1: there is another saver already");
}

static void a_process_does_not_change_its_role(void **state)
{
    (void)state;
    joins("r1");
    says.role = MM_ROLE_SAVER;
    hello("r1", 11);
    says.role = MM_ROLE_SAVER;
    heartbeat("r1", 11);
    then("");
}

static void a_name_that_is_none_is_ignored(void **state)
{
    (void)state;
    hello("-r1", 0);
    heartbeat("-r1", 5);
    then("");
}

// ---- heartbeats

static void a_heartbeat_of_nobody_is_told_to_rejoin(void **state)
{
    (void)state;
    heartbeat("r1", 5);
    then("rejoin r1");
    joins("r1");
    says.instance = 2;
    heartbeat("r1", 11); // of another process
    then("rejoin r1");
    heartbeat("r1", 12); // of a session that was never opened
    then("rejoin r1");
    now_ms += LOST_AFTER;
    check();
    then("loss r1; close 11");
    heartbeat("r1", 11);
    then("rejoin r1");
    hello("r1", 11);
    then("open 12; welcome r1 12");
}

static void a_heartbeat_of_an_older_session_is_ignored(void **state)
{
    (void)state;
    joins("r1");
    hello("r1", 11);
    then("close 11; open 12; welcome r1 12");
    says.slots = 0;
    heartbeat("r1", 11);
    then("");
    assert_int_equal(the("r1")->slots, 2);
}

static void an_older_report_is_ignored(void **state)
{
    (void)state;
    joins("r1");
    heartbeat("r1", 11);
    says.slots = 0;
    says.sequence = sequence;
    heartbeat("r1", 11);
    says.slots = 0;
    says.sequence = sequence - 1;
    hello("r1", 11);
    then("");
    assert_int_equal(the("r1")->slots, 2);
}

// P9.95: who is told to rejoin, or refused, need not count its reports.
static void a_stranger_is_answered_however_old_its_report(void **state)
{
    (void)state;
    joins("r1");
    heartbeat("r1", 11);
    says.sequence = sequence - 1;
    heartbeat("r1", 12); // of a session that was never opened
    then("rejoin r1");
    says.sequence = sequence - 1;
    repeating(3, 55); // behind a gap
    heartbeat("r1", 11);
    then("rejoin r1");
    says.sequence = sequence - 1;
    says.instance = 2;
    hello("r1", 0);
    then("refused r1: another process with this id is alive; give this one another --id, or a key "
         "of another name if it has one");
}

static void a_report_counts_when_all_its_parts_have_come_in_order(void **state)
{
    (void)state;
    joins("r1");
    uint64_t number = hands_out("r1");
    now_ms += LOST_AFTER - 1;
    heartbeat("r1", 11); // lists nothing, but the task may be under way
    now_ms += 1;
    for (uint32_t part = 0; part < 3; part++) {
        says.sequence = sequence + 1;
        says.part = part;
        says.parts = 3;
        says.slots = 5;
        if (part == 1)
            assignment(number);
        heartbeat("r1", 11);
        then("");
        assert_int_equal(the("r1")->slots, part < 2 ? 2 : 5);
    }
    assert_int_equal(the("r1")->out, 1); // it was listed in one of the parts
}

static void a_part_out_of_order_spoils_its_report(void **state)
{
    (void)state;
    joins("r1");
    const uint32_t parts[] = {0, 2, 2, 0};
    for (size_t i = 0; i < 4; i++) {
        says.sequence = sequence + 1;
        says.part = parts[i];
        says.parts = 3;
        says.slots = 5;
        heartbeat("r1", 11);
    }
    assert_int_equal(the("r1")->slots, 2);
    says.sequence = sequence + 2; // the next one is whole
    says.slots = 3;
    heartbeat("r1", 11);
    assert_int_equal(the("r1")->slots, 3);
}

static void a_hello_in_parts_gives_no_credit_before_its_end(void **state)
{
    (void)state;
    for (uint32_t part = 0; part < 2; part++) {
        assert_string_equal(picked(MM_ROLE_RESTARTER), "");
        says.sequence = 1;
        says.part = part;
        says.parts = 2;
        hello("r1", 0);
    }
    then("open 11; welcome r1 11");
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r1");
}

// Found by fuzzing: it was told the last word of session 0, and could have been given a task alone.
static void a_heartbeat_amid_a_hello_is_of_no_session(void **state)
{
    (void)state;
    says.parts = 2;
    hello("r1", 0);
    heartbeat("r1", 0);
    then("rejoin r1");
    assert_null(workers_pick_quarantine(workers));
}

// What the first part listed has been taken back: the rest of it says too little.
static void a_hello_that_is_cut_in_two_by_a_loss_begins_no_session(void **state)
{
    (void)state;
    for (uint32_t part = 0; part < 2; part++) {
        says.sequence = 1;
        says.part = part;
        says.parts = 2;
        if (part == 0)
            assignment(55);
        hello("r1", 0);
        now_ms += LOST_AFTER;
        check();
    }
    then("loss r1; 55 lost");
    assert_int_equal(the("r1")->state, WORKER_LOST);
}

// ---- losing

static void a_worker_is_lost_only_after_lost_after(void **state)
{
    (void)state;
    assert_true(workers_deadline(workers) == MM_NEVER);
    joins("r1");
    uint64_t number = hands_out("r1");
    assert_int_equal(number, 101);
    now_ms += 500;
    heartbeat("r1", 11);
    assert_int_equal(workers_deadline(workers), now_ms + LOST_AFTER);
    now_ms += LOST_AFTER - 1;
    check();
    then("");
    now_ms += 1;
    check();
    then("loss r1; 101 lost; close 11");
    assert_true(workers_deadline(workers) == MM_NEVER);
    check();
    then("");
}

static void each_is_lost_in_its_own_time(void **state)
{
    (void)state;
    joins("r1");
    now_ms += 100;
    joins("r2");
    now_ms += 100;
    heartbeat("r1", 11);
    now_ms += LOST_AFTER - 100;
    check();
    then("loss r2; close 12");
    assert_int_equal(workers_deadline(workers), now_ms + 100);
    now_ms += 100;
    check();
    then("loss r1; close 11");
}

static void a_lost_worker_that_comes_back_brings_its_tasks(void **state)
{
    (void)state;
    joins("r1");
    uint64_t number = hands_out("r1");
    now_ms += LOST_AFTER;
    check();
    then("loss r1; 101 lost; close 11");
    assert_int_equal(busy("web-7"), 0);
    assignment(number);
    hello("r1", 11);
    then("open 12; welcome r1 12");
    assert_int_equal(the("r1")->out, 1);
    assert_int_equal(busy("web-7"), 1);
}

// It was said before the welcome, and tells nothing of what runs since (R4).
static void an_old_hello_of_a_lost_worker_opens_nothing(void **state)
{
    (void)state;
    r1_is_lost();
    hello("r1", 0);
    then("welcome r1 11");
    assert_string_equal(picked(MM_ROLE_RESTARTER), "");
    assignment(101);
    hello("r1", 11);
    then("open 12; welcome r1 12");
    assert_int_equal(the("r1")->out, 1);
}

static void thousands_of_lost_workers_are_forgotten_oldest_first(void **state)
{
    (void)state;
    char name[16];
    for (int i = 0; i < 1100; i++) {
        (void)snprintf(name, sizeof name, "r%d", i);
        joins(name);
        now_ms += LOST_AFTER;
        check();
        forget_story();
    }
    assert_null(workers_find(workers, mm_str("r0"), 1));
    assert_non_null(workers_find(workers, mm_str("r1099"), 1));
    size_t count = 0;
    for (const worker_t *worker = NULL; (worker = workers_next(workers, worker));)
        count++;
    assert_int_equal(count, 1024);
}

// ---- leaving

static void a_worker_that_drains_gets_the_last_word_and_no_credit(void **state)
{
    (void)state;
    joins("r1");
    says.slots = 0;
    heartbeat("r1", 11);
    then("last r1");
    assert_string_equal(picked(MM_ROLE_RESTARTER), "");
    says.slots = 0;
    heartbeat("r1", 11); // each time: the first answer may be lost
    then("last r1");
}

static void after_a_bye_with_all_results_read_its_tasks_never_started(void **state)
{
    (void)state;
    joins("r1");
    hands_out("r1");
    hands_out("r1");
    result("r1", 1, 101);
    then("read 1 of 101");
    bye("r1", 11, 1);
    then("102 missing; left r1; close 11");
    assert_null(workers_find(workers, mm_str("r1"), 1));
}

static void after_a_bye_what_was_listed_is_lost_all_the_same(void **state)
{
    (void)state;
    joins("r1");
    hands_out("r1");
    assignment(101);
    heartbeat("r1", 11);
    bye("r1", 11, 0);
    then("101 lost; left r1; close 11");
}

static void after_a_bye_with_results_unread_its_tasks_may_have_started(void **state)
{
    (void)state;
    joins("r1");
    hands_out("r1");
    hands_out("r1");
    result("r1", 1, 101);
    then("read 1 of 101");
    bye("r1", 11, 2);
    then("102 lost; left r1; close 11");
}

static void a_bye_of_another_session_is_ignored(void **state)
{
    (void)state;
    joins("r1");
    bye("r1", 10, 0);
    then("");
    assert_string_equal(picked(MM_ROLE_RESTARTER), "r1");
}

static void whoever_said_bye_is_a_stranger_again(void **state)
{
    (void)state;
    joins("r1");
    bye("r1", 11, 0);
    then("left r1; close 11");
    heartbeat("r1", 11);
    then("rejoin r1");
    hello("r1", 11);
    then("open 12; welcome r1 12");
}

static void the_bye_of_a_lost_worker_only_forgets_it(void **state)
{
    (void)state;
    joins("r1");
    now_ms += LOST_AFTER;
    check();
    then("loss r1; close 11");
    bye("r1", 11, 0);
    then("");
    assert_null(workers_find(workers, mm_str("r1"), 1));
}

static void a_worker_is_lost_at_once_when_its_key_is_revoked(void **state)
{
    (void)state;
    joins("r1");
    workers_revoke(workers, mm_str("r1"), MM_ROLE_SAVER);
    check();
    then("");
    workers_revoke(workers, mm_str("r1"), MM_ROLE_RESTARTER);
    check();
    then("loss r1 (its key no longer counts); close 11");
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, new_workers, end_workers)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hello_is_welcomed_to_a_new_session),
        TEST(a_hello_that_crossed_with_its_welcome_gets_the_same),
        TEST(a_session_is_higher_than_any_that_a_worker_has_had),
        TEST(a_session_that_nobody_has_given_is_refused),
        TEST(a_sequence_that_cannot_be_reached_is_ignored),
        TEST(a_sequence_counts_until_its_worker_is_lost),
        TEST(results_that_cannot_be_are_ignored),
        TEST(serials_that_were_not_its_own_are_forgotten_with_its_loss),
        TEST(another_process_is_refused_while_the_former_is_heard),
        TEST(a_worker_is_lost_at_once_when_its_key_is_revoked),
        TEST(a_lost_process_makes_room_for_another_at_once),
        TEST(one_worker_too_many_is_refused),
        TEST(a_lost_worker_takes_no_place_but_needs_one_to_come_back),
        TEST(a_process_does_not_change_its_role),
        TEST(a_name_that_is_none_is_ignored),
        TEST(a_heartbeat_of_nobody_is_told_to_rejoin),
        TEST(a_heartbeat_of_an_older_session_is_ignored),
        TEST(an_older_report_is_ignored),
        TEST(a_stranger_is_answered_however_old_its_report),
        TEST(a_report_counts_when_all_its_parts_have_come_in_order),
        TEST(a_part_out_of_order_spoils_its_report),
        TEST(a_hello_in_parts_gives_no_credit_before_its_end),
        TEST(a_heartbeat_amid_a_hello_is_of_no_session),
        TEST(a_hello_that_is_cut_in_two_by_a_loss_begins_no_session),
        TEST(a_worker_is_lost_only_after_lost_after),
        TEST(each_is_lost_in_its_own_time),
        TEST(a_lost_worker_that_comes_back_brings_its_tasks),
        TEST(an_old_hello_of_a_lost_worker_opens_nothing),
        TEST(thousands_of_lost_workers_are_forgotten_oldest_first),
        TEST(a_worker_that_drains_gets_the_last_word_and_no_credit),
        TEST(after_a_bye_with_all_results_read_its_tasks_never_started),
        TEST(after_a_bye_what_was_listed_is_lost_all_the_same),
        TEST(after_a_bye_with_results_unread_its_tasks_may_have_started),
        TEST(a_bye_of_another_session_is_ignored),
        TEST(whoever_said_bye_is_a_stranger_again),
        TEST(the_bye_of_a_lost_worker_only_forgets_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
