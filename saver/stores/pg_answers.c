// See pg_answers.h. Columns are those of the functions, in their order.

#include "pg_answers.h"

#include <assert.h>
#include <stdlib.h>

#include "attempts_found.h"
#include "big_endian.h"
#include "utf8.h"

// ---- cells

static bool is_null(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column) != 0;
}

// NULL gives the empty text.
static mm_str_t text_at(const PGresult *result, int row, int column)
{
    return (mm_str_t){PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column)};
}

// NULL gives 0.
static int64_t number_at(const PGresult *result, int row, int column)
{
    const char *value = PQgetvalue(result, row, column);
    int size = PQgetlength(result, row, column);
    if (PQfformat(result, column) == 0)
        return strtoll(value, NULL, 10);
    uint64_t number = mm_big_endian_get((const uint8_t *)value, (size_t)size);
    return size == 4 ? (int32_t)(uint32_t)number : (int64_t)number;
}

static bool is_true(const PGresult *result, int row, int column)
{
    char value = *PQgetvalue(result, row, column);
    return value == 't' || value == 1;
}

bool pg_answers_is_written(const PGresult *result)
{
    return is_true(result, 0, 0);
}

// ---- tasks

typedef enum {
    APPLY_OUTCOME,
    APPLY_ERROR,
    APPLY_SEQ,
    APPLY_ENDED,
    APPLY_INTERRUPTED,
    APPLY_FIRST_BEGAN_MS,
    APPLY_FIRST_FIRST_MS,
    APPLY_STATE,
    APPLY_ATTEMPT,
    APPLY_WORKER,
    APPLY_MACHINE,
    APPLY_BOOT_BEFORE,
    APPLY_BOOT_AFTER,
    APPLY_CONTROL,
    APPLY_EXIT,
    APPLY_END,
    APPLY_WORDS,
    APPLY_PROOF,
    APPLY_COMMAND,
    APPLY_FIRST_MS,
    APPLY_DEADLINE_MS,
    APPLY_HEALTH,
    APPLY_OWES,
    APPLY_HEAD
} apply_column_t;

static_assert((int)APPLY_HEAD == PG_APPLY_HEAD, "the head begins there");

static void read_attempts(const PGresult *result, int row, int64_t now_ms, attempts_found_t *found)
{
    bool has_exit = !is_null(result, row, APPLY_EXIT);
    attempt_columns_t columns = {.state = text_at(result, row, APPLY_STATE),
                                 .end = text_at(result, row, APPLY_END),
                                 .worker = text_at(result, row, APPLY_WORKER),
                                 .words = text_at(result, row, APPLY_WORDS),
                                 .health = text_at(result, row, APPLY_HEALTH),
                                 .proof = text_at(result, row, APPLY_PROOF),
                                 .machine = text_at(result, row, APPLY_MACHINE),
                                 .boot_before = text_at(result, row, APPLY_BOOT_BEFORE),
                                 .boot_after = text_at(result, row, APPLY_BOOT_AFTER),
                                 .control = text_at(result, row, APPLY_CONTROL),
                                 .attempt = number_at(result, row, APPLY_ATTEMPT),
                                 .command = number_at(result, row, APPLY_COMMAND),
                                 .first_ms = number_at(result, row, APPLY_FIRST_MS),
                                 .deadline_ms = number_at(result, row, APPLY_DEADLINE_MS),
                                 .owes = number_at(result, row, APPLY_OWES),
                                 .exit =
                                     has_exit ? number_at(result, row, APPLY_EXIT) : MM_EXIT_NONE};
    attempts_found_set(found, &columns);
    found->real.ended = (uint32_t)number_at(result, row, APPLY_ENDED);
    found->real.interrupted = (uint32_t)number_at(result, row, APPLY_INTERRUPTED);
    attempts_first_t first = {.is_found = !is_null(result, row, APPLY_FIRST_BEGAN_MS),
                              .began_ms = number_at(result, row, APPLY_FIRST_BEGAN_MS),
                              .first_ms = number_at(result, row, APPLY_FIRST_FIRST_MS)};
    attempts_found_finish(found, first, now_ms);
}

mm_result_t pg_answers_task(answers_t *self, const PGresult *result, int row, int64_t now_ms)
{
    mm_result_t answer = {0};
    mm_str_t outcome = text_at(result, row, APPLY_OUTCOME);
    mm_str_t error = text_at(result, row, APPLY_ERROR);
    uint64_t seq = (uint64_t)number_at(result, row, APPLY_SEQ);
    answer.outcome = outcome.size > 0 ? MM_OUTCOME_DEAD : MM_OUTCOME_NONE; // unless it is another
    (void)mm_outcome_parse(outcome, &answer.outcome);
    if (error.size > 0)
        answer.error = mm_str(answers_keep_text(self, error));
    bool has_attempts = !is_null(result, row, APPLY_STATE);
    if (!has_attempts && seq == 0)
        return answer;
    attempts_found_t *found = answers_keep(self, sizeof *found);
    attempts_found_none(found);
    if (has_attempts)
        read_attempts(result, row, now_ms, found);
    found->real.seq = seq;
    answer.real = &found->real;
    return answer;
}

void pg_answers_head(const PGresult *result, int row, int column, mm_audit_head_t *head)
{
    if (!is_null(result, row, column) &&
        mm_audit_parse(text_at(result, row, column + 1), head->hash))
        head->seq = (uint64_t)number_at(result, row, column);
}

