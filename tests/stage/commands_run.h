// Restarts by real commands, for test_driver_exec.c and test_driver_commands.c. The driver's clock
// is a number that the tests set, so no timeout is waited for; what processes do is waited for with
// poll, under a limit. Whether processes have died is seen at a FIFO that they hold open: it has
// its end when the last of them is gone.

#ifndef COMMANDS_RUN_H
#define COMMANDS_RUN_H

#include "drivers.h"
#include "string_view.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT_MS 60000 // for anything that a process has to do; not reached when all is well
#define MINUTE   60000
#define TERM_MS  (5 * MINUTE - 2000) // a command gets TERM, and at 5 minutes KILL

typedef struct {
    char folder[32];
    char fifo[64]; // "$1" of the scripts
    int fd;        // its reading end
} fixture_t;

// What a result said, copied.
typedef struct {
    uint64_t number;
    mm_status_t status;
    int64_t took_ms;
    mm_end_t end;
    bool is_held; // returned, since somebody else has the host
    mm_proof_t proof;
    uint32_t exit;
    bool sent;
    bool more;
    char error[MM_ERROR_MAX + 1];
    char words[MM_WORDS_MAX + 1];
    char health[MM_HEALTH_MAX + 1];
    char evidence[256]; // "exit=0 verify_polls=1"
} ended_t;

// valgrind stays in the child of a fork: it keeps the limit of open files to itself there, and ends
// the process when an exec fails. Both are what some tests are about.
void skip_under_valgrind(void);
int set_up(void **state);
int tear_down(void **state);
void wait_readable(int fd);

// The next line that a script wrote into the FIFO.
void read_line(fixture_t *fixture, char *ret_line, size_t size);
void assert_line(fixture_t *fixture, const char *expected);
void assert_somebody_lives(fixture_t *fixture);
void wait_until_all_are_dead(fixture_t *fixture);
// Options with this command and nothing beside it, and locks of this program alone: no cooldown.
mm_options_t exec_options(const char *exec);
// Opens a driver with these options, which it uses on.
driver_t *open_driver(const mm_options_t *options);
driver_t *new_driver(const char *exec, const char *verify, uint32_t slots);

// A driver for `sh -c SCRIPT x FIFO`. Neither script holds a double quote or a backslash.
driver_t *new_scripts(fixture_t *fixture, const char *exec, const char *verify, uint32_t slots);
void start(driver_t *driver, uint64_t number, int64_t now_ms);
bool take(driver_t *driver, int64_t now_ms, ended_t *ret_ended);

// Waits for the next one that finishes, at a clock that stands at now_ms.
ended_t wait_finished(driver_t *driver, int64_t now_ms);

// Waits until the driver has nothing left to do but at another time than now_ms.
int64_t wait_deadline_other_than(driver_t *driver, int64_t deadline_ms, int64_t now_ms);
// Waits until that is deadline_ms.
void wait_deadline(driver_t *driver, int64_t deadline_ms, int64_t now_ms);
ended_t run_once(const char *exec);
void assert_failed(const ended_t *ended, const char *error);
void assert_returned(const ended_t *ended, const char *error);
void assert_ok(const ended_t *ended, const char *evidence);
int lowest_free_descriptor(void);

// A test with a fixture_t as its state.
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, set_up, tear_down)

#endif
