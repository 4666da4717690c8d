// See snapshot_feed.h. A recording may come from anywhere: all of it is checked.

#include "snapshot_feed.h"
#include "attention.h"
#include "clock.h"
#include "ctl.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

#define VERSION        1
#define PROFILE_MS     10000                  // between two profiles while recording
#define PROFILE_COVERS 10                     // seconds of them
#define KNOWN_MAX      4096                   // processes of a recording
#define LATER_MAX_MS   INT64_C(1000000000000) // between two objects of one

struct feed {
    attach_t *attach; // NULL: a replay
    FILE *file;       // the recording that is written, or read; NULL: none
    const char *path;
    const char *record;  // of the pipeline; NULL: not known
    const char *options; // for commands
    bool is_over;
    char error[MM_ERROR_MAX];
    int exit_code;
    // of a recording that is written
    int64_t profile_ms; // next query for profiles
    // of a replay
    char *line;
    size_t line_size;
    int line_number;
    double speed;
    json_t *ahead;   // the next object; NULL: not read yet
    int64_t due_ms;  // its time; until it is read, that of the former one
    int64_t at_ms;   // the same by the recording
    json_t *known;   // the last profile of each process, by name
    json_t *asked;   // profiles still to be given
    json_t *profile; // of the last news
    // of both
    snapshot_t snapshot;
};

static feed_t *feed_new(void)
{
    feed_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

feed_t *feed_attach(const mm_addresses_t *addresses, const mm_key_t *key)
{
    feed_t *self = feed_new();
    self->attach = attach_new(addresses, key);
    return self;
}

void feed_know_record(feed_t *self, const char *path, const char *options)
{
    self->record = path;
    self->options = options;
}

void feed_destroy(feed_t **self_p)
{
    feed_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    attach_destroy(&self->attach);
    if (self->file)
        (void)fclose(self->file);
    free(self->line);
    json_decref(self->ahead);
    json_decref(self->known);
    json_decref(self->asked);
    json_decref(self->profile);
    snapshot_clear(&self->snapshot);
    free(self);
}

// ---- recording

static bool cannot_write(feed_t *self, int exit_code, const char *why)
{
    self->exit_code = exit_code;
    return ctl_error(self->error, "cannot write %s: %s", self->path, why);
}

// Takes the reference. False: the disk is full.
static bool write_line(feed_t *self, json_t *json)
{
    self->is_over = !ctl_write_json(self->file, json, JSON_COMPACT);
    return !self->is_over || cannot_write(self, EX_IOERR, strerror(errno));
}

// Whether the file may be replaced: it is new, empty, special, or a recording.
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

bool feed_record(feed_t *self, const char *path)
{
    self->path = path;
    if (!may_replace(path))
        return cannot_write(self, EX_CANTCREAT,
                            "it is there, and is no recording; name another file");
    self->file = fopen(path, "we");
    if (!self->file)
        return cannot_write(self, EX_CANTCREAT, strerror(errno));
    self->profile_ms = mm_clock_ms();
    return write_line(self, json_pack("{s:s, s:i, s:I}", "mayhem", "recording", "version", VERSION,
                                      "began_ms", (json_int_t)mm_clock_wall_ms()));
}

// What needs a person, with what is on record of it.
static const snapshot_t *complete(feed_t *self, const snapshot_t *snapshot)
{
    mm_held_record_t record = {0};
    char error[MM_ERROR_MAX];
    if (!self->options || snapshot->attention_count == 0)
        return snapshot;
    bool is_read = self->record && mm_held_record_read(self->record, mm_clock_wall_ms(), HELD_MAX,
                                                       &record, error) == 0;
    snapshot_copy(&self->snapshot, snapshot);
    attention_find(&self->snapshot, is_read ? &record : NULL, self->options);
    mm_held_record_clear(&record);
    return &self->snapshot;
}

static news_t next_live(feed_t *self, int descriptor, int timeout_ms)
{
    if (self->file && mm_clock_ms() >= self->profile_ms) {
        attach_ask_profile(self->attach, NULL, PROFILE_COVERS);
        self->profile_ms = mm_clock_ms() + PROFILE_MS;
    }
    news_t news = attach_next(self->attach, descriptor, timeout_ms);
    if (news.kind == NEWS_SNAPSHOT)
        news.snapshot = complete(self, news.snapshot);
    json_t *json = !self->file                  ? NULL
                   : news.kind == NEWS_SNAPSHOT ? snapshot_json(news.snapshot)
                   : news.kind == NEWS_PROFILE  ? json_incref(news.json)
                                                : NULL;
    return !json || write_line(self, json) ? news : (news_t){.kind = NEWS_DAMAGED};
}

// ---- replay

static bool damaged(feed_t *self, const char *why)
{
    self->exit_code = EX_DATAERR;
    return ctl_error(self->error, "cannot replay %.300s: line %d %s", self->path, self->line_number,
                     why);
}

static const char not_a_head[] =
    "is not the head of a recording; make one with: mayhem top --record FILE";

// The object of the next line, a new reference; NULL at the end, or with an error.
static json_t *read_line(feed_t *self)
{
    ssize_t size = getline(&self->line, &self->line_size, self->file);
    self->line_number++;
    if (size < 0) {
        if (ferror(self->file))
            (void)damaged(self, strerror(errno));
        return NULL;
    }
    json_t *json = json_loadb(self->line, (size_t)size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json))
        return json;
    (void)damaged(self, self->line_number == 1 ? not_a_head
                        : self->line[size - 1] == '\n'
                            ? "is no JSON object; the file is damaged"
                            : "is cut off; it can be played up to there only");
    json_decref(json);
    return NULL;
}

