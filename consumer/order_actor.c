// See order_actor.h.

#include "order_actor.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

// "localhost:UID:GID:PID", as libzmq says it of ipc. An address of tcp is none.
static bool read_peer(const char *peer, unsigned *ret_uid, unsigned *ret_pid)
{
    unsigned gid;
    int size = 0;
    return peer && sscanf(peer, "localhost:%u:%u:%u%n", ret_uid, &gid, ret_pid, &size) == 3 &&
           peer[size] == '\0';
}

static bool ends_with(mm_str_t text, const char *end)
{
    size_t size = strlen(end);
    return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

mm_str_t order_actor_of(mm_str_t said, const char *key, const char *peer,
                        char buffer[MM_ACTOR_MAX + 1])
{
    unsigned uid, pid;
    char known[MM_NAME_MAX + 16];
    if (key)
        (void)snprintf(known, sizeof known, "(key %s)", key);
    else if (read_peer(peer, &uid, &pid))
        (void)snprintf(known, sizeof known, "(uid %u, pid %u)", uid, pid);
    else
        return said;
    if (ends_with(said, known))
        return said;
    int size = snprintf(buffer, MM_ACTOR_MAX + 1, "%s, who says to be ", known);
    size_t kept = mm_utf8_prefix(said, MM_ACTOR_MAX - (size_t)size);
    memcpy(buffer + size, said.data, kept);
    return (mm_str_t){buffer, (size_t)size + kept};
}
