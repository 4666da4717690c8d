// See top_save.h.

#include "top_save.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

bool top_save(const char *folder, const profiles_t *profiles, char ret_path[TOP_SAVE_PATH])
{
    char stamp[32] = "";
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts))
        (void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts);
    if (!folder) {
        (void)snprintf(ret_path, TOP_SAVE_PATH, "./mayhem-profile-%s.json", stamp);
    } else {
        (void)snprintf(ret_path, TOP_SAVE_PATH, "%.400s/profile", folder);
        if (mkdir(ret_path, 0700) != 0 && errno != EEXIST)
            return false;
        (void)snprintf(ret_path, TOP_SAVE_PATH, "%.400s/profile/top-%s.json", folder, stamp);
    }
    json_t *json = profiles_json(profiles);
    FILE *file = fopen(ret_path, "we");
    bool is_good = file && json_dumpf(json, file, JSON_INDENT(1)) == 0 && putc('\n', file) != EOF;
    int error = errno;
    if (file && fclose(file) != 0 && is_good) {
        error = errno;
        is_good = false;
    }
    json_decref(json);
    errno = error;
    return is_good;
}
