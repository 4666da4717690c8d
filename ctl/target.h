// Which pipeline a command looks at, and what is said when nobody is there.

#ifndef TARGET_H
#define TARGET_H

#include "endpoint.h"

#define TARGET_WAIT_MS 3000 // for the first answer

typedef struct {
    const char *dir;      // --dir; NULL: MAYHEM_DIR, or run
    const char *consumer; // --consumer; NULL: MAYHEM_CONSUMER, or what is in dir
    char address[MM_ENDPOINT_MAX];
    mm_endpoint_t base;
    bool is_local; // the pipeline's folder is `dir`
} target_t;

// Sets the rest from dir and consumer: 0, or a sysexits code when there is no such address, which
// is then said.
int target_find(target_t *self);
// Says that nobody answers, and returns the code.
int target_fail(const target_t *self);
// "--dir DIR ..." as all commands that attach explain it.
#define TARGET_HELP                                                                                \
    "  --dir DIR          the pipeline's folder (run)\n"                                           \
    "  --consumer ADDR    its address instead: ipc://PATH or tcp://HOST:PORT\n"

#endif
