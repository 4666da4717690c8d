// See live.h.

#include "live.h"
#include "attach.h"
#include "clock.h"

#include <string.h>
#include <unistd.h>

#define WAIT_MS 1000

// A socket that nobody has bound is not worth the wait.
static bool may_run(const mm_endpoint_t *base)
{
    char endpoint[MM_ENDPOINT_MAX];
    return !base->is_ipc ||
           access(mm_endpoint_of(base, MM_SOCKET_INBOX, endpoint) + strlen("ipc://"), F_OK) == 0;
}

json_t *live_job(const mm_endpoint_t *base, const char *id)
{
    if (!may_run(base))
        return NULL;
    attach_t *attach = attach_new(base);
    attach_ask_job(attach, id);
    json_t *job = NULL;
    bool is_answered = false;
    int64_t end_ms = mm_clock_ms() + WAIT_MS;
    for (int64_t now_ms; !is_answered && (now_ms = mm_clock_ms()) < end_ms;) {
        attach_news_t news = attach_next(attach, -1, (int)(end_ms - now_ms));
        is_answered = news.kind == ATTACH_JOB;
        if (is_answered)
            job = json_incref(json_array_get(json_object_get(news.json, "jobs"), 0));
    }
    attach_destroy(&attach);
    return job;
}
