// Which of several consumers is followed: the one of the highest epoch, whatever the others say.

#include "follow.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { A, B, LOST_AFTER_MS = 1500 };

static mm_follow_t follow;

static int begin(void **state)
{
    (void)state;
    follow = mm_follow_new(LOST_AFTER_MS);
    return 0;
}

static void follows(size_t address, uint64_t epoch)
{
    assert_int_equal(follow.address, address);
    assert_int_equal(follow.epoch, epoch);
}

static void nobody_is_followed_before_somebody_is_heard(void **state)
{
    (void)state;
    assert_int_equal(follow.address, MM_FOLLOW_NOBODY);
    assert_true(mm_follow_is_alone(&follow, 0));
    assert_true(mm_follow_hear(&follow, B, 0, 10));
    follows(B, 0);
    assert_false(mm_follow_is_alone(&follow, 10));
}

static void the_highest_epoch_is_followed(void **state)
{
    (void)state;
    assert_true(mm_follow_hear(&follow, A, 5, 0));
    assert_true(mm_follow_hear(&follow, B, 6, 1));
    follows(B, 6);
    assert_false(mm_follow_hear(&follow, A, 5, 2));
    follows(B, 6);
    assert_true(mm_follow_hear(&follow, A, 7, 3)); // it leads again, as another one
    follows(A, 7);
}

static void of_equal_epochs_the_first_stays(void **state)
{
    (void)state;
    assert_true(mm_follow_hear(&follow, A, 5, 0));
    assert_false(mm_follow_hear(&follow, B, 5, 1));
    follows(A, 5);
}

static void silence_is_no_reason_to_follow_a_lower_one(void **state)
{
    (void)state;
    assert_true(mm_follow_hear(&follow, A, 5, 0));
    assert_false(mm_follow_is_alone(&follow, LOST_AFTER_MS - 1));
    assert_true(mm_follow_is_alone(&follow, LOST_AFTER_MS));
    assert_false(mm_follow_hear(&follow, B, 4, 60 * 60000));
    follows(A, 5);
    assert_true(mm_follow_is_alone(&follow, 60 * 60000)); // a lower one is no sign of life
    assert_true(mm_follow_hear(&follow, A, 5, 61 * 60000));
    assert_false(mm_follow_is_alone(&follow, 61 * 60000));
}

static void a_lower_epoch_at_the_same_address_counts_after_a_silence(void **state)
{
    (void)state;
    assert_true(mm_follow_hear(&follow, A, 5, 0));
    assert_true(mm_follow_hear(&follow, A, 4, 1000)); // the core ignores it
    follows(A, 5);
    assert_true(mm_follow_is_alone(&follow, LOST_AFTER_MS));
    assert_true(mm_follow_hear(&follow, A, 4, LOST_AFTER_MS));
    follows(A, 4);
    assert_true(mm_follow_hear(&follow, B, 5, LOST_AFTER_MS + 1));
    follows(B, 5);
}

static void one_that_leaves_is_followed_until_another_is_heard(void **state)
{
    (void)state;
    assert_true(mm_follow_hear(&follow, A, 5, 0));
    mm_follow_leave(&follow);
    assert_true(mm_follow_is_alone(&follow, 1));
    assert_false(mm_follow_hear(&follow, B, 4, 2));
    follows(A, 5);
    assert_true(mm_follow_hear(&follow, B, 6, 3));
    follows(B, 6);
    assert_false(mm_follow_is_alone(&follow, 4));
}

#define TEST(NAME) cmocka_unit_test_setup(NAME, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_is_followed_before_somebody_is_heard),
        TEST(the_highest_epoch_is_followed),
        TEST(of_equal_epochs_the_first_stays),
        TEST(silence_is_no_reason_to_follow_a_lower_one),
        TEST(a_lower_epoch_at_the_same_address_counts_after_a_silence),
        TEST(one_that_leaves_is_followed_until_another_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
