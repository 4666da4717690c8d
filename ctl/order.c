// See order.h.

#include "order.h"
#include "attach.h"
#include "clock.h"
#include "ctl.h"
#include "duration.h"
#include "record_order.h"
#include "run_folder.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#define SLICE_MS 200 // between two looks at who is there
#define AGAIN    (-1)

// ---- by a consumer

// Whether a consumer listens here, also one that nobody supervises. The file of its socket may have
// outlived it.
static bool is_listening(const mm_endpoint_t *base)
{
    char endpoint[MM_ENDPOINT_MAX];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = mm_endpoint_of(base, MM_SOCKET_INBOX, endpoint) + strlen("ipc://");
    if (!base->is_ipc || strlen(path) >= sizeof address.sun_path)
        return !base->is_ipc;
    strcpy(address.sun_path, path);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_there =
        probe >= 0 && connect(probe, (const struct sockaddr *)&address, sizeof address) == 0;
    if (probe >= 0)
        close(probe);
    return is_there;
}

static bool may_be_taken(const order_way_t *way)
{
    char who[256];
    pid_t pid;
    return !way->record || way->target->consumer ||
           run_folder_find(way->target->dir, &pid, who, sizeof who) ||
           is_listening(&way->target->addresses.items[0]);
}

// What the consumer, or its record, says of orders that are wrong. All else is a record that cannot
// be written.
static int code_of(const char *error)
{
    static const char *const refusals[] = {"the policy has no such group",
                                           "no operator orders that", "it names no host",
                                           "this record takes no orders"};
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (strcmp(error, refusals[i]) == 0)
            return 1;
    return EX_IOERR;
}

static int read_answer(const json_t *answer, order_taken_t *ret_taken)
{
    const char *error = ctl_text(answer, "error");
    *ret_taken = json_is_true(json_object_get(answer, "rehearsal")) ? ORDER_REHEARSAL : ORDER_TAKEN;
    return *error ? ctl_fail(code_of(error), "it is not on record: %s", error) : 0;
}

// ---- by the saver's program

static int put_on_record(const order_way_t *way, const mm_order_t *order)
{
    char error[MM_ERROR_MAX];
    int exit_code = record_order_write(way->target->dir, way->record, order, error);
    if (exit_code == EX_UNAVAILABLE && !*error)
        return AGAIN;
    return *error ? ctl_fail(exit_code, "%s", error) : exit_code;
}

// AGAIN: a run has begun, or a saver runs.
static int record(const order_way_t *way, const mm_order_t *order, int64_t left_ms)
{
    run_folder_t folder;
    if (access(way->record, F_OK) != 0)
        return ctl_fail(EX_NOINPUT,
                        "there is no record %s: name the folder of a run with --dir, or its record "
                        "with --db",
                        way->record);
    int exit_code = run_folder_borrow(&folder, way->target->dir, left_ms);
    if (exit_code == 0)
        exit_code = put_on_record(way, order);
    else if (exit_code == EX_UNAVAILABLE && folder.lock < 0)
        exit_code = AGAIN;
    run_folder_release(&folder);
    return exit_code;
}

// ---- whoever is there

int order_give(const order_way_t *way, const mm_order_t *order, order_taken_t *ret_taken)
{
    char span[MM_DURATION_TEXT], argument[TARGET_ARGUMENT];
    int64_t now_ms = mm_clock_ms(), end_ms = now_ms + way->timeout_ms;
    int exit_code = AGAIN;
    attach_t *attach = attach_new(&way->target->addresses, target_key(way->target));
    attach_order(attach, order);
    *ret_taken = ORDER_RECORDED;
    for (; exit_code == AGAIN && now_ms < end_ms; now_ms = mm_clock_ms()) {
        int slice_ms = (int)mm_earlier(end_ms - now_ms, SLICE_MS);
        if (may_be_taken(way)) {
            news_t news = attach_next(attach, -1, slice_ms);
            if (news.kind == NEWS_ORDER)
                exit_code = read_answer(news.json, ret_taken);
            continue;
        }
        exit_code = record(way, order, end_ms - now_ms);
        if (exit_code == AGAIN)
            (void)usleep((useconds_t)slice_ms * 1000);
    }
    char why[MM_ERROR_MAX];
    (void)snprintf(why, sizeof why, "%s", attach_complaint(attach));
    attach_destroy(&attach);
    if (exit_code != AGAIN)
        return exit_code;
    return ctl_fail(EX_TEMPFAIL,
                    "nobody has answered within %s%s%s: the order may be in force or not; see "
                    "`mayhem status%s`, and give it once more",
                    mm_duration_print(way->timeout_ms, span), *why ? ", since " : "", why,
                    target_argument(way->target, argument));
}
