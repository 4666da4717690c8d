// Jobs in flight: each is in the queues of its states, hosts are given on in order, and a state
// that may not follow is a bug that ends the process.

#include "flight.h"
#include "uuid.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include <cmocka.h>

static flights_t flights;

static int init_flights(void **state)
{
    (void)state;
    resources_init(&flights.resources, 2);
    return 0;
}

static int clear_flights(void **state)
{
    (void)state;
    flights_clear(&flights);
    assert_int_equal(flights_count(&flights), 0);
    hosts_clear(&flights.hosts);
    assert_null(flights.store_ready);
    assert_null(flights.restart_ready);
    assert_null(flights.resources.quarantine.waiting);
    assert_null(flights_first_extend(&flights));
    assert_null(mm_heap_first(&flights.leases));
    assert_int_equal(flights_doomed(&flights), 0);
    for (store_state_t state_of = STORE_READY; state_of < STORE_ENDED; state_of++)
        assert_int_equal(flights.in_store[state_of], 0);
    for (restart_state_t state_of = RESTART_HELD; state_of < RESTART_ENDED; state_of++)
        assert_int_equal(flights.in_restart[state_of], 0);
    for (resource_kind_t kind = RESOURCE_HOST; kind < RESOURCE_SLOT; kind++)
        assert_int_equal(flights.in_queue[kind], 0);
    return 0;
}

static mm_id_t id_of(uint8_t number)
{
    return (mm_id_t){.bytes = {[15] = number}};
}

static flight_t *add_at(uint8_t number, const char *host)
{
    mm_id_t id = id_of(number);
    return flights_add(&flights, &id, mm_str(host), 1000 + number, 9000 + number);
}

static flight_t *add(uint8_t number)
{
    return add_at(number, "web-7");
}

static void set_restart(flight_t *flight, restart_state_t state)
{
    if (state == RESTART_BLOCKED)
        flight_wait_on(&flights, flight, RESOURCE_HOST);
    else if (state == RESTART_QUARANTINED)
        flight_wait_on(&flights, flight, RESOURCE_QUARANTINE);
    else
        flight_set_restart(&flights, flight, state, 5000);
}

static void release(host_t *host)
{
    resources_release(&flights.resources, &host->restarts);
    (void)flights_next_restart(&flights);
}

static void set_store(flight_t *flight, store_state_t state)
{
    flight_set_store(&flights, flight, state, 5000);
}

static flight_t *waits(uint8_t number)
{
    flight_t *flight = add(number);
    set_restart(flight, RESTART_READY);
    set_restart(flight, RESTART_BLOCKED);
    return flight;
}

static void a_new_flight_wants_to_be_saved_first(void **state)
{
    (void)state;
    flight_t *flight = add(1);
    mm_id_t id = id_of(1), other = id_of(2);
    assert_ptr_equal(flights_find(&flights, &id), flight);
    assert_null(flights_find(&flights, &other));
    assert_int_equal(flights_count(&flights), 1);
    assert_int_equal(flight->store, STORE_READY);
    assert_int_equal(flight->restart, RESTART_HELD);
    assert_ptr_equal(flights.store_ready, flight);
    assert_null(flights.restart_ready);
    assert_ptr_equal(flights_first_extend(&flights), flight);
    assert_null(mm_heap_first(&flights.leases)); // it ends behind the next extension
    assert_true(mm_str_equal(host_name(flight->host), mm_str("web-7")));
}

static void the_store_leg_moves_between_its_queues(void **state)
{
    (void)state;
    flight_t *first = add(1), *second = add(2);
    assert_ptr_equal(flights.store_ready, first);
    set_store(first, STORE_OUT);
    assert_ptr_equal(flights.store_ready, second);
    flight_set_store(&flights, first, STORE_BACKOFF, 7000);
    assert_int_equal(mm_heap_deadline(&flights.store_backoffs), 7000);
    set_store(first, STORE_READY);
    assert_true(mm_heap_deadline(&flights.store_backoffs) == MM_NEVER);
    assert_ptr_equal(flights.store_ready->store_next, first); // behind the other
    set_store(second, STORE_OUT);
    set_store(second, STORE_SAVED);
    set_store(second, STORE_READY); // to be settled
    assert_ptr_equal(first->store_next, second);
}

