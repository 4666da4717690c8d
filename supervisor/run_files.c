// See run_files.h.

#include "run_files.h"
#include "caller.h"
#include "run_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define COPY_BYTES (1 << 20) // in one call

static int clear_profiles(const run_settings_t *settings)
{
    static const char *const old[] = {"profile/lines/*.out", "profile/*.json", "profile.txt",
                                      "profile.callgrind", "profile.folded"};
    char path[RUN_PATH_MAX];
    if (!settings->has_profile)
        return 0;
    for (size_t i = settings->has_lines ? 0 : 1; i < (settings->has_lines ? 1 : 5); i++) {
        glob_t found;
        (void)snprintf(path, sizeof path, "%s/%s", settings->dir, old[i]);
        if (glob(path, 0, NULL, &found) != 0)
            continue;
        for (size_t j = 0; j < found.gl_pathc; j++)
            (void)unlink(found.gl_pathv[j]);
        globfree(&found);
    }
    if (!settings->has_lines)
        return 0;
    (void)snprintf(path, sizeof path, "%s/profile", settings->dir);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof path, "%s/profile/lines", settings->dir);
    return mkdir(path, 0700) == 0 || errno == EEXIST
               ? 0
               : caller_fail(EX_CANTCREAT, "cannot create the folder %s: %s", path,
                             strerror(errno));
}

// What was read of --config, for every start of every process.
static int write_config(const run_settings_t *settings)
{
    char path[RUN_PATH_MAX];
    if (settings->config < 0)
        return 0;
    (void)snprintf(path, sizeof path, "%s/config", settings->dir);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t size = file < 0 ? -1 : 0;
    off_t place = 0;
    if (file >= 0)
        while ((size = sendfile(file, settings->config, &place, COPY_BYTES)) > 0)
            continue;
    int error = errno;
    if (file >= 0)
        close(file);
    return size == 0 ? 0 : caller_fail(EX_CANTCREAT, "cannot write %s: %s", path, strerror(error));
}

int run_files_check_list(const run_settings_t *settings)
{
    struct stat status;
    char byte;
    if (!settings->list)
        return 0;
    int file = open(settings->list, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return caller_fail(EX_DATAERR, "cannot open '%s': %s; check the path of -i", settings->list,
                           strerror(errno));
    bool is_known = fstat(file, &status) == 0;
    bool is_empty =
        is_known && S_ISREG(status.st_mode) && !settings->allows_empty && read(file, &byte, 1) == 0;
    close(file);
    if (is_known && S_ISDIR(status.st_mode))
        return caller_fail(EX_DATAERR, "'%s' is a folder; name a file with -i", settings->list);
    return is_empty ? caller_fail(EX_DATAERR,
                                  "%s has no host to restart: it is empty; give it one, or use "
                                  "--allow-empty",
                                  settings->list)
                    : 0;
}

int run_files_prepare(const run_settings_t *settings)
{
    int exit_code = clear_profiles(settings);
    return exit_code != 0 ? exit_code : write_config(settings);
}
