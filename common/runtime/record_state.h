// What a record holds back, as the entries of STATE (P6.23): orders that are in force,
// places of hosts, and the outcomes of a run. A saver tells a consumer so, and `mayhem plan` asks
// the record itself. Texts are cut to what the wire takes, whatever somebody has written there.

#ifndef MM_RECORD_STATE_H
#define MM_RECORD_STATE_H

#include "frame.h"
#include "record_reader.h"

// The entries of a row, whose texts live as long as it. Returns how many they are: 0 of a hold of a
// later release, 2 of the open place of a casualty.
typedef size_t mm_record_entries_t(const mm_rows_t *row, mm_entry_t ret_entries[2]);
mm_record_entries_t mm_record_hold;    // of RECORD_READ_HOLDS
mm_record_entries_t mm_record_place;   // of RECORD_READ_PLACES
mm_record_entries_t mm_record_outcome; // of RECORD_READ_OUTCOMES

// Gives `apply` all entries of the run in their order, those of holds first. run: 0: of one that is
// to begin, which has no outcomes. A breaker that has tripped in another run is left out: the saver
// ends that when the run begins. now_ms: Unix time. A record that is not there, or of a release
// that held nothing back, has none. Returns 0, or a sysexits code with one sentence in error.
int mm_record_state_read(const char *where, uint64_t run, int64_t now_ms,
                         void (*apply)(void *arg, const mm_entry_t *entry), void *arg,
                         char error[MM_ERROR_MAX]);

#endif
