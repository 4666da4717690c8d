// A stage for tests of publisher/intake.h: a real database, a real core, a real source, and the
// consumer's word as one call each. Whatever the core is given is looked up in the database from
// outside before anything else (I1), and must come in order and once.

#ifndef INTAKE_PLAY_H
#define INTAKE_PLAY_H

#include "clock.h"
#include "intake.h"
#include "story.h"
#include "temp_database.h"
#include "uuid_source.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

enum { GIVEN_MAX = 8192, LIFE = 3 };

typedef struct {
    mm_id_t id;
    uint64_t token;
    int64_t accepted_us;
    char host[64];
    bool maybe_sent;
} given_t;

extern char input[TEMP_PATH_MAX];
extern outbox_db_t *db;
extern outbox_t *core;
extern intake_t *intake;
extern source_t *source;
extern int64_t run_number;
extern given_t given[GIVEN_MAX]; // to the core
extern size_t given_count;
extern uint32_t window;
extern bool is_bounded, is_endless;

// ---- the stage

int make_intake_folder(void **state);
void generate(uint64_t jobs);
void read_input(bool skips_bad_lines);
bool is_on_record(uint64_t token, const mm_id_t *id);

// What every test looks at: a job is on record, and of the right run, before the core hears of it.
void accept_given(void *arg, const outbox_event_t *event);
void hear_beat(void);

// Starts a publisher on what is in the folder; the consumer is not heard yet.
void start_publisher(void);

// As a kill would: nothing is committed on the way.
void crash(void);
int end_intake(void **state);

// ---- what happens

void turn(void);
void begin_generating(uint64_t jobs);

// The consumer acks, or gives up, the oldest job that it was given.
void settle_oldest(mm_verdict_kind_t verdict);
void settle_all(void);
uint64_t on_record(void);
outbox_run_t run_on_record(void);

#define INTAKE_TEST(NAME) cmocka_unit_test_setup_teardown(NAME, make_intake_folder, end_intake)

#endif
