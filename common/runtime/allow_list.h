// Whose keys the consumer lets in: the file `allowed` of its key folder, a line for each key:
//
//   # ROLE NAME PUBLIC [not-after=YYYY-MM-DD]
//   restarter eu-1 rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7
//
// A name has one key in each role, and a key is there once. A list is read as a whole or not at
// all.
//
// A row lives as long as the process: its serial is given to libzmq as a part of the User-Id of
// each connection, and so each message leads to its row. A row whose line is gone or has changed is
// revoked, for good; a new line is a new row.

#ifndef MM_ALLOW_LIST_H
#define MM_ALLOW_LIST_H

#include "key_file.h"

typedef struct mm_allow_list mm_allow_list_t;

typedef struct {
    uint32_t serial; // from 1
    mm_key_role_t role;
    mm_name_t name;
    char public_key[MM_KEY_TEXT];
    int64_t not_after_ms; // as in mm_key_t
    bool is_revoked;
} mm_allowed_t;

// An empty list, which lets nobody in.
mm_allow_list_t *mm_allow_list_new(void);
void mm_allow_list_destroy(mm_allow_list_t **self_p);

// Reads the file over the list. Returns 0, or a sysexits code with one sentence in error (path,
// line, what is wrong, how to mend it); the list is as before then. EX_NOPERM: others may write to
// it or put files into its folder, or into that of the file to which it is a link. A file without a
// byte is one that was cut off, and refused.
int mm_allow_list_read(mm_allow_list_t *self, const char *path, char error[MM_ERROR_MAX]);

// The row of a key, NULL when there is none that counts at this Unix time. The list keeps it.
const mm_allowed_t *mm_allow_list_find(const mm_allow_list_t *self, const char *public_key,
                                       int64_t unix_ms);
// The row with this serial, revoked or not; NULL when there is none.
const mm_allowed_t *mm_allow_list_row(const mm_allow_list_t *self, uint32_t serial);
// Marks the rows whose date has passed. Returns when it is to be called next, INT64_MAX: never.
int64_t mm_allow_list_expire(mm_allow_list_t *self, int64_t unix_ms);
// The rows that were revoked since the last call, one a call, then NULL.
const mm_allowed_t *mm_allow_list_next_revoked(mm_allow_list_t *self);
// Each row that is not revoked, in the order of the file; *place begins as 0. NULL behind the last.
const mm_allowed_t *mm_allow_list_next(const mm_allow_list_t *self, size_t *place);

// Makes the file of a list that lets nobody in. Returns 0, or a sysexits code with one sentence in
// error (EX_CANTCREAT: it exists).
int mm_allow_list_make(const char *path, char error[MM_ERROR_MAX]);
// Adds a line to the file, or removes that of a name in a role; the file is replaced as a whole and
// synced. Returns 0, or a sysexits code with one sentence in error (EX_DATAERR: the name has a key
// in that role already, EX_NOINPUT: it has none).
int mm_allow_list_add(const char *path, const mm_key_t *key, char error[MM_ERROR_MAX]);
int mm_allow_list_remove(const char *path, mm_key_role_t role, const char *name,
                         char error[MM_ERROR_MAX]);

#endif
