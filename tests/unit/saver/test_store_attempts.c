// The attempts at real restarts in the store: what is on record of them, in which order, and what a
// save or settle is answered.

#include "order_play.h"

#include "record_schema.h"

#define SHOWN                                                                                      \
    "SELECT attempt, state, worker, machine_id, boot_before, boot_after, exit, outcome, error,"    \
    " proof, command, command_end, first_boot_ms, deadline_boot_ms, control FROM attempts"

static void an_attempt_is_on_record_when_its_save_is_answered(void **state)
{
    (void)state;
    store_t *store = open_store();
    assert_int_equal(look(store, 1).real.row, MM_ROW_NONE);
    answer_t answer = ask(store, begun(1, 12, 1));
    assert_int_equal(answer.real.row, MM_ROW_NONE);
    assert_int_equal(answer.outcome, MM_OUTCOME_NONE);
    assert_string_equal(query(SHOWN),
                        "1|begun|NULL|11111111111111111111111111111111|"
                        "22222222-2222-2222-2222-222222222222|NULL|NULL|NULL|NULL|"
                        "NULL|1|NULL|5000|9000|44444444-4444-4444-4444-444444444444;");
    assert_string_equal(query("SELECT began_ms > 1600000000000, ended_ms FROM attempts"),
                        "1|NULL;");
    assert_string_equal(query("SELECT id = job FROM attempts, jobs"), "1;");
    answer = look(store, 1);
    assert_int_equal(answer.real.row, MM_ROW_BEGUN);
    assert_int_equal(answer.real.attempt, 1);
    assert_int_equal(answer.real.command, 1);
    assert_true(mm_id_equal(&answer.real.machine, &MACHINE) &&
                mm_id_equal(&answer.real.boot, &BEFORE) &&
                mm_id_equal(&answer.real.control, &CONTROL));
    assert_int_equal(answer.real.first_ms, 5000);
    assert_int_equal(answer.real.deadline_ms, 9000);
    assert_in_range(answer.real.age_ms, 0, 60000);
    assert_int_equal(answer.real.end, MM_END_NONE);
    assert_int_equal(answer.real.exit, MM_EXIT_NONE);
    assert_int_equal(answer.real.ended + answer.real.interrupted, 0);
    assert_int_equal(answer.real.words.size, 0);
    assert_true(store_close(&store));
}

// It is what a new consumer believes successes of earlier ones by (R18).
static void the_answer_names_who_was_given_the_attempt(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, begun(1, 12, 1));
    assert_int_equal(look(store, 1).real.worker.size, 0); // by a version that named nobody
    real_task_t task = begun(1, 13, 1);
    task.real.worker = mm_str("restarter-1");
    (void)ask(store, task);
    assert_true(mm_str_equal(look(store, 1).real.worker, mm_str("restarter-1")));
    task = begun(1, 14, 1); // begun anew
    task.real.worker = mm_str("restarter-2");
    (void)ask(store, task);
    assert_true(mm_str_equal(look(store, 1).real.worker, mm_str("restarter-2")));
    execute("UPDATE attempts SET worker = '-no name'");
    assert_int_equal(look(store, 1).real.worker.size, 0);
    assert_true(store_close(&store));
}

// A machine's id may begin as no job's does.
static void ids_may_be_any_bytes(void **state)
{
    (void)state;
    static const uint8_t low[] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef};
    mm_id_t machine = {{0}}, boot = {{0}};
    memcpy(machine.bytes + 8, low, sizeof low);
    boot.bytes[15] = 17;
    store_t *store = open_store();
    real_task_t task = begun(1, 12, 1);
    task.real.machine = machine;
    task.real.boot = task.real.control = boot;
    (void)ask(store, task);
    assert_string_equal(query("SELECT machine_id, boot_before, control FROM attempts"),
                        "00000000000000000123456789abcdef|00000000-0000-0000-0000-000000000011|"
                        "00000000-0000-0000-0000-000000000011;");
    answer_t answer = look(store, 1);
    assert_true(mm_id_equal(&answer.real.machine, &machine) &&
                mm_id_equal(&answer.real.boot, &boot) && mm_id_equal(&answer.real.control, &boot));
    assert_true(store_close(&store));
}

