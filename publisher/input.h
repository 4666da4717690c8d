// The list that the user names: the file or stream, and what is looked for among its hosts.

#ifndef INPUT_H
#define INPUT_H

#include "options.h"
#include "source.h"

// Looks for this machine in the list.
typedef struct input_own input_own_t;

// NULL: nothing is restarted for real.
input_own_t *input_own_new(const mm_options_t *options);
// Idempotent; takes NULL.
void input_own_destroy(input_own_t **self_p);

// Opens the list as source_file_open does. It says on standard error when the list has this machine
// itself; own: NULL, or it lives as long as the source, as `policy` (NULL: there is none) and
// `groups`, to which the groups of its hosts are added; NULL: nobody counts them.
int input_open(const mm_options_t *options, input_own_t *own, const policy_groups_t *policy,
               hostset_t *groups, source_t **ret_source, char error[SOURCE_ERROR_MAX]);

#endif
