// See endpoint.h.

#include "endpoint.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

bool mm_endpoint_parse(const char *address, mm_endpoint_t *ret_base)
{
    mm_endpoint_t base = {0};
    if (strncmp(address, "ipc://", 6) == 0) {
        base.is_ipc = true;
        if (address[6] == '\0' || strlen(address + 6) >= sizeof base.path)
            return false;
        strcpy(base.path, address + 6);
    } else {
        const char *colon = strrchr(address, ':');
        if (strncmp(address, "tcp://", 6) != 0 || colon < address + 7 ||
            (size_t)(colon - address - 6) >= sizeof base.host)
            return false;
        size_t digits = strspn(colon + 1, "0123456789");
        unsigned long port = strtoul(colon + 1, NULL, 10);
        if (digits > 5 || colon[1 + digits] != '\0' || port < 1 || port > MM_PORT_MAX)
            return false;
        memcpy(base.host, address + 6, (size_t)(colon - address - 6));
        base.port = (unsigned)port;
    }
    *ret_base = base;
    return true;
}

bool mm_endpoint_is_loopback(const char *host)
{
    struct in_addr address;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

_Static_assert(MM_SOCKET_PATH_MAX + 1 == sizeof(((struct sockaddr_un *)NULL)->sun_path),
               "a Unix socket's path has another limit here");

size_t mm_endpoint_path_bytes(const char *path)
{
    return strlen(path) + strlen(".task.") + 16;
}

const char *mm_endpoint_complaint(const mm_endpoint_t *base, bool has_key)
{
    if (!base->is_ipc && !has_key && !mm_endpoint_is_loopback(base->host))
        return "beyond this machine tcp needs a key: have one made on the consumer's machine "
               "(mayhem keys new NAME --role ROLE), and name its file with --key";
    if (base->is_ipc && mm_endpoint_path_bytes(base->path) > MM_SOCKET_PATH_MAX)
        return "its path is too long for a Unix socket: go to the folder and name it from there";
    return NULL;
}

const char *mm_endpoint_of(const mm_endpoint_t *base, mm_socket_role_t role,
                           char buffer[MM_ENDPOINT_MAX])
{
    static const char *const names[] = {"jobs", "inbox", "events"};
    if (base->is_ipc)
        (void)snprintf(buffer, MM_ENDPOINT_MAX, "ipc://%.230s.%s", base->path, names[role]);
    else
        (void)snprintf(buffer, MM_ENDPOINT_MAX, "tcp://%.230s:%u", base->host,
                       base->port + (unsigned)role);
    return buffer;
}

const char *mm_endpoint_suffix(const mm_endpoint_t *base, const char *suffix,
                               char buffer[MM_ENDPOINT_MAX])
{
    if (base->is_ipc)
        (void)snprintf(buffer, MM_ENDPOINT_MAX, "ipc://%.200s.%.40s", base->path, suffix);
    else if (strcmp(suffix, MM_SUFFIX_VIEWERS) == 0)
        (void)snprintf(buffer, MM_ENDPOINT_MAX, "tcp://%.200s:%u", base->host,
                       base->port + MM_PORTS_ABOVE);
    else
        (void)snprintf(buffer, MM_ENDPOINT_MAX, "tcp://%.200s:%.40s", base->host, suffix);
    return buffer;
}

const char *mm_endpoint_viewers(const mm_endpoint_t *base, char buffer[MM_ENDPOINT_MAX])
{
    return mm_endpoint_suffix(base, base->is_ipc ? MM_SUFFIX_VIEWERS : "*", buffer);
}

const char *mm_endpoint_session(const mm_endpoint_t *base, uint64_t session,
                                char buffer[MM_ENDPOINT_MAX])
{
    char suffix[32];
    (void)snprintf(suffix, sizeof suffix, "task.%016llx", (unsigned long long)session);
    return mm_endpoint_suffix(base, base->is_ipc ? suffix : "*", buffer);
}

static void remove_stale(const mm_endpoint_t *base)
{
    char pattern[2 * MM_ENDPOINT_MAX + 16], *end = pattern;
    for (const char *from = base->path; *from != '\0'; *end++ = *from++)
        if (strchr("*?[\\", *from) != NULL)
            *end++ = '\\'; // literally
    strcpy(end, ".task.*");
    glob_t found;
    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            (void)unlink(found.gl_pathv[i]);
    globfree(&found);
}

void mm_endpoint_unlink(const mm_endpoint_t *base)
{
    char endpoint[MM_ENDPOINT_MAX];
    if (!base->is_ipc)
        return;
    for (mm_socket_role_t role = MM_SOCKET_JOBS; role <= MM_SOCKET_EVENTS; role++)
        (void)unlink(mm_endpoint_of(base, role, endpoint) + strlen("ipc://"));
    (void)unlink(mm_endpoint_viewers(base, endpoint) + strlen("ipc://"));
    remove_stale(base);
}

int mm_endpoint_lock(const mm_endpoint_t *base, char error[MM_ERROR_MAX])
{
    if (!base->is_ipc)
        return 0; // the kernel refuses to bind a port twice
    char path[MM_ENDPOINT_MAX];
    (void)snprintf(path, sizeof path, "%.230s.lock", base->path);
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        (void)snprintf(
            error, MM_ERROR_MAX,
            "cannot create %s: %s; make its folder, or choose another --dir or --consumer", path,
            strerror(errno));
        return EX_CANTCREAT;
    }
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        (void)snprintf(error, MM_ERROR_MAX,
                       "ipc://%s is in use by another consumer; stop it, or choose another --dir",
                       base->path);
        close(descriptor);
        return EX_UNAVAILABLE;
    }
    remove_stale(base); // the descriptor stays open for the lock
    return 0;
}
