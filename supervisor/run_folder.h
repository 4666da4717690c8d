// The folder of a run: one run at a time, by a lock. It has the pid files, by which a user, and the
// next run, finds the processes.

#ifndef RUN_FOLDER_H
#define RUN_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define RUN_PATH_MAX 4096

typedef struct {
    const char *dir; // the caller's
    int lock;        // descriptor of DIR/run.lock; -1: not taken
    int record;      // descriptor of DIR/log/run.log
} run_folder_t;

// Makes the folder and locks it, and writes DIR/run.pid. Waits until what a killed run has left has
// ended, at most limit_ms. Returns 0, or a sysexits code after a complaint: 69 another run has it,
// 73 it cannot be made.
int run_folder_take(run_folder_t *self, const char *dir, int64_t limit_ms);
// The same for a folder that is there, for a moment, in which a run that begins waits: nothing is
// made, and what the last run has left stays. Returns 69, without a complaint and with no lock,
// when a run has it.
int run_folder_borrow(run_folder_t *self, const char *dir, int64_t limit_ms);
// Removes run.pid and unlocks. No-op when it was not taken.
void run_folder_release(run_folder_t *self);

// Writes or removes DIR/NAME.pid.
void run_folder_set_pid(const run_folder_t *self, const char *name, pid_t pid);
void run_folder_remove_pid(const run_folder_t *self, const char *name);

// Calls fn with each pid file of a folder, in the order of their names; pid 0: it has none. It may
// be removed meanwhile.
#define RUN_NAME_MAX 64 // bytes of a name, with its end
typedef void(run_folder_fn)(void *arg, const char *name, pid_t pid);
void run_folder_each(const char *dir, run_folder_fn *fn, void *arg);

// Appends a line to DIR/log/run.log.
void run_folder_record(const run_folder_t *self, const char *line);

// False: it is another user's, and this one may not look into it.
bool run_folder_may_look(const char *dir);
// Who runs in the folder: "pid 4242 of alice, since 2026-11-30 03:20:11: ./run.sh -i hosts". False:
// nobody does. *ret_pid: of the supervisor; 0: its pid file cannot be read.
bool run_folder_find(const char *dir, pid_t *ret_pid, char *ret_who, size_t size);

#endif