// ---- state

typedef enum {
    PAGE_PART,
    PAGE_NUMBER,
    PAGE_KIND,
    PAGE_NAME,
    PAGE_GROUPS,
    PAGE_UNTIL_MS,
    PAGE_AT_MS,
    PAGE_WHY,
    PAGE_OPEN,
    PAGE_CASUALTY,
    PAGE_OUTCOME
} page_column_t;

// Somebody may have written anything there: as long as the wire takes it.
static mm_str_t cut(const PGresult *result, int row, int column, size_t size_max)
{
    mm_str_t text = text_at(result, row, column);
    return (mm_str_t){text.data, mm_utf8_prefix(text, text.size < size_max ? text.size : size_max)};
}

static int64_t time_at(const PGresult *result, int row, int column)
{
    int64_t time_ms = number_at(result, row, column);
    return time_ms > 0 ? time_ms : 0;
}

static size_t read_hold(const PGresult *result, int row, mm_entry_t entries[2])
{
    mm_action_t kind;
    if (!mm_action_parse(text_at(result, row, PAGE_KIND), &kind) || kind > MM_ACTION_LAST)
        return 0;
    entries[0] = (mm_entry_t){.action = kind,
                              .name = cut(result, row, PAGE_NAME, MM_HOST_MAX),
                              .until_ms = time_at(result, row, PAGE_UNTIL_MS),
                              .at_ms = time_at(result, row, PAGE_AT_MS),
                              .why = cut(result, row, PAGE_WHY, MM_ERROR_MAX)};
    return 1;
}

static size_t read_place(const PGresult *result, int row, mm_entry_t entries[2])
{
    bool is_open = number_at(result, row, PAGE_OPEN) != 0;
    bool is_casualty = number_at(result, row, PAGE_CASUALTY) != 0;
    mm_entry_t place = {.name = cut(result, row, PAGE_NAME, MM_HOST_MAX),
                        .groups = cut(result, row, PAGE_GROUPS, MM_GROUPS_BYTES),
                        .at_ms = time_at(result, row, PAGE_AT_MS),
                        .is_casualty = is_casualty};
    entries[0] = entries[1] = place;
    entries[0].action = is_open ? MM_ACTION_BEGUN : MM_ACTION_ENDED;
    entries[1].action = MM_ACTION_ENDED;
    return is_open && is_casualty ? 2 : 1;
}

static size_t read_outcome(const PGresult *result, int row, mm_entry_t entries[2])
{
    mm_str_t host = cut(result, row, PAGE_NAME, MM_HOST_MAX);
    bool is_resume = host.size == 0; // of a group: what has ended before does not count
    mm_str_t groups = cut(result, row, PAGE_GROUPS, is_resume ? MM_HOST_MAX : MM_GROUPS_BYTES);
    entries[0] = (mm_entry_t){.action = is_resume ? MM_ACTION_RESUME : MM_ACTION_ENDED,
                              .seq = (uint64_t)number_at(result, row, PAGE_NUMBER),
                              .name = is_resume ? groups : host,
                              .groups = is_resume ? (mm_str_t){0} : groups,
                              .at_ms = time_at(result, row, PAGE_AT_MS),
                              .is_casualty = number_at(result, row, PAGE_CASUALTY) != 0};
    (void)mm_outcome_parse(text_at(result, row, PAGE_OUTCOME), &entries[0].outcome);
    return 1;
}

void pg_answers_page(const PGresult *result, state_page_t *page)
{
    static size_t (*const read[])(const PGresult *, int, mm_entry_t *) = {
        [STATE_HOLDS] = read_hold, [STATE_PLACES] = read_place, [STATE_OUTCOMES] = read_outcome};
    state_page_empty(page);
    for (int row = 0; row < PQntuples(result) && !page->is_full; row++) {
        mm_entry_t entries[2];
        if (is_null(result, row, PAGE_PART)) // the first one: the consumer leads
            continue;
        state_part_t part = (state_part_t)number_at(result, row, PAGE_PART);
        size_t count = read[part](result, row, entries);
        if (count > 0)
            (void)state_page_add(page, part, (uint64_t)number_at(result, row, PAGE_NUMBER), entries,
                                 count);
    }
}

// ---- the lease

typedef enum {
    LEASE_IS_HELD,
    LEASE_IS_FREE,
    LEASE_EPOCH,
    LEASE_LEFT_MS,
    LEASE_IS_HALTED,
    LEASE_ORDERS_SEQ
} lease_column_t;

void pg_answers_lease(const PGresult *result, mm_lease_body_t *answer)
{
    if (PQntuples(result) != 1) // somebody has removed the row: nobody leads then
        return;
    bool is_held = is_true(result, 0, LEASE_IS_HELD);
    bool is_free = is_true(result, 0, LEASE_IS_FREE);
    answer->verdict = is_free ? MM_LEASE_FREE : is_held ? MM_LEASE_HELD : MM_LEASE_OTHER;
    answer->epoch = (uint64_t)number_at(result, 0, LEASE_EPOCH);
    answer->left_ms = number_at(result, 0, LEASE_LEFT_MS);
    answer->is_halted = is_true(result, 0, LEASE_IS_HALTED);
    answer->orders_seq = (uint64_t)number_at(result, 0, LEASE_ORDERS_SEQ);
}
