// The hosts that an unfinished run has done: what a run that goes on does not do again.

#ifndef DONE_HOSTS_H
#define DONE_HOSTS_H

#include "options.h"
#include "source.h"

// Those that the latest unfinished run under the driver of the options has accepted and of which no
// job is left, folded; the caller destroys the set. *ret_key: of that run. Without such a run, or
// with --take-over, the set is empty and the key 0. The outbox is only looked at. Returns 0, or a
// sysexits code with a sentence in error.
int done_hosts_read(const mm_options_t *options, hostset_t **ret_done, uint64_t *ret_key,
                    char error[SOURCE_ERROR_MAX]);

#endif