static void a_save_is_withheld_as_long_as_its_restart_may_succeed(void **state)
{
    (void)state;
    static const restart_state_t others[] = {RESTART_BLOCKED, RESTART_QUARANTINED, RESTART_BACKOFF,
                                             RESTART_HELD,    RESTART_EXHAUSTED,   RESTART_OK};
    uint8_t number = 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        flight_t *flight = add(++number);
        set_restart(flight, RESTART_READY);
        set_store(flight, STORE_WITHHELD);
        assert_ptr_equal(flights_first_withheld(&flights), flight);
        set_restart(flight, RESTART_OUT);
        set_restart(flight, RESTART_READY); // it came back
        assert_int_equal(flight->store, STORE_WITHHELD);
        set_restart(flight, others[i]);
        assert_int_equal(flight->store, STORE_READY);
        assert_null(flights_first_withheld(&flights));
    }
    flight_t *lost = add(++number), *ended = add(++number);
    set_restart(lost, RESTART_READY);
    set_restart(ended, RESTART_READY);
    set_store(lost, STORE_WITHHELD);
    set_store(ended, STORE_WITHHELD);
    set_restart(lost, RESTART_OUT);
    lost->losses++;
    set_restart(lost, RESTART_READY);
    assert_int_equal(lost->store, STORE_READY);
    assert_ptr_equal(flights_first_withheld(&flights), ended);
    flights_end(&flights, ended);
    assert_null(flights_first_withheld(&flights));
}

static void the_restart_leg_moves_between_its_queues(void **state)
{
    (void)state;
    flight_t *flight = add(1);
    set_restart(flight, RESTART_READY);
    flight_set_restart(&flights, flight, RESTART_BACKOFF, 7000);
    assert_int_equal(mm_heap_deadline(&flights.restart_backoffs), 7000);
    set_restart(flight, RESTART_READY);
    assert_true(mm_heap_deadline(&flights.restart_backoffs) == MM_NEVER);
    assert_ptr_equal(flights.restart_ready, flight);
    set_restart(flight, RESTART_QUARANTINED);
    assert_null(flights.restart_ready);
    assert_ptr_equal(flights.resources.quarantine.waiting, flight);
    set_restart(flight, RESTART_BLOCKED);
    assert_null(flights.resources.quarantine.waiting);
    assert_ptr_equal(flight->host->restarts.waiting, flight);
    set_restart(flight, RESTART_READY);
    assert_null(flight->host->restarts.waiting);
    set_restart(flight, RESTART_OUT);
    assert_null(flights.restart_ready);
    set_restart(flight, RESTART_EXHAUSTED);
    set_restart(flight, RESTART_OK); // a late success of an earlier attempt
}

static void jobs_wait_for_their_host_in_order_of_arrival(void **state)
{
    (void)state;
    flight_t *first = waits(1), *second = waits(2);
    host_t *host = first->host;
    assert_ptr_equal(second->host, host);
    host->restarts.busy = 1;
    release(host);
    assert_null(flights.restart_ready); // it is still being restarted
    host->restarts.busy = 0;
    release(host);
    assert_ptr_equal(flights.restart_ready, first);
    assert_int_equal(second->restart, RESTART_BLOCKED);
    release(add_at(3, "web-8")->host); // nobody waits: nothing happens
    assert_ptr_equal(flights.restart_ready, first);
    assert_null(first->restart_next);
}

