// See pg_servers.h.

#include "pg_servers.h"

#include <assert.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NAME_MAX_BYTES 300 // of a host, with its port
#define ADDRESS_MAX    64  // of a numeric address
#define OPTIONS_MAX    80  // libpq 15 has 43
#define CONNECT_MS     3000

typedef struct {
    char *host;    // NULL: libpq's default
    char *address; // numeric; NULL: libpq looks the host up
    char *port;    // "": libpq's default
    char name[NAME_MAX_BYTES];
} server_t;

struct mm_pg_servers {
    PQconninfoOption *options; // of the URI
    char *program;
    int64_t limit_ms;
    int64_t connect_ms;
    server_t *servers;
    size_t count;
};

static const char *option(const mm_pg_servers_t *self, const char *keyword)
{
    for (const PQconninfoOption *each = self->options; each->keyword != NULL; each++)
        if (strcmp(each->keyword, keyword) == 0)
            return each->val != NULL && *each->val != '\0' ? each->val : NULL;
    return NULL;
}

static size_t elements(const char *list)
{
    size_t count = 1;
    for (; list != NULL && *list != '\0'; list++)
        count += *list == ',';
    return count;
}

// One element of a list with commas, as a copy; of a list of one, that one. NULL has none.
static char *element(const char *list, size_t index)
{
    if (list == NULL)
        return NULL;
    if (elements(list) > 1)
        for (; index > 0; index--)
            list = strchr(list, ',') + 1;
    char *copy = strndup(list, strcspn(list, ","));
    assert(copy != NULL);
    return copy;
}

// ---- the URI
// -------------------------------------------------------------------------------------

// libpq quotes what it complains of, and that may be the URI with its password: what stands before
// the first quote, colon or digit tells nothing.
static void complain(const char *reason, char error[MM_ERROR_MAX])
{
    int size = (int)strcspn(reason, "\":0123456789\n");
    (void)snprintf(error, MM_ERROR_MAX,
                   "no URI of PostgreSQL (%.*s...): write "
                   "postgresql://USER@HOST:PORT,HOST:PORT/DATABASE?OPTION=VALUE",
                   size, reason);
}

static bool is_uri(const char *text)
{
    return strncmp(text, "postgresql://", 13) == 0 || strncmp(text, "postgres://", 11) == 0;
}

// Whether there are as many ports, and addresses, as hosts.
static bool is_even(const mm_pg_servers_t *self)
{
    const char *hosts = option(self, "host"), *addresses = option(self, "hostaddr");
    size_t count = elements(hosts != NULL ? hosts : addresses);
    size_t ports = elements(option(self, "port"));
    return (ports == 1 || ports == count) &&
           (hosts == NULL || addresses == NULL || elements(addresses) == count);
}

mm_pg_servers_t *mm_pg_servers_new(const char *uri, const char *name, int64_t limit_ms,
                                   char error[MM_ERROR_MAX])
{
    if (!is_uri(uri)) {
        complain("it does not begin with postgresql", error);
        return NULL;
    }
    char *reason = NULL;
    PQconninfoOption *options = PQconninfoParse(uri, &reason);
    if (options == NULL) {
        complain(reason != NULL ? reason : "out of memory", error);
        PQfreemem(reason);
        return NULL;
    }
    mm_pg_servers_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    self->options = options;
    self->program = strdup(name);
    assert(self->program != NULL);
    self->limit_ms = limit_ms;
    const char *timeout = option(self, "connect_timeout");
    int64_t seconds = timeout != NULL ? strtol(timeout, NULL, 10) : 0;
    self->connect_ms = seconds > 0 ? seconds * 1000 : limit_ms < CONNECT_MS ? limit_ms : CONNECT_MS;
    if (!is_even(self)) {
        complain("it has not one port, or one for each host", error);
        mm_pg_servers_destroy(&self);
        return NULL;
    }
    (void)mm_pg_servers_look_up(self);
    return self;
}

static void clear(mm_pg_servers_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free(self->servers[i].host);
        free(self->servers[i].address);
        free(self->servers[i].port);
    }
    free(self->servers);
    self->servers = NULL;
    self->count = 0;
}

void mm_pg_servers_destroy(mm_pg_servers_t **self_p)
{
    mm_pg_servers_t *self = *self_p;
    if (self == NULL)
        return;
    clear(self);
    PQconninfoFree(self->options);
    free(self->program);
    free(self);
    *self_p = NULL;
}

// ---- addresses
// -----------------------------------------------------------------------------------

