// The proof on a host that is played: every kind of host of a fleet, with the outcome and the
// moment that are right for it, whatever the jitter of the polls.

#include "proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BEGUN   100000 // when the restart was begun, ms
#define TIMEOUT 60000
#define VERIFY  120000
#define SETTLE  30000
#define SEEDS   200

// From `from_ms` after the begin on the host is like this, until the next one.
typedef enum { DOWN, UP, RUBBISH } answer_t;
typedef struct {
    int64_t from_ms;
    answer_t answer;
    uint8_t machine, boot;
    int64_t booted_ms; // after the begin; may be negative
    bool is_sick, has_no_uptime;
} phase_t;

static const phase_t *phase_at(const phase_t *phases, int64_t since_ms)
{
    while (phases[1].from_ms > 0 && phases[1].from_ms <= since_ms)
        phases++;
    return phases;
}

static const identity_t *read_at(const phase_t *phase, int64_t now_ms, identity_t *identity)
{
    if (phase->answer != UP)
        return NULL;
    *identity = (identity_t){.uptime_ms = phase->has_no_uptime ? IDENTITY_UPTIME_NONE
                                                               : now_ms - BEGUN - phase->booted_ms};
    memset(identity->machine, phase->machine, sizeof identity->machine);
    memset(identity->boot, phase->boot, sizeof identity->boot);
    return identity;
}

// Looks from looks_ms after the begin. Returns how it ended, and when, after the begin.
static proof_outcome_t play(const phase_t *phases, int64_t looks_ms, uint64_t seed,
                            int64_t *ret_end_ms)
{
    proof_config_t config = {.before = {.uptime_ms = 5000000},
                             .begun_ms = BEGUN,
                             .deadline_ms = BEGUN + TIMEOUT + VERIFY,
                             .verify_ms = VERIFY,
                             .settle_ms = SETTLE,
                             .has_health = true,
                             .seed = seed};
    memset(config.before.machine, 1, sizeof config.before.machine);
    memset(config.before.boot, 1, sizeof config.before.boot);
    proof_t proof;
    int64_t now_ms = BEGUN + looks_ms, at_ms;
    proof_begin(&proof, &config, now_ms);
    for (proof_step_t step; (step = proof_next(&proof, &at_ms)) != PROOF_END;) {
        identity_t identity;
        assert_true(at_ms >= now_ms && at_ms <= now_ms + 6000);
        now_ms = at_ms;
        assert_true(now_ms < BEGUN + 3600000);
        const phase_t *phase = phase_at(phases, now_ms - BEGUN);
        if (step == PROOF_READ)
            proof_take_read(&proof, now_ms, read_at(phase, now_ms, &identity));
        else
            proof_take_health(&proof, now_ms, phase->answer == UP && !phase->is_sick);
    }
    *ret_end_ms = now_ms - BEGUN;
    return proof.outcome;
}

// The outcome for every seed, and bounds of its moment.
static void ends(const phase_t *phases, proof_outcome_t outcome, int64_t low_ms, int64_t high_ms)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        int64_t end_ms;
        proof_outcome_t got = play(phases, 0, seed, &end_ms);
        if (got != outcome || end_ms < low_ms || end_ms > high_ms)
            fail_msg("seed %d: %s after %d ms", (int)seed, proof_outcome_name(got), (int)end_ms);
    }
}

#define HOST(...) ((const phase_t[]){__VA_ARGS__, {.from_ms = 0}})

static void a_host_that_is_well_is_proven(void **state)
{
    (void)state;
    ends(HOST({0, UP, 1, 1, -5000000, 0, 0}, {.from_ms = 2000, .answer = DOWN},
              {20000, UP, 1, 2, 15000, 0, 0}),
         PROOF_PROVEN, 20000 + SETTLE, 20000 + SETTLE + 13000);
}

static void one_that_goes_down_late_is_proven(void **state)
{
    (void)state;
    ends(HOST({0, UP, 1, 1, -5000000, 0, 0}, {.from_ms = 150000, .answer = DOWN},
              {170000, UP, 1, 2, 165000, 0, 0}),
         PROOF_PROVEN, 170000 + SETTLE, 170000 + SETTLE + 13000);
}

static void one_that_does_not_reboot_is_same_boot_at_the_deadline(void **state)
{
    (void)state;
    ends(HOST({0, UP, 1, 1, -5000000, 0, 0}), PROOF_SAME_BOOT, TIMEOUT + VERIFY, TIMEOUT + VERIFY);
}

static void one_that_is_gone_is_unreachable_at_the_deadline(void **state)
{
    (void)state;
    ends(HOST({.from_ms = 0, .answer = DOWN}), PROOF_UNREACHABLE, TIMEOUT + VERIFY,
         TIMEOUT + VERIFY);
    ends(HOST({0, UP, 1, 1, -5000000, 0, 0}, {.from_ms = 5000, .answer = DOWN}), PROOF_UNREACHABLE,
         TIMEOUT + VERIFY, TIMEOUT + VERIFY);
    ends(HOST({.from_ms = 0, .answer = RUBBISH}), PROOF_UNREACHABLE, TIMEOUT + VERIFY,
         TIMEOUT + VERIFY);
}

