// Starts COUNT times PROGRAM through the spawner, PARALLEL at a time, each with a pipe for its
// output, which is read to what it held at the command's end. Prints nothing: its time is measured
// from outside, with that of all its children. The other way to the same is
// `seq COUNT | xargs -P PARALLEL -n 1 PROGRAM`, so the number of the start is the argument.
//
// spawner COUNT PARALLEL PROGRAM, a path

#include "random.h"
#include "spawner.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static int fail(const char *what, int error)
{
    (void)fprintf(stderr, "bench: %s: %s\n", what, strerror(error));
    return EX_OSERR;
}

// Returns 0 or an errno.
static int start(mm_spawner_t *spawner, uint32_t slot, uint64_t tag, const char *path, long number,
                 int *ret_output)
{
    char text[24];
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return errno;
    (void)snprintf(text, sizeof text, "%ld", number);
    char *arguments[] = {(char *)(uintptr_t)path, text, NULL};
    int error = mm_spawner_start(spawner, &(mm_spawner_start_t){.slot = slot,
                                                                .tag = tag,
                                                                .path = path,
                                                                .arguments = arguments,
                                                                .output = fds[1],
                                                                .not_after_ms = INT64_MAX});
    (void)close(fds[1]);
    if (error != 0)
        (void)close(fds[0]);
    *ret_output = fds[0];
    return error;
}

static void close_output(int output)
{
    char bytes[4096];
    while (read(output, bytes, sizeof bytes) > 0)
        continue;
    (void)close(output);
}

int main(int argc, char **argv)
{
    long count = argc == 4 ? strtol(argv[1], NULL, 10) : 0;
    long parallel = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
    if (count <= 0 || parallel <= 0) {
        (void)fputs("usage: spawner COUNT PARALLEL PROGRAM\n", stderr);
        return EX_USAGE;
    }
    mm_spawner_t *spawner;
    int error = mm_spawner_new(&(mm_spawner_config_t){.slots = (uint32_t)parallel}, &spawner);
    if (error != 0)
        return fail("spawner", error);
    uint64_t seed = (uint64_t)getpid();
    uint64_t tag = MM_TAG_MIN + mm_random_below(&seed, MM_TAG_MAX / 2);
    int *outputs = calloc((size_t)parallel, sizeof *outputs);
    uint32_t *slots = calloc((size_t)parallel, sizeof *slots); // the free ones
    assert(outputs && slots);
    long idle = 0;
    while (idle < parallel) {
        slots[idle] = (uint32_t)idle;
        idle++;
    }
    for (long started = 0, ended = 0; ended < count;) {
        for (error = 0; error == 0 && started < count && idle > 0;) {
            uint32_t slot = slots[idle - 1];
            error = start(spawner, slot, ++tag, argv[3], started, &outputs[slot]);
            if (error != 0 && error != EAGAIN)
                return fail(argv[3], error);
            idle -= error == 0;
            started += error == 0;
        }
        mm_spawner_event_t event;
        if (!mm_spawner_next(spawner, &event)) {
            struct pollfd item = {.fd = mm_spawner_descriptor(spawner), .events = POLLIN};
            (void)poll(&item, 1, -1);
            continue;
        }
        if (event.kind != MM_SPAWNER_ENDED)
            return fail(argv[3], event.error);
        close_output(outputs[event.slot]);
        slots[idle++] = event.slot;
        ended++;
    }
    free(outputs);
    free(slots);
    mm_spawner_destroy(&spawner);
    return EX_OK;
}
