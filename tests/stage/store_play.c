// See store_play.h.

#include "store_play.h"

#include "answers.h"
#include "temp_postgresql.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT_MS   30000 // for anything that has to happen
#define NAME_BYTES 160

static bool in_postgresql; // the tests of this group are
static const char *uri;    // of the test under way
static answers_t answers;  // copies of those that were waited for

int make_store_folder(void **state)
{
    (void)state;
    make_database_folder("mayhem.db");
    if (in_postgresql)
        uri = temp_postgresql_begin();
    return 0;
}

int remove_store_folder(void **state)
{
    if (temp_postgresql_is_used())
        temp_postgresql_end();
    answers_clear(&answers);
    return remove_temp_folder(state);
}

bool is_in_postgresql(void)
{
    return in_postgresql;
}

const char *store_name(void)
{
    return in_postgresql ? uri : path;
}

const char *id_sql(unsigned job)
{
    static char texts[4][48];
    static unsigned next;
    char *text = texts[next++ % 4];
    (void)snprintf(text, sizeof texts[0], "%s'%032x'", in_postgresql ? "" : "x", job);
    return text;
}

store_t *open_store(void)
{
    store_t *store = NULL;
    if (store_open(store_name(), &store, open_error) != 0)
        fail_msg("%s", open_error);
    return store;
}

void wait_for_store(store_t *store)
{
    struct pollfd readable = {.fd = store_descriptor(store), .events = POLLIN};
    assert_true(readable.fd >= 0); // it would have answered
    assert_int_equal(poll(&readable, 1, LIMIT_MS), 1);
    assert_true(store_step(store));
}

void commit_or_exit(store_t *store, size_t count)
{
    const mm_result_t *some;
    size_t ready = 0;
    bool works = store_flush(store);
    while (works && (ready += store_answers(store, &some)) < count) {
        struct pollfd readable = {.fd = store_descriptor(store), .events = POLLIN};
        works = readable.fd >= 0 && poll(&readable, 1, LIMIT_MS) == 1 && store_step(store);
    }
    if (!works)
        _exit(1);
}

static void keep(const mm_result_t *answer)
{
    mm_result_t copy = *answer;
    copy.error = (mm_str_t){answers_keep_text(&answers, answer->error), answer->error.size};
    if (answer->real) {
        mm_real_t *real = answers_keep(&answers, sizeof *real);
        *real = *answer->real;
        real->words.data = answers_keep_text(&answers, real->words);
        real->health.data = answers_keep_text(&answers, real->health);
        real->worker.data = answers_keep_text(&answers, real->worker);
        copy.real = real;
    }
    (void)answers_add(&answers, &(mm_task_t){.number = copy.number, .leg = copy.leg, .id = copy.id},
                      &copy);
}

const mm_result_t *answers_to(store_t *store, size_t count)
{
    const mm_result_t *some;
    assert_true(store_flush(store));
    (void)answers_take(&answers, &some);
    answers_drop_taken(&answers);
    for (;;) {
        size_t ready = store_answers(store, &some);
        for (size_t i = 0; i < ready; i++)
            keep(&some[i]);
        if (answers.count >= count)
            break;
        wait_for_store(store);
    }
    assert_int_equal(answers.count, count);
    return answers.items;
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
        if (store_open(store_name(), &store, open_error) != 0)
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
    const mm_result_t *found = answers_to(store, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(found[i].number, expected[i].number);
        assert_int_equal(found[i].status, expected[i].status);
        assert_int_equal(found[i].outcome, expected[i].outcome);
        if (expected[i].status == MM_STATUS_FAILED)
            assert_true(found[i].error.size > 0);
        else if (expected[i].outcome != MM_OUTCOME_DEAD)
            assert_int_equal(found[i].error.size, 0);
    }
}

// ---- every store

int run_store_tests(const struct CMUnitTest *tests, size_t count)
{
    int failed = _cmocka_run_group_tests("file", tests, count, NULL, NULL);
    if (temp_postgresql_server() == NULL) {
        printf("skip - PostgreSQL: TEST_POSTGRESQL names no server\n");
        return failed;
    }
    struct CMUnitTest *others = calloc(count, sizeof *others);
    char(*names)[NAME_BYTES] = calloc(count, sizeof *names);
    assert_true(others && names);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof names[i], "%s_in_postgresql", tests[i].name);
        others[i] = tests[i];
        others[i].name = names[i];
    }
    in_postgresql = true;
    failed += _cmocka_run_group_tests("postgresql", others, count, NULL, NULL);
    in_postgresql = false;
    free(others);
    free(names);
    return failed;
}
