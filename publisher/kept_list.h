// The list of a run as it is kept in DIR, apart from the user's file: DIR/list.N, with a host and
// its attributes on each line, each host once, in the order in which they are accepted. N grows
// with each list; the run's row in the outbox names it.

#ifndef KEPT_LIST_H
#define KEPT_LIST_H

#include "hostset.h"
#include "source.h"

#define KEPT_LIST_ALL      UINT64_MAX
#define KEPT_LIST_LINE_MAX (MM_HOST_MAX + 1 + MM_ATTRIBUTES_BYTES + 1) // with its newline

typedef struct kept_list kept_list_t;

// DIR/list.N.
void kept_list_name(const char *dir, int64_t number, char path[4096]);
// Removes it, if it is there.
void kept_list_remove(const char *dir, int64_t number);

// A new, empty one; or one that grows, cut off behind its first `hosts` hosts. NULL, with a
// sentence in error: it cannot be written, or has fewer hosts.
kept_list_t *kept_list_new(const char *dir, int64_t number, char error[SOURCE_ERROR_MAX]);
kept_list_t *kept_list_grow(const char *dir, int64_t number, uint64_t hosts,
                            char error[SOURCE_ERROR_MAX]);
// Closes it. Idempotent.
void kept_list_close(kept_list_t **self_p);

void kept_list_add(kept_list_t *self, mm_str_t host, mm_str_t attributes);
// Writes and fsyncs what was added. False, with a sentence in error: it cannot be written.
bool kept_list_sync(kept_list_t *self, char error[SOURCE_ERROR_MAX]);
// What was added: hosts, bytes, and FNV-1a of these, never 0.
uint64_t kept_list_count(const kept_list_t *self);
uint64_t kept_list_bytes(const kept_list_t *self);
uint64_t kept_list_digest(const kept_list_t *self);

// Reads the first `hosts` lines, in order; KEPT_LIST_ALL: to its end. False, with a sentence in
// error: it cannot be read, or has fewer.
bool kept_list_read(const char *dir, int64_t number, uint64_t hosts,
                    void (*see)(void *arg, mm_str_t host, mm_str_t attributes), void *arg,
                    char error[SOURCE_ERROR_MAX]);

#endif
