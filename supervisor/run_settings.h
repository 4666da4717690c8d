// What `mayhem run` was asked for: its own options, and the arguments of each program, all checked
// before anything is started.

#ifndef RUN_SETTINGS_H
#define RUN_SETTINGS_H

#include "policy_file.h"

// Owned texts, ended by NULL.
typedef struct {
    char **items;
    size_t count, capacity;
} arguments_t;

void arguments_add(arguments_t *self, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void arguments_add_all(arguments_t *self, const arguments_t *others);
void arguments_clear(arguments_t *self);

// How hosts are restarted, as the restarter says it.
typedef struct {
    bool is_mock;
    char *name;      // "ssh"
    char *words;     // as it is recorded of the run
    char *proof;     // how sure a success is: "proven by boot id"
    int64_t at_once; // restarts in progress at most; 0: no limit, or a share of unknown hosts
    mm_amount_t at_once_share; // as which it was said; else it is not set
    int64_t slots;             // of all restarters
} run_driver_t;

// When the starts end (run_starts.h).
typedef struct {
    int64_t for_ms;   // --for; 0: not given
    int until_minute; // --until, of the day; -1: not given
    bool is_list;     // of a list of hosts, not of invented ones
    bool is_until;    // --until is the earlier one
    int64_t left_ms;  // until the end, at the begin
    int64_t end_ms;   // of a list: CLOCK_BOOTTIME; 0: they have no end
} run_starts_t;

typedef struct {
    mm_options_t options; // of `mayhem run`
    run_driver_t driver;
    run_starts_t starts;
    mm_policy_t policy;                 // what holds the run back; it has no group: there is none
    mm_schedule_t *schedules;           // of each of its groups
    char *dir;                          // the folder, without a slash at its end
    char *db;                           // the record of its saver: a path or a URI (record_uri.h)
    arguments_t arguments[MM_PROGRAMS]; // of each program, but for --id and --log-file
    int64_t drain_ms;                   // the drain timeout
    int64_t max_dead;                   // as it was said; 0: no limit
    int64_t dead_forgiven;              // hosts that do not count for it (run_breaker.h)
    int64_t run_ms;                     // the run is stopped after this time; 0: it is not
    int config;                         // the file of --config, as it was read; -1: none
    int stream;                         // the input, when it is a stream; -1: it is a file
    char *list;                         // the input, when it is a file; NULL: it is not
    char *headline;                     // the first line of the run (run_check.h); NULL: none
    bool allows_empty;                  // a list without hosts
    bool config_is_standard;            // the file of --config is standard input
    bool has_streams; // the input or the file of --config is one: it cannot be opened again
    bool is_demo;     // invented hosts and a mock
    bool is_leashed;  // a dry run that nobody has asked for (run_leash.h)
    bool has_profile;
    bool has_lines; // a profile line by line, under valgrind
} run_settings_t;

// False: end with *ret_exit_code, all has been said. Reorders argv. Clear it in any case.
bool run_settings_read(int argc, char **argv, run_settings_t *ret_settings, int *ret_exit_code);
void run_settings_clear(run_settings_t *self);

// A default of the program with these options, which any setting of the user overrides.
void run_settings_default(run_settings_t *self, const mm_options_t *options, const char *name,
                          const char *value);

#endif
