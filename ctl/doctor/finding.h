// What a check has found: one line each on standard output.

#ifndef FINDING_H
#define FINDING_H

#include "job.h"

typedef struct {
    size_t failed;
} findings_t;

// "ok    …", "warn  …" and "FAIL  …". What fails or is warned of says what to do.
__attribute__((format(printf, 2, 3))) void finding_ok(findings_t *self, const char *format, ...);
__attribute__((format(printf, 2, 3))) void finding_warn(findings_t *self, const char *format, ...);
__attribute__((format(printf, 2, 3))) void finding_fail(findings_t *self, const char *format, ...);

#endif