static void one_that_comes_back_sick_is_unhealthy(void **state)
{
    (void)state;
    ends(HOST({.from_ms = 0, .answer = DOWN}, {20000, UP, 1, 2, 15000, true, 0}), PROOF_UNHEALTHY,
         20000 + VERIFY, 26000 + VERIFY);
    // Sick at first.
    ends(HOST({.from_ms = 0, .answer = DOWN}, {20000, UP, 1, 2, 15000, true, 0},
              {60000, UP, 1, 2, 15000, 0, 0}),
         PROOF_PROVEN, 60000 + SETTLE, 66000 + SETTLE + 6000);
    // Sick again and again, within settle.
    ends(HOST({.from_ms = 0, .answer = DOWN}, {20000, UP, 1, 2, 15000, 0, 0},
              {40000, UP, 1, 2, 15000, true, 0}, {48000, UP, 1, 2, 15000, 0, 0},
              {68000, UP, 1, 2, 15000, true, 0}, {76000, UP, 1, 2, 15000, 0, 0},
              {96000, UP, 1, 2, 15000, true, 0}, {104000, UP, 1, 2, 15000, 0, 0},
              {124000, UP, 1, 2, 15000, true, 0}),
         PROOF_UNHEALTHY, 20000 + VERIFY, 26000 + VERIFY);
}

static void another_machine_is_a_wrong_host(void **state)
{
    (void)state;
    ends(HOST({.from_ms = 0, .answer = DOWN}, {20000, UP, 9, 2, 15000, 0, 0}), PROOF_WRONG_HOST,
         TIMEOUT + VERIFY, TIMEOUT + VERIFY);
    // Only for a while, as an address that was lent.
    ends(HOST({0, UP, 9, 2, -100, 0, 0}, {20000, UP, 1, 2, 15000, 0, 0}), PROOF_PROVEN,
         20000 + SETTLE, 20000 + SETTLE + 13000);
}

static void one_that_reboots_twice_settles_in_its_last_boot(void **state)
{
    (void)state;
    ends(HOST({.from_ms = 0, .answer = DOWN}, {10000, UP, 1, 2, 8000, 0, 0},
              {.from_ms = 25000, .answer = DOWN}, {40000, UP, 1, 3, 35000, 0, 0}),
         PROOF_PROVEN, 40000 + SETTLE, 40000 + SETTLE + 13000);
}

static void one_that_keeps_rebooting_is_unhealthy(void **state)
{
    (void)state;
    phase_t phases[64] = {{.from_ms = 0, .answer = DOWN}};
    for (int i = 1; i < 63; i++)
        phases[i] = (phase_t){.from_ms = 20000 * i,
                              .answer = UP,
                              .machine = 1,
                              .boot = (uint8_t)(i + 1),
                              .booted_ms = 20000 * i - 1000};
    ends(phases, PROOF_UNHEALTHY, 20000 + VERIFY, 26000 + VERIFY);
}

static void answers_that_flap_do_not_break_settle(void **state)
{
    (void)state;
    phase_t phases[64] = {{.from_ms = 0, .answer = DOWN}};
    for (int i = 1; i < 63; i++)
        phases[i] = (phase_t){.from_ms = 20000 + 3000 * i,
                              .answer = i % 2 ? UP : RUBBISH,
                              .machine = 1,
                              .boot = 2,
                              .booted_ms = 15000};
    ends(phases, PROOF_PROVEN, 23000 + SETTLE, 23000 + VERIFY);
}

// Most answers are none, and the last one comes when settle is over.
static void the_last_look_is_whole(void **state)
{
    (void)state;
    proof_config_t config = {.begun_ms = 1,
                             .deadline_ms = 60000,
                             .verify_ms = 8000,
                             .settle_ms = 6000,
                             .has_health = true};
    proof_t proof;
    int64_t at_ms, now_ms = 0;
    int reads = 0;
    memset(config.before.boot, 1, sizeof config.before.boot);
    proof_begin(&proof, &config, 30000);
    for (proof_step_t step; (step = proof_next(&proof, &at_ms)) != PROOF_END;) {
        identity_t identity = {.boot = {2}, .uptime_ms = 10};
        now_ms = at_ms;
        if (step == PROOF_READ)
            proof_take_read(&proof, now_ms, ++reads <= 2 || now_ms >= 38000 ? &identity : NULL);
        else
            proof_take_health(&proof, now_ms, true);
    }
    assert_int_equal(now_ms, 38000);
    assert_string_equal(proof_outcome_name(proof.outcome), "proven");
}

static void a_boot_from_before_the_restart_proves_nothing(void **state)
{
    (void)state;
    // Somebody else rebooted it a minute before: the id is not the one on record.
    ends(HOST({0, UP, 1, 2, -60000, 0, 0}), PROOF_SAME_BOOT, TIMEOUT + VERIFY, TIMEOUT + VERIFY);
    // Without an uptime nobody can know.
    ends(HOST({0, UP, 1, 2, -60000, 0, true}), PROOF_VERIFIED, SETTLE, SETTLE + 13000);
}

