// See target.h.

#include "target.h"
#include "ctl.h"
#include "run_folder.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

// Sets what the command line has not set; an empty variable counts as not set.
static void default_to(target_t *self, const char **value, const char *variable)
{
    const char *text = *value ? NULL : getenv(variable);
    if (!text || *text == '\0')
        return;
    *value = text;
    self->variable = variable;
}

bool target_resolve(target_t *self, char error[MM_ERROR_MAX])
{
    // The command line takes precedence over every variable.
    const char *dir = self->dir;
    default_to(self, &self->dir, "MAYHEM_DIR");
    if (self->consumer)
        self->variable = NULL; // it counts more
    else if (!dir)
        default_to(self, &self->consumer, "MAYHEM_CONSUMER");
    if (!self->dir)
        self->dir = "run";
    const char *by = self->variable ? self->variable : "", *colon = self->variable ? ": " : "";
    size_t size = strlen(self->dir);
    bool has_slash = size > 0 && self->dir[size - 1] == '/';
    int length = self->consumer
                     ? snprintf(self->address, sizeof self->address, "%s", self->consumer)
                     : snprintf(self->address, sizeof self->address, "ipc://%s%sconsumer",
                                self->dir, has_slash ? "" : "/");
    if (size == 0 || length < 0 || (size_t)length >= sizeof self->address ||
        !mm_endpoint_parse(self->address, &self->base))
        return ctl_error(error,
                         "%s%s'%.100s' is no address; one is ipc://PATH or tcp://HOST:PORT, as in "
                         "ipc://run/consumer",
                         by, colon, self->consumer ? self->consumer : self->dir);
    const char *complaint = mm_endpoint_complaint(&self->base);
    return !complaint || ctl_error(error, "%s%scannot connect to %.100s: %s", by, colon,
                                   self->address, complaint);
}

int target_find(target_t *self)
{
    char error[MM_ERROR_MAX];
    if (target_resolve(self, error))
        return 0;
    return ctl_fail(self->variable ? EX_CONFIG : EX_USAGE, "%s", error);
}

int target_folder(target_t *self)
{
    char error[MM_ERROR_MAX];
    (void)target_resolve(self, error);
    return run_folder_may_look(self->dir) ? 0
                                          : ctl_fail(EX_NOPERM,
                                                     "%s is another user's: you may not look into "
                                                     "it",
                                                     self->dir);
}

char *target_argument(const target_t *self, char buffer[TARGET_ARGUMENT])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";
    const char *value = self->consumer ? self->consumer : self->dir;
    bool is_plain = value[strspn(value, plain)] == '\0';
    if (!self->consumer && strcmp(value, "run") == 0)
        return strcpy(buffer, "");
    (void)snprintf(buffer, TARGET_ARGUMENT, "%s%s%s%s", self->consumer ? " --consumer " : " --dir ",
                   is_plain ? "" : "'", value, is_plain ? "" : "'");
    return buffer;
}

// NULL: nothing but the folder does.
static const char *named_record(const char *db)
{
    const char *name = db && *db ? db : getenv("MAYHEM_DB");
    return name && *name ? name : NULL;
}

char *target_record_of(const char *dir, const char *db, char buffer[TARGET_PATH])
{
    const char *named = named_record(db);
    (void)snprintf(buffer, TARGET_PATH, named ? "%s" : "%s/mayhem.db", named ? named : dir);
    return buffer;
}

char *target_record(const target_t *self, const char *db, char buffer[TARGET_PATH])
{
    return self->consumer && !named_record(db) ? NULL : target_record_of(self->dir, db, buffer);
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