// Takes the strings over.
static void add(mm_pg_servers_t *self, char *host, char *address, char *port)
{
    self->servers = realloc(self->servers, (self->count + 1) * sizeof *self->servers);
    assert(self->servers != NULL);
    server_t *server = &self->servers[self->count++];
    *server = (server_t){.host = host, .address = address, .port = port};
    const char *shown = host != NULL ? host : address != NULL ? address : "default host";
    bool is_ipv6 = strchr(shown, ':') != NULL;
    (void)snprintf(server->name, sizeof server->name, is_ipv6 ? "[%s]:%s" : "%s:%s", shown,
                   port != NULL && *port != '\0' ? port : "5432");
}

static char *copy_of(const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;
    assert(text == NULL || copy != NULL);
    return copy;
}

// Adds each address of a host. One that is not found is left to libpq, which says why.
static void add_host(mm_pg_servers_t *self, char *host, char *port)
{
    struct addrinfo *found = NULL, hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    size_t before = self->count;
    bool is_socket = host == NULL || *host == '\0' || *host == '/' || *host == '@';
    if (!is_socket && getaddrinfo(host, NULL, &hints, &found) == 0)
        for (const struct addrinfo *each = found; each != NULL; each = each->ai_next) {
            char address[ADDRESS_MAX];
            if (getnameinfo(each->ai_addr, each->ai_addrlen, address, sizeof address, NULL, 0,
                            NI_NUMERICHOST) == 0)
                add(self, copy_of(host), copy_of(address), copy_of(port));
        }
    if (found != NULL)
        freeaddrinfo(found);
    if (self->count == before)
        add(self, host, NULL, port);
    else {
        free(host);
        free(port);
    }
}

size_t mm_pg_servers_look_up(mm_pg_servers_t *self)
{
    const char *hosts = option(self, "host"), *addresses = option(self, "hostaddr");
    const char *ports = option(self, "port");
    size_t count = elements(hosts != NULL ? hosts : addresses);
    clear(self);
    for (size_t i = 0; i < count; i++) {
        char *host = element(hosts, i), *address = element(addresses, i);
        char *port = element(ports, i);
        if (address != NULL && *address != '\0')
            add(self, host, address, port);
        else {
            free(address);
            add_host(self, host, port);
        }
    }
    return self->count;
}

// ---- connecting
// ----------------------------------------------------------------------------------

typedef struct {
    const char *keywords[OPTIONS_MAX + 1];
    const char *values[OPTIONS_MAX + 1];
    size_t count;
} parameters_t;

static void put(parameters_t *self, const char *keyword, const char *value)
{
    assert(self->count < OPTIONS_MAX);
    self->keywords[self->count] = keyword;
    self->values[self->count++] = value;
}

static void put_default(parameters_t *self, const mm_pg_servers_t *servers, const char *keyword,
                        const char *value)
{
    if (option(servers, keyword) == NULL)
        put(self, keyword, value);
}

static bool is_place(const char *keyword)
{
    return strcmp(keyword, "host") == 0 || strcmp(keyword, "hostaddr") == 0 ||
           strcmp(keyword, "port") == 0 || strcmp(keyword, "client_encoding") == 0;
}

PGconn *mm_pg_servers_connect(const mm_pg_servers_t *self, size_t index)
{
    assert(index < self->count);
    const server_t *server = &self->servers[index];
    parameters_t parameters = {.count = 0};
    char limit[24];
    for (const PQconninfoOption *each = self->options; each->keyword != NULL; each++)
        if (each->val != NULL && !is_place(each->keyword))
            put(&parameters, each->keyword, each->val);
    put(&parameters, "host", server->host);
    put(&parameters, "hostaddr", server->address);
    put(&parameters, "port", server->port);
    put(&parameters, "client_encoding", "UTF8");
    (void)snprintf(limit, sizeof limit, "%lld", (long long)self->limit_ms);
    put_default(&parameters, self, "fallback_application_name", self->program);
    put_default(&parameters, self, "target_session_attrs", "primary");
    // Of an idle connection whose peer has gone without a word: it is found dead after 11 s.
    put_default(&parameters, self, "keepalives_idle", "5");
    put_default(&parameters, self, "keepalives_interval", "2");
    put_default(&parameters, self, "keepalives_count", "3");
    put_default(&parameters, self, "tcp_user_timeout", limit);
    return PQconnectStartParams(parameters.keywords, parameters.values, 0);
}

const char *mm_pg_servers_name(const mm_pg_servers_t *self, size_t index)
{
    assert(index < self->count);
    return self->servers[index].name;
}

int64_t mm_pg_servers_connect_ms(const mm_pg_servers_t *self)
{
    return self->connect_ms;
}
