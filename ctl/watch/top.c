// See top.h. One loop: draw, wait for news or keys, apply them. The screen shows a copy of the
// snapshot, so that it can stand still while the feed goes on.

#include "top.h"
#include "clock.h"
#include "collect.h"
#include "ctl.h"
#include "terminal.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>

#define DRILL_MS     2000 // between two profiles of the process on screen
#define DRILL_COVERS 10   // seconds
#define SAVE_COVERS  30
#define SILENT_MS    3000
#define TICK_MS      500
#define MESSAGE_MS   8000

typedef enum { SHOW_TOP, SHOW_DRILL, SHOW_HELP } show_t;

typedef struct {
    top_config_t config;
    feed_t *feed;
    show_t show;
    show_t behind; // the help
    snapshot_t shown;
    snapshot_t latest;
    bool is_paused;
    bool is_reversed;
    bool has_selected; // the user has; until then it is the first row
    mm_name_t selected;
    int selected_pid;
    size_t scroll;
    profiles_t profile; // of the selected process: at most one
    int64_t drill_ms;   // next query for it
    bool is_saving;
    collect_t saving;
    char message[MM_ERROR_MAX];
    int64_t message_until_ms;
    bool has_ended; // the recording
    bool is_done;
    int exit_code;
} top_t;

bool top_is_due(const snapshot_t *snapshot, int64_t shown_ms, int64_t every_ms)
{
    return shown_ms == 0 || snapshot->wall_ms < shown_ms ||
           snapshot->wall_ms - shown_ms >= every_ms - 500;
}

static void say(top_t *self, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(top_t *self, const char *format, ...)
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
    if (silent_ms < SILENT_MS)
        return NULL;
    *ret_is_alarming = true;
    (void)snprintf(buffer, MM_ERROR_MAX, "no answer for %lld s: the pipeline is gone; asking on",
                   (long long)(silent_ms / 1000));
    return buffer;
}

static void draw(const top_t *self)
{
    char buffer[MM_ERROR_MAX];
    screen_view_t view = {.title = self->config.title,
                          .is_paused = self->is_paused,
                          .is_replay = feed_is_replay(self->feed),
                          .sort = self->config.sort,
                          .is_reversed = self->is_reversed,
                          .selected = *self->selected.text ? self->selected.text : NULL,
                          .selected_pid = self->selected_pid,
                          .scroll = self->scroll};
    view.message = message_of(self, mm_clock_ms(), buffer, &view.is_alarming);
    terminal_size(&view.width, &view.height);
    page_t *page = NULL;
    switch (self->show) {
    case SHOW_TOP: page = screen_top(&self->shown, &view); break;
    case SHOW_DRILL:
        page = screen_drill(&self->shown, self->profile.count > 0 ? self->profile.items[0] : NULL,
                            &view);
        break;
    case SHOW_HELP: page = screen_help(&view); break;
    }
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
    size_t *order = calloc(count, sizeof *order);
    assert(order);
    screen_order(&self->shown, self->config.sort, self->is_reversed, order);
    screen_view_t view = {.selected = self->selected.text, .selected_pid = self->selected_pid};
    long place = (long)screen_place(&self->shown, order, &view) + rows;
    place = place < 0 ? 0 : place < (long)count ? place : (long)count - 1;
    const snapshot_process_t *process = &self->shown.processes[order[place]];
    strcpy(self->selected.text, process->name);
    self->selected_pid = process->pid;
    free(order);
}

static void move_by(top_t *self, long rows)
{
    if (self->show == SHOW_TOP) {
        self->has_selected = true;
        select_by(self, rows);
        return;
    }
    long scroll = (long)self->scroll + rows;
    self->scroll = scroll < 0 ? 0 : scroll > MM_PROFILE_NODES ? MM_PROFILE_NODES : (size_t)scroll;
}

