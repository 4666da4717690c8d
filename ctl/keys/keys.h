// The commands of `mayhem keys`, each in a file of its own.

#ifndef KEYS_H
#define KEYS_H

#include "target.h"

// What was typed.
typedef struct {
    target_t target;
    const char *name; // behind the command: NAME, or PUBLIC of trust; NULL: nothing
    const char *keys, *role, *not_after, *key;
    bool switches, finishes; // of rotate
    bool only;               // of trust
    bool is_json;            // of list
} keys_options_t;

// Each returns a sysexits code, after a sentence on standard error.
typedef int keys_command_t(keys_options_t *options);
keys_command_t keys_new, keys_list, keys_revoke, keys_rotate, keys_trust;

#endif
