// mayhem top: a pipeline as it runs, or as it ran, on a terminal or printed. mayhem status:
// one look at it.
//
// On the terminal it is one loop: draw, wait for news or keys, apply them. The screen shows a copy
// of the snapshot, so that it can stand still while the feed goes on.

#include "clock.h"
#include "collect.h"
#include "ctl.h"
#include "screen.h"
#include "snapshot_feed.h"
#include "target.h"
#include "terminal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#define WIDTH        120  // of what is printed
#define DRILL_MS     2000 // between two profiles of the process on screen
#define DRILL_COVERS 10   // seconds
#define SAVE_COVERS  30
#define TICK_MS      500
#define MESSAGE_MS   8000

static const char top_usage[] =
    "usage: mayhem top [OPTION]...\n\n"
    "A running pipeline, or a recording of one, on the terminal. h shows the keys.\n";

typedef struct {
    target_t target;
    const char *record;
    const char *replay;
    const char *speed_text;
    double speed;
    bool is_batch;
    bool is_json;
    uint64_t delay; // seconds
    uint64_t count; // 0: no end
    int sort;
} top_options_t;

static int parse_speed(const char *text, double *ret_speed)
{
    char *end;
    errno = 0;
    double speed = strtod(text, &end);
    // The comparison is false for NaN, too.
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || !(speed <= 1e6))
        return ctl_fail(EX_USAGE, "--speed is '%s'; it must be a number from 0 to 1000000", text);
    *ret_speed = speed;
    return 0;
}

// 0, or a sysexits code when the options do not fit together.
static int check(const top_options_t *options)
{
    if (options->replay && (options->target.dir || options->target.consumer))
        return ctl_fail(EX_USAGE, "--replay shows a recording: leave out --dir and --consumer");
    if (options->replay && options->record)
        return ctl_fail(EX_USAGE, "--replay shows a recording: it cannot be recorded again");
    if (!options->replay && options->speed_text)
        return ctl_fail(EX_USAGE, "--speed is for a recording: say which, with --replay FILE");
    if (options->count > 0 && !options->is_batch)
        return ctl_fail(EX_USAGE, "-n counts what is printed: it needs -b or --json");
    return 0;
}

static int parse(int argc, char **argv, top_options_t *self)
{
    const ctl_option_t options[] = {
        TARGET_OPTIONS(&self->target),
        {.name = "record",
         .argument = "FILE",
         .help = "keep what is received, with profiles, to be replayed",
         .text = &self->record},
        {.name = "replay",
         .argument = "FILE",
         .help = "show a recording instead of a pipeline",
         .text = &self->replay},
        {.name = "speed",
         .argument = "N",
         .help = "so many times as fast as it was; 0: as fast as it goes",
         .text = &self->speed_text},
        {.name = "sort",
         .argument = "KEY",
         .help = "of the processes",
         .word = &self->sort,
         .words = screen_sort_names},
        {.name = "delay",
         .argument = "N",
         .help = "seconds between two snapshots, 1 to 3600",
         .letter = 'd',
         .number = &self->delay,
         .min = 1,
         .max = 3600},
        {.name = "count",
         .argument = "N",
         .help = "end after so many snapshots (with -b or --json)",
         .letter = 'n',
         .number = &self->count,
         .min = 1,
         .max = 1000000000},
        {.name = "batch",
         .help = "print snapshots instead of drawing on the terminal",
         .letter = 'b',
         .flag = &self->is_batch},
        {.name = "json", .help = "print them as JSON, one object a line", .flag = &self->is_json},
        {.name = NULL}};
    int exit_code = ctl_options(argc, argv, top_usage, options, NULL);
    if (exit_code == 0 && self->speed_text)
        exit_code = parse_speed(self->speed_text, &self->speed);
    self->is_batch = self->is_batch || self->is_json;
    if (exit_code == 0)
        exit_code = check(self);
    return exit_code == 0 && !self->replay ? target_find(&self->target) : exit_code;
}

// Whether a snapshot should be shown when the former one was that of `shown_ms` (0: there was
// none). The snapshots of a pipeline come about once a second.
static bool is_due(const top_options_t *options, const snapshot_t *snapshot, int64_t shown_ms)
{
    return shown_ms == 0 || snapshot->wall_ms < shown_ms ||
           snapshot->wall_ms - shown_ms >= (int64_t)options->delay * 1000 - 500;
}

// ---- printing