// What is free is granted to the first in the queue; if it does not take it, to the next one.
static void a_grant_that_is_not_taken_goes_to_the_next(void **state)
{
    (void)state;
    const restart_state_t instead[] = {RESTART_READY, RESTART_QUARANTINED};
    for (uint8_t i = 0; i < 2; i++) {
        flight_t *first = waits(1), *second = waits(2), *third = waits(3);
        release(first->host);
        assert_int_equal(first->restart, RESTART_READY);
        if (instead[i] != RESTART_READY)
            set_restart(first, instead[i]);
        assert_int_equal(second->restart, RESTART_BLOCKED);
        set_restart(first, RESTART_OK); // by an earlier attempt's late success
        assert_ptr_equal(flights_next_restart(&flights), second);
        assert_int_equal(second->restart, RESTART_READY);
        assert_int_equal(third->restart, RESTART_BLOCKED);
        flights_end(&flights, second); // nacked
        assert_ptr_equal(flights_next_restart(&flights), third);
        assert_int_equal(third->restart, RESTART_READY);
        flights_clear(&flights);
    }
}

static void whoever_waits_further_on_keeps_its_grants(void **state)
{
    (void)state;
    flight_t *first = add(1), *second = waits(2);
    set_restart(first, RESTART_READY);
    flight_wait_on(&flights, first, RESOURCE_AT_ONCE);
    assert_ptr_equal(flights.resources.at_once.waiting, first);
    assert_int_equal(first->host->restarts.grants, 1);
    release(first->host);
    assert_int_equal(second->restart, RESTART_BLOCKED);
    resources_release(&flights.resources, &flights.resources.at_once);
    assert_ptr_equal(flights_next_restart(&flights), first);
    assert_int_equal(flights.resources.at_once.grants, 1);
    set_restart(first, RESTART_OUT); // it takes them
    assert_int_equal(flights.resources.at_once.grants, 0);
    assert_int_equal(first->host->restarts.grants, 0);
    assert_null(flights_next_restart(&flights));
}

// As when a worker tells of restarts of the same host that the consumer did not know.
static void who_had_a_grant_is_before_those_who_had_none(void **state)
{
    (void)state;
    flight_t *first = waits(1), *second = waits(2), *third = waits(3);
    host_t *host = first->host;
    host->restarts.limit = 2;
    release(host);
    assert_int_equal(second->restart, RESTART_READY);
    set_restart(first, RESTART_BLOCKED);
    set_restart(second, RESTART_BLOCKED);
    assert_ptr_equal(host->restarts.waiting, first);
    assert_ptr_equal(first->restart_next, second);
    assert_ptr_equal(second->restart_next, third);
    assert_int_equal(host->restarts.grants, 0);
    assert_int_equal(flights.in_queue[RESOURCE_HOST], 3);
}

static void what_comes_back_from_its_restarter_is_next(void **state)
{
    (void)state;
    flight_t *first = add(1);
    set_restart(first, RESTART_READY);
    set_restart(first, RESTART_OUT);
    flight_t *second = waits(2);
    set_restart(first, RESTART_READY); // returned
    release(first->host);
    assert_ptr_equal(flights_next_restart(&flights), first);
    assert_int_equal(second->restart, RESTART_BLOCKED);
}

static void whoever_only_waited_wakes_nobody(void **state)
{
    (void)state;
    flight_t *first = waits(1), *second = waits(2);
    first->host->restarts.busy = 1;
    flights_end(&flights, first);
    assert_int_equal(second->restart, RESTART_BLOCKED);
    first->host->restarts.busy = 0;
}

static void an_ended_flight_is_in_no_queue_and_lives_until_it_is_freed(void **state)
{
    (void)state;
    flight_t *flight = add(1);
    mm_id_t id = id_of(1);
    set_store(flight, STORE_OUT);
    flight_set_store(&flights, flight, STORE_BACKOFF, 7000);
    set_restart(flight, RESTART_READY);
    flight_set_restart(&flights, flight, RESTART_BACKOFF, 8000);
    flights_end(&flights, flight);
    assert_null(flights_find(&flights, &id));
    assert_true(mm_heap_deadline(&flights.store_backoffs) == MM_NEVER);
    assert_true(mm_heap_deadline(&flights.restart_backoffs) == MM_NEVER);
    assert_null(flights_first_extend(&flights));
    assert_null(mm_heap_first(&flights.leases));
    assert_true(mm_str_equal(host_name(flight->host), mm_str("web-7")));
    flight_t *again = add(1); // redelivered before the former was freed
    flights_free_ended(&flights);
    assert_ptr_equal(flights_find(&flights, &id), again);
    assert_true(mm_str_equal(host_name(again->host), mm_str("web-7")));
}

