// What this machine keeps of a host that it restarts for real, beside the lock on it: who has it,
// when it was restarted last, and what could not be killed there. A small text, and what it means.
// Pure; host_lock.h has the files. Rules H19 and H20 of docs/rules.md.
//
//   mayhem host 1
//   host web-7
//   held 4711 /srv/run                     pid of the restarter, and its DIR
//   restarted 1760000000000 JOB /srv/run   Unix time, ms; which job, 32 hex digits
//   sent 1760000100000 JOB /srv/run        its command; what has become of it is not known
//   left 4712 88123 /srv/run               pid and start of what could not be killed
//   end                                    what stands behind that is of a longer, older text
//
// All lines but the first and the last may be missing.

#ifndef HOST_RECORD_H
#define HOST_RECORD_H

#include "job.h"
#include "uuid.h"

#include <stdbool.h>
#include <stdint.h>

#define HOST_RECORD_DIR_MAX 400  // bytes of a DIR; of a longer one the end is kept
#define HOST_RECORD_MAX     4096 // bytes of the text, with its NUL: a page, written at once

typedef struct {
    char text[HOST_RECORD_DIR_MAX + 1]; // printable UTF-8
} host_dir_t;

// A restart, or a command that may have been one.
typedef struct {
    int64_t at_ms; // Unix time; 0: there was none
    mm_id_t job;
    host_dir_t dir;
} host_restart_t;

// Zeroed: nothing is known.
typedef struct {
    int64_t held_pid; // 0: unknown
    host_dir_t held_dir;
    host_restart_t restarted; // the last one for real
    host_restart_t sent;
    int64_t left_pid; // 0: nothing was left
    uint64_t left_started;
    host_dir_t left_dir;
} host_record_t;

// DIR as it is kept: on one line, and of limited length.
host_dir_t host_dir(mm_str_t dir);

// Writes the text. Returns its size, below HOST_RECORD_MAX.
size_t host_record_print(const host_record_t *self, mm_str_t host, char ret_text[HOST_RECORD_MAX]);
// Reads it; an empty text is that of a new file. False, and untouched: it is none.
bool host_record_parse(mm_str_t text, host_record_t *ret_self);

// The last restart of another job than this one within `cooldown_ms` of now, Unix time, or behind
// now: clocks are set. NULL: there was none. What may have been a restart counts as one.
const host_restart_t *host_record_recent(const host_record_t *self, const mm_id_t *job,
                                         int64_t now_ms, int64_t cooldown_ms);
// "restarted within 1h by DIR", shortened to `size` bytes with the NUL.
void host_record_words(const host_record_t *self, const host_restart_t *restart,
                       int64_t cooldown_ms, char *ret_words, size_t size);

// A command is about to be sent: until its end is told, it may have been a restart.
void host_record_send(host_record_t *self, const host_restart_t *sent);
// What the result of a task of that job says, which was no mere payment.
void host_record_end(host_record_t *self, const host_restart_t *now, mm_status_t status,
                     mm_end_t end);

// The name of a host's file: one of [a-z0-9._:-] and %XX, not hidden, at most HOST_FILE_MAX bytes;
// hosts that differ only behind a long common begin may share one. host: folded.
#define HOST_FILE_MAX 240
void host_record_file(mm_str_t host, char ret_name[HOST_FILE_MAX + 1]);

#endif
