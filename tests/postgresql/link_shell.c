// common/postgresql/pg_link.h by hand: a command a line on stdin, what becomes of it on stdout.
//
//   link_shell URI DEADLINE_MS [NAME SQL]...     the latter are prepared
//
//   send NAME [VALUE]...   sends a prepared command with these texts, when connected
//   blob NAME BYTES        likewise, with one text of this length
//   run SQL                sends it and waits
//   cut                    shuts the connection down, as a firewall or the other machine would
//
//   ready HOST:PORT · lost TROUBLE · done ROWS [VALUE] · failed SQLSTATE ERROR · unknown ERROR
//
// Ends with stdin. An open that fails: "exit CODE ERROR", and that code.

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pg_link.h"

#define LINE_MAX_BYTES 4096
#define VALUES_MAX     8

typedef struct {
    mm_pg_link_t *link;
    char line[LINE_MAX_BYTES]; // read and not carried out
    size_t size;
    bool has_ended; // stdin
    bool is_busy;
    bool was_ready;
} shell_t;

// The number of rows, and the first value: if it is a long one, its length.
static void tell_result(const PGresult *result)
{
    int rows = PQntuples(result), bytes = rows > 0 ? PQgetlength(result, 0, 0) : 0;
    if (bytes > 100)
        printf("done %d %d bytes\n", rows, bytes);
    else
        printf("done %d %s\n", rows, rows > 0 ? PQgetvalue(result, 0, 0) : "");
}

static void tell(shell_t *self, const mm_pg_answer_t *answer)
{
    self->is_busy = false;
    switch (answer->outcome) {
    case MM_PG_DONE: tell_result(answer->result); break;
    case MM_PG_FAILED: printf("failed %s %s\n", answer->sqlstate, answer->error); break;
    case MM_PG_UNKNOWN: printf("unknown %s\n", answer->error); break;
    }
}

static void tell_whether_ready(shell_t *self)
{
    bool is_ready = self->is_busy || mm_pg_is_ready(self->link);
    if (is_ready && !self->was_ready)
        printf("ready %s\n", mm_pg_server(self->link));
    if (!is_ready && self->was_ready)
        printf("lost %s\n", mm_pg_trouble(self->link));
    self->was_ready = is_ready;
}

static void send_prepared(shell_t *self, char *words)
{
    const char *values[VALUES_MAX];
    int sizes[VALUES_MAX], count = 0;
    char *rest = NULL, *name = strtok_r(words, " ", &rest), *value;
    while (count < VALUES_MAX && (value = strtok_r(NULL, " ", &rest)) != NULL) {
        values[count] = value;
        sizes[count++] = (int)strlen(value);
    }
    mm_pg_send(self->link, name, count, values, sizes);
    self->is_busy = true;
}

static void send_blob(shell_t *self, const char *words)
{
    char name[64];
    int bytes;
    if (sscanf(words, "%63s %d", name, &bytes) != 2 || bytes < 1) {
        printf("a blob has a name and a length\n");
        return;
    }
    char *blob = malloc((size_t)bytes);
    assert(blob != NULL);
    memset(blob, 'x', (size_t)bytes);
    mm_pg_send(self->link, name, 1, (const char *const[]){blob}, &bytes);
    self->is_busy = true;
    free(blob);
}

// Of its descriptors, only that of the connection is a socket of IP.
static void cut(void)
{
    for (int descriptor = 3; descriptor < 64; descriptor++) {
        int domain = 0;
        socklen_t size = sizeof domain;
        if (getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
            (domain == AF_INET || domain == AF_INET6))
            (void)shutdown(descriptor, SHUT_RDWR);
    }
}

static void carry_out(shell_t *self, char *line)
{
    if (strncmp(line, "send ", 5) == 0)
        send_prepared(self, line + 5);
    else if (strncmp(line, "blob ", 5) == 0)
        send_blob(self, line + 5);
    else if (strncmp(line, "run ", 4) == 0) {
        mm_pg_answer_t answer = mm_pg_run(self->link, line + 4);
        tell(self, &answer);
    } else if (strcmp(line, "cut") == 0)
        cut();
    else
        printf("what is '%s'?\n", line);
}

// The next line when there is one and it can be sent. Returns whether there was.
static bool take_line(shell_t *self)
{
    char *end = memchr(self->line, '\n', self->size);
    if (end == NULL)
        return false;
    if (strncmp(self->line, "cut\n", 4) != 0 && self->is_busy)
        return false;
    if (strncmp(self->line, "run ", 4) != 0 && strncmp(self->line, "cut\n", 4) != 0 &&
        !mm_pg_is_ready(self->link))
        return false;
    *end = '\0';
    carry_out(self, self->line);
    self->size -= (size_t)(end + 1 - self->line);
    memmove(self->line, end + 1, self->size);
    return true;
}

static void read_lines(shell_t *self)
{
    ssize_t count = read(STDIN_FILENO, self->line + self->size, sizeof self->line - self->size);
    self->has_ended = count <= 0;
    self->size += count > 0 ? (size_t)count : 0;
}

static void run(shell_t *self)
{
    struct pollfd ready[] = {{.fd = mm_pg_descriptor(self->link), .events = POLLIN},
                             {.fd = STDIN_FILENO, .events = POLLIN}};
    while (!self->has_ended || self->size > 0 || self->is_busy) {
        tell_whether_ready(self);
        while (take_line(self))
            tell_whether_ready(self);
        ready[1].fd = self->has_ended || self->size == sizeof self->line ? -1 : STDIN_FILENO;
        if (self->has_ended && memchr(self->line, '\n', self->size) == NULL)
            self->size = 0;
        if (self->has_ended && self->size == 0 && !self->is_busy)
            return;
        (void)poll(ready, 2, -1);
        mm_pg_answer_t answer;
        if (ready[0].revents != 0 && mm_pg_step(self->link, &answer))
            tell(self, &answer);
        if (ready[1].revents != 0)
            read_lines(self);
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: link_shell URI DEADLINE_MS [NAME SQL]...\n");
        return 64;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    shell_t self = {.link = NULL};
    char error[MM_ERROR_MAX];
    int status = mm_pg_open(&(mm_pg_config_t){.uri = argv[1],
                                              .name = "link_shell",
                                              .deadline_ms = strtol(argv[2], NULL, 10),
                                              .prepares = (const char *const *)(argv + 3)},
                            &self.link, error);
    if (status != 0) {
        printf("exit %d %s\n", status, error);
        return status;
    }
    run(&self);
    mm_pg_close(&self.link);
    return 0;
}