static void whoever_was_extended_goes_to_the_end(void **state)
{
    (void)state;
    flight_t *first = add(1), *second = add(2);
    flight_set_extended(&flights, first, 2001);
    assert_ptr_equal(flights_first_extend(&flights), second);
    assert_ptr_equal(flights_next(&flights, second), first);
    assert_int_equal(first->extend_ms, 2001);
    assert_int_equal(first->extended, 1);
    flight_set_extended(&flights, second, 2002);
    assert_ptr_equal(flights_first_extend(&flights), first);
}

static void a_lease_is_looked_at_when_it_ends_before_the_next_extension(void **state)
{
    (void)state;
    mm_id_t id = id_of(1);
    flight_t *first = add(2), *second = add(3);
    flight_t *short_one = flights_add(&flights, &id, mm_str("web-8"), 1000, 1000);
    assert_ptr_equal(mm_heap_first(&flights.leases), &short_one->lease);
    flight_set_extended(&flights, second, 9003);
    flight_set_extended(&flights, first, 9001);
    assert_int_equal(flights.leases.count, 2);
    flight_set_extended(&flights, second, 20000); // it is there already
    assert_int_equal(flights.leases.count, 2);
    flight_set_overdue(&flights, short_one);
    assert_ptr_equal(mm_heap_first(&flights.leases), &second->lease);
    flight_set_extended(&flights, short_one, 20000); // over for good
    assert_int_equal(flights.leases.count, 1);
    flights_end(&flights, second);
    assert_null(mm_heap_first(&flights.leases));
}

static void an_overdue_flight_is_not_overdue_twice(void **state)
{
    (void)state;
    flight_t *first = add(1), *second = add(2);
    flight_set_overdue(&flights, first);
    assert_true(first->overdue);
    flight_set_extended(&flights, second, 9002);
    assert_ptr_equal(mm_heap_first(&flights.leases), &second->lease);
    assert_int_equal(flights.leases.count, 1);
    flights_end(&flights, first);
    flights_end(&flights, second);
    assert_null(mm_heap_first(&flights.leases));
}

static void a_likely_flight_counts_only_if_it_is_that_job(void **state)
{
    (void)state;
    mm_id_t id = id_of(1), other = id_of(2);
    flight_t *flight = add(1);
    assert_ptr_equal(flights_find_likely(&flights, flight, &id), flight);
    assert_ptr_equal(flights_find_likely(&flights, NULL, &id), flight);
    assert_null(flights_find_likely(&flights, flight, &other));
    flights_end(&flights, flight);
    assert_null(flights_find_likely(&flights, flight, &id)); // ended
    flight_t *again = add(1);
    assert_ptr_equal(flights_find_likely(&flights, flight, &id), again); // and delivered again
    flights_free_ended(&flights);
    assert_ptr_equal(flights_find_likely(&flights, flight, &id), again);
    flight_t *next = add(2); // in the memory of the former
    assert_ptr_equal(next, flight);
    assert_ptr_equal(flights_find_likely(&flights, flight, &id), again);
}

static flight_t *wait_in(class_t *class, uint32_t number, bool has_place)
{
    mm_id_t id = {.bytes = {[12] = (uint8_t)(number >> 24),
                            [13] = (uint8_t)(number >> 16),
                            [14] = (uint8_t)(number >> 8),
                            [15] = (uint8_t)number}};
    flight_t *flight = flights_find(&flights, &id);
    if (!flight) {
        flight = flights_add(&flights, &id, mm_str("web-7"), 1000, 9000);
        flight->has_attempt = true;
        attempts_add(&flights.attempts, &id)->class = class;
    }
    set_restart(flight, RESTART_READY);
    flight_wait_in_class(&flights, flight, has_place);
    return flight;
}

