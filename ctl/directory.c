// See directory.h.

#include "directory.h"
#include "ctl.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static bool has_ending(const char *name, const char *ending)
{
    size_t size = strlen(name), end = strlen(ending);
    return name[0] != '.' && size > end && strcmp(name + size - end, ending) == 0;
}

bool directory_read(const char *path, const char *ending, const char *hint, directory_read_fn *read,
                    void *arg, char error[MM_ERROR_MAX])
{
    struct stat status;
    if (stat(path, &status) == 0 && !S_ISDIR(status.st_mode))
        return read(arg, path, error);
    struct dirent **entries = NULL;
    int all = scandir(path, &entries, NULL, versionsort), cause = errno, count = 0;
    bool is_good = true;
    for (int i = 0; i < all; i++) {
        if (has_ending(entries[i]->d_name, ending)) {
            char *name = NULL;
            int length = asprintf(&name, "%s/%s", path, entries[i]->d_name);
            assert(length > 0);
            is_good = is_good && read(arg, name, error);
            free(name);
            count++;
        }
        free(entries[i]);
    }
    free(entries);
    if (count > 0 || !hint)
        return is_good;
    if (all < 0)
        return ctl_error(error, "cannot read %s: %s%s", path, strerror(cause), hint);
    return ctl_error(error, "cannot read %s: no *%s is in it%s", path, ending, hint);
}