// It is not known then: no command is sent to a host whose ids are not on record.
static void what_somebody_has_written_for_an_id_is_read_strictly(void **state)
{
    (void)state;
    static const char *const bad[] = {"j17", "", "1111111111111111-1111111111111111",
                                      "11111111111111111111111111111111 "};
    store_t *store = open_store();
    (void)ask(store, begun(1, 12, 1));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char sql[128];
        (void)snprintf(sql, sizeof sql, "UPDATE attempts SET machine_id = '%s'", bad[i]);
        execute(sql);
        answer_t answer = look(store, 1);
        assert_true(mm_id_is_none(&answer.real.machine));
        assert_true(mm_id_equal(&answer.real.boot, &BEFORE));
    }
    assert_true(store_close(&store));
}

static void the_first_save_may_bring_an_attempt(void **state)
{
    (void)state;
    store_t *store = open_store();
    real_task_t task = begun(1, 12, 1);
    task.task.deliveries = 3;
    assert_int_equal(ask(store, task).real.row, MM_ROW_NONE);
    assert_string_equal(query("SELECT host, deliveries, proof FROM jobs"),
                        "web-7.example.net|3|NULL;");
    assert_true(store_close(&store));
}

static void ids_and_the_first_begun_stay(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, begun(1, 11, 1));
    execute("UPDATE attempts SET began_ms = began_ms - 100000");
    real_task_t task = begun(1, 12, 1);
    task.real.row = MM_ROW_NOT_STARTED;
    (void)ask(store, task);
    assert_int_equal(look(store, 1).real.row, MM_ROW_NOT_STARTED);
    task = begun(1, 13, 1); // anew
    task.real.machine = task.real.boot = ID(0x77);
    task.real.command = 2;
    task.real.deadline_ms = 12000;
    (void)ask(store, task);
    answer_t answer = look(store, 1);
    assert_int_equal(answer.real.row, MM_ROW_BEGUN);
    assert_int_equal(answer.real.command, 2);
    assert_int_equal(answer.real.deadline_ms, 12000);
    assert_in_range(answer.real.age_ms, 100000, 160000);
    assert_true(mm_id_equal(&answer.real.machine, &MACHINE) &&
                mm_id_equal(&answer.real.boot, &BEFORE));
    assert_true(store_close(&store));
}

static void missing_ids_may_come_later(void **state)
{
    (void)state;
    store_t *store = open_store();
    real_task_t task = begun(1, 11, 1);
    task.real.machine = task.real.boot = task.real.control = (mm_id_t){{0}};
    (void)ask(store, task);
    assert_string_equal(query("SELECT machine_id, boot_before, control FROM attempts"),
                        "NULL|NULL|NULL;");
    (void)ask(store, begun(1, 12, 1));
    (void)ask(store, task);
    answer_t answer = look(store, 1);
    assert_true(mm_id_equal(&answer.real.machine, &MACHINE) &&
                mm_id_equal(&answer.real.boot, &BEFORE));
    task = begun(2, 13, 1);
    task.real.row = MM_ROW_NOT_STARTED; // of an attempt that never began, they may change
    (void)ask(store, task);
    assert_string_equal(query("SELECT began_ms FROM attempts WHERE state = 'not-started'"),
                        "NULL;");
    task = begun(2, 14, 1);
    task.real.boot = AFTER;
    (void)ask(store, task);
    answer = look(store, 2);
    assert_true(mm_id_equal(&answer.real.boot, &AFTER));
    assert_true(store_close(&store));
}

