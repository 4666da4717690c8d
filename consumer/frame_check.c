// See frame_check.h.

#include "frame_check.h"
#include "socket.h"

static bool is_worker(mm_key_role_t role)
{
    return role == MM_KEY_SAVER || role == MM_KEY_RESTARTER;
}

static bool is_viewer(mm_key_role_t role)
{
    return role == MM_KEY_VIEWER || role == MM_KEY_OPERATOR;
}

bool frame_check_domain(mm_key_role_t role, mm_str_t domain)
{
    if (mm_str_equal(domain, mm_str("jobs")))
        return role == MM_KEY_PUBLISHER;
    if (mm_str_equal(domain, mm_str("inbox")))
        return is_worker(role) || is_viewer(role);
    if (mm_str_equal(domain, mm_str("events")))
        return role == MM_KEY_PUBLISHER || is_worker(role) || is_viewer(role);
    return mm_str_equal(domain, mm_str("viewers")) && is_viewer(role);
}

static const char *not_of(mm_key_role_t role)
{
    switch (role) {
    case MM_KEY_CONSUMER: return "a frame that is no consumer's";
    case MM_KEY_PUBLISHER: return "a frame that is no publisher's";
    case MM_KEY_SAVER: return "a frame that is no saver's";
    case MM_KEY_RESTARTER: return "a frame that is no restarter's";
    case MM_KEY_VIEWER: return "a frame that is no viewer's";
    case MM_KEY_OPERATOR: return "a frame that is no operator's";
    }
    return "a frame of no role";
}

static bool may_send(mm_key_role_t role, bool is_jobs, mm_frame_kind_t kind)
{
    switch (kind) {
    case MM_FRAME_JOBS: return is_jobs && role == MM_KEY_PUBLISHER;
    case MM_FRAME_TELL: return is_jobs ? role == MM_KEY_PUBLISHER : is_worker(role);
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT:
    case MM_FRAME_STARTED:
    case MM_FRAME_RESULTS:
    case MM_FRAME_BYE: return !is_jobs && is_worker(role);
    case MM_FRAME_RECORDED:
    case MM_FRAME_STATE:
    case MM_FRAME_LEASE: return !is_jobs && role == MM_KEY_SAVER;
    case MM_FRAME_QUERY: return !is_jobs && is_viewer(role);
    case MM_FRAME_ORDER:
    case MM_FRAME_HANDOVER: return !is_jobs && role == MM_KEY_OPERATOR;
    case MM_FRAME_TASKS: // these are the consumer's
    case MM_FRAME_NOTICES:
    case MM_FRAME_WELCOME:
    case MM_FRAME_REFUSED:
    case MM_FRAME_REJOIN:
    case MM_FRAME_BEAT:
    case MM_FRAME_LEAVING:
    case MM_FRAME_ORDERS:
    case MM_FRAME_LEASE_ASK: return false;
    }
    return false;
}

// Whether it is in the name of the key. QUERY, ORDER and HANDOVER have none.
static bool has_name(const mm_frame_t *frame, mm_str_t name)
{
    switch ((int)frame->kind) { // may_send has refused the others
    case MM_FRAME_JOBS: return mm_str_equal(frame->as.jobs.publisher, name);
    case MM_FRAME_TELL: return mm_str_equal(frame->as.tell.process, name);
    case MM_FRAME_HELLO:
    case MM_FRAME_HEARTBEAT: return mm_str_equal(frame->as.report.worker, name);
    case MM_FRAME_STARTED: return mm_str_equal(frame->as.started.worker, name);
    case MM_FRAME_RESULTS: return mm_str_equal(frame->as.results.worker, name);
    case MM_FRAME_BYE: return mm_str_equal(frame->as.bye.worker, name);
    case MM_FRAME_RECORDED: return mm_str_equal(frame->as.recorded.worker, name);
    case MM_FRAME_STATE: return mm_str_equal(frame->as.state.worker, name);
    case MM_FRAME_LEASE: return mm_str_equal(frame->as.lease.worker, name);
    case MM_FRAME_QUERY:
    case MM_FRAME_ORDER:
    case MM_FRAME_HANDOVER: return true;
    }
    return false;
}

// A report says which role its worker has.
static bool has_role(const mm_frame_t *frame, mm_key_role_t role)
{
    return (frame->kind != MM_FRAME_HELLO && frame->kind != MM_FRAME_HEARTBEAT) ||
           (frame->as.report.role == MM_ROLE_SAVER) == (role == MM_KEY_SAVER);
}

const char *frame_check(const mm_allowed_t *row, bool is_jobs, const mm_frame_t *frame)
{
    if (!may_send(row->role, is_jobs, frame->kind) || !has_role(frame, row->role))
        return not_of(row->role);
    return has_name(frame, mm_str(row->name.text)) ? NULL : "a frame in another's name";
}

const char *frame_check_foreign(const mm_allowed_t *row, bool is_jobs, mm_str_t worker)
{
    if (is_jobs || !is_worker(row->role))
        return not_of(row->role);
    return mm_str_equal(worker, mm_str(row->name.text)) ? NULL : "a frame in another's name";
}

bool frame_check_topic(const mm_allowed_t *row, bool on_viewers, mm_str_t topic)
{
    char buffer[MM_TOPIC_MAX];
    const char *name = row->name.text;
    if (is_viewer(row->role) && mm_str_equal(topic, mm_topic("viewers", NULL, buffer)))
        return true;
    if (on_viewers || row->role == MM_KEY_CONSUMER)
        return false;
    if (mm_str_equal(topic, mm_topic("consumer", NULL, buffer)))
        return true;
    if (row->role == MM_KEY_SAVER && mm_str_equal(topic, mm_topic("lease", NULL, buffer)))
        return true;
    if (is_worker(row->role))
        return mm_str_equal(topic, mm_topic("worker", name, buffer));
    if (mm_str_equal(topic, mm_topic("progress", NULL, buffer)))
        return true;
    return row->role == MM_KEY_PUBLISHER && mm_str_equal(topic, mm_topic("job", name, buffer));
}
