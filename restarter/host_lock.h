// A lock per host on this machine, for real restarts: a file per folded host, which is locked while
// a restarter has the host, and keeps its record (host_record.h). Two pipelines with one host
// exclude each other by it. The lock is the kernel's (flock): it ends with the process that has it,
// however that ends. A file stays when its lock is gone, and is never removed here.
//
// Nothing here waits for a lock. What is written is not synchronized: it outlives the process, not
// a crash of this machine.

#ifndef HOST_LOCK_H
#define HOST_LOCK_H

#include "host_record.h"
#include "options.h"

typedef struct host_locks host_locks_t; // the folder
typedef struct host_lock host_lock_t;   // on one host; it lives no longer than the folder

// Makes the folder, unless it is there: --locks, else /var/lib/mayhem/hosts for root, else
// $XDG_STATE_HOME/mayhem/hosts or ~/.local/state/mayhem/hosts. NULL, with one sentence in
// ret_complaint: no file can be made in it.
host_locks_t *host_locks_open(const mm_options_t *options, char ret_complaint[MM_ERROR_MAX]);
// Whether that seems to be possible; makes and changes nothing. False: as above.
bool host_locks_check(const mm_options_t *options, char ret_complaint[MM_ERROR_MAX]);
// Sets *self_p to NULL; NULL is fine.
void host_locks_close(host_locks_t **self_p);
// DIR, as records name it: absolute.
const host_dir_t *host_locks_dir(const host_locks_t *self);

// Takes the lock on a host and reads its record. NULL, with one line of UTF-8 in ret_why: the host
// is held, since somebody else has it, something of a former restart still runs there, or its file
// is none of ours; or, *ret_is_held is false, this machine cannot lock.
host_lock_t *host_locks_take(const host_locks_t *self, mm_str_t host, char ret_why[MM_ERROR_MAX],
                             bool *ret_is_held);
// Its record, as it is to be written.
host_record_t *host_lock_record(host_lock_t *self);
// Writes it. Returns 0 or an errno.
int host_lock_write(host_lock_t *self);
// Frees the lock. Sets *self_p to NULL; NULL is fine.
void host_lock_release(host_lock_t **self_p);

#endif
