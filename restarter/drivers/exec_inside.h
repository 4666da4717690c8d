// What the parts of the exec driver share: its tasks, and their processes. Private to driver_exec.c
// and exec_processes.c.

#ifndef EXEC_INSIDE_H
#define EXEC_INSIDE_H

#include "driver.h"
#include "exec_commands.h"
#include "heap.h"
#include "host_lock.h"
#include "launcher.h"

// What there is of the process of a run.
typedef enum {
    PROCESS_NONE,
    PROCESS_WAITS, // for room at the spawner
    PROCESS_RUNS,  // it was asked for
    PROCESS_LEFT   // it was killed, and something is left; due: the next kill
} process_t;

// Why what runs was sent TERM.
typedef enum { CUT_NONE, CUT_TIMEOUT, CUT_STOPPED } cut_t;

// A task.
typedef struct run {
    mm_heap_node_t node; // when something is due
    struct run *next;    // in the list of free runs, of those done, or of those that wait
    uint32_t slot;       // its index in runs
    uint64_t number;     // this and the next ones: of the task
    mm_leg_t leg;
    uint32_t attempt;
    mm_id_t id, machine, boot; // those of the host are on record, or zeros
    char *texts;               // host and attributes, one behind the other; owned
    mm_str_t host, attributes;
    restart_t restart;
    host_lock_t *lock;      // on its host; NULL: it has none, or is done
    host_restart_t *unsent; // of the lock's record, before this task sent its command; owned
    bool only_pays;
    char *unlocked;                // why it has none; owned; NULL: that is not why it is returned
    bool is_held;                  // since the host is held
    char cooled[MM_WORDS_MAX + 1]; // by which restart it was skipped; empty: by none
    restart_step_t step;           // that runs, or waits for room
    process_t process;
    mm_process_t left; // PROCESS_LEFT: one that cannot be killed; pid 0: unknown
    cut_t cut;
    int64_t until_ms; // TERM,
    int64_t kill_ms;  // and KILL
    bool is_killed;   // that was asked for
    bool is_done;     // until driver_next_finished takes it; its process is of no interest
    mm_str_t lacking; // the name of an attribute; empty: none is
    bool is_noted;    // a look that failed
    bool is_refusal_noted;
    int64_t started_ms;
    int64_t ended_ms;       // when done
    int status;             // of the process that ended last, as from waitpid
    output_tail_t *command; // what a command that has ended has written; NULL: none has
    int command_status;     // how it ended
    char *unprepared;       // how --before has failed; owned; NULL: it has not
    char *unpaid;           // how the last --after has
    bool has_looked;
    bool has_look_words;  // nothing has run in the slot since
    restart_end_t looked; // the end of the last look
    char unwell[MM_HEALTH_MAX + 1];
    restart_what_t failed; // that could not be started,
    int why;               // by this errno; 0: all could
} run_t;

typedef struct {
    run_t *first;
    run_t **last; // where the next one is appended
} queue_t;

// Of a queue that is not empty.
static inline run_t *exec_take_first(queue_t *queue)
{
    run_t *run = queue->first;
    queue->first = run->next;
    if (!queue->first)
        queue->last = &queue->first;
    return run;
}

typedef struct {
    driver_t base;
    const mm_options_t *options;
    uint64_t seed;
    exec_commands_t commands;
    int64_t cooldown_ms;  // 0: none
    host_locks_t *locks;  // NULL: in a rehearsal
    launcher_t *launcher; // NULL: until driver_open
    bool drained;
    bool stopped;
    run_t *runs;      // `slots` of them, of which these
    uint32_t used;    // have had a task: the others are pages that nobody has touched
    run_t *free_runs; // of those
    queue_t done;
    queue_t waiting; // for room at the spawner
    mm_heap_t due;
    mm_real_t real; // of the last result, as are the next ones
    char error[MM_ERROR_MAX + 1];
    char words[MM_WORDS_MAX + 1];
    mm_pair_t evidence[MM_EVIDENCE_MAX];
    char code[16];
    char polls[16];
} exec_t;

// ---- exec_lock.c

// Takes the lock on its host, and skips a host that was restarted a short while ago. False: the
// task is to be returned.
bool exec_lock(exec_t *self, run_t *run, const mm_task_t *task);
// Its command is about to be sent. Returns 0 or an errno: that is not on the host's record.
int exec_lock_send(exec_t *self, run_t *run);
// Something on its host cannot be killed: run->left.
void exec_lock_left(exec_t *self, run_t *run);
// Its task is over: the host's record is written, and its lock free.
void exec_unlock(exec_t *self, run_t *run);

// ---- exec_processes.c

// The arguments of a command for the task of a run, as by mm_command_fill.
char **exec_fill(mm_command_t *command, const run_t *run);

// Runs what is next for a task that has begun, or waits for its time.
void exec_advance(exec_t *self, run_t *run, int64_t now_ms);
// The same for all that wait for a permit.
void exec_advance_waiting(exec_t *self, int64_t now_ms);
// Its task is over: it is taken by driver_next_finished.
void exec_finish(exec_t *self, run_t *run, int64_t now_ms);
// Takes what processes have shown, and does what is due.
void exec_look_around(exec_t *self, int64_t now_ms);
// The starts that there was no room for are none.
void exec_drop_waiting(exec_t *self, int64_t now_ms);
// Cuts off what runs, or leaves it, at the drain limit.
void exec_cut_off(exec_t *self, run_t *run, int64_t now_ms);

#endif
