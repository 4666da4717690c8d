// The names of common/wire/job.h: traces, logs and databases have them, so they never change.

#include "job.h"
#include "string_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_names_are_those_on_record(void **state)
{
    (void)state;
    assert_string_equal(mm_leg_name(MM_LEG_SAVE), "save");
    assert_string_equal(mm_leg_name(MM_LEG_RESTART), "restart");
    assert_string_equal(mm_leg_name(MM_LEG_SETTLE), "settle");
    assert_string_equal(mm_leg_name(MM_LEG_PROBE), "probe");
    assert_string_equal(mm_outcome_name(MM_OUTCOME_NONE), "none");
    assert_string_equal(mm_outcome_name(MM_OUTCOME_RESTARTED), "restarted");
    assert_string_equal(mm_outcome_name(MM_OUTCOME_DEAD), "dead");
    assert_string_equal(mm_outcome_name(MM_OUTCOME_WITHDRAWN), "withdrawn");
    assert_string_equal(mm_outcome_name(MM_OUTCOME_SKIPPED), "skipped");
    assert_string_equal(mm_program_name(MM_PROGRAM_PUBLISHER), "publisher");
    assert_string_equal(mm_program_name(MM_PROGRAM_CONSUMER), "consumer");
    assert_string_equal(mm_role_name(MM_ROLE_SAVER), "saver");
    assert_string_equal(mm_role_name(MM_ROLE_RESTARTER), "restarter");
    assert_string_equal(mm_verdict_name(MM_VERDICT_EXTEND), "extend");
    assert_string_equal(mm_verdict_name(MM_VERDICT_ACK), "ack");
    assert_string_equal(mm_verdict_name(MM_VERDICT_NACK), "nack");
    assert_string_equal(mm_verdict_name(MM_VERDICT_DEAD), "dead");
    assert_string_equal(mm_verdict_name(MM_VERDICT_SKIPPED), "skipped");
    assert_string_equal(mm_verdict_name(MM_VERDICT_WITHDRAWN), "withdrawn");
}

// The numbers are on the wire.
static void the_words_of_attempts_are_those_on_record(void **state)
{
    (void)state;
    static const char *const ends[] = {
        "none",        "restarted",  "exit",      "timeout",     "signal",      "stopped",
        "same-boot",   "wrong-host", "unhealthy", "unreachable", "interrupted", "left-running",
        "not-started", "unverified", "lacking",   "unable",      "skipped",     "unprepared"};
    static const char *const proofs[] = {"none", "proven", "verified", "unverified", "rehearsed"};
    static const char *const rows[] = {"none", "begun", "ended", "open", "not-started"};
    assert_int_equal(sizeof ends / sizeof *ends, MM_END_LAST + 1);
    for (mm_end_t end = MM_END_NONE; end <= MM_END_LAST; end++)
        assert_string_equal(mm_end_name(end), ends[end]);
    for (mm_proof_t proof = MM_PROOF_NONE; proof <= MM_PROOF_REHEARSED; proof++)
        assert_string_equal(mm_proof_name(proof), proofs[proof]);
    for (mm_attempt_row_t row = MM_ROW_NONE; row <= MM_ROW_NOT_STARTED; row++)
        assert_string_equal(mm_row_name(row), rows[row]);
}

static void a_name_is_read_back_and_no_other_is(void **state)
{
    (void)state;
    for (mm_outcome_t outcome = MM_OUTCOME_NONE; outcome <= MM_OUTCOME_SKIPPED; outcome++) {
        mm_outcome_t read = MM_OUTCOME_NONE;
        assert_true(mm_outcome_parse(mm_str(mm_outcome_name(outcome)), &read));
        assert_int_equal(read, outcome);
    }
    for (mm_program_t program = MM_PROGRAM_PUBLISHER; program < MM_PROGRAMS; program++) {
        mm_program_t read = MM_PROGRAM_PUBLISHER;
        assert_true(mm_program_parse(mm_str(mm_program_name(program)), &read));
        assert_int_equal(read, program);
    }
    static const char *const others[] = {"", "restarte", "restarteds", "Dead", "savers"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        mm_outcome_t outcome = MM_OUTCOME_DEAD;
        mm_program_t program = MM_PROGRAM_SAVER;
        assert_false(mm_outcome_parse(mm_str(others[i]), &outcome));
        assert_false(mm_program_parse(mm_str(others[i]), &program));
        assert_int_equal(outcome, MM_OUTCOME_DEAD);
        assert_int_equal(program, MM_PROGRAM_SAVER);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_names_are_those_on_record),
        cmocka_unit_test(the_words_of_attempts_are_those_on_record),
        cmocka_unit_test(a_name_is_read_back_and_no_other_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
