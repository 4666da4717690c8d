// The heap against sorting: whatever is put and removed, the first is the one that is due first.

#include "heap.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
    int name;
    mm_heap_node_t node;
} thing_t;

static void an_empty_heap_is_never_due(void **state)
{
    (void)state;
    mm_heap_t heap = {0};
    thing_t thing = {0};
    assert_null(mm_heap_first(&heap));
    assert_true(mm_heap_deadline(&heap) == MM_NEVER);
    mm_heap_remove(&heap, &thing.node); // not in it: nothing happens
    mm_heap_clear(&heap);
}

static void the_first_leads_to_its_owner(void **state)
{
    (void)state;
    mm_heap_t heap = {0};
    thing_t things[] = {{.name = 30}, {.name = 10}, {.name = 20}};
    for (size_t i = 0; i < 3; i++)
        mm_heap_put(&heap, &things[i].node, things[i].name);
    for (int name = 10; name <= 30; name += 10) {
        mm_heap_node_t *first = mm_heap_first(&heap);
        assert_int_equal(MM_HEAP_OWNER(first, thing_t, node)->name, name);
        assert_int_equal(mm_heap_deadline(&heap), name);
        mm_heap_remove(&heap, first);
        assert_int_equal(first->index, 0);
        mm_heap_remove(&heap, first);
    }
    assert_null(mm_heap_first(&heap));
    mm_heap_put(&heap, &things[0].node, 40); // a node that was removed can be put again
    assert_int_equal(mm_heap_deadline(&heap), 40);
    mm_heap_clear(&heap);
}

static int by_due(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

// Empties the heap and compares with what should be in it, sorted.
static void expect_sorted(mm_heap_t *heap, int64_t *expected, size_t count)
{
    qsort(expected, count, sizeof *expected, by_due);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(mm_heap_deadline(heap), expected[i]);
        mm_heap_remove(heap, mm_heap_first(heap));
    }
    assert_null(mm_heap_first(heap));
}

static void it_sorts_whatever_was_removed_before(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    static mm_heap_node_t nodes[COUNT];
    static int64_t left[COUNT];
    uint64_t random = 42;
    mm_heap_t heap = {0};
    for (int round = 0; round < 200; round++) {
        size_t count = 1 + mm_random_below(&random, COUNT), left_count = 0;
        uint64_t range = round % 2 ? 1000000 : 10; // with many equal ones, too
        for (size_t i = 0; i < count; i++)
            mm_heap_put(&heap, &nodes[i], (int64_t)mm_random_below(&random, range));
        for (size_t i = 0; i < count; i++) {
            if (mm_random_below(&random, 3) == 0)
                mm_heap_remove(&heap, &nodes[i]);
            else
                left[left_count++] = nodes[i].due_ms;
        }
        expect_sorted(&heap, left, left_count);
    }
    mm_heap_clear(&heap);
}

static void the_first_is_right_after_every_change(void **state)
{
    (void)state;
    enum { COUNT = 40 };
    static mm_heap_node_t nodes[COUNT];
    uint64_t random = 43;
    mm_heap_t heap = {0};
    for (int turn = 0; turn < 20000; turn++) {
        mm_heap_node_t *node = &nodes[mm_random_below(&random, COUNT)];
        if (node->index != 0)
            mm_heap_remove(&heap, node);
        else
            mm_heap_put(&heap, node, (int64_t)mm_random_below(&random, 100));
        int64_t first = MM_NEVER;
        for (size_t i = 0; i < COUNT; i++)
            if (nodes[i].index != 0 && nodes[i].due_ms < first)
                first = nodes[i].due_ms;
        assert_true(mm_heap_deadline(&heap) == first);
    }
    mm_heap_clear(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_is_never_due),
        cmocka_unit_test(the_first_leads_to_its_owner),
        cmocka_unit_test(it_sorts_whatever_was_removed_before),
        cmocka_unit_test(the_first_is_right_after_every_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
