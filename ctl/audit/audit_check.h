// Whether an audit is what was written: the chain is made again, row by row, and compared with the
// hashes in the table and with the heads in the logs. It says what is wrong, and where it begins.

#ifndef AUDIT_CHECK_H
#define AUDIT_CHECK_H

#include "audit_table.h"
#include "logged_heads.h"

#define AUDIT_CHECK_MAX 100 // findings of a kind that are kept; all are counted

typedef struct {
    int64_t from, to;
    const logged_head_t *head; // that knows of them; NULL: the rows around them do
} audit_missing_t;

// Zeroed but for `heads`: nothing was looked at.
typedef struct {
    const logged_heads_t *heads;
    size_t next_head;            // of them, to be compared
    int64_t last;                // seq of the last row; 0: there is none
    uint8_t hash[MM_AUDIT_HASH]; // that it has
    int64_t rows;
    int64_t intact_to;                // rows 1 to this are what was written; 0: none is
    bool is_broken;                   // something was found
    size_t agreed;                    // heads that do
    int64_t agreed_to;                // the seq of the last one of those
    int64_t changed[AUDIT_CHECK_MAX]; // rows whose hash is not that of what they say
    size_t changed_count;
    audit_missing_t missing[AUDIT_CHECK_MAX];
    size_t missing_count;
    const logged_head_t *replaced[AUDIT_CHECK_MAX]; // heads whose row has another hash
    size_t replaced_count;
} audit_check_t;

// The next row in order of seq.
void audit_check_row(audit_check_t *self, const mm_rows_t *row);
// There are no more.
void audit_check_end(audit_check_t *self);

#endif
