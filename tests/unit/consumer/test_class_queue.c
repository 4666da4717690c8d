// Classes in the order of their first flights.

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "class_queue.h"
#include "flight.h"

#define CLASSES 5

static flight_t flights[2 * CLASSES];
static class_t classes[CLASSES];
static class_queue_t queue, other;

static int begin(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 2 * CLASSES; i++)
        flights[i] = (flight_t){.id.bytes[15] = i};
    for (int i = 0; i < CLASSES; i++)
        classes[i] = (class_t){.waiting = &flights[i]};
    return 0;
}

static int end(void **state)
{
    (void)state;
    class_queue_clear(&queue);
    class_queue_clear(&other);
    return 0;
}

static void join(const int *order, size_t count)
{
    for (size_t i = 0; i < count; i++)
        class_queue_join(&queue, &classes[order[i]]);
}

static void leaves_in_order(class_queue_t *from, const int *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_ptr_equal(class_queue_first(from), &classes[order[i]]);
        class_queue_leave(&classes[order[i]]);
    }
    assert_null(class_queue_first(from));
}

static void who_has_waited_for_longest_is_first(void **state)
{
    (void)state;
    join((int[]){3, 0, 4, 2, 1}, 5);
    leaves_in_order(&queue, (int[]){0, 1, 2, 3, 4}, 5);
}

static void one_may_leave_from_the_middle(void **state)
{
    (void)state;
    join((int[]){0, 1, 2, 3, 4}, 5);
    class_queue_leave(&classes[2]);
    class_queue_leave(&classes[2]); // it is in none
    leaves_in_order(&queue, (int[]){0, 1, 3, 4}, 4);
}

static void a_class_is_in_one_queue(void **state)
{
    (void)state;
    join((int[]){0, 1, 2}, 3);
    class_queue_join(&other, &classes[1]);
    leaves_in_order(&queue, (int[]){0, 2}, 2);
    join((int[]){0, 2}, 2);
    class_queue_move(&other, &queue);
    leaves_in_order(&other, (int[]){0, 1, 2}, 3);
    assert_null(class_queue_first(&queue));
}

static void another_first_flight_is_another_place(void **state)
{
    (void)state;
    join((int[]){0, 1, 2, 3, 4}, 5);
    classes[0].waiting = &flights[CLASSES]; // behind all
    classes[1].waiting = NULL;
    leaves_in_order(&queue, (int[]){2, 3, 4, 0}, 4);
    assert_null(classes[1].queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_has_waited_for_longest_is_first, begin, end),
        cmocka_unit_test_setup_teardown(one_may_leave_from_the_middle, begin, end),
        cmocka_unit_test_setup_teardown(a_class_is_in_one_queue, begin, end),
        cmocka_unit_test_setup_teardown(another_first_flight_is_another_place, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
