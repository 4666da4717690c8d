// What the programs of the peers share: their options, who takes part, what is measured, and the
// check that each job was done once. bench/peers/README.md says what work all of them do. CPU time
// counts from when all have joined until the last ack has come, the server's too.

#ifndef PEER_H
#define PEER_H

#include "roles.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PEER_BATCH_MAX    512 // jobs that are answered together
#define PEER_PAYLOAD      120 // bytes of a job
#define PEER_MESSAGE_JOBS 64  // at most in one message
#define PEER_TIME_LIMIT_S 300

typedef struct {
    uint64_t jobs, window; // window: published, and without an ack
    size_t per_message;    // jobs in a message; a lost restarter then costs all of them
    const char *durability, *dir;
} peer_options_t;

// Set by peer_start, for all roles.
extern peer_options_t peer;

// A stage reads one stream and writes another. It ends when it has done all jobs.
typedef struct {
    const char *name, *from, *to;
    bool is_group; // there can be many: each message is acknowledged for itself
    bool gathers;  // hands on what it has seen twice, instead of everything
} peer_stage_t;

// The options [-n JOBS] [-w WINDOW] [-b JOBS] [-f DURABILITY] DIR; ends the program when they are
// wrong, and sets an alarm, so that nothing waits for ever. `durabilities`: for the usage, the
// first is the default.
void peer_start(int argc, char **argv, const char *const *durabilities);

// A port of 127.0.0.1 that is free now.
int peer_free_port(void);
// 10 ms, for who tries again. Ends the program after so many tries that the server must be lost.
void peer_try_again(const char *server);

// Starts the server; its CPU time is known from then on.
void peer_serve(const char *const *argv);
// Another process that the server needs.
void peer_assist(const char *const *argv);
// Waits for a process that runs this: what a library starts stays out of the roles that come later.
void peer_prepare(int (*prepare)(void *arg));
// Runs saver, restarter and gatherer by `stage`, with a peer_stage_t, and the producer; when all
// have ended, `check` looks at what the server has on record, and ends the program when that is
// wrong. Then the server is ended and the result printed. Returns the exit code.
int peer_measure(int (*stage)(void *arg), int (*producer)(void *arg), void (*check)(void));

// ---- for the roles -----------------------------------------------------------------------------

// A stage has joined.
void peer_join(void);
// The producer has joined: waits for the stages, and starts the clock.
void peer_begin(void);
// The last ack has come: stops it.
void peer_end(void);

// The jobs that somebody has seen. `create` never returns NULL.
typedef struct peer_seen peer_seen_t;
peer_seen_t *peer_seen_create(void);
// How often that job has been seen now; ends the program when there is no such job.
unsigned peer_see(peer_seen_t *self, uint64_t job);
// The same for an ack, of which a job has one.
void peer_see_ack(peer_seen_t *self, uint64_t job);
// Ends the program unless each job was seen.
void peer_see_all(const peer_seen_t *self, const char *what);

#endif