static int print(const snapshot_t *snapshot, const top_options_t *options)
{
    if (options->is_json)
        return ctl_end_output(ctl_write_json(stdout, snapshot_json(snapshot), JSON_COMPACT));
    page_t *page = screen_top(
        snapshot, &(screen_view_t){.width = WIDTH, .sort = (screen_sort_t)options->sort});
    page_print(page, stdout);
    page_destroy(&page);
    return ctl_end_output(true);
}

// The first snapshot is not printed: it has no rates, and may lack processes. A recording has the
// same one.
static int print_all(const top_options_t *options, feed_t *feed)
{
    uint64_t seen = 0, printed = 0;
    int64_t shown_ms = 0;
    bool is_silent = false;
    while (options->count == 0 || printed < options->count) {
        news_t news = feed_next(feed, -1, TARGET_WAIT_MS);
        if (news.kind == NEWS_END)
            return printed > 0 ? 0
                               : ctl_fail(EX_DATAERR, "cannot replay %s: it has no two snapshots",
                                          options->replay);
        if (news.kind == NEWS_DAMAGED)
            return feed_exit_code(feed);
        seen += news.kind == NEWS_SNAPSHOT;
        if (news.kind == NEWS_SNAPSHOT && (seen > 1 || !options->replay) &&
            is_due(options, news.snapshot, shown_ms)) {
            if (printed > 0 && !options->is_json)
                (void)fputc('\n', stdout);
            int exit_code = print(news.snapshot, options);
            if (exit_code != 0)
                return exit_code;
            shown_ms = news.snapshot->wall_ms;
            printed++;
        }
        is_silent = target_watch(feed_silent_ms(feed), is_silent);
    }
    return 0;
}

// ---- the terminal

typedef struct {
    const top_options_t *options;
    feed_t *feed;
    bool is_drill;  // else it shows the whole pipeline,
    bool is_groups; // or what holds groups back
    bool is_help;   // over it
    snapshot_t shown;
    snapshot_t latest;
    screen_view_t view;
    bool has_selected;  // the user has; until then it is the first row
    mm_name_t selected; // the text of that in the view
    profiles_t profile; // of the selected process: at most one
    int64_t drill_ms;   // next query for it
    bool is_saving;
    collect_t saving;
    char message[MM_ERROR_MAX];
    int64_t message_until_ms;
    bool has_ended; // the recording
    bool is_done;
} top_t;

__attribute__((format(printf, 2, 3))) static void say(top_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(self->message, sizeof self->message, format, args);
    va_end(args);
    self->message_until_ms = mm_clock_ms() + MESSAGE_MS;
}

// ---- drawing

// For the last row; NULL: none.
static const char *message_of(const top_t *self, int64_t now_ms, char buffer[MM_ERROR_MAX],
                              bool *ret_is_alarming)
{
    int64_t silent_ms = feed_silent_ms(self->feed);
    *ret_is_alarming = false;
    if (now_ms < self->message_until_ms)
        return self->message;
    if (self->has_ended)
        return "the recording has ended: q quits";
    if (silent_ms < TARGET_WAIT_MS)
        return NULL;
    *ret_is_alarming = true;
    (void)snprintf(buffer, MM_ERROR_MAX, "no answer for %lld s: the pipeline is gone; asking on",
                   (long long)(silent_ms / 1000));
    return buffer;
}

static void draw(top_t *self)
{
    char buffer[MM_ERROR_MAX];
    screen_view_t *view = &self->view;
    view->message = message_of(self, mm_clock_ms(), buffer, &view->is_alarming);
    terminal_size(&view->width, &view->height);
    const profile_t *profile = self->profile.count > 0 ? self->profile.items[0] : NULL;
    page_t *page = self->is_help     ? screen_help(view)
                   : self->is_groups ? screen_groups(&self->shown, view)
                   : self->is_drill  ? screen_drill(&self->shown, profile, view)
                                     : screen_top(&self->shown, view);
    terminal_draw(page);
    page_destroy(&page);
}

// ---- selecting

// Moves the selection by so many rows, as far as there are.
static void select_by(top_t *self, long rows)
{
    size_t count = self->shown.process_count;
    if (count == 0)
        return;
    size_t *order = screen_order(&self->shown, &self->view);
    long place = (long)screen_place(&self->shown, order, &self->view) + rows;
    place = place < 0 ? 0 : place < (long)count ? place : (long)count - 1;
    const snapshot_process_t *process = &self->shown.processes[order[place]];
    self->view.selected = strcpy(self->selected.text, process->name);
    self->view.selected_pid = process->pid;
    free(order);
}

