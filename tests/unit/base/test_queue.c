// The queue against a plain list: whatever leaves from its middle, the order of the others stays,
// and its array stays in proportion to what is in it.

#include "queue.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
    int name;
    bool is_in;
    mm_queue_node_t node;
} thing_t;

static const thing_t *owner(mm_queue_node_t *node)
{
    return MM_QUEUE_OWNER(node, thing_t, node);
}

static void an_empty_queue_has_no_first(void **state)
{
    (void)state;
    mm_queue_t queue = {0};
    assert_null(mm_queue_first(&queue));
    assert_null(owner(mm_queue_first(&queue)));
    mm_queue_clear(&queue);
}

static void who_leaves_from_the_middle_leaves_the_order(void **state)
{
    (void)state;
    mm_queue_t queue = {0};
    thing_t things[5];
    for (int i = 0; i < 5; i++) {
        things[i].name = i;
        mm_queue_add(&queue, &things[i].node);
    }
    mm_queue_remove(&queue, &things[1].node);
    mm_queue_remove(&queue, &things[2].node);
    assert_ptr_equal(owner(mm_queue_first(&queue)), &things[0]);
    assert_ptr_equal(owner(mm_queue_next(&queue, &things[0].node)), &things[3]);
    mm_queue_remove(&queue, &things[0].node); // and the gaps behind it
    assert_ptr_equal(owner(mm_queue_first(&queue)), &things[3]);
    mm_queue_remove(&queue, &things[4].node);
    assert_null(mm_queue_next(&queue, &things[3].node));
    mm_queue_remove(&queue, &things[3].node);
    assert_null(mm_queue_first(&queue));
    mm_queue_clear(&queue);
}

static void one_that_stays_does_not_make_it_grow(void **state)
{
    (void)state;
    mm_queue_t queue = {0};
    thing_t things[8];
    mm_queue_add(&queue, &things[0].node);
    for (int turn = 0; turn < 10000; turn++) {
        mm_queue_add(&queue, &things[1 + turn % 7].node);
        mm_queue_remove(&queue, &things[1 + turn % 7].node);
    }
    assert_ptr_equal(owner(mm_queue_first(&queue)), &things[0]);
    assert_int_equal(queue.count, 1);
    assert_int_equal(queue.size, 16); // as at first
    mm_queue_clear(&queue);
}

static void it_is_in_order_after_every_change(void **state)
{
    (void)state;
    enum { COUNT = 60 };
    static thing_t things[COUNT];
    thing_t *listed[COUNT];
    size_t count = 0;
    uint64_t random = 47;
    mm_queue_t queue = {0};
    for (int turn = 0; turn < 20000; turn++) {
        thing_t *thing = &things[mm_random_below(&random, COUNT)];
        if (thing->is_in) {
            size_t at = 0;
            while (listed[at] != thing)
                at++;
            memmove(&listed[at], &listed[at + 1], (--count - at) * sizeof *listed);
            mm_queue_remove(&queue, &thing->node);
        } else {
            listed[count++] = thing;
            mm_queue_add(&queue, &thing->node);
        }
        thing->is_in = !thing->is_in;
        mm_queue_node_t *node = mm_queue_first(&queue);
        for (size_t i = 0; i < count; i++, node = mm_queue_next(&queue, node))
            assert_ptr_equal(owner(node), listed[i]);
        assert_null(node);
        assert_int_equal(queue.count, count);
        assert_true(queue.size <= 128);
    }
    mm_queue_clear(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_queue_has_no_first),
        cmocka_unit_test(who_leaves_from_the_middle_leaves_the_order),
        cmocka_unit_test(one_that_stays_does_not_make_it_grow),
        cmocka_unit_test(it_is_in_order_after_every_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
