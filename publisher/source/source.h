// A source of jobs: one interface, one file per kind. A source gives hosts one at a time, never
// waits, and says what to record so that it can go on from there after a crash. It knows nothing of
// the outbox: a host is durable only when the caller has committed it.

#ifndef SOURCE_H
#define SOURCE_H

#include "hostset.h"
#include "policy_groups.h"

#define SOURCE_ERROR_MAX 4096 // bytes of an error text: it may list ten bad lines

typedef struct source source_t;

typedef enum {
    SOURCE_ITEM = 1, // a host
    SOURCE_WAIT,     // none now: call again at until_ms, or when the descriptor is readable
    SOURCE_END,      // none any more
    SOURCE_BAD       // a bad line or a failed read; `ends` says whether more can come
} source_status_t;

typedef struct {
    mm_str_t host;       // ITEM: valid host, owned by the source until its next call
    mm_str_t attributes; // ITEM: of the host, owned like it
    int64_t until_ms;    // WAIT: on the clock of now_ms; MM_NEVER: only the descriptor
    const char *error;   // BAD: one sentence with file, line and fix; owned like host
    bool ends;           // BAD: this was the end, leave with exit_code
    int exit_code;       // BAD: a sysexits code
} source_item_t;

// Where a source stands after the item it gave last: to be recorded in the same commit as the jobs.
typedef struct {
    uint64_t position; // bytes read, or jobs generated
    uint64_t digest;   // FNV-1a of a file, or of the first `position` bytes of a stream; else 0
    uint64_t total;    // distinct hosts that a file gives, or N jobs; 0: unknown
    uint64_t repeated; // hosts left out because they came before (of a file: in all of it)
    uint64_t skipped;  // bad lines left out (of a file: in all of it)
    bool done;         // nothing more comes
} source_progress_t;

// What a source implements; it embeds source_t as its first member.
typedef struct {
    source_status_t (*next)(source_t *self, int64_t now_ms, source_item_t *ret_item);
    void (*resume)(source_t *self, const source_progress_t *recorded);
    void (*progress)(const source_t *self, source_progress_t *ret_progress);
    int (*descriptor)(const source_t *self); // NULL: there is none
    void (*destroy)(source_t *self);
} source_methods_t;

struct source {
    const source_methods_t *methods;
};

// The next host, or why there is none now. Sets the members of *ret_item that belong to the status
// it returns. After END, or BAD with `ends`, it returns END.
static inline source_status_t source_next(source_t *self, int64_t now_ms, source_item_t *ret_item)
{
    return self->methods->next(self, now_ms, ret_item);
}

// Goes on from what was recorded; to be called before the first source_next. The digest of a file
// must be the recorded one (the caller compares them); that of a stream is compared on the way
// (BAD, 65).
static inline void source_resume(source_t *self, const source_progress_t *recorded)
{
    self->methods->resume(self, recorded);
}

static inline void source_progress(const source_t *self, source_progress_t *ret_progress)
{
    self->methods->progress(self, ret_progress);
}

// The descriptor to wait on for reading; -1: there is none, or the end was reached.
static inline int source_descriptor(const source_t *self)
{
    return self->methods->descriptor ? self->methods->descriptor(self) : -1;
}

// Idempotent.
static inline void source_destroy(source_t **self_p)
{
    if (*self_p != NULL)
        (*self_p)->methods->destroy(*self_p);
    *self_p = NULL;
}

// A list of hosts: one a line with its attributes, JSON Lines, or an Ansible inventory as INI.
// Hosts are distinct when their folded forms are (host_fold.h). "-" and anything but a regular file
// is read as a stream; a regular file is checked whole before this returns. Returns 0, or a
// sysexits code with a text in error and *ret_self untouched: 65 for bad lines that are not to be
// skipped, for a file that is not there, and for one that gives no host, 74 when it cannot be read.
// A bad line that is skipped comes as BAD without `ends`.
typedef struct {
    const char *path;
    const char *stream_name; // what "-" is called in messages; borrowed; NULL, "": standard input
    bool skips_bad_lines;
    mm_attribute_keys_t wanted; // attributes that each host must have; the texts are borrowed
    const char *named_by;       // a line "KEY WHERE" for each, for messages; borrowed; NULL: none
    const char *only;           // hosts or groups that are taken, see host_filter.h; NULL, "": all
    uint64_t limit;             // so many of them; 0: all
    bool allows_empty;          // a list without a host is no error
    hostset_t *groups;          // those of its hosts are added; NULL: nobody counts them
    // The attribute "groups", which need not be wanted, has those that this policy names; borrowed.
    // NULL: all, if it is wanted.
    const policy_groups_t *policy;
    // Of a stream: a file that is there when the stream has ended; without it the stream was cut
    // off (BAD, 75). Borrowed. NULL: its end is its end.
    const char *end_mark;
    // Called for each host that is read, of a file before this returns. NULL: nobody wants to see.
    void (*see)(void *arg, mm_str_t host, mm_str_t attributes);
    void *see_arg;
} source_file_config_t;
int source_file_open(const source_file_config_t *config, source_t **ret_self,
                     char error[SOURCE_ERROR_MAX]);

// The kept list of a run (kept_list.h). Its progress is what it is resumed with, at first nothing.
// Returns like source_file_open.
int source_list_open(const char *path, source_t **ret_self, char error[SOURCE_ERROR_MAX]);

// The article's cattle: hosts cattle-xxxx.example.net, the same for the same seed. They may repeat.
typedef enum {
    SOURCE_PACE_RANDOM = 0, // gaps of 0 to 1 s
    SOURCE_PACE_UNLIMITED   // whenever it is asked
} source_pace_t;

typedef struct {
    uint64_t seed;
    source_pace_t pace;
    uint64_t jobs; // ends after so many, those before a resume included; 0: never
} source_generate_config_t;
source_t *source_generate_new(const source_generate_config_t *config);

// Another source, owned from now on (*inner_p becomes NULL), limited to a rate and cut off after a
// number of jobs or a time, both since this start. A source that was cut off is not `done`, unless
// the time is its own end.
typedef struct {
    double rate;         // jobs a second; 0 or less: as fast as they are taken
    uint64_t jobs;       // 0: all
    int64_t duration_ms; // from the first source_next; 0: no end
    bool ends_by_time;   // after the duration it is done
} source_paced_config_t;
source_t *source_paced_new(source_t **inner_p, const source_paced_config_t *config);

#endif
