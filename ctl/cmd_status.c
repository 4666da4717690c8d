// mayhem status: a pipeline on one page, its processes, and how far the run is.

#include "attach.h"
#include "attention.h"
#include "clock.h"
#include "ctl.h"
#include "duration.h"
#include "hosts_now.h"
#include "publisher_report.h"
#include "run_folder.h"
#include "run_record.h"
#include "screen.h"
#include "snapshot_feed.h"
#include "target.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define WIDTH          120
#define HOSTS_AGAIN_MS 500  // the consumer passes a question on each 400 ms
#define HOSTS_WAIT_MS  1000 // for restarters, when the consumer has replied

static const char usage[] = "usage: mayhem status [OPTION]...\n\n"
                            "A pipeline on one page, its processes, and how far the run is.\n";

typedef struct {
    const char *dir;     // NULL: only the address of a consumer is known
    const char *record;  // the path; NULL: it is not known
    bool answers;        // the consumer does
    snapshot_t snapshot; // otherwise only what needs a person
    mm_held_record_t held;
    char argument[TARGET_ARGUMENT]; // of commands about it
    char complaint[MM_ERROR_MAX];   // why it does not answer, if that is known
} status_t;

// ---- the processes of a folder

// Seconds since a process was started, -1 when it has ended: the 22nd word of its stat, in ticks
// since the boot.
static long uptime_of(pid_t pid)
{
    char path[64], line[1024];
    double up;
    unsigned long long ticks;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
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

// ---- output

static void print_process(void *arg, const char *name, pid_t pid)
{
    (void)arg;
    if (pid == 0)
        return;
    long up_s = uptime_of(pid);
    (void)printf("%-14s pid %-8d", name, (int)pid);
    if (up_s >= 0)
        (void)printf(" up %ld s", up_s);
    (void)putchar('\n');
}

static void add_process(void *arg, const char *name, pid_t pid)
{
    json_t *processes = arg, *object = NULL;
    if (pid == 0)
        return;
    long up_s = uptime_of(pid);
    for (size_t i = 0; i < json_array_size(processes); i++)
        if (strcmp(ctl_text(json_array_get(processes, i), "name"), name) == 0)
            object = json_array_get(processes, i);
    if (!object) {
        object = json_pack("{s:s}", "name", name);
        json_array_append_new(processes, object);
    }
    json_object_set_new(object, "pid", json_integer(pid));
    json_object_set_new(object, "uptime_s", up_s >= 0 ? json_integer(up_s) : json_null());
}

static void print_owed(const status_t *self)
{
    run_record_t record = run_record_read(self->record, self->dir);
    run_record_print_owed(&record, stdout);
    run_record_clear(&record);
}

static void add_owed(const status_t *self, json_t *json)
{
    run_record_t record = run_record_read(self->record, self->dir);
    json_object_set_new(json, "owed", run_record_owed_json(&record));
    run_record_clear(&record);
}

static int print_json(const status_t *self)
{
    const char *dir = self->dir;
    json_t *json = self->answers ? snapshot_json(&self->snapshot)
                                 : json_pack("{s:[], s:o}", "processes", "held",
                                             snapshot_held_json(&self->snapshot));
    if (dir) {
        int exit_code;
        run_folder_each(dir, add_process, json_object_get(json, "processes"));
        json_t *run = publisher_report_json(dir, &exit_code);
        json_object_set_new(json, "report", run ? run : json_null());
        add_owed(self, json);
    }
    json_object_set_new(json, "on_record", held_json(&self->held));
    return ctl_end_output(ctl_write_json(stdout, json, JSON_COMPACT));
}

// What needs a person, a line each, however wide the page is: a script reads the first one.
static void print_attention(const status_t *self)
{
    const snapshot_t *snapshot = &self->snapshot;
    for (size_t i = 0; i < snapshot->attention_count; i++)
        (void)printf("%s\n", snapshot->attention[i].text);
    if (snapshot->attention_left_out > 0)
        (void)printf("and %" PRId64 " more\n", snapshot->attention_left_out);
}

// Who leads, of several consumers on one record.
static void print_lease(const snapshot_t *snapshot)
{
    char left[MM_DURATION_TEXT];
    (void)mm_duration_print(snapshot->lease_left_ms, left);
    if (strcmp(snapshot->lease, "standby") == 0 && snapshot->lease_left_ms > 0)
        (void)printf("this consumer stands by: the one of epoch %" PRId64 " leads, for %s more\n",
                     snapshot->lease_epoch, left);
    else if (strcmp(snapshot->lease, "standby") == 0)
        (void)printf("this consumer stands by, and nobody leads\n");
    else if (strcmp(snapshot->lease, "leading") == 0)
        (void)printf("this consumer leads: epoch %" PRId64 ", trusted for %s more\n",
                     snapshot->lease_epoch, left);
    else if (*snapshot->lease)
        (void)printf("this consumer is %s: epoch %" PRId64
                     ", last renewed %s ago; nothing is handed "
                     "out\n",
                     snapshot->lease, snapshot->lease_epoch,
                     mm_duration_print(mm_later(snapshot->lease_age_ms, 0), left));
}

static int print_text(const status_t *self)
{
    const char *dir = self->dir;
    print_attention(self);
    print_lease(&self->snapshot);
    if (self->answers) {
        snapshot_t rest = self->snapshot;
        rest.attention_count = 0;
        rest.attention_left_out = 0;
        page_t *page = screen_top(&rest, &(screen_view_t){.width = WIDTH});
        page_print(page, stdout);
        page_destroy(&page);
    }
    if (dir) {
        (void)printf("%s", self->answers ? "\n" : "");
        int exit_code;
        run_folder_each(dir, print_process, NULL);
        char *report = publisher_report(dir, "text", &exit_code);
        (void)printf("\n%s", report ? report : "");
        free(report);
        print_owed(self);
    }
    held_print(&self->held, false, self->argument, stdout);
    return ctl_end_output(true);
}

// Nothing runs: what is on record is so until another run.
static int print_stopped(const status_t *self, const target_t *target, bool is_json)
{
    int exit_code = is_json ? print_json(self) : 0;
    if (!is_json) {
        print_attention(self);
        print_owed(self);
        held_print(&self->held, false, self->argument, stdout);
    }
    if (exit_code != 0)
        return exit_code;
    (void)fflush(stdout);
    return ctl_fail(
        EX_UNAVAILABLE,
        "nothing is running in %s: nobody answers at %s; start it with `mayhem run`, or "
        "name its folder with --dir",
        self->dir, target->address);
}

// ---- the hosts

// What all know of hosts, asked until all have replied, or for HOSTS_WAIT_MS. False: nobody
// answers.
static bool ask_hosts(const target_t *target, hosts_now_t *ret_hosts,
                      char ret_complaint[MM_ERROR_MAX])
{
    attach_t *attach = attach_new(&target->addresses, target_key(target));
    int64_t now_ms = mm_clock_ms(), end_ms = now_ms + TARGET_WAIT_MS, again_ms = now_ms;
    hosts_now_t hosts = {0};
    while (now_ms < end_ms && !hosts_now_is_complete(&hosts)) {
        if (now_ms >= again_ms) {
            attach_ask_hosts(attach);
            again_ms = now_ms + HOSTS_AGAIN_MS;
        }
        news_t news = attach_next(attach, -1, (int)(mm_earlier(end_ms, again_ms) - now_ms));
        if (news.kind == NEWS_HOSTS)
            hosts_now_add(&hosts, news.json);
        now_ms = mm_clock_ms();
        if (hosts.consumer)
            end_ms = mm_earlier(end_ms, now_ms + HOSTS_WAIT_MS);
    }
    (void)snprintf(ret_complaint, MM_ERROR_MAX, "%s", attach_complaint(attach));
    attach_destroy(&attach);
    *ret_hosts = hosts;
    return hosts.consumer != NULL;
}

static int show_hosts(const target_t *target, bool is_json)
{
    hosts_now_t hosts;
    char complaint[MM_ERROR_MAX];
    if (!ask_hosts(target, &hosts, complaint)) {
        hosts_now_clear(&hosts);
        return target_fail(target, complaint);
    }
    bool is_good = true;
    if (is_json)
        is_good = ctl_write_json(stdout, hosts_now_json(&hosts), JSON_COMPACT);
    else
        hosts_now_print(&hosts, mm_clock_wall_ms(), stdout);
    hosts_now_clear(&hosts);
    return ctl_end_output(is_good);
}

// Asks the pipeline, unless is_brief, and its record.
static void look(status_t *self, const target_t *target, bool is_brief)
{
    char error[MM_ERROR_MAX];
    const char *record = self->record;
    (void)target_argument(target, self->argument);
    if (!is_brief || !self->dir) {
        feed_t *feed = feed_attach(&target->addresses, target_key(target));
        self->answers = feed_look(feed, TARGET_WAIT_MS, &self->snapshot);
        (void)snprintf(self->complaint, sizeof self->complaint, "%s", feed_complaint(feed));
        feed_destroy(&feed);
    }
    bool is_read = record && mm_held_record_read(record, mm_clock_wall_ms(), HELD_MAX, &self->held,
                                                 error) == 0;
    attention_find(&self->snapshot, is_read ? &self->held : NULL, self->argument);
}

static int show(const status_t *self, const target_t *target, bool is_json)
{
    char who[256];
    pid_t pid;
    bool has_run = self->dir && run_folder_find(self->dir, &pid, who, sizeof who);
    if (!self->answers && !self->dir)
        return target_fail(target, self->complaint);
    if (!self->answers && !has_run)
        return print_stopped(self, target, is_json);
    return is_json ? print_json(self) : print_text(self);
}

int ctl_status(int argc, char **argv)
{
    target_t target = {0};
    status_t status = {0};
    char record[TARGET_PATH];
    bool is_json = false, is_brief = false, has_hosts = false;
    const ctl_option_t options[] = {
        TARGET_OPTIONS(&target),
        {.name = "json", .help = "as one JSON object", .flag = &is_json},
        {.name = "brief",
         .help = "the processes and the run so far, without the page: at once",
         .flag = &is_brief},
        {.name = "hosts",
         .help = "the hosts that are being restarted now, and why others wait",
         .flag = &has_hosts},
        {.name = NULL}};
    int exit_code = ctl_options(argc, argv, usage, options, NULL);
    if (exit_code == 0)
        exit_code = target_find(&target);
    if (exit_code != 0)
        return exit_code;
    // By its address alone, a pipeline may be anywhere.
    status.dir = target.consumer ? NULL : target.dir;
    if (status.dir && !run_folder_may_look(status.dir))
        return ctl_fail(EX_NOPERM, "%s is another user's: you may not look into it", status.dir);
    if (has_hosts)
        return show_hosts(&target, is_json);
    status.record = target_record(&target, NULL, record);
    look(&status, &target, is_brief);
    exit_code = show(&status, &target, is_json);
    snapshot_clear(&status.snapshot);
    mm_held_record_clear(&status.held);
    return exit_code;
}