// Those of a list come nearly in order; the first ones come back again and again. A search from one
// end alone takes minutes.
static void a_class_of_any_size_is_kept_in_order_at_once(void **state)
{
    (void)state;
    enum { COUNT = 100000, BLOCK = 8 };
    static class_t class; // outlives the flights
    clock_t begun = clock();
    for (uint32_t i = 0; i < COUNT; i++)
        wait_in(&class, i / BLOCK * BLOCK + BLOCK - 1 - i % BLOCK, false);
    for (uint32_t i = 0; i < COUNT; i++)
        wait_in(&class, i % BLOCK, i % 3 == 0);
    assert_true(clock() - begun < 10 * CLOCKS_PER_SEC);
    assert_int_equal(class.waiting_count, COUNT);
    const flight_t *flight, *last = NULL;
    DL_FOREACH2 (class.waiting, flight, restart_next) {
        assert_true(
            !last || last->is_first > flight->is_first ||
            (last->is_first == flight->is_first && mm_id_compare(&last->id, &flight->id) < 0));
        last = flight;
    }
}

static void whose_attempts_are_used_up_is_doomed_unless_withdrawn(void **state)
{
    (void)state;
    flight_t *first = add(1), *second = add(2), *third = add(3);
    assert_int_equal(flights_doomed(&flights), 0);
    flight_set_withdrawn(&flights, first);
    set_restart(first, RESTART_EXHAUSTED);
    assert_int_equal(flights_doomed(&flights), 0);
    set_restart(second, RESTART_EXHAUSTED);
    set_restart(third, RESTART_EXHAUSTED);
    assert_int_equal(flights_doomed(&flights), 2);
    flight_set_withdrawn(&flights, second); // while it is used up
    flight_set_withdrawn(&flights, second);
    assert_int_equal(flights_doomed(&flights), 1);
    set_restart(second, RESTART_READY); // an attempt came back
    assert_int_equal(flights_doomed(&flights), 1);
    set_restart(second, RESTART_EXHAUSTED);
    set_restart(first, RESTART_OK); // a late success
    assert_int_equal(flights_doomed(&flights), 1);
    flights_end(&flights, third);
    assert_int_equal(flights_doomed(&flights), 0);
    flights_end(&flights, second);
    assert_int_equal(flights_doomed(&flights), 0);
}

static void the_last_error_is_kept(void **state)
{
    (void)state;
    flight_t *flight = add(1);
    char error[] = "no route to it";
    flight_set_error(flight, (mm_str_t){error, 8});
    memset(error, 'x', sizeof error);
    assert_string_equal(flight->error, "no route");
    flight_set_error(flight, (mm_str_t){0});
    assert_null(flight->error);
    flight_set_error(flight, mm_str("again"));
}

// ---- what may not follow

typedef void(misstep_fn)(flight_t *flight);

