// See target.h.

#include "target.h"
#include "ctl.h"

#include <stdlib.h>
#include <sysexits.h>

static const char *or_variable(const char *value, const char *variable)
{
    if (value)
        return value;
    value = getenv(variable);
    return value && *value ? value : NULL;
}

bool target_resolve(target_t *self, char error[MM_ERROR_MAX])
{
    // The command line takes precedence over every variable.
    if (!self->dir)
        self->consumer = or_variable(self->consumer, "MAYHEM_CONSUMER");
    self->dir = or_variable(self->dir, "MAYHEM_DIR");
    if (!self->dir)
        self->dir = "run";
    size_t size = strlen(self->dir);
    bool has_slash = size > 0 && self->dir[size - 1] == '/';
    int length = self->consumer
                     ? snprintf(self->address, sizeof self->address, "%s", self->consumer)
                     : snprintf(self->address, sizeof self->address, "ipc://%s%sconsumer",
                                self->dir, has_slash ? "" : "/");
    if (size == 0 || length < 0 || (size_t)length >= sizeof self->address ||
        !mm_endpoint_parse(self->address, &self->base))
        return ctl_error(error,
                         "'%.100s' is no address; one is ipc://PATH or tcp://HOST:PORT, as in "
                         "ipc://run/consumer",
                         self->consumer ? self->consumer : self->dir);
    const char *complaint = mm_endpoint_complaint(&self->base);
    return !complaint || ctl_error(error, "cannot connect to %.100s: %s", self->address, complaint);
}

int target_find(target_t *self)
{
    char error[MM_ERROR_MAX];
    return target_resolve(self, error) ? 0 : ctl_fail(EX_USAGE, "%s", error);
}

int target_fail(const target_t *self)
{
    return ctl_fail(EX_UNAVAILABLE, "nobody answers at %s; is the pipeline running %s?",
                    self->address, self->consumer ? "there" : "in this --dir");
}

bool target_watch(int64_t silent_ms, bool was_silent)
{
    bool is_silent = silent_ms >= TARGET_WAIT_MS;
    if (is_silent && !was_silent)
        (void)ctl_fail(0, "no answer for 3 s: the pipeline is gone; asking on");
    return is_silent;
}