static void move_by(top_t *self, long rows)
{
    if (!self->is_drill && !self->is_groups) {
        self->has_selected = true;
        select_by(self, rows);
        return;
    }
    long most = self->is_groups ? (long)self->shown.group_count : MM_PROFILE_NODES;
    long scroll = (long)self->view.scroll + rows;
    self->view.scroll = scroll < 0 ? 0 : scroll > most ? (size_t)most : (size_t)scroll;
}

// The page of groups, and back to the whole pipeline.
static void toggle_groups(top_t *self)
{
    self->is_groups = !self->is_groups;
    self->is_drill = false;
    self->view.scroll = 0;
}

static void look_into(top_t *self)
{
    if (self->is_drill || self->is_groups || !self->view.selected)
        return;
    self->has_selected = true;
    self->is_drill = true;
    self->view.scroll = 0;
    self->drill_ms = mm_clock_ms();
    profiles_clear(&self->profile);
}

static void show_latest(top_t *self)
{
    snapshot_copy(&self->shown, &self->latest);
    if (!self->has_selected)
        self->view.selected = NULL;
    if (!self->is_drill) // which keeps a process that is gone
        select_by(self, 0);
}

// ---- saving profiles

static void begin_saving(top_t *self)
{
    if (self->is_saving)
        return;
    self->is_saving = true;
    collect_begin(&self->saving, self->feed, &self->latest, NULL, SAVE_COVERS, mm_clock_ms());
    say(self, "asking all processes for their profiles");
}

// Into the folder's profile/top-TIME.json, or ./mayhem-profile-TIME.json without a folder. ret_path
// is set in any case. False, with errno, when that cannot be written.
static bool write_profiles(const top_t *self, char ret_path[MM_ERROR_MAX])
{
    const target_t *target = &self->options->target;
    const char *folder = self->options->replay || target->consumer ? NULL : target->dir;
    char stamp[32] = "";
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts))
        (void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts);
    (void)snprintf(ret_path, MM_ERROR_MAX, "%.400s/profile", folder ? folder : ".");
    if (folder && mkdir(ret_path, 0700) != 0 && errno != EEXIST)
        return false;
    (void)snprintf(ret_path, MM_ERROR_MAX,
                   folder ? "%.400s/profile/top-%s.json" : "%s/mayhem-profile-%s.json",
                   folder ? folder : ".", stamp);
    FILE *file = fopen(ret_path, "we");
    bool is_good =
        file && ctl_write_json(file, profiles_json(&self->saving.profiles), JSON_INDENT(1));
    if (file)
        (void)fclose(file);
    return is_good;
}

static void save(top_t *self)
{
    char path[MM_ERROR_MAX];
    size_t count = self->saving.profiles.count, missing = self->saving.missing_count;
    self->is_saving = false;
    if (count == 0)
        say(self, "nothing was saved: no process has answered with its profile");
    else if (!write_profiles(self, path))
        say(self, "cannot write %.400s: %s", path, strerror(errno));
    else if (missing > 0)
        say(self, "saved %zu profiles to %.400s; %zu have not answered", count, path, missing);
    else
        say(self, "saved %zu profiles to %.400s", count, path);
    collect_clear(&self->saving);
}

// ---- keys and news

static void apply_key(top_t *self, int key)
{
    size_t width, height;
    terminal_size(&width, &height);
    if (self->is_help && key != TERMINAL_STOP && key != TERMINAL_SIZE && key != 'q') {
        self->is_help = false;
        return;
    }
    switch (key) {
    case TERMINAL_STOP:
    case 'q': self->is_done = true; break;
    case TERMINAL_UP:
    case 'k': move_by(self, -1); break;
    case TERMINAL_DOWN:
    case 'j': move_by(self, 1); break;
    case TERMINAL_PAGE_UP: move_by(self, -(long)height / 2); break;
    case TERMINAL_PAGE_DOWN: move_by(self, (long)height / 2); break;
    case TERMINAL_FIRST: move_by(self, -100000); break;
    case TERMINAL_LAST: move_by(self, 100000); break;
    case TERMINAL_INTO: look_into(self); break;
    case TERMINAL_BACK: self->is_drill = self->is_groups = false; break;
    case 'g': toggle_groups(self); break;
    case 'p':
    case ' ':
        self->view.is_paused = !self->view.is_paused;
        if (!self->view.is_paused)
            show_latest(self);
        break;
    case 's':
        self->view.sort = (screen_sort_t)((self->view.sort + 1) % SCREEN_SORTS);
        say(self, "sorted by %s", screen_sort_names[self->view.sort]);
        break;
    case 'r': self->view.is_reversed = !self->view.is_reversed; break;
    case 'w': begin_saving(self); break;
    case 'h':
    case '?': self->is_help = true; break;
    default: break; // another key, or a new size, with which it is drawn anyway
    }
}

