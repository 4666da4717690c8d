// append: a restart that leaves a record of itself, for --chaos and the auditor. It appends
// "begin HOST PID MS" to a file, waits, and appends "end HOST PID MS"; MS is wall-clock time. Each
// line is one write to a file opened with O_APPEND, so that lines of many never mix. When it is
// killed in between, its end is missing.
//
// append RECORD HOST FROM_MS TO_MS

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

static int64_t wall_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void append(int fd, const char *word, const char *host)
{
    char line[400];
    int size = snprintf(line, sizeof line, "%s %.300s %d %" PRId64 "\n", word, host, (int)getpid(),
                        wall_us() / 1000);
    if (write(fd, line, (size_t)size) != size)
        exit(EX_IOERR);
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        (void)fputs("usage: append RECORD HOST FROM_MS TO_MS\n", stderr);
        return EX_USAGE;
    }
    int fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) {
        perror(argv[1]);
        return EX_CANTCREAT;
    }
    long from_ms = strtol(argv[3], NULL, 10), to_ms = strtol(argv[4], NULL, 10);
    append(fd, "begin", argv[2]);
    long wait_ms = from_ms;
    if (to_ms > from_ms)
        wait_ms += (long)((uint64_t)wall_us() * 2654435761u % (uint64_t)(to_ms - from_ms + 1));
    struct timespec wait = {wait_ms / 1000, wait_ms % 1000 * 1000000};
    (void)nanosleep(&wait, NULL);
    append(fd, "end", argv[2]);
    return 0;
}
