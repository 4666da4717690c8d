// The heads of the audit that savers have logged: the table must agree with them, since to
// cut or replace the table does not change the logs.

#ifndef LOGGED_HEADS_H
#define LOGGED_HEADS_H

#include "audit_chain.h"
#include "job.h"

typedef struct {
    int64_t seq; // at least 1
    uint8_t hash[MM_AUDIT_HASH];
    int64_t time_ms; // Unix time of the line
    char *file;      // within the folder: "log/saver.log"
} logged_head_t;

typedef struct {
    logged_head_t *items; // by seq; of one seq there may be several
    size_t count;
    size_t capacity;
} logged_heads_t;

// Reads DIR/log/*saver*.log. False, with one sentence in error, when one cannot be read; without
// logs there are no heads.
bool logged_heads_read(const char *dir, logged_heads_t *ret_heads, char error[MM_ERROR_MAX]);
void logged_heads_clear(logged_heads_t *self);

#endif
