// See feed.h. A recording may come from anywhere: everything in it is checked.

#include "snapshot_feed.h"
#include "attach.h"
#include "clock.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#define VERSION        1
#define PROFILE_MS     10000 // between two profiles while recording
#define PROFILE_COVERS 10    // seconds of them
#define KNOWN_MAX      4096  // processes of a recording

struct feed {
    attach_t *attach; // NULL: a replay
    // recording
    FILE *record;
    char *record_path;
    int64_t profile_ms; // when to ask for the next profiles
    // replay
    FILE *replay;
    char *replay_path;
    char *line;
    size_t line_size;
    int line_number;
    double speed;
    json_t *ahead;      // the next object; NULL: none was read yet
    int64_t due_ms;     // when to give it
    int64_t at_ms;      // the recording's time of the former object
    int64_t at_real_ms; // when that was due
    json_t *known;      // array of the last profile of each process
    json_t *asked;      // array of those that are still to be given
    // both
    snapshot_t snapshot;
    json_t *profile; // of the last news
    bool is_over;
    char error[FEED_ERROR_MAX];
    int exit_code;
};

feed_t *feed_attach(const mm_endpoint_t *base)
{
    feed_t *self = calloc(1, sizeof *self);
    assert(self);
    self->attach = attach_new(base);
    return self;
}

void feed_destroy(feed_t **self_p)
{
    feed_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    attach_destroy(&self->attach);
    if (self->record)
        (void)fclose(self->record);
    if (self->replay)
        (void)fclose(self->replay);
    free(self->record_path);
    free(self->replay_path);
    free(self->line);
    json_decref(self->ahead);
    json_decref(self->known);
    json_decref(self->asked);
    json_decref(self->profile);
    snapshot_clear(&self->snapshot);
    free(self);
}

// ---- recording

static bool write_line(feed_t *self, const json_t *json)
{
    if (json_dumpf(json, self->record, JSON_COMPACT) == 0 && putc('\n', self->record) != EOF &&
        fflush(self->record) == 0)
        return true;
    (void)snprintf(self->error, sizeof self->error, "cannot write %s: %s", self->record_path,
                   strerror(errno));
    self->exit_code = EX_IOERR;
    return false;
}

// Whether writing there destroys nothing but another recording.
static bool may_replace(const char *path)
{
    static const char head[] = "{\"mayhem\":\"recording\"";
    char begin[sizeof head] = "";
    struct stat status;
    FILE *file = stat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0
                     ? fopen(path, "re")
                     : NULL;
    if (!file)
        return true;
    size_t size = fread(begin, 1, sizeof head - 1, file);
    (void)fclose(file);
    return size == sizeof head - 1 && memcmp(begin, head, size) == 0;
}

bool feed_record(feed_t *self, const char *path, char error[FEED_ERROR_MAX])
{
    if (!may_replace(path)) {
        (void)snprintf(error, FEED_ERROR_MAX,
                       "cannot write %s: it is there, and is no recording; name another file",
                       path);
        return false;
    }
    self->record_path = strdup(path);
    assert(self->record_path);
    self->record = fopen(path, "we");
    if (!self->record) {
        (void)snprintf(error, FEED_ERROR_MAX, "cannot write %s: %s", path, strerror(errno));
        return false;
    }
    self->profile_ms = mm_clock_ms();
    json_t *head = json_pack("{s:s, s:i, s:I}", "mayhem", "recording", "version", VERSION,
                             "began_ms", (json_int_t)mm_clock_wall_ms());
    assert(head);
    bool is_good = write_line(self, head);
    json_decref(head);
    if (!is_good)
        (void)snprintf(error, FEED_ERROR_MAX, "%s", self->error);
    return is_good;
}

// False: the disk is full.
static bool record(feed_t *self, const attach_news_t *news)
{
    if (!self->record)
        return true;
    if (news->kind == ATTACH_PROFILE)
        return write_line(self, news->json);
    if (news->kind != ATTACH_SNAPSHOT)
        return true;
    json_t *json = snapshot_json(news->snapshot);
    bool is_good = write_line(self, json);
    json_decref(json);
    return is_good;
}

static feed_news_t next_live(feed_t *self, int descriptor, int timeout_ms)
{
    if (self->record && mm_clock_ms() >= self->profile_ms) {
        attach_ask_profile(self->attach, NULL, PROFILE_COVERS);
        self->profile_ms = mm_clock_ms() + PROFILE_MS;
    }
    attach_news_t news = attach_next(self->attach, descriptor, timeout_ms);
    if (!record(self, &news)) {
        self->is_over = true;
        return (feed_news_t){.kind = FEED_DAMAGED};
    }
    switch (news.kind) {
    case ATTACH_SNAPSHOT: return (feed_news_t){.kind = FEED_SNAPSHOT, .snapshot = news.snapshot};
    case ATTACH_PROFILE: return (feed_news_t){.kind = FEED_PROFILE, .profile = news.json};
    case ATTACH_EVENTS: // nobody has asked for them
    case ATTACH_JOB:
    case ATTACH_NOTHING: break;
    }
    return (feed_news_t){.kind = FEED_NOTHING};
}

