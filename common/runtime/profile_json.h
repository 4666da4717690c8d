// A profile as JSON, the same for a file, a frame and a recording. docs/profiling.md has the
// format; its readers are in ctl/.

#ifndef MM_PROFILE_JSON_H
#define MM_PROFILE_JSON_H

#include "profile.h"

#include <jansson.h>

typedef struct {
    const char *process; // "restarter-1"
    const char *role;    // mm_program_name
    int pid;
    int64_t wall_ms; // Unix time
} mm_profile_head_t;

// The profile of the last `seconds`; 0: since the start. A new reference, never NULL.
json_t *mm_profile_json(const mm_profile_t *self, const mm_profile_head_t *head, uint32_t seconds,
                        int64_t now_ns);

// Writes the profile since the start to `path`, through a new file beside it. Returns 0, or an
// errno.
int mm_profile_save(const mm_profile_t *self, const mm_profile_head_t *head, int64_t now_ns,
                    const char *path);

#endif
