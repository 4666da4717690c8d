// See place.h.

#include "target.h"
#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

static const char *or_variable(const char *value, const char *variable)
{
    if (value)
        return value;
    value = getenv(variable);
    return value && *value ? value : NULL;
}

static bool ends_in_slash(const char *path)
{
    size_t size = strlen(path);
    return size > 0 && path[size - 1] == '/';
}

int target_find(target_t *self)
{
    // What is said on the command line goes before any variable.
    const char *consumer =
        self->dir ? self->consumer : or_variable(self->consumer, "MAYHEM_CONSUMER");
    self->dir = or_variable(self->dir, "MAYHEM_DIR");
    if (!self->dir)
        self->dir = "run";
    self->is_local = !consumer;
    int size = consumer ? snprintf(self->address, sizeof self->address, "%s", consumer)
                        : snprintf(self->address, sizeof self->address, "ipc://%s%sconsumer",
                                   self->dir, ends_in_slash(self->dir) ? "" : "/");
    if (size < 0 || (size_t)size >= sizeof self->address || *self->dir == '\0' ||
        !mm_endpoint_parse(self->address, &self->base))
        return ctl_fail(EX_USAGE,
                        "'%.100s' is no address; one is ipc://PATH or tcp://HOST:PORT, as in "
                        "ipc://run/consumer",
                        consumer ? consumer : self->dir);
    const char *complaint = mm_endpoint_complaint(&self->base);
    return complaint ? ctl_fail(EX_USAGE, "cannot connect to %.100s: %s", self->address, complaint)
                     : 0;
}

int target_fail(const target_t *self)
{
    return ctl_fail(EX_UNAVAILABLE, "nobody answers at %s; is the pipeline running %s?",
                    self->address, self->is_local ? "in this --dir" : "there");
}