static void what_has_ended_stays_ended(void **state)
{
    (void)state;
    store_t *store = open_store();
    real_task_t task = ended(1, 11, 1, MM_END_EXIT);
    task.real.exit = 1;
    task.real.words = mm_str("sudo: a password is required");
    (void)ask(store, task);
    (void)ask(store, begun(1, 12, 1));
    task = begun(1, 13, 1);
    task.real.row = MM_ROW_OPEN;
    (void)ask(store, task);
    (void)ask(store, ended(1, 14, 1, MM_END_INTERRUPTED));
    answer_t answer = look(store, 1);
    assert_int_equal(answer.real.row, MM_ROW_ENDED);
    assert_int_equal(answer.real.end, MM_END_EXIT);
    assert_int_equal(answer.real.exit, 1);
    assert_int_equal(answer.real.ended, 1);
    assert_int_equal(answer.real.interrupted, 0);
    assert_true(mm_str_equal(answer.real.words, mm_str("sudo: a password is required")));
    assert_true(store_close(&store));
}

static void an_open_attempt_says_how_its_command_ended(void **state)
{
    (void)state;
    store_t *store = open_store();
    real_task_t task = begun(1, 11, 1);
    task.real.row = MM_ROW_OPEN;
    task.real.end = MM_END_SIGNAL;
    task.real.exit = 256 + 9;
    task.real.words = mm_str("Killed");
    (void)ask(store, task);
    answer_t answer = look(store, 1);
    assert_int_equal(answer.real.row, MM_ROW_OPEN);
    assert_int_equal(answer.real.end, MM_END_SIGNAL);
    assert_int_equal(answer.real.exit, 256 + 9);
    assert_int_equal(answer.real.ended, 0);
    assert_string_equal(query("SELECT ended_ms, outcome, command_end FROM attempts"),
                        "NULL|NULL|signal;");
    (void)ask(store, ended(1, 12, 1, MM_END_SAME_BOOT)); // by a look, which ran no command
    assert_string_equal(query("SELECT exit, outcome, error, command_end FROM attempts"),
                        "265|same-boot|Killed|signal;");
    assert_int_equal(look(store, 1).real.end, MM_END_SAME_BOOT);
    assert_true(store_close(&store));
}

static void the_answer_counts_all_and_describes_the_last(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, ended(1, 11, 1, MM_END_SAME_BOOT));
    (void)ask(store, ended(1, 12, 2, MM_END_INTERRUPTED));
    (void)ask(store, ended(1, 13, 3, MM_END_INTERRUPTED));
    (void)ask(store, begun(2, 14, 1)); // another job's
    real_task_t task = begun(1, 15, 4);
    task.real.first_ms = 8000;
    task.real.deadline_ms = 20000;
    task.real.row = MM_ROW_NOT_STARTED;
    answer_t answer = ask(store, task);
    assert_int_equal(answer.real.attempt, 3);
    assert_int_equal(answer.real.end, MM_END_INTERRUPTED);
    answer = look(store, 1);
    assert_int_equal(answer.real.row, MM_ROW_NOT_STARTED);
    assert_int_equal(answer.real.attempt, 4);
    assert_int_equal(answer.real.ended, 1);
    assert_int_equal(answer.real.interrupted, 2);
    assert_int_equal(answer.real.first_ms, 8000);
    assert_int_equal(answer.real.deadline_ms, 20000);
    task.real.control = ID(0x55); // the consumer's machine was restarted: stamps of one boot only
    (void)ask(store, task);
    answer = look(store, 1);
    assert_true(mm_id_equal(&answer.real.control, &ID(0x55)));
    assert_int_equal(answer.real.first_ms, 8000);
    task.real.first_ms = 0; // it does not know: the first one's, which is of another boot
    (void)ask(store, task);
    answer = look(store, 1);
    assert_true(mm_id_equal(&answer.real.control, &(mm_id_t){{0}}));
    assert_int_equal(answer.real.first_ms, 5000);
    assert_true(store_close(&store));
}