static void look_into(top_t *self)
{
    if (self->show != SHOW_TOP || *self->selected.text == '\0')
        return;
    self->has_selected = true;
    self->show = SHOW_DRILL;
    self->scroll = 0;
    self->drill_ms = mm_clock_ms();
    profiles_clear(&self->profile);
}

static void show_latest(top_t *self)
{
    snapshot_copy(&self->shown, &self->latest);
    if (!self->has_selected)
        self->selected.text[0] = '\0';
    if (self->show != SHOW_DRILL) // which keeps a process that is gone
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
    const char *folder = self->config.save_folder;
    char stamp[32] = "";
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts))
        (void)strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &parts);
    if (folder) {
        (void)snprintf(ret_path, MM_ERROR_MAX, "%.400s/profile", folder);
        if (mkdir(ret_path, 0700) != 0 && errno != EEXIST)
            return false;
        (void)snprintf(ret_path, MM_ERROR_MAX, "%.400s/profile/top-%s.json", folder, stamp);
    } else {
        (void)snprintf(ret_path, MM_ERROR_MAX, "./mayhem-profile-%s.json", stamp);
    }
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
    if (self->show == SHOW_HELP && key != TERMINAL_STOP && key != TERMINAL_SIZE && key != 'q') {
        self->show = self->behind;
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
    case TERMINAL_BACK: self->show = SHOW_TOP; break;
    case 'p':
    case ' ':
        self->is_paused = !self->is_paused;
        if (!self->is_paused)
            show_latest(self);
        break;
    case 's':
        self->config.sort = (screen_sort_t)((self->config.sort + 1) % SCREEN_SORTS);
        say(self, "sorted by %s", screen_sort_names[self->config.sort]);
        break;
    case 'r': self->is_reversed = !self->is_reversed; break;
    case 'w': begin_saving(self); break;
    case 'h':
    case '?':
        self->behind = self->show;
        self->show = SHOW_HELP;
        break;
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
    if (self->show != SHOW_DRILL || self->is_paused ||
        strcmp(ctl_text(profile, "process"), self->selected.text) != 0)
        return;
    profiles_t fresh = {0};
    if (profiles_add(&fresh, profile, error)) {
        profiles_clear(&self->profile);
        self->profile = fresh;
    } else {
        profiles_clear(&fresh);
    }
}

static void apply_news(top_t *self, const news_t *news)
{
    switch (news->kind) {
    case NEWS_SNAPSHOT:
        snapshot_copy(&self->latest, news->snapshot);
        if (!self->is_paused &&
            top_is_due(&self->latest, self->shown.wall_ms, self->config.every_ms))
            show_latest(self);
        break;
    case NEWS_PROFILE: apply_profile(self, news->json); break;
    case NEWS_END: self->has_ended = true; break;
    case NEWS_DAMAGED:
        self->is_done = true;
        self->exit_code = feed_exit_code(self->feed);
        break;
    case NEWS_NOTHING:
    case NEWS_EVENTS:
    case NEWS_JOB: break;
    }
}

static void do_due(top_t *self, int64_t now_ms)
{
    if (self->is_saving) {
        if (collect_is_done(&self->saving, self->feed, now_ms))
            save(self);
    } else if (self->show == SHOW_DRILL && !self->is_paused && now_ms >= self->drill_ms) {
        feed_ask_profile(self->feed, self->selected.text, DRILL_COVERS);
        self->drill_ms = now_ms + DRILL_MS;
    }
}

int top_run(const top_config_t *config, feed_t *feed, const snapshot_t *first)
{
    top_t self = {.config = *config, .feed = feed};
    if (!terminal_begin())
        return ctl_fail(EX_USAGE, "top needs a terminal; without one there is: mayhemctl top -b");
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
    if (self.exit_code != 0)
        (void)ctl_fail(self.exit_code, "%s", feed_error(feed));
    snapshot_clear(&self.shown);
    snapshot_clear(&self.latest);
    profiles_clear(&self.profile);
    collect_clear(&self.saving);
    return self.exit_code;
}
