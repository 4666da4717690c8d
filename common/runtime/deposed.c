// See deposed.h.

#include "deposed.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define PATH_BYTES 4096

static const char *path_in(const char *dir, char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "%s/consumer.deposed", dir);
    return path;
}

bool mm_deposed_write(const char *dir)
{
    char path[PATH_BYTES];
    int file = open(path_in(dir, path), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    return file >= 0 && close(file) == 0;
}

bool mm_deposed_remove(const char *dir)
{
    char path[PATH_BYTES];
    return unlink(path_in(dir, path)) == 0;
}
