// What a running consumer knows of one job at this moment.

#ifndef LIVE_H
#define LIVE_H

#include "endpoint.h"

#include <jansson.h>

// The consumer's answer about the job with this id (32 hex digits), as docs/profiling.md has it:
// {"store": "out", "restart": "backoff", ...}. A new reference. NULL: nobody answers within a
// second, or the job is not in its hands.
json_t *live_job(const mm_endpoint_t *base, const char *id);

#endif
