// Records of older releases as SQL: the tables that they had, and their rows for a test.

#ifndef OLD_RECORD_H
#define OLD_RECORD_H

#include "record_schema.h"

#define OLD_RECORD_1                                                                               \
    "PRAGMA journal_mode = WAL;"                                                                   \
    "CREATE TABLE jobs ("                                                                          \
    " id BLOB PRIMARY KEY, host TEXT NOT NULL, instance TEXT NOT NULL, publisher TEXT NOT NULL,"   \
    " received_ms INTEGER NOT NULL, settled_ms INTEGER, outcome TEXT,"                             \
    " attempts INTEGER NOT NULL DEFAULT 0, deliveries INTEGER NOT NULL DEFAULT 1,"                 \
    " extended INTEGER NOT NULL DEFAULT 0, worker TEXT, error TEXT) WITHOUT ROWID;"                \
    "PRAGMA user_version = 1;"
// With attempts and proofs.
#define OLD_RECORD_2 OLD_RECORD_1 RECORD_UPGRADE_1 ";PRAGMA user_version = 2;"
// With an audit, holds and places.
#define OLD_RECORD_3 OLD_RECORD_2 RECORD_SCHEMA_HELD ";PRAGMA user_version = 3;"

// Of any version.
#define OLD_JOBS                                                                                   \
    "INSERT INTO jobs (id, host, instance, publisher, received_ms, settled_ms, outcome, error)"    \
    " VALUES (zeroblob(16), 'web-1', 'web-1', 'p', 1000, 2000, 'restarted', NULL),"                \
    " (x'01000000000000000000000000000000', 'web-2', 'web-2', 'p', 1000, 2000, 'dead', 'no "       \
    "route'),"                                                                                     \
    " (x'02000000000000000000000000000000', 'web-3', 'web-3', 'p', 1000, NULL, NULL, NULL);"

// What no release has written, but a hand, or a newer release, might. The ids begin with 10.
#define OLD_ODD_JOBS                                                                               \
    "INSERT INTO jobs (id, host, instance, publisher, received_ms, settled_ms, outcome, attempts," \
    " deliveries, extended, worker, error) VALUES"                                                 \
    " (x'1001', 'a', 'a', 'p', 1000, 2000, 'half-done', 1, 1, 1, 'w', NULL),"                      \
    " (x'1002', 'a', 'a', 'p', 1000, 2000, 'restarted', 4294967295, 4294967295, 4294967295, 'w',"  \
    " NULL),"                                                                                      \
    " (x'1003', 'a', 'a', 'p', 1000, 2000, 'restarted', 15, 15, 127, 'w', NULL),"                  \
    " (x'1004', 'a', 'a', 'p', 1000, 2000, 'restarted', 16, 1, 1, 'w', NULL),"                     \
    " (x'1005', 'a', 'a', 'p', 1000, 2000, 'restarted', 1, 16, 1, 'w', NULL),"                     \
    " (x'1006', 'a', 'a', 'p', 1000, 2000, 'restarted', 1, 1, 128, 'w', NULL),"                    \
    " (x'1007', 'a', 'a', 'p', 1000, 2000, 'restarted', -1, -1, -1, 'w', NULL),"                   \
    " (x'1008', 'a', 'a', 'p', 2000, 1000, 'restarted', 1, 1, 1, 'w', NULL),"                      \
    " (x'1009', 'a', 'a', 'p', 2000, 1000, NULL, 1, 1, 1, 'w', 'settled without an outcome'),"     \
    " (x'100a', 'a', 'a', 'p', 2000, NULL, 'dead', 1, 1, 1, 'w', 'the other way round'),"          \
    " (x'100b', 'a', 'b', 'p', 1000, 2000, 'withdrawn', 1, 1, 1, 'w', NULL),"                      \
    " (x'100c', 'a.b.c', 'a', 'p', 1000, 2000, 'skipped', 1, 1, 1, 'w', NULL),"                    \
    " (x'100d', '192.0.2.7', '192.0.2.7', 'p', 1000, 2000, 'dead', 1, 1, 1, 'w', NULL),"           \
    " (x'100e', '192.0.2.7', '192', 'p', 1000, 2000, 'dead', 1, 1, 1, 'w', NULL),"                 \
    " (x'100f', 'fe80::a.b', 'fe80::a.b', 'p', 1000, 2000, 'dead', 1, 1, 1, 'w', NULL),"           \
    " (x'1010', '.a', '', '', 1000, 2000, 'dead', 1, 1, 1, '', ''),"                               \
    " (x'1011', x'ff00', x'ff00', x'01', 1000, 2000, x'02', 1, 1, 1, x'03', x'04'),"               \
    " (x'1012', 'a', 'a', 'p', 'then', 'later', 'dead', 'many', 'some', 'few', 'w', NULL),"        \
    " (x'1013', 'a', 'a', 'p', 1.5, 2.5, 'dead', 1.5, 1.5, 1.5, 'w', NULL),"                       \
    " (x'1014', 'a', 'a', 'p', 1e300, -1e300, 'dead', 1, 1, 1, 'w', NULL),"                        \
    " (x'1015', 'a', 'a', 'p', 9223372036854775807, -9223372036854775807 - 1, 'dead', 1, 1, 1,"    \
    " 'w', NULL),"                                                                                 \
    " (x'1016', 'a', 'a', 'p', -9223372036854775807 - 1, NULL, NULL, 1, 1, 1, NULL, NULL),"        \
    " (x'1017', 'a', 'a', 'p', 'then', NULL, NULL, 1, 1, 1, NULL, NULL),"                          \
    " (x'1018', 'a', 'a', 'p', x'00', x'01', NULL, x'02', x'03', x'04', NULL, NULL),"              \
    " (x'1019', 'a' || char(0) || 'b.c', 'a', 'p', 1000, 1000, '', 1, 1, 1, 'w', NULL),"           \
    " ('1020', 'a', 'a', 'p', 1000, NULL, NULL, 0, 1, 0, NULL, NULL),"                             \
    " (1021, 'a', 'a', 'p', 1000, NULL, NULL, 0, 7, 0, NULL, NULL),"                               \
    " (x'', 'a', 'a', 'p', 1000, NULL, NULL, 0, 1, 0, NULL, NULL);"

#endif
