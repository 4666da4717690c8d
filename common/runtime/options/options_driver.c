// The file of --driver: one that is named, or one of those that come with the program. They are in
// a folder beside it, drivers/, or in ../share/mayhem/drivers, so that a tree that was installed
// anywhere runs in place.

#include "options_table.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".ini"

static const char *const folders[] = {"drivers", "../share/mayhem/drivers"};

static bool ends_with_suffix(const char *name)
{
    size_t size = strlen(name);
    return size > strlen(SUFFIX) && strcmp(name + size - strlen(SUFFIX), SUFFIX) == 0;
}

// A folder of shipped drivers.
static const char *folder_path(mm_options_t *options, size_t number)
{
    char program[4096];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    program[size > 0 ? size : 0] = '\0';
    const char *slash = strrchr(program, '/');
    return mm_options_keep(options, "%.*s%s", slash ? (int)(slash - program) + 1 : 0, program,
                           folders[number]);
}

// NULL: none of that name comes with the program.
static const char *find_shipped(mm_options_t *options, const char *name)
{
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        const char *path = mm_options_keep(options, "%s/%s" SUFFIX, folder_path(options, i), name);
        if (access(path, F_OK) == 0)
            return path;
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

// "ipmi, redfish, ssh"; empty: there are none.
static const char *list_shipped(mm_options_t *options)
{
    const char *names[64], *list = "";
    size_t count = 0;
    for (size_t i = 0; i < sizeof folders / sizeof *folders && count == 0; i++) {
        DIR *folder = opendir(folder_path(options, i));
        for (struct dirent *entry; folder && (entry = readdir(folder)) && count < 64;)
            if (ends_with_suffix(entry->d_name))
                names[count++] = mm_options_keep(
                    options, "%.*s", (int)(strlen(entry->d_name) - strlen(SUFFIX)), entry->d_name);
        if (folder)
            (void)closedir(folder);
    }
    qsort(names, count, sizeof *names, compare);
    for (size_t i = 0; i < count; i++)
        list = mm_options_keep(options, "%s%s%s", list, i > 0 ? ", " : "", names[i]);
    return list;
}

// ---- the mock

static bool is_named(const mm_options_t *options, mm_row_index_t row)
{
    const char *text =
        *(const char *const *)(const void *)((const char *)options + mm_rows[row].offset);
    return *text != '\0' && strcmp(text, "mock") != 0;
}

// What weaker sources than that of the mock say of commands does not count.
static void forget_commands(mm_options_t *options, mm_source_t source)
{
    static const mm_row_index_t rows[] = {MM_ROW_driver, MM_ROW_exec,   MM_ROW_identify,
                                          MM_ROW_health, MM_ROW_verify, MM_ROW_skip_if,
                                          MM_ROW_before, MM_ROW_after};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (options->origins->rows[rows[i]].source < source)
            *(const char **)(void *)((char *)options + mm_rows[rows[i]].offset) = "";
    options->mock = true;
}

// --mock or --driver mock, and something real beside it: the stronger source counts.
static int choose_mock(mm_options_t *options)
{
    static const mm_row_index_t real[] = {MM_ROW_exec, MM_ROW_driver};
    const mm_origin_t *origins = options->origins->rows;
    bool is_driver = strcmp(options->driver, "mock") == 0;
    if (!options->mock && !is_driver)
        return 0;
    mm_row_index_t mock = options->mock ? MM_ROW_mock : MM_ROW_driver;
    for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
        if (!is_named(options, real[i]) || origins[real[i]].source < origins[mock].source)
            continue;
        if (origins[real[i]].source == origins[mock].source)
            return mm_options_complain(options, mock, &origins[mock],
                                       "it restarts nothing, and there is something that does: "
                                       "take one of the two out");
        options->mock = false;
        if (is_driver)
            options->driver = "";
        return 0;
    }
    forget_commands(options, origins[mock].source);
    return 0;
}

int mm_options_read_driver(mm_options_t *options)
{
    int code = choose_mock(options);
    if (code != 0 || options->mock || *options->driver == '\0' ||
        (mm_rows[MM_ROW_driver].programs & MM_HAS(options->program)) == 0)
        return code;
    const char *driver = options->driver;
    bool is_file = strchr(driver, '/') || ends_with_suffix(driver);
    const char *path = is_file ? driver : find_shipped(options, driver);
    if (path)
        return mm_options_read_driver_file(options, path);
    char complaint[MM_COMPLAINT];
    const char *shipped = list_shipped(options);
    (void)snprintf(complaint, sizeof complaint,
                   "there is no driver of that name; there are mock%s%s; a file of yours is named "
                   "with a '/' or " SUFFIX,
                   *shipped ? ", " : "", shipped);
    return mm_options_complain(options, MM_ROW_driver, &options->origins->rows[MM_ROW_driver],
                               complaint);
}