// ---- replay

static bool is_damaged(feed_t *self, const char *why)
{
    (void)snprintf(self->error, sizeof self->error, "cannot replay %.300s: line %d %s",
                   self->replay_path, self->line_number, why);
    self->exit_code = EX_DATAERR;
    return true;
}

static const char not_a_head[] =
    "is not the head of a recording; make one with: mayhemctl top --record FILE";

// The object of the next line, a new reference; NULL at the end, or with an error.
static json_t *read_line(feed_t *self)
{
    json_error_t unused;
    ssize_t size = getline(&self->line, &self->line_size, self->replay);
    self->line_number++;
    if (size < 0) {
        if (ferror(self->replay))
            (void)is_damaged(self, strerror(errno));
        return NULL;
    }
    json_t *json = json_loadb(self->line, (size_t)size, JSON_REJECT_DUPLICATES, &unused);
    if (!json_is_object(json)) {
        (void)is_damaged(self, self->line_number == 1 ? not_a_head
                               : self->line[size - 1] == '\n'
                                   ? "is no JSON object; the file is damaged"
                                   : "is cut off; it can be played up to there only");
        json_decref(json);
        return NULL;
    }
    return json;
}

static const char *what_is(const json_t *json)
{
    const char *what = json_string_value(json_object_get(json, "mayhem"));
    return what ? what : "";
}

static bool read_head(feed_t *self)
{
    json_t *head = read_line(self);
    const json_t *began = json_object_get(head, "began_ms");
    json_int_t version = json_integer_value(json_object_get(head, "version"));
    char why[96];
    bool is_good = false;
    if (self->exit_code != 0) {
        // said already
    } else if (strcmp(what_is(head), "recording") != 0) {
        (void)is_damaged(self, not_a_head);
    } else if (version != VERSION) {
        (void)snprintf(why, sizeof why,
                       "has version %lld, this program reads %d; use the release that made it",
                       (long long)version, VERSION);
        (void)is_damaged(self, why);
    } else if (!json_is_integer(began)) {
        (void)is_damaged(self, "does not say when it began; the file is damaged");
    } else {
        self->at_ms = json_integer_value(began);
        self->at_real_ms = mm_clock_ms();
        is_good = true;
    }
    json_decref(head);
    return is_good;
}

feed_t *feed_replay(const char *path, double speed, char error[FEED_ERROR_MAX], int *ret_exit_code)
{
    feed_t *self = calloc(1, sizeof *self);
    assert(self);
    self->speed = speed;
    self->replay_path = strdup(path);
    self->known = json_array();
    self->asked = json_array();
    assert(self->replay_path && self->known && self->asked);
    self->replay = fopen(path, "re");
    if (!self->replay) {
        (void)snprintf(self->error, sizeof self->error, "cannot replay %s: %s", path,
                       strerror(errno));
        self->exit_code = EX_DATAERR;
    } else if (read_head(self)) {
        return self;
    }
    (void)snprintf(error, FEED_ERROR_MAX, "%s", self->error);
    *ret_exit_code = self->exit_code;
    feed_destroy(&self);
    return NULL;
}

// Reads ahead; false when there is nothing more.
static bool read_ahead(feed_t *self)
{
    if (self->ahead)
        return true;
    self->ahead = read_line(self);
    const json_t *wall = json_object_get(self->ahead, "wall_ms");
    if (!self->ahead)
        return false;
    int64_t wall_ms = json_is_integer(wall) ? json_integer_value(wall) : self->at_ms;
    self->due_ms = self->at_real_ms;
    if (wall_ms > self->at_ms) { // the wall's clock can step back
        if (self->speed > 0)
            self->due_ms += (int64_t)((double)(wall_ms - self->at_ms) / self->speed);
        self->at_ms = wall_ms;
    }
    self->at_real_ms = self->due_ms;
    return true;
}

static const char *process_of(const json_t *profile)
{
    const char *name = json_string_value(json_object_get(profile, "process"));
    return name ? name : "";
}

static void keep_profile(feed_t *self, json_t *profile)
{
    size_t place = 0;
    while (place < json_array_size(self->known) &&
           strcmp(process_of(json_array_get(self->known, place)), process_of(profile)) != 0)
        place++;
    if (place < json_array_size(self->known))
        json_array_set(self->known, place, profile);
    else if (place < KNOWN_MAX)
        json_array_append(self->known, profile);
}

static feed_news_t give_profile(feed_t *self, json_t *profile)
{
    json_decref(self->profile);
    self->profile = json_incref(profile);
    return (feed_news_t){.kind = FEED_PROFILE, .profile = self->profile};
}

