// answer FOLDER: what identifies a host that answers in its own way. FOLDER/answer says how, by a
// line, and what, by all bytes behind it:
//
//   whole      at once
//   split N    the first N bytes, and a little later the rest
//   late       when it gets TERM; a line in FOLDER/fifo tells that it waits for that

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { BYTES_MAX = 4 << 20, PAUSE_MS = 3 };

static char bytes[BYTES_MAX];

static int open_in(const char *folder, const char *name, int flags)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        exit(EX_NOINPUT);
    return fd;
}

static size_t read_all(int fd)
{
    size_t size = 0;
    for (ssize_t got; (got = read(fd, bytes + size, sizeof bytes - 1 - size)) > 0;)
        size += (size_t)got;
    return size;
}

static void say(const char *text, size_t size)
{
    while (size > 0) {
        ssize_t put = write(STDOUT_FILENO, text, size);
        if (put < 0)
            exit(EX_IOERR);
        text += put;
        size -= (size_t)put;
    }
}

static void wait_for_the_end(const char *folder)
{
    sigset_t term;
    int signal;
    (void)sigemptyset(&term);
    (void)sigaddset(&term, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &term, NULL);
    if (write(open_in(folder, "fifo", O_WRONLY), "ready\n", 6) != 6 || sigwait(&term, &signal) != 0)
        exit(EX_OSERR);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return EX_USAGE;
    size_t size = read_all(open_in(argv[1], "answer", O_RDONLY));
    char *text = memchr(bytes, '\n', size);
    if (text == NULL)
        return EX_DATAERR;
    *text++ = '\0';
    size -= (size_t)(text - bytes);
    size_t first = strncmp(bytes, "split ", 6) == 0 ? strtoul(bytes + 6, NULL, 10) : size;
    if (strcmp(bytes, "late") == 0)
        wait_for_the_end(argv[1]);
    say(text, first);
    if (first < size)
        (void)poll(NULL, 0, PAUSE_MS);
    say(text + first, size - first);
    return EX_OK;
}
