// Who has ordered something, as the audit keeps it: a name that is said, and a uid and a pid that
// the kernel knows, where it does (ipc), or the name of a key.

#ifndef ORDER_ACTOR_H
#define ORDER_ACTOR_H

#include "job.h"

// said: the actor of an ORDER. key: the name of the sender's key; NULL: it has none, and peer is
// what mm_receiver_peer says of it; NULL: not known. What was said and ends with that key, or uid
// and pid, is returned as it is, and so is anything of a peer that is not known. Else it comes
// behind what is known, cut to MM_ACTOR_MAX, in buffer.
mm_str_t order_actor_of(mm_str_t said, const char *key, const char *peer,
                        char buffer[MM_ACTOR_MAX + 1]);

#endif
