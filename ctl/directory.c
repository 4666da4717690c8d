// See folder.h.

#include "directory.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool ends_with(const char *name, const char *ending)
{
    size_t size = strlen(name), end = strlen(ending);
    return name[0] != '.' && size > end && strcmp(name + size - end, ending) == 0;
}

int directory_each(const char *path, const char *ending, bool (*take)(void *arg, const char *file),
                   void *arg)
{
    struct dirent **entries = NULL;
    int all = scandir(path, &entries, NULL, versionsort), count = all < 0 ? -1 : 0;
    bool goes_on = true;
    for (int i = 0; i < all; i++) {
        if (ends_with(entries[i]->d_name, ending)) {
            char *name = NULL;
            int length = asprintf(&name, "%s/%s", path, entries[i]->d_name);
            assert(length > 0);
            goes_on = goes_on && take(arg, name);
            free(name);
            count++;
        }
        free(entries[i]);
    }
    free(entries);
    return count;
}
