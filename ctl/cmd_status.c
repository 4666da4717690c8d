// mayhem status: a pipeline on one page, its processes, and how far the run is.

#include "child_process.h"
#include "ctl.h"
#include "run_folder.h"
#include "screen.h"
#include "snapshot_feed.h"
#include "target.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define WIDTH 120

static const char usage[] = "usage: mayhem status [OPTION]...\n\n"
                            "A pipeline on one page, its processes, and how far the run is.\n";

// ---- the processes of a folder, by their pid files

typedef struct {
    char name[64];
    int pid;
    long up_s; // -1: it has ended
} process_t;

// Seconds since a process was started: the 22nd word of its stat, in ticks since the boot.
static long uptime_of(int pid)
{
    char path[64], line[1024];
    double up;
    unsigned long long ticks;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *stat = fopen(path, "re"), *uptime = fopen("/proc/uptime", "re");
    bool is_read =
        stat && fgets(line, sizeof line, stat) && uptime && fscanf(uptime, "%lf", &up) == 1;
    if (stat)
        (void)fclose(stat);
    if (uptime)
        (void)fclose(uptime);
    const char *words = is_read ? strrchr(line, ')') : NULL; // its name may have blanks
    if (!words || sscanf(words,
                         ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                         "%*d %*d %llu",
                         &ticks) != 1)
        return -1;
    return (long)up - (long)(ticks / (unsigned long long)sysconf(_SC_CLK_TCK));
}

static int is_pid_file(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return size > 4 && size < 64 && strcmp(entry->d_name + size - 4, ".pid") == 0;
}

// Calls fn with each process of the folder.
static void each_process(const char *dir, void (*fn)(void *arg, const process_t *process),
                         void *arg)
{
    struct dirent **files;
    int count = scandir(dir, &files, is_pid_file, versionsort);
    for (int i = 0; i < count; i++) {
        char path[RUN_PATH_MAX];
        process_t process = {.up_s = -1};
        (void)snprintf(path, sizeof path, "%s/%s", dir, files[i]->d_name);
        (void)snprintf(process.name, sizeof process.name, "%.*s",
                       (int)(strlen(files[i]->d_name) - 4), files[i]->d_name);
        FILE *file = fopen(path, "re");
        if (file && fscanf(file, "%d", &process.pid) == 1) {
            process.up_s = uptime_of(process.pid);
            fn(arg, &process);
        }
        if (file)
            (void)fclose(file);
        free(files[i]);
    }
    if (count >= 0)
        free(files);
}

// ---- the run so far

// The publisher's report; NULL: there was no run yet.
static char *report_as(const char *dir, const char *format)
{
    char dir_word[RUN_PATH_MAX + 8], format_word[32], *text;
    char *program = child_process_sibling("mayhem-publisher");
    size_t size;
    child_end_t end;
    (void)snprintf(dir_word, sizeof dir_word, "--dir=%s", dir);
    (void)snprintf(format_word, sizeof format_word, "--report=%s", format);
    text = child_process_capture((char *[]){program, dir_word, format_word, NULL}, STDERR_FILENO,
                                 &size, &end);
    free(program);
    return text;
}

// ---- output

static void print_process(void *arg, const process_t *process)
{
    (void)arg;
    (void)printf("%-14s pid %-8d", process->name, process->pid);
    if (process->up_s >= 0)
        (void)printf(" up %ld s", process->up_s);
    (void)putchar('\n');
}

static void add_process(void *arg, const process_t *process)
{
    json_t *processes = arg, *object = NULL;
    for (size_t i = 0; i < json_array_size(processes); i++)
        if (strcmp(ctl_text(json_array_get(processes, i), "name"), process->name) == 0)
            object = json_array_get(processes, i);
    if (!object) {
        object = json_pack("{s:s}", "name", process->name);
        json_array_append_new(processes, object);
    }
    json_object_set_new(object, "pid", json_integer(process->pid));
    json_object_set_new(object, "uptime_s",
                        process->up_s >= 0 ? json_integer(process->up_s) : json_null());
}

// dir: NULL when only the address of a consumer is known. snapshot: NULL when it does not answer.
static int print_json(const char *dir, const snapshot_t *snapshot)
{
    json_t *json = snapshot ? snapshot_json(snapshot) : json_pack("{s:[]}", "processes");
    if (dir) {
        each_process(dir, add_process, json_object_get(json, "processes"));
        char *report = report_as(dir, "json");
        json_t *run = report ? json_loads(report, 0, NULL) : NULL;
        json_object_set_new(json, "report", run ? run : json_null());
        free(report);
    }
    return ctl_end_output(ctl_write_json(stdout, json, JSON_COMPACT));
}

static int print_text(const char *dir, const snapshot_t *snapshot)
{
    if (snapshot) {
        page_t *page = screen_top(snapshot, &(screen_view_t){.width = WIDTH});
        page_print(page, stdout);
        page_destroy(&page);
    }
    if (dir) {
        (void)printf("%s", snapshot ? "\n" : "");
        each_process(dir, print_process, NULL);
        char *report = report_as(dir, "text");
        (void)printf("\n%s", report ? report : "");
        free(report);
    }
    return ctl_end_output(true);
}

int ctl_status(int argc, char **argv)
{
    target_t target = {0};
    bool is_json = false, is_brief = false, answers = false;
    char who[256];
    pid_t pid;
    const ctl_option_t options[] = {
        TARGET_OPTIONS(&target),
        {.name = "json", .help = "as one JSON object", .flag = &is_json},
        {.name = "brief",
         .help = "the processes and the run so far, without the page: at once",
         .flag = &is_brief},
        {.name = NULL}};
    int exit_code = ctl_options(argc, argv, usage, options, NULL);
    if (exit_code == 0)
        exit_code = target_find(&target);
    if (exit_code != 0)
        return exit_code;
    // By its address alone, a pipeline may be anywhere.
    const char *dir = target.consumer ? NULL : target.dir;
    if (dir && !run_folder_may_look(dir))
        return ctl_fail(EX_NOPERM, "%s is another user's: you may not look into it", dir);
    bool has_run = dir && run_folder_find(dir, &pid, who, sizeof who);
    snapshot_t snapshot = {0};
    if (!is_brief || !dir) {
        feed_t *feed = feed_attach(&target.base);
        answers = feed_look(feed, TARGET_WAIT_MS, &snapshot);
        feed_destroy(&feed);
    }
    if (!answers && !dir)
        return target_fail(&target);
    if (!answers && !has_run)
        return ctl_fail(EX_UNAVAILABLE,
                        "nothing is running in %s: nobody answers at %s; start it with `mayhem "
                        "run`, or name its folder with --dir",
                        dir, target.address);
    exit_code = is_json ? print_json(dir, answers ? &snapshot : NULL)
                        : print_text(dir, answers ? &snapshot : NULL);
    snapshot_clear(&snapshot);
    return exit_code;
}
