// Which record a run has. What is unfinished in a folder is on record in one place: another one
// knows nothing of what was begun, and would restart hosts that are in mid-boot.

#ifndef RUN_STORE_H
#define RUN_STORE_H

#include "run_settings.h"

// What nobody has named is what the last run in the folder had. saver: its options, by which a path
// or a URI was named or not. The consumer gets the same, whatever it was given: by a record that is
// shared it needs the lease. Sets settings->db. Returns 0, or a sysexits code after a complaint.
int run_store_find(run_settings_t *settings, const mm_options_t *saver,
                   const mm_options_t *consumer);
// The folder was taken: keeps the place of the record there. Returns 0, or a sysexits code after a
// complaint: 78 the unfinished run there has another record.
int run_store_keep(const run_settings_t *settings);

#endif
