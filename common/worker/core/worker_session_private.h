// What the two files of the worker core share: worker.c decides, worker_report.c tells the consumer
// what is held and what has ended.

#ifndef MM_WORKER_PRIVATE_H
#define MM_WORKER_PRIVATE_H

#include "table.h"
#include "unacknowledged_results.h"
#include "worker_session.h"

#include <utlist.h>

#define HELLO_FIRST_MS 20   // the first pause between hellos; it doubles up to a heartbeat
#define REPORT_RESULTS 1024 // results in one report; the rest follows in the next
#define HISTORY_EXTRA  64   // confirmed results kept for a new consumer, beyond the slots (R6)

typedef struct held {
    uint64_t number;
    mm_leg_t leg;
    uint32_t attempt;
    mm_id_t id;
    int64_t stamp_ms; // of its frame: its lease counts from there
    struct held *prev, *next;
    uint16_t host_size;
    uint16_t capacity; // for a host
    char host[];
} assignment_t;

struct mm_worker {
    mm_worker_config_t config;
    int64_t now_ms;
    int64_t boot_ms;
    uint64_t epoch;       // of the consumer last heard; 0: none
    uint64_t session;     // current; 0: joining
    uint64_t highest;     // session ever had (R4)
    uint64_t sequence;    // of the last report
    uint64_t last_number; // of the tasks seen (R3)
    int64_t report_ms;    // when to say hello or send a heartbeat
    int64_t hello_pause_ms;
    int64_t heard_ms; // the consumer
    mm_table_t held;  // by number
    assignment_t *held_list;
    assignment_t *spare; // those without a task, by next
    assignment_t
        *waiting; // the first of held_list that has not been started; so have none behind it
    mm_results_t *results;
    bool draining;      // says 0 slots
    bool stopped;       // what ran at the drain limit was stopped
    bool last_seen;     // the consumer has said that nothing more comes
    bool consumer_left; // it has said bye, and no other was heard since
    bool done;
    int64_t drain_until_ms;
    int64_t leave_by_ms;          // nothing runs: the consumer's last word is awaited until then
    mm_task_t starting;           // the one that has waited, of the last step
    mm_assignment_t *report_held; // of the report under way
    mm_result_t *report_results;
    mm_report_t reports[2 * MM_PARTS_MAX]; // the parts of the step's reports, two at most
    size_t report_count;
    mm_worker_actions_t *actions;
};

mm_worker_action_t *mm_worker_act(mm_worker_t *self, mm_worker_action_kind_t kind);

// worker_report.c: each sets the time of the next one.
// repeats_all: also results that are not older than a heartbeat.
void mm_worker_heartbeat(mm_worker_t *self, bool repeats_all);
void mm_worker_hello(mm_worker_t *self);

#endif