static void read_head(feed_t *self)
{
    json_t *head = read_line(self);
    const json_t *began = json_object_get(head, "began_ms");
    json_int_t version = json_integer_value(json_object_get(head, "version"));
    char other[96];
    (void)snprintf(other, sizeof other,
                   "has version %lld, this program reads %d; use the release that made it",
                   (long long)version, VERSION);
    const char *why = strcmp(ctl_text(head, "mayhem"), "recording") != 0 ? not_a_head
                      : version != VERSION                               ? other
                      : !json_is_integer(began) ? "does not say when it began; the file is damaged"
                                                : NULL;
    if (self->exit_code == 0 && why)
        (void)damaged(self, why);
    self->at_ms = json_integer_value(began);
    self->due_ms = mm_clock_ms();
    json_decref(head);
}

feed_t *feed_replay(const char *path, double speed)
{
    feed_t *self = feed_new();
    self->path = path;
    self->speed = speed;
    self->known = json_object();
    self->asked = json_array();
    self->file = fopen(path, "re");
    if (self->file) {
        read_head(self);
    } else {
        self->exit_code = EX_DATAERR;
        (void)ctl_error(self->error, "cannot replay %s: %s", path, strerror(errno));
    }
    return self;
}

// Reads the next object, unless it has been read. False at the end, or with an error.
static bool read_ahead(feed_t *self)
{
    if (self->ahead)
        return true;
    self->ahead = read_line(self);
    const json_t *wall = json_object_get(self->ahead, "wall_ms");
    if (!self->ahead)
        return false;
    int64_t wall_ms = json_is_integer(wall) ? json_integer_value(wall) : self->at_ms;
    if (wall_ms > self->at_ms) { // the wall clock can be set back
        double later_ms =
            self->speed > 0 ? ((double)wall_ms - (double)self->at_ms) / self->speed : 0;
        self->due_ms += later_ms < LATER_MAX_MS ? (int64_t)later_ms : LATER_MAX_MS;
        self->at_ms = wall_ms;
    }
    return true;
}

// Takes the reference.
static news_t give_profile(feed_t *self, json_t *profile)
{
    json_decref(self->profile);
    self->profile = profile;
    return (news_t){.kind = NEWS_PROFILE, .json = profile};
}

static news_t end_replay(feed_t *self)
{
    self->is_over = true;
    return (news_t){.kind = self->exit_code != 0 ? NEWS_DAMAGED : NEWS_END};
}