static void apply_profile(top_t *self, json_t *profile)
{
    char error[MM_ERROR_MAX];
    if (self->is_saving) { // it covers another time
        collect_add(&self->saving, profile);
        return;
    }
    if (!self->is_drill || self->is_help || self->view.is_paused ||
        strcmp(ctl_text(profile, "process"), self->selected.text) != 0)
        return;
    profiles_t fresh = {0};
    bool is_good = profiles_add(&fresh, profile, error);
    profiles_clear(is_good ? &self->profile : &fresh);
    if (is_good)
        self->profile = fresh;
}

static void apply_news(top_t *self, const news_t *news)
{
    switch (news->kind) {
    case NEWS_SNAPSHOT:
        snapshot_copy(&self->latest, news->snapshot);
        if (!self->view.is_paused && is_due(self->options, &self->latest, self->shown.wall_ms))
            show_latest(self);
        break;
    case NEWS_PROFILE: apply_profile(self, news->json); break;
    case NEWS_END: self->has_ended = true; break;
    case NEWS_DAMAGED: self->is_done = true; break;
    case NEWS_NOTHING:
    case NEWS_EVENTS:
    case NEWS_JOB:
    case NEWS_HOSTS:
    case NEWS_ORDER: break;
    }
}

static void do_due(top_t *self, int64_t now_ms)
{
    if (self->is_saving) {
        if (collect_is_done(&self->saving, self->feed, now_ms))
            save(self);
    } else if (self->is_drill && !self->is_help && !self->view.is_paused &&
               now_ms >= self->drill_ms) {
        feed_ask_profile(self->feed, self->selected.text, DRILL_COVERS);
        self->drill_ms = now_ms + DRILL_MS;
    }
}

// first: a snapshot that has been received already, or NULL.
static int run(const top_options_t *options, feed_t *feed, const snapshot_t *first)
{
    char title[MM_ENDPOINT_MAX + 32];
    top_t self = {.options = options,
                  .feed = feed,
                  .view = {.title = title,
                           .is_replay = options->replay != NULL,
                           .sort = (screen_sort_t)options->sort}};
    (void)snprintf(title, sizeof title, "mayhem top  %.250s",
                   options->replay ? options->replay : options->target.address);
    if (!terminal_begin())
        return ctl_fail(EX_USAGE, "top needs a terminal; without one there is: mayhem top -b");
    if (first) {
        snapshot_copy(&self.latest, first);
        show_latest(&self);
    }
    while (!self.is_done) {
        do_due(&self, mm_clock_ms());
        draw(&self);
        news_t news = feed_next(feed, terminal_descriptor(), self.is_saving ? 50 : TICK_MS);
        apply_news(&self, &news);
        for (int key; !self.is_done && (key = terminal_key()) != TERMINAL_NO_KEY;)
            apply_key(&self, key);
    }
    terminal_end();
    snapshot_clear(&self.shown);
    snapshot_clear(&self.latest);
    profiles_clear(&self.profile);
    collect_clear(&self.saving);
    return 0;
}

// ---- the commands

// What has failed in the feed is left to the caller.
static int show(const top_options_t *options, feed_t *feed)
{
    const snapshot_t *first = options->replay ? NULL : feed_wait(feed, TARGET_WAIT_MS);
    if (!options->replay && !first)
        return feed_exit_code(feed) != 0 ? 0 : target_fail(&options->target, feed_complaint(feed));
    return options->is_batch ? print_all(options, feed) : run(options, feed, first);
}

int ctl_top(int argc, char **argv)
{
    top_options_t options = {.speed = 1, .delay = 1};
    int exit_code = parse(argc, argv, &options);
    if (exit_code != 0)
        return exit_code;
    if (!options.is_batch)
        terminal_block_signals();
    char record[TARGET_PATH], argument[TARGET_ARGUMENT];
    feed_t *feed = options.replay
                       ? feed_replay(options.replay, options.speed)
                       : feed_attach(&options.target.addresses, target_key(&options.target));
    if (!options.replay)
        feed_know_record(feed, target_record(&options.target, NULL, record),
                         target_argument(&options.target, argument));
    if (feed_exit_code(feed) == 0 && (!options.record || feed_record(feed, options.record)))
        exit_code = show(&options, feed);
    if (feed_exit_code(feed) != 0)
        exit_code = ctl_fail(feed_exit_code(feed), "%s", feed_error(feed));
    feed_destroy(&feed);
    return exit_code;
}