// Somebody else reboots it 600 ms behind the begin; each second read takes a second, so that its
// uptime is longer than the time from the begin to where the read began.
static void a_boot_that_is_known_to_be_later_stays_so(void **state)
{
    (void)state;
    proof_config_t config = {.before = {.uptime_ms = 5000000, .machine = {1}, .boot = {1}},
                             .begun_ms = BEGUN,
                             .deadline_ms = BEGUN + TIMEOUT + VERIFY,
                             .verify_ms = VERIFY,
                             .settle_ms = SETTLE};
    proof_t proof;
    int64_t now_ms;
    proof_begin(&proof, &config, BEGUN + 2000);
    for (int i = 0; proof_next(&proof, &now_ms) != PROOF_END; i++) {
        identity_t read = {
            .uptime_ms = now_ms - BEGUN - 600 + (i % 2) * 1000, .machine = {1}, .boot = {2}};
        proof_take_read(&proof, now_ms, &read);
    }
    assert_int_equal(proof.outcome, PROOF_PROVEN);
    assert_in_range(now_ms, BEGUN + SETTLE, BEGUN + SETTLE + 15000);
}

// Nobody knows it of one that has told no uptime yet.
static void a_boot_that_may_be_later_does_not_stay_so(void **state)
{
    (void)state;
    static const phase_t host[] = {
        {0, UP, 1, 2, -60000, false, true}, {5000, UP, 1, 2, -60000, false, false}, {0}};
    ends(host, PROOF_UNHEALTHY, VERIFY, VERIFY + 5000);
}

static void who_comes_late_looks_long_enough(void **state)
{
    (void)state;
    int64_t end_ms, late = TIMEOUT + VERIFY + 50000;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        assert_int_equal(play(HOST({.from_ms = 0, .answer = DOWN}), late, seed, &end_ms),
                         PROOF_UNREACHABLE);
        assert_true(end_ms == late + VERIFY);
        assert_int_equal(
            play(HOST({.from_ms = 0, .answer = DOWN}, {late + 60000, UP, 1, 2, 1000, 0, 0}), late,
                 seed, &end_ms),
            PROOF_PROVEN);
        assert_int_equal(play(HOST({0, UP, 1, 1, -5000000, 0, 0}), late, seed, &end_ms),
                         PROOF_SAME_BOOT);
        assert_true(end_ms == late); // the first read says it
    }
}

// A restarter that was stopped while its host settled: the time in which it did not look counts for
// nothing, neither as settled nor to the end of settling.
static void who_stood_still_has_not_looked(void **state)
{
    (void)state;
    const phase_t back = {.answer = UP, .machine = 1, .boot = 2, .booted_ms = 10000};
    proof_config_t config = {.before = {.uptime_ms = 5000000},
                             .begun_ms = BEGUN,
                             .deadline_ms = BEGUN + TIMEOUT + VERIFY,
                             .verify_ms = VERIFY,
                             .settle_ms = SETTLE,
                             .seed = 1};
    memset(config.before.machine, 1, sizeof config.before.machine);
    memset(config.before.boot, 1, sizeof config.before.boot);
    proof_t proof;
    identity_t identity;
    int64_t at_ms, stopped_ms = 2 * VERIFY, ended_ms = 0;
    proof_begin(&proof, &config, BEGUN + 20000);
    for (int looks = 0; proof_next(&proof, &at_ms) == PROOF_READ; looks++) {
        int64_t now_ms = at_ms + (looks == 3 ? stopped_ms : 0);
        proof_take_read(&proof, now_ms, read_at(&back, now_ms, &identity));
        ended_ms = now_ms;
    }
    assert_int_equal(proof.outcome, PROOF_PROVEN);
    assert_true(ended_ms >= BEGUN + 20000 + stopped_ms + SETTLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_that_is_well_is_proven),
        cmocka_unit_test(one_that_goes_down_late_is_proven),
        cmocka_unit_test(one_that_does_not_reboot_is_same_boot_at_the_deadline),
        cmocka_unit_test(one_that_is_gone_is_unreachable_at_the_deadline),
        cmocka_unit_test(one_that_comes_back_sick_is_unhealthy),
        cmocka_unit_test(another_machine_is_a_wrong_host),
        cmocka_unit_test(one_that_reboots_twice_settles_in_its_last_boot),
        cmocka_unit_test(one_that_keeps_rebooting_is_unhealthy),
        cmocka_unit_test(answers_that_flap_do_not_break_settle),
        cmocka_unit_test(the_last_look_is_whole),
        cmocka_unit_test(a_boot_from_before_the_restart_proves_nothing),
        cmocka_unit_test(a_boot_that_is_known_to_be_later_stays_so),
        cmocka_unit_test(a_boot_that_may_be_later_does_not_stay_so),
        cmocka_unit_test(who_stood_still_has_not_looked),
        cmocka_unit_test(who_comes_late_looks_long_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
