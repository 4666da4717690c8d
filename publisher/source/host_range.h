// Ranges of hosts as Ansible's inventories have them: "web-[01:20]", "db-[a:f]", "r[1:3]-[1:9:2]".

#ifndef HOST_RANGE_H
#define HOST_RANGE_H

#include "string_view.h"

#define HOST_RANGE_ERROR_MAX 200

// Gives each host of a pattern, which may have no range. The texts live as long as the call; what
// they hold is not checked. A host is given up by returning false. False: `why` says what is wrong
// with a range, as the end of a sentence, and nothing was given; or a host was given up, and `why`
// is untouched.
typedef bool host_range_give_fn(void *arg, mm_str_t host);
bool host_range_expand(mm_str_t pattern, uint64_t hosts_max, host_range_give_fn *give, void *arg,
                       char why[HOST_RANGE_ERROR_MAX]);

#endif