// So that the host is probed anew.
static void has_no_ids(const mm_real_t *real)
{
    assert_true(mm_id_equal(&real->machine, &(mm_id_t){{0}}));
    assert_true(mm_id_equal(&real->boot, &(mm_id_t){{0}}));
    assert_int_equal(real->health.size, 0);
}

// It is charged, and nothing has begun: no first begin, no age, and the ids may change.
static void a_failed_probe_has_not_begun(void **state)
{
    (void)state;
    store_t *store = open_store();
    real_task_t task = ended(1, 11, 1, MM_END_UNREACHABLE);
    task.real.command = 0;
    task.real.first_ms = 0;
    (void)ask(store, task);
    assert_string_equal(query("SELECT began_ms, ended_ms > 0, outcome FROM attempts"),
                        "NULL|1|unreachable;");
    answer_t answer = look(store, 1);
    assert_int_equal(answer.real.row, MM_ROW_ENDED);
    assert_int_equal(answer.real.ended, 1);
    assert_int_equal(answer.real.first_ms + answer.real.age_ms, 0);
    has_no_ids(&answer.real);
    task = begun(1, 12, 2);
    task.real.row = MM_ROW_NOT_STARTED; // it was never on record as begun, either
    (void)ask(store, task);
    answer = look(store, 1);
    assert_int_equal(answer.real.row, MM_ROW_NOT_STARTED);
    assert_int_equal(answer.real.first_ms + answer.real.age_ms, 0);
    has_no_ids(&answer.real);
    (void)ask(store, begun(1, 13, 2));
    task.real.attempt = 3;
    task.real.row = MM_ROW_ENDED;
    task.real.command = 0;
    (void)ask(store, task);
    execute("UPDATE attempts SET began_ms = began_ms - 100000 WHERE began_ms IS NOT NULL");
    answer = look(store, 1);
    assert_int_equal(answer.real.first_ms, 5000);
    assert_in_range(answer.real.age_ms, 100000, 160000);
    assert_true(store_close(&store));
}

static void the_health_before_the_restart_is_kept(void **state)
{
    (void)state;
    store_t *store = open_store();
    char health[MM_HEALTH_MAX];
    memset(health, 'h', sizeof health);
    real_task_t task = begun(1, 11, 1);
    task.real.health = (mm_str_t){health, sizeof health};
    put_task(store, &task);
    memset(health, '!', sizeof health);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_NONE});
    task.real.health = mm_str("better");
    answer_t answer = ask(store, task);
    assert_int_equal(answer.real.health.size, sizeof health);
    assert_true(answer.real.health.data[0] == 'h' &&
                answer.real.health.data[sizeof health - 1] == 'h');
    assert_int_equal(look(store, 1).real.health.size, sizeof health);
    assert_true(store_close(&store));
}

static void a_debt_is_kept_until_it_is_paid(void **state)
{
    (void)state;
    store_t *store = open_store();
    real_task_t task = begun(1, 11, 1);
    task.real.owes = true;
    task.real.attributes = mm_str("bmc=10.0.0.1");
    assert_false(ask(store, task).real.owes);
    assert_string_equal(query("SELECT owes, debt FROM attempts"), "1|bmc=10.0.0.1;");
    assert_true(look(store, 1).real.owes);
    task = ended(1, 12, 1, MM_END_SAME_BOOT);
    task.real.owes = true;
    assert_true(ask(store, task).real.owes);
    task = begun(1, 13, 2);
    task.real.owes = true;
    (void)ask(store, task);
    task = settled(ended(1, 14, 2, MM_END_RESTARTED), MM_OUTCOME_RESTARTED, MM_PROOF_PROVEN);
    task.real.attributes = mm_str("bmc=10.0.0.1"); // of no use any more
    (void)ask(store, task);
    assert_string_equal(query("SELECT owes, debt FROM attempts ORDER BY attempt"),
                        "1|NULL;0|NULL;");
    assert_string_equal(query("SELECT count(*) FROM (" RECORD_READ_DEBTS ") AS debts"), "0;");
    assert_false(look(store, 1).real.owes);
    assert_true(store_close(&store));
}

