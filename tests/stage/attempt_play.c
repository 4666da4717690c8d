// See attempt_play.h.

#include "attempt_play.h"

real_task_t plain(unsigned job, uint64_t number)
{
    return (real_task_t){.task = store_task(MM_LEG_SAVE, job, number)};
}

real_task_t begun(unsigned job, uint64_t number, uint32_t attempt)
{
    return (real_task_t){.task = store_task(MM_LEG_SAVE, job, number),
                         .real = {.row = MM_ROW_BEGUN,
                                  .attempt = attempt,
                                  .command = 1,
                                  .machine = MACHINE,
                                  .boot = BEFORE,
                                  .control = CONTROL,
                                  .first_ms = 5000,
                                  .deadline_ms = 9000,
                                  .exit = MM_EXIT_NONE}};
}

real_task_t ended(unsigned job, uint64_t number, uint32_t attempt, mm_end_t end)
{
    real_task_t task = begun(job, number, attempt);
    task.real.row = MM_ROW_ENDED;
    task.real.end = end;
    task.real.worker = mm_str("restarter-1");
    return task;
}

real_task_t settled(real_task_t task, mm_outcome_t outcome, mm_proof_t proof)
{
    task.task.leg = MM_LEG_SETTLE;
    task.task.outcome = outcome;
    task.task.worker = mm_str("restarter-1");
    task.real.proof = proof;
    return task;
}

answer_t answer_of(const mm_result_t *result)
{
    return (answer_t){.outcome = result->outcome,
                      .real = result->real ? *result->real : (mm_real_t){.row = MM_ROW_NONE}};
}

void put_task(store_t *store, real_task_t *task)
{
    task->task.real = task->real.row == MM_ROW_NONE && task->real.run == 0 ? NULL : &task->real;
    store_put(store, &task->task);
}

// The answer to the only task that was put.
static answer_t answer_to(store_t *store, const mm_task_t *task)
{
    const mm_result_t *answers = answers_to(store, 1);
    assert_int_equal(answers[0].number, task->number);
    assert_int_equal(answers[0].leg, task->leg);
    assert_int_equal(answers[0].status, MM_STATUS_OK);
    assert_true(mm_id_equal(&answers[0].id, &task->id));
    assert_true(!answers[0].real || answers[0].real->row != MM_ROW_NONE ||
                answers[0].real->seq != 0);
    return answer_of(&answers[0]);
}

answer_t ask(store_t *store, real_task_t task)
{
    put_task(store, &task);
    return answer_to(store, &task.task);
}

answer_t look(store_t *store, unsigned job)
{
    return ask(store, plain(job, 99));
}
