// See store_play.h.

#include "store_play.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int make_store_folder(void **state)
{
    (void)state;
    make_database_folder("mayhem.db");
    return 0;
}

store_t *open_store(void)
{
    store_t *store = NULL;
    assert_int_equal(store_open(path, &store, open_error), 0);
    return store;
}

mm_task_t store_task(mm_leg_t leg, unsigned job, uint64_t number)
{
    return (mm_task_t){.number = number,
                       .leg = leg,
                       .id = id_of(job),
                       .host = mm_str("web-7.example.net"),
                       .deliveries = 1,
                       .publisher = mm_str("publisher-1"),
                       .received_ms = 1000};
}

void put_save(store_t *store, unsigned job, uint64_t number)
{
    mm_task_t task = store_task(MM_LEG_SAVE, job, number);
    store_put(store, &task);
}

void put_settle(store_t *store, unsigned job, uint64_t number, mm_outcome_t outcome)
{
    mm_task_t task = store_task(MM_LEG_SETTLE, job, number);
    task.outcome = outcome;
    task.attempts = 3;
    task.extended = 4;
    task.worker = mm_str("restarter-2");
    task.error = outcome == MM_OUTCOME_DEAD ? mm_str("no route") : mm_str("");
    store_put(store, &task);
}

void kill_after(void (*writes)(store_t *store))
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        store_t *store = NULL;
        if (store_open(path, &store, open_error) != 0)
            _exit(1);
        writes(store);
        (void)!write(ready[1], "x", 1);
        for (;;)
            pause();
    }
    close(ready[1]);
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

void expect_answers(store_t *store, const expected_t *expected, size_t count)
{
    assert_true(store_flush(store));
    const mm_result_t *answers = NULL;
    assert_int_equal(store_answers(store, &answers), count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(answers[i].number, expected[i].number);
        assert_int_equal(answers[i].status, expected[i].status);
        assert_int_equal(answers[i].outcome, expected[i].outcome);
        if (expected[i].status == MM_STATUS_FAILED)
            assert_true(answers[i].error.size > 0);
        else if (expected[i].outcome != MM_OUTCOME_DEAD)
            assert_int_equal(answers[i].error.size, 0);
    }
}