static feed_news_t end_replay(feed_t *self)
{
    self->is_over = true;
    return (feed_news_t){.kind = self->exit_code != 0 ? FEED_DAMAGED : FEED_END};
}

// What was read ahead is due.
static feed_news_t give_ahead(feed_t *self)
{
    feed_news_t news = {.kind = FEED_NOTHING};
    json_t *json = self->ahead;
    self->ahead = NULL;
    if (strcmp(what_is(json), "profile") == 0) {
        keep_profile(self, json);
        news = give_profile(self, json);
    } else if (strcmp(what_is(json), "snapshot") == 0) {
        snapshot_t snapshot;
        if (snapshot_read(json, &snapshot)) {
            snapshot_clear(&self->snapshot);
            self->snapshot = snapshot;
            news = (feed_news_t){.kind = FEED_SNAPSHOT, .snapshot = &self->snapshot};
        } else {
            (void)is_damaged(self, "is no snapshot that this program reads; the file is damaged");
        }
    } else {
        (void)is_damaged(self, "is neither a snapshot nor a profile; the file is damaged");
    }
    json_decref(json);
    return news.kind == FEED_NOTHING ? end_replay(self) : news;
}

// True: `descriptor` can be read.
static bool wait_for(int descriptor, int64_t until_ms)
{
    struct pollfd item = {.fd = descriptor, .events = POLLIN};
    int64_t long_ms = until_ms == MM_NEVER ? -1 : until_ms - mm_clock_ms();
    if (until_ms != MM_NEVER && long_ms < 0)
        long_ms = 0;
    return poll(&item, 1, long_ms > INT32_MAX ? INT32_MAX : (int)long_ms) > 0;
}

static feed_news_t next_replay(feed_t *self, int descriptor, int timeout_ms)
{
    int64_t end_ms = timeout_ms < 0 ? MM_NEVER : mm_clock_ms() + timeout_ms;
    if (json_array_size(self->asked) > 0) {
        feed_news_t news = give_profile(self, json_array_get(self->asked, 0));
        json_array_remove(self->asked, 0);
        return news;
    }
    if (!self->is_over && !read_ahead(self))
        return end_replay(self);
    int64_t due_ms = self->is_over ? MM_NEVER : self->due_ms;
    if (wait_for(descriptor, due_ms < end_ms ? due_ms : end_ms) || mm_clock_ms() < due_ms)
        return (feed_news_t){.kind = FEED_NOTHING};
    return give_ahead(self);
}

// ---- both

feed_news_t feed_next(feed_t *self, int descriptor, int timeout_ms)
{
    if (!self->attach)
        return next_replay(self, descriptor, timeout_ms);
    if (!self->is_over)
        return next_live(self, descriptor, timeout_ms);
    (void)wait_for(descriptor, timeout_ms < 0 ? MM_NEVER : mm_clock_ms() + timeout_ms);
    return (feed_news_t){.kind = FEED_NOTHING};
}

const char *feed_error(const feed_t *self)
{
    return self->error;
}

int feed_exit_code(const feed_t *self)
{
    return self->exit_code;
}

void feed_keep(snapshot_t *self, const snapshot_t *from)
{
    snapshot_process_t *processes = calloc(from->process_count + 1, sizeof *processes);
    assert(processes);
    if (from->process_count > 0)
        memcpy(processes, from->processes, from->process_count * sizeof *processes);
    snapshot_clear(self);
    *self = *from;
    self->processes = processes;
}

bool feed_look(feed_t *self, int wait_ms, snapshot_t *ret_snapshot)
{
    snapshot_t seen = {0};
    int count = 0;
    int64_t end_ms = mm_clock_ms() + wait_ms;
    for (int64_t now_ms; count < 2 && (now_ms = mm_clock_ms()) < end_ms;) {
        feed_news_t news = feed_next(self, -1, (int)(end_ms - now_ms));
        if (news.kind != FEED_SNAPSHOT)
            continue;
        feed_keep(&seen, news.snapshot);
        count++;
        end_ms = mm_clock_ms() + wait_ms;
    }
    if (count > 0)
        *ret_snapshot = seen;
    return count > 0;
}

void feed_ask_profile(feed_t *self, const char *process, uint32_t seconds)
{
    if (self->attach) {
        attach_ask_profile(self->attach, process, seconds);
        return;
    }
    size_t index;
    json_t *profile;
    json_array_foreach(self->known, index,
                       profile) if (!process || strcmp(process_of(profile), process) == 0)
        json_array_append(self->asked, profile);
}

int64_t feed_silent_ms(const feed_t *self)
{
    return self->attach ? attach_silent_ms(self->attach) : 0;
}

bool feed_is_replay(const feed_t *self)
{
    return !self->attach;
}
