// A VFS of SQLite over its "unix" one that writes a commit by one call. SQLite writes a frame of
// its write-ahead log by two calls; here consecutive writes to the log are gathered in memory, and
// written before each sync, before a truncation or a question for the size, and before a read of
// what was gathered. All other files are those of "unix".
//
// A write that fails is the error of the call that made it, mostly of the sync before a commit: the
// transaction has failed, and SQLite rolls it back. Until then each further call tries the write
// again. What is left is dropped when the lock of writers is given back: it belongs to a
// transaction that was rolled back, and from then on another writer may use its place.
//
// Only for connections with synchronous=FULL: with any other setting SQLite commits without a sync.

#ifndef MM_WAL_VFS_H
#define MM_WAL_VFS_H

// Its name for sqlite3_open_v2. Registers it, and so starts SQLite: sqlite3_config comes before.
const char *mm_wal_vfs(void);

#endif