// Only that of a job's last attempt counts.
static void debts_and_open_attempts_are_listed(void **state)
{
    (void)state;
    store_t *store = open_store();
    static const struct {
        unsigned job;
        uint32_t attempt;
        bool owes;
    } rows[] = {{1, 1, true}, {1, 2, false}, {2, 1, false}, {3, 1, true}, {3, 2, true}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        real_task_t task = ended(rows[i].job, 11 + i, rows[i].attempt, MM_END_SAME_BOOT);
        task.real.owes = rows[i].owes;
        (void)ask(store, task);
    }
    (void)ask(store, begun(2, 20, 2));
    assert_string_equal(query("SELECT attempt, debt FROM (" RECORD_READ_DEBTS ") AS debts"),
                        "2|NULL;");
    assert_string_equal(query("SELECT count(*) FROM (" RECORD_READ_OPEN ") AS jobs_open"), "1;");
    assert_true(store_close(&store));
}

// A host that got a command and was not restarted is not put back into service.
static void a_debt_is_payable_unless_a_command_was_without_effect(void **state)
{
    (void)state;
    store_t *store = open_store();
    static const struct {
        unsigned job;
        uint32_t attempt;
        mm_end_t end;
    } rows[] = {{1, 1, MM_END_RESTARTED},  {2, 1, MM_END_SAME_BOOT},  {3, 1, MM_END_UNPREPARED},
                {4, 1, MM_END_UNPREPARED}, {4, 2, MM_END_UNPREPARED}, {5, 1, MM_END_TIMEOUT},
                {5, 2, MM_END_UNPREPARED}, {6, 1, MM_END_RESTARTED}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char host[8];
        real_task_t task = ended(rows[i].job, 11 + i, rows[i].attempt, rows[i].end);
        (void)snprintf(host, sizeof host, "h%02u", rows[i].job);
        task.task.host = mm_str(host);
        task.real.owes = true;
        (void)ask(store, task);
        bool is_last = i + 1 == sizeof rows / sizeof *rows || rows[i + 1].job != rows[i].job;
        if (is_last && rows[i].job != 6) // that one goes on by itself
            (void)ask(store, settled(task, MM_OUTCOME_DEAD, MM_PROOF_NONE));
    }
    assert_string_equal(query("SELECT host, payable FROM (" RECORD_READ_DEBTS ") AS debts"),
                        "h01|1;h02|0;h03|1;h04|1;h05|0;h06|0;");
    assert_string_equal(give(store, order_of(9, MM_ACTION_ABSOLVE, "H02.")), "");
    assert_string_equal(query("SELECT host, payable FROM (" RECORD_READ_DEBTS ") AS debts"),
                        "h01|1;h02|1;h03|1;h04|1;h05|0;h06|0;");
    assert_true(store_close(&store));
}

// A host that was restarted since, and is back in service, owes nothing any more.
static void a_later_restart_pays_for_an_earlier_job(void **state)
{
    (void)state;
    store_t *store = open_store();
    real_task_t task = ended(1, 11, 1, MM_END_SAME_BOOT);
    task.real.owes = true;
    (void)ask(store, task);
    (void)ask(store, settled(task, MM_OUTCOME_DEAD, MM_PROOF_NONE));
    task = ended(2, 12, 1, MM_END_RESTARTED); // without hooks
    (void)ask(store, settled(task, MM_OUTCOME_RESTARTED, MM_PROOF_PROVEN));
    assert_string_equal(query("SELECT count(*) FROM (" RECORD_READ_DEBTS ") AS debts"), "1;");
    task = begun(3, 13, 1);
    task.real.owes = true;
    (void)ask(store, task);
    assert_string_equal(query("SELECT count(*) FROM (" RECORD_READ_DEBTS ") AS debts"), "2;");
    task = ended(3, 14, 1, MM_END_RESTARTED);
    (void)ask(store, settled(task, MM_OUTCOME_RESTARTED, MM_PROOF_PROVEN));
    assert_string_equal(query("SELECT count(*) FROM (" RECORD_READ_DEBTS ") AS debts"), "0;");
    assert_true(store_close(&store));
}