// The object that was read ahead is due.
static news_t give_ahead(feed_t *self)
{
    json_t *json = self->ahead;
    const char *what = ctl_text(json, "mayhem"), *process = ctl_text(json, "process");
    snapshot_t snapshot;
    self->ahead = NULL;
    if (strcmp(what, "profile") == 0) {
        if (json_object_get(self->known, process) || json_object_size(self->known) < KNOWN_MAX)
            json_object_set(self->known, process, json);
        return give_profile(self, json);
    }
    bool is_good =
        strcmp(what, "snapshot") != 0
            ? damaged(self, "is neither a snapshot nor a profile; the file is damaged")
            : snapshot_read(json, &snapshot) ||
                  damaged(self, "is no snapshot that this program reads; the file is damaged");
    json_decref(json);
    if (!is_good)
        return end_replay(self);
    snapshot_clear(&self->snapshot);
    self->snapshot = snapshot;
    return (news_t){.kind = NEWS_SNAPSHOT, .snapshot = &self->snapshot};
}

// True: the descriptor can be read.
static bool wait_for(int descriptor, int64_t until_ms)
{
    struct pollfd item = {.fd = descriptor, .events = POLLIN};
    int64_t long_ms = until_ms - mm_clock_ms();
    return poll(&item, 1, long_ms < 0 ? 0 : long_ms > INT32_MAX ? -1 : (int)long_ms) > 0;
}

static news_t next_replay(feed_t *self, int descriptor, int64_t end_ms)
{
    if (json_array_size(self->asked) > 0) {
        news_t news = give_profile(self, json_incref(json_array_get(self->asked, 0)));
        json_array_remove(self->asked, 0);
        return news;
    }
    if (!read_ahead(self))
        return end_replay(self);
    if (wait_for(descriptor, self->due_ms < end_ms ? self->due_ms : end_ms) ||
        mm_clock_ms() < self->due_ms)
        return (news_t){.kind = NEWS_NOTHING};
    return give_ahead(self);
}

// ---- both

news_t feed_next(feed_t *self, int descriptor, int timeout_ms)
{
    int64_t end_ms = timeout_ms < 0 ? MM_NEVER : mm_clock_ms() + timeout_ms;
    if (!self->is_over || json_array_size(self->asked) > 0)
        return self->attach ? next_live(self, descriptor, timeout_ms)
                            : next_replay(self, descriptor, end_ms);
    (void)wait_for(descriptor, end_ms);
    return (news_t){.kind = NEWS_NOTHING};
}

const char *feed_error(const feed_t *self)
{
    return self->error;
}

int feed_exit_code(const feed_t *self)
{
    return self->exit_code;
}

const snapshot_t *feed_wait(feed_t *self, int wait_ms)
{
    const snapshot_t *found = NULL;
    int64_t end_ms = mm_clock_ms() + wait_ms;
    for (int64_t now_ms; !found && (now_ms = mm_clock_ms()) < end_ms;)
        found = feed_next(self, -1, (int)(end_ms - now_ms)).snapshot;
    return found;
}

bool feed_look(feed_t *self, int wait_ms, snapshot_t *ret_snapshot)
{
    snapshot_t seen = {0};
    const snapshot_t *next;
    for (int i = 0; i < 2 && (next = feed_wait(self, wait_ms)) != NULL; i++)
        snapshot_copy(&seen, next);
    if (seen.processes)
        *ret_snapshot = seen;
    return seen.processes != NULL;
}

void feed_ask_profile(feed_t *self, const char *process, uint32_t seconds)
{
    const char *name;
    json_t *profile;
    if (self->attach)
        attach_ask_profile(self->attach, process, seconds);
    else
        json_object_foreach(self->known, name, profile) if (!process || strcmp(name, process) == 0)
            json_array_append(self->asked, profile);
}

int64_t feed_silent_ms(const feed_t *self)
{
    return self->attach ? attach_silent_ms(self->attach) : 0;
}

const char *feed_complaint(const feed_t *self)
{
    return self->attach ? attach_complaint(self->attach) : "";
}
