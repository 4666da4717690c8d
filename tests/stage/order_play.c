// See order_play.h.

#include "order_play.h"

#include <inttypes.h>

mm_order_t order_of(uint8_t number, mm_action_t action, const char *name)
{
    return (mm_order_t){.id = ID(number),
                        .action = action,
                        .name = mm_str(name),
                        .run = RUN,
                        .why = mm_str("a bad kernel"),
                        .actor = mm_str("root")};
}

const char *give(store_t *store, mm_order_t order)
{
    static char error[MM_ERROR_MAX + 1];
    const mm_recorded_t *recorded;
    assert_true(store_order(store, &order, 1));
    while (store_recorded(store, &recorded) == 0)
        wait_for_store(store);
    assert_true(mm_id_equal(&recorded->id, &order.id));
    (void)snprintf(error, sizeof error, "%.*s", (int)recorded->error.size, recorded->error.data);
    return error;
}

real_task_t in_run(real_task_t task, const char *attributes)
{
    task.real.run = RUN;
    task.real.attributes = mm_str(attributes);
    return task;
}

static size_t print(char *to, size_t size, const mm_entry_t *entry)
{
    char until[32] = "", seq[32] = "";
    if (entry->until_ms > 0)
        (void)snprintf(until, sizeof until, " until=%" PRId64, entry->until_ms);
    if (entry->seq > 0)
        (void)snprintf(seq, sizeof seq, " #%" PRIu64, entry->seq);
    bool has_outcome = entry->outcome != MM_OUTCOME_NONE;
    return (size_t)snprintf(to, size, "%s %.*s/%.*s%s%s%s%s%s%s%.*s;",
                            mm_action_name(entry->action), (int)entry->name.size, entry->name.data,
                            (int)entry->groups.size, entry->groups.data,
                            entry->is_casualty ? " casualty" : "", until, has_outcome ? " " : "",
                            has_outcome ? mm_outcome_name(entry->outcome) : "", seq,
                            entry->why.size > 0 ? " " : "", (int)entry->why.size, entry->why.data);
}

void ask_state(store_t *store, uint64_t run, uint64_t from, store_page_t *ret_page)
{
    store_question_t question = {.question = 1, .run = run, .from = from};
    store_ask(store, &question);
    while (!store_page(store, ret_page))
        wait_for_store(store);
    assert_int_equal(ret_page->asked.run, run);
    assert_int_equal(ret_page->asked.from, from);
}

const char *state_of(store_t *store, uint64_t run)
{
    static char text[8192];
    size_t size = 0;
    store_page_t page = {0};
    text[0] = '\0';
    do {
        uint64_t from = page.next;
        ask_state(store, run, from, &page);
        assert_true(page.next == 0 || page.count > 0);
        for (size_t i = 0; i < page.count; i++) {
            assert_true(page.items[i].at_ms > 1600000000000);
            size += print(text + size, sizeof text - size, &page.items[i]);
            assert_true(size < sizeof text);
        }
    } while (page.next != 0);
    return text;
}