static void in_one_batch_each_sees_what_the_former_have_left(void **state)
{
    (void)state;
    store_t *store = open_store();
    real_task_t tasks[] = {
        plain(1, 1),
        begun(1, 2, 1),
        plain(2, 3),
        ended(1, 4, 1, MM_END_TIMEOUT),
        begun(1, 5, 2),
        settled(ended(1, 6, 2, MM_END_RESTARTED), MM_OUTCOME_RESTARTED, MM_PROOF_PROVEN),
        begun(1, 7, 3),
        plain(1, 8)};
    enum { COUNT = sizeof tasks / sizeof tasks[0] };
    for (size_t i = 0; i < COUNT; i++)
        put_task(store, &tasks[i]);
    const mm_result_t *answers = answers_to(store, COUNT);
    static const struct {
        mm_attempt_row_t row;
        uint32_t attempt, ended;
        mm_outcome_t outcome;
    } expected[COUNT] = {
        {MM_ROW_NONE, 0, 0, MM_OUTCOME_NONE},       {MM_ROW_NONE, 0, 0, MM_OUTCOME_NONE},
        {MM_ROW_NONE, 0, 0, MM_OUTCOME_NONE},       {MM_ROW_BEGUN, 1, 0, MM_OUTCOME_NONE},
        {MM_ROW_ENDED, 1, 1, MM_OUTCOME_NONE},      {MM_ROW_BEGUN, 2, 1, MM_OUTCOME_RESTARTED},
        {MM_ROW_ENDED, 2, 2, MM_OUTCOME_RESTARTED}, {MM_ROW_ENDED, 2, 2, MM_OUTCOME_RESTARTED}};
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(answers[i].number, i + 1);
        assert_int_equal(answer_of(&answers[i]).real.row, expected[i].row);
        assert_int_equal(answer_of(&answers[i]).real.attempt, expected[i].attempt);
        assert_int_equal(answer_of(&answers[i]).real.ended, expected[i].ended);
        assert_int_equal(answers[i].outcome, expected[i].outcome);
    }
    // Nothing begins for a job that has an outcome.
    assert_string_equal(query("SELECT count(*), max(attempt) FROM attempts"), "2|2;");
    assert_string_equal(query("SELECT proof FROM jobs ORDER BY id"), "proven;NULL;");
    assert_true(store_close(&store));
}

// A redelivery of the mock in a batch of many, beside jobs with attempts.
static void attempts_and_the_mock_share_a_batch(void **state)
{
    (void)state;
    enum { JOBS = 40 };
    store_t *store = open_store();
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < JOBS; i++) {
            real_task_t task = i % 2 == 0 ? begun(i, i, (uint32_t)round + 1) : plain(i, i);
            put_task(store, &task);
        }
        const mm_result_t *answers = answers_to(store, JOBS);
        for (unsigned i = 0; i < JOBS; i++)
            assert_int_equal(answer_of(&answers[i]).real.row,
                             round == 1 && i % 2 == 0 ? MM_ROW_BEGUN : MM_ROW_NONE);
    }
    assert_string_equal(query("SELECT count(*), count(DISTINCT job) FROM attempts"), "40|20;");
    assert_string_equal(query("SELECT count(*) FROM jobs"), "40;");
    assert_true(store_close(&store));
}

