// See stats_reply.h.

#include "stats_reply.h"
#include "clock.h"
#include "log.h"
#include "span.h"
#include "string_view.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROFILES_MS 250 // at most PROFILES in this time
#define PROFILES    2

mm_stats_reply_t mm_stats_reply_new(const mm_stats_reply_config_t *config)
{
    return (mm_stats_reply_t){.config = *config, .profile_ms = INT64_MIN / 2};
}

void mm_stats_reply_send(const mm_stats_reply_t *self, mm_about_t about, uint64_t viewer,
                         json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    assert(text);
    mm_frame_t frame = {.kind = MM_FRAME_TELL,
                        .as.tell = {.process = mm_str(self->config.process),
                                    .viewer = viewer,
                                    .about = about,
                                    .text = mm_str(text)}};
    if (frame.as.tell.text.size <= MM_REPLY_BYTES)
        self->config.send(self->config.arg, &frame);
    free(text);
}

static int64_t resident_bytes(void)
{
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%*s %lld", &pages) != 1)
        pages = 0;
    (void)fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static void reply_stats(const mm_stats_reply_t *self)
{
    MM_SPAN("tell");
    json_t *stats =
        json_pack("{s:s, s:i, s:s, s:s, s:i, s:I, s:I, s:I}", "mayhem", "stats", "version", 1,
                  "process", self->config.process, "role", mm_program_name(self->config.program),
                  "pid", (int)getpid(), "wall_ms", (json_int_t)mm_clock_wall_ms(), "memory_bytes",
                  (json_int_t)resident_bytes(), "dropped", (json_int_t)mm_log_dropped());
    assert(stats);
    mm_span_add(stats);
    int rc = json_object_update_new(stats, self->config.stats(self->config.arg));
    assert(rc == 0);
    mm_stats_reply_send(self, MM_ABOUT_STATS, 0, stats);
}

static void reply_profile(mm_stats_reply_t *self, const mm_frame_t *query, int64_t now_ms)
{
    if (now_ms - self->profile_ms >= PROFILES_MS) {
        self->profile_ms = now_ms;
        self->profiles = 0;
    }
    if (self->profiles++ >= PROFILES)
        return;
    MM_SPAN("tell");
    json_t *profile = mm_span_json(query->as.query.seconds);
    if (profile)
        mm_stats_reply_send(self, MM_ABOUT_PROFILE, query->as.query.viewer, profile);
}

static void reply_hosts(const mm_stats_reply_t *self)
{
    MM_SPAN("tell");
    json_t *hosts = self->config.hosts(self->config.arg);
    assert(hosts);
    json_object_set_new(hosts, "process", json_string(self->config.process));
    mm_stats_reply_send(self, MM_ABOUT_HOSTS, 0, hosts);
}

void mm_stats_reply_answer(mm_stats_reply_t *self, const mm_frame_t *query, int64_t now_ms)
{
    mm_str_t process = query->as.query.process;
    if (process.size > 0 && !mm_str_equal(process, mm_str(self->config.process)))
        return;
    if (query->as.query.about == MM_ABOUT_STATS)
        reply_stats(self);
    else if (query->as.query.about == MM_ABOUT_PROFILE)
        reply_profile(self, query, now_ms);
    else if (query->as.query.about == MM_ABOUT_HOSTS && self->config.hosts)
        reply_hosts(self);
}