// Whether the child that makes this step is ended by an assertion.
static bool aborts(misstep_fn *misstep)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
        (void)dup2(nowhere, STDERR_FILENO);
        (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        (void)signal(SIGABRT, SIG_DFL); // cmocka catches it
        misstep(add(1));
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void saves_what_is_not_out(flight_t *flight)
{
    set_store(flight, STORE_SAVED);
}

static void hands_out_what_is_saved(flight_t *flight)
{
    set_store(flight, STORE_OUT);
    set_store(flight, STORE_SAVED);
    set_store(flight, STORE_OUT);
}

static void saves_after_the_end(flight_t *flight)
{
    set_store(flight, STORE_ENDED);
    set_store(flight, STORE_READY);
}

static void restarts_what_is_held(flight_t *flight)
{
    set_restart(flight, RESTART_OUT);
}

static void pauses_what_is_held(flight_t *flight)
{
    set_restart(flight, RESTART_BACKOFF);
}

static void restarts_what_is_blocked(flight_t *flight)
{
    set_restart(flight, RESTART_READY);
    set_restart(flight, RESTART_BLOCKED);
    set_restart(flight, RESTART_OUT);
}

static void restarts_what_is_ok(flight_t *flight)
{
    set_restart(flight, RESTART_OK);
    set_restart(flight, RESTART_READY);
}

static void restarts_what_is_used_up(flight_t *flight)
{
    set_restart(flight, RESTART_EXHAUSTED);
    set_restart(flight, RESTART_OUT);
}

static void restarts_in_backoff(flight_t *flight)
{
    set_restart(flight, RESTART_READY);
    set_restart(flight, RESTART_BACKOFF);
    set_restart(flight, RESTART_OUT);
}

static void ends_twice(flight_t *flight)
{
    flights_end(&flights, flight);
    flights_end(&flights, flight);
}

static void does_nothing_wrong(flight_t *flight)
{
    set_restart(flight, RESTART_READY);
    set_restart(flight, RESTART_OUT);
    set_restart(flight, RESTART_OK);
}

static void a_state_that_may_not_follow_is_a_bug(void **state)
{
    (void)state;
    misstep_fn *const missteps[] = {saves_what_is_not_out, hands_out_what_is_saved,
                                    saves_after_the_end,   restarts_what_is_held,
                                    pauses_what_is_held,   restarts_what_is_blocked,
                                    restarts_what_is_ok,   restarts_what_is_used_up,
                                    restarts_in_backoff,   ends_twice};
    for (size_t i = 0; i < sizeof missteps / sizeof *missteps; i++)
        assert_true(aborts(missteps[i]));
    assert_false(aborts(does_nothing_wrong));
}

static void how_many_are_in_each_state_is_counted(void **state)
{
    (void)state;
    flight_t *one = add(1), *other = add_at(2, "web-8");
    assert_int_equal(flights.in_store[STORE_READY], 2);
    assert_int_equal(flights.in_restart[RESTART_HELD], 2);
    set_store(one, STORE_OUT);
    set_restart(one, RESTART_READY);
    set_restart(one, RESTART_OUT);
    set_restart(other, RESTART_READY);
    assert_int_equal(flights.in_store[STORE_READY], 1);
    assert_int_equal(flights.in_store[STORE_OUT], 1);
    assert_int_equal(flights.in_restart[RESTART_HELD], 0);
    assert_int_equal(flights.in_restart[RESTART_READY], 1);
    assert_int_equal(flights.in_restart[RESTART_OUT], 1);
    size_t ended = flights.in_restart[RESTART_ENDED];
    flights_end(&flights, one);
    assert_int_equal(flights.in_store[STORE_OUT], 0);
    assert_int_equal(flights.in_restart[RESTART_OUT], 0);
    assert_int_equal(flights.in_restart[RESTART_ENDED], ended + 1);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, init_flights, clear_flights)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_flight_wants_to_be_saved_first),
        TEST(the_store_leg_moves_between_its_queues),
        TEST(a_save_is_withheld_as_long_as_its_restart_may_succeed),
        TEST(the_restart_leg_moves_between_its_queues),
        TEST(jobs_wait_for_their_host_in_order_of_arrival),
        TEST(a_grant_that_is_not_taken_goes_to_the_next),
        TEST(whoever_waits_further_on_keeps_its_grants),
        TEST(who_had_a_grant_is_before_those_who_had_none),
        TEST(what_comes_back_from_its_restarter_is_next),
        TEST(whoever_only_waited_wakes_nobody),
        TEST(an_ended_flight_is_in_no_queue_and_lives_until_it_is_freed),
        TEST(whoever_was_extended_goes_to_the_end),
        TEST(a_lease_is_looked_at_when_it_ends_before_the_next_extension),
        TEST(an_overdue_flight_is_not_overdue_twice),
        TEST(a_likely_flight_counts_only_if_it_is_that_job),
        TEST(a_class_of_any_size_is_kept_in_order_at_once),
        TEST(whose_attempts_are_used_up_is_doomed_unless_withdrawn),
        TEST(the_last_error_is_kept),
        TEST(how_many_are_in_each_state_is_counted),
        TEST(a_state_that_may_not_follow_is_a_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