static void the_longest_words_fit(void **state)
{
    (void)state;
    store_t *store = open_store();
    char words[MM_WORDS_MAX];
    memset(words, 'w', sizeof words);
    real_task_t task = ended(1, 11, 1, MM_END_EXIT);
    task.real.words = (mm_str_t){words, sizeof words};
    put_task(store, &task);
    memset(words, '!', sizeof words);
    EXPECT(store, {11, MM_STATUS_OK, MM_OUTCOME_NONE});
    answer_t answer = look(store, 1);
    assert_int_equal(answer.real.words.size, sizeof words);
    assert_true(answer.real.words.data[0] == 'w' &&
                answer.real.words.data[sizeof words - 1] == 'w');
    assert_true(store_close(&store));
}

// Somebody has written into the file: the wire's ranges hold all the same.
static void a_strange_row_is_read_within_the_ranges(void **state)
{
    (void)state;
    store_t *store = open_store();
    (void)ask(store, begun(1, 11, 1));
    char sql[1024];
    (void)snprintf(sql, sizeof sql,
                   "UPDATE attempts SET state = 'odd', command = 1000, machine_id = 'short',"
                   " boot_before = '22222222-2222-2222-2222-222222222222-22', exit = -1,"
                   " command_end = 'odd', error = '%0600d', first_boot_ms = -5,"
                   " began_ms = 9000000000000",
                   0);
    execute(sql);
    answer_t answer = look(store, 1);
    assert_int_equal(answer.real.row, MM_ROW_BEGUN);
    assert_int_equal(answer.real.command, MM_COMMANDS_MAX);
    assert_int_equal(answer.real.exit, 0);
    assert_int_equal(answer.real.end, MM_END_NONE);
    assert_int_equal(answer.real.words.size, MM_WORDS_MAX);
    assert_int_equal(answer.real.first_ms, 0);
    assert_int_equal(answer.real.age_ms, 0);
    assert_true(mm_id_equal(&answer.real.machine, &(mm_id_t){{0}}));
    assert_true(mm_id_equal(&answer.real.boot, &(mm_id_t){{0}}));
    assert_true(store_close(&store));
}

static void begin_one(store_t *store)
{
    real_task_t task = begun(1, 11, 1);
    put_task(store, &task);
    commit_or_exit(store, 1);
}

static void a_begun_attempt_survives_kill_9(void **state)
{
    (void)state;
    kill_after(begin_one);
    store_t *store = open_store();
    assert_int_equal(look(store, 1).real.row, MM_ROW_BEGUN);
    assert_true(store_close(&store));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(an_attempt_is_on_record_when_its_save_is_answered),
        STORE_TEST(the_answer_names_who_was_given_the_attempt),
        STORE_TEST(ids_may_be_any_bytes),
        STORE_TEST(what_somebody_has_written_for_an_id_is_read_strictly),
        STORE_TEST(the_first_save_may_bring_an_attempt),
        STORE_TEST(ids_and_the_first_begun_stay),
        STORE_TEST(missing_ids_may_come_later),
        STORE_TEST(what_has_ended_stays_ended),
        STORE_TEST(an_open_attempt_says_how_its_command_ended),
        STORE_TEST(the_answer_counts_all_and_describes_the_last),
        STORE_TEST(a_failed_probe_has_not_begun),
        STORE_TEST(the_health_before_the_restart_is_kept),
        STORE_TEST(a_debt_is_kept_until_it_is_paid),
        STORE_TEST(debts_and_open_attempts_are_listed),
        STORE_TEST(a_debt_is_payable_unless_a_command_was_without_effect),
        STORE_TEST(a_later_restart_pays_for_an_earlier_job),
        STORE_TEST(in_one_batch_each_sees_what_the_former_have_left),
        STORE_TEST(attempts_and_the_mock_share_a_batch),
        STORE_TEST(the_longest_words_fit),
        STORE_TEST(a_strange_row_is_read_within_the_ranges),
        STORE_TEST(a_begun_attempt_survives_kill_9),
    };
    return RUN_STORE_TESTS(tests);
}
