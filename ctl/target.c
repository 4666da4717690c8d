// See target.h.

#include "target.h"
#include "clock.h"
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

// Whether this key may ask, or order.
static bool check_key(const target_t *self, char error[MM_ERROR_MAX])
{
    const mm_key_t *key = &self->key;
    bool is_operator = key->role == MM_KEY_OPERATOR;
    if (!is_operator && (self->gives_orders || key->role != MM_KEY_VIEWER))
        return ctl_error(error,
                         "the key in %.200s is of a %s, and this needs one of %s: have one made "
                         "(mayhem keys new NAME --role %s)",
                         self->key_file, mm_key_role_name(key->role),
                         self->gives_orders ? "an operator" : "a viewer or an operator",
                         self->gives_orders ? "operator" : "viewer");
    if (mm_key_days_left(key->not_after_ms, mm_clock_wall_ms()) == 0)
        return ctl_error(
            error,
            "the key in %.200s has ended, by the clock of this machine: set the clock, "
            "or have a new one made (mayhem keys new %s --role %s)",
            self->key_file, key->name.text, mm_key_role_name(key->role));
    return true;
}

// A key is for tcp; in the environment it may be for other targets.
static bool find_key(target_t *self, char error[MM_ERROR_MAX])
{
    bool is_ipc = mm_addresses_are_ipc(&self->addresses);
    const char *variable = is_ipc ? NULL : getenv("MAYHEM_KEY");
    if (self->key_file && is_ipc)
        return ctl_error(error,
                         "%.200s takes no key: name the consumer's --listen with --consumer "
                         "tcp://HOST:PORT, or leave --key out",
                         self->address);
    if (!self->key_file && variable && *variable)
        self->key_file = variable;
    if (!self->key_file)
        return true;
    self->has_key = mm_key_read(self->key_file, &self->key, error) == 0;
    if (self->has_key && check_key(self, error))
        return true;
    self->variable = self->key_file == variable ? "MAYHEM_KEY" : NULL;
    return false;
}

const mm_key_t *target_key(const target_t *self)
{
    return self->has_key ? &self->key : NULL;
}

// Reads the list. False, with one sentence in error, when it is none.
static bool read_addresses(target_t *self, const char *by, const char *colon,
                           char error[MM_ERROR_MAX])
{
    char complaint[MM_ERROR_MAX];
    if (mm_addresses_parse(self->address, &self->addresses, complaint))
        return true;
    if (!strchr(self->address, ','))
        return ctl_error(error,
                         "%s%s'%.100s' is no address; one is ipc://PATH or tcp://HOST:PORT, as in "
                         "ipc://run/consumer",
                         by, colon, self->consumer ? self->consumer : self->dir);
    return ctl_error(error, "%s%s%.400s", by, colon, complaint);
}

// Whether this machine may connect to all of them.
static bool check_addresses(const target_t *self, const char *by, const char *colon,
                            char error[MM_ERROR_MAX])
{
    char address[MM_ENDPOINT_MAX + 16];
    for (size_t i = 0; i < self->addresses.count; i++) {
        const mm_endpoint_t *base = &self->addresses.items[i];
        const char *complaint = mm_endpoint_complaint(base, self->has_key);
        if (complaint)
            return ctl_error(error, "%s%scannot connect to %.100s: %s", by, colon,
                             mm_addresses_print(base, address), complaint);
    }
    return true;
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
    if (size == 0 || length < 0 || (size_t)length >= sizeof self->address)
        *self->address = '\0'; // it is none
    return read_addresses(self, by, colon, error) && find_key(self, error) &&
           check_addresses(self, by, colon, error);
}

int target_find(target_t *self)
{
    char error[MM_ERROR_MAX];
    if (target_resolve(self, error)) {
        int days =
            self->has_key ? mm_key_days_left(self->key.not_after_ms, mm_clock_wall_ms()) : -1;
        return days < 0 ? 0
                        : ctl_fail(0,
                                   "the key in %s ends in %d days: have a new one made (mayhem "
                                   "keys new %s --role %s)",
                                   self->key_file, days, self->key.name.text,
                                   mm_key_role_name(self->key.role));
    }
    return ctl_fail(self->variable || self->has_key ? EX_CONFIG : EX_USAGE, "%s", error);
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

// Writes " OPTION VALUE" behind what is in the buffer.
static void add_argument(char buffer[TARGET_ARGUMENT], const char *option, const char *value)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";
    const char *quote = value[strspn(value, plain)] == '\0' ? "" : "'";
    size_t size = strlen(buffer);
    (void)snprintf(buffer + size, TARGET_ARGUMENT - size, " %s %s%s%s", option, quote, value,
                   quote);
}

char *target_argument(const target_t *self, char buffer[TARGET_ARGUMENT])
{
    *buffer = '\0';
    if (self->consumer)
        add_argument(buffer, "--consumer", self->consumer);
    else if (strcmp(self->dir, "run") != 0)
        add_argument(buffer, "--dir", self->dir);
    if (self->has_key)
        add_argument(buffer, "--key", self->key_file);
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

int target_fail(const target_t *self, const char *complaint)
{
    if (*complaint)
        return ctl_fail(EX_UNAVAILABLE, "%s", complaint);
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
