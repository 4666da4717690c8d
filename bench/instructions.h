// A fixed trace of jobs through the real parts, for bench/instructions.sh: outbox, wire, gather and
// worker cores as the processes' shells use them, in batches, with thousands of jobs in flight,
// under a virtual clock; then the log. One process: no socket, no disk, chance from a seed.
//
//   instructions.c        the trace: what each job is, what becomes of it, whether it did
//   instructions_roles.c  the shells of publisher, consumer, saver and restarters
//   instructions_parts.c  the calls of the real parts, by which callgrind tells them apart

#ifndef INSTRUCTIONS_H
#define INSTRUCTIONS_H

#include "gather.h"
#include "log_format.h"
#include "outbox.h"
#include "store.h"
#include "wire.h"
#include "worker_session.h"

#define ROUND_MS   10
#define FRESH_MAX  MM_BATCH_ITEMS // jobs accepted in a round
#define FILL_MAX   1024           // the same of a window that is to be full
#define RESTARTERS 4
#define WORKERS    (1 + RESTARTERS) // the saver is the first
#define SLOTS      2048             // of a restarter
#define ENDS       64               // rounds, a power of two: the longest restart takes less
#define ATTEMPTS   5
#define LIFE       7
#define MESSAGES   512                    // in an inbox
#define WALL_MS    INT64_C(1767225600000) // Unix time at virtual 0: the ids carry it

typedef struct {
    mm_id_t id;
    char host[32];
    uint32_t host_size;
    uint32_t attempts;    // restarts that were started
    mm_outcome_t outcome; // on the saver's record
    bool settled;         // the outbox has let it go
} job_t;

typedef struct {
    mm_frame_kind_t kind;
    size_t offset;
    size_t size;
} message_t;

typedef struct {
    message_t messages[MESSAGES];
    size_t count;
    char *bytes;
    size_t used;
    size_t size;
} inbox_t;

typedef struct run {
    uint64_t number;
    uint32_t attempt;
    struct run *next;
} run_t;

typedef struct {
    mm_name_t name;
    bool is_saver;
    uint64_t instance;
    mm_worker_t *core;
    uint64_t session; // as the consumer knows it
    inbox_t inbox;
    mm_encoder_t *tasks; // the consumer's open batch for it
    mm_encoder_t *results;
    uint64_t started[MM_BATCH_ITEMS];
    size_t started_count;
    mm_result_t answers[MM_SLOTS_MAX]; // of a saver, in this round
    size_t answer_count;
    run_t runs[SLOTS];
    run_t *spare;
    run_t *ends[ENDS]; // by round
} member_t;

typedef struct {
    int64_t now_ms;
    uint64_t round;
    job_t *jobs;
    uint32_t fresh_max; // FRESH_MAX or FILL_MAX
    uint32_t accepted;
    uint32_t settled;
    size_t most_in_flight;
    uint64_t frames;
    outbox_t *outbox;
    outbox_actions_t outbox_actions;
    inbox_t events; // the publisher's
    mm_encoder_t *batch;
    gather_t *gather;
    gather_actions_t gather_actions;
    inbox_t inbox; // the consumer's
    mm_encoder_t *notices;
    member_t members[WORKERS];
    mm_worker_actions_t worker_actions;
    store_t *store;        // NULL: what is on record is in the jobs only
    mm_encoder_t *encoder; // for whole frames
    mm_decoder_t *decoder;
} world_t;

// ---- instructions.c
// Ends the program when it does not hold.
void expect(bool holds, const char *what);
// Accepts the next job of the trace.
const job_t *accept_job(world_t *self);
job_t *job_of(const world_t *self, const mm_id_t *id);
void settle_job(world_t *self, const outbox_action_t *action);
// Whether a restart of the job fails (attempt: from 1), and how many rounds it takes.
bool attempt_fails(const world_t *self, const job_t *job, uint32_t attempt);
uint32_t attempt_rounds(const world_t *self, const job_t *job, uint32_t attempt);

void play_measured(world_t *self, uint32_t jobs);
void play_window(world_t *self, uint32_t settled, uint32_t jobs);

// ---- instructions_roles.c
// A turn of each process. jobs: how many may be accepted in all by now.
void roles_play_round(world_t *self, uint32_t jobs);

// ---- instructions_parts.c
void part_outbox(world_t *self, outbox_event_t *event);
void part_gather(world_t *self, gather_event_t *event);
void part_saver(world_t *self, member_t *member, mm_worker_event_t *event);
void part_restarter(world_t *self, member_t *member, mm_worker_event_t *event);
bool part_restarter_holds(const member_t *member, uint64_t number, mm_task_t *ret_task);
void part_store_put(world_t *self, const mm_task_t *task);
bool part_store_commit(world_t *self);
void part_encode_jobs(const world_t *self, const mm_job_t *job);
void part_encode_tasks(const member_t *member, const gather_action_t *action);
void part_encode_results(const member_t *member, uint64_t serial);
void part_encode_notices(const world_t *self, const mm_verdict_t *verdict);
void part_encode_started(const world_t *self, const mm_frame_t *frame);
void part_encode_reports(const world_t *self, const mm_frame_t *frame);
void part_encode_finish(mm_encoder_t *encoder);
void part_log_line(const job_t *job);
size_t part_log_format(mm_log_format_t *format, const job_t *job, char *buffer);
mm_wire_status_t part_decode_jobs(mm_decoder_t *decoder, mm_str_t bytes, mm_frame_t *ret_frame);
mm_wire_status_t part_decode_tasks(mm_decoder_t *decoder, mm_str_t bytes, mm_frame_t *ret_frame);
mm_wire_status_t part_decode_results(mm_decoder_t *decoder, mm_str_t bytes, mm_frame_t *ret_frame);
mm_wire_status_t part_decode_notices(mm_decoder_t *decoder, mm_str_t bytes, mm_frame_t *ret_frame);
mm_wire_status_t part_decode_started(mm_decoder_t *decoder, mm_str_t bytes, mm_frame_t *ret_frame);
mm_wire_status_t part_decode_reports(mm_decoder_t *decoder, mm_str_t bytes, mm_frame_t *ret_frame);

#endif
