// See record_order.h.

#include "record_order.h"
#include "caller.h"
#include "child_process.h"
#include "utf8.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

char *record_order_actor(char buffer[MM_ACTOR_MAX + 1])
{
    const struct passwd *user = getpwuid(getuid());
    const char *name = user && *user->pw_name ? user->pw_name : "unknown";
    size_t size = mm_utf8_prefix(mm_str(name), MM_ACTOR_MAX - 64);
    (void)snprintf(buffer, MM_ACTOR_MAX + 1, "%.*s (uid %u, pid %d)", (int)size, name,
                   (unsigned)getuid(), (int)getpid());
    return buffer;
}

// Its words, when it could not do it.
static void copy_words(int from)
{
    char bytes[4096];
    ssize_t size;
    (void)lseek(from, 0, SEEK_SET);
    while ((size = read(from, bytes, sizeof bytes)) > 0)
        (void)fwrite(bytes, 1, (size_t)size, stderr);
}

static int run_saver(const arguments_t *words, char error[MM_ERROR_MAX])
{
    child_end_t end = {0};
    size_t size;
    int errors = memfd_create("errors", MFD_CLOEXEC);
    char *output = errors < 0 ? NULL : child_process_capture(words->items, errors, &size, &end);
    int why = errno, exit_code = end.code;
    *error = '\0';
    if (!output) {
        exit_code = EX_UNAVAILABLE;
        (void)snprintf(error, MM_ERROR_MAX, "cannot start %.200s: %s", words->items[0],
                       strerror(why));
    } else if (end.signal != 0) {
        exit_code = EX_TEMPFAIL;
        (void)snprintf(error, MM_ERROR_MAX,
                       "mayhem-saver was killed by signal %d: it may be in force or not; `mayhem "
                       "status` says it",
                       end.signal);
    } else if (end.code != 0 && end.code != EX_UNAVAILABLE) {
        copy_words(errors);
    }
    free(output);
    if (errors >= 0)
        close(errors);
    return exit_code;
}

int record_order_write(const char *dir, const char *record, const mm_order_t *order,
                       char error[MM_ERROR_MAX])
{
    char id[MM_ID_TEXT], log[4096], *saver = child_process_sibling("mayhem-saver");
    arguments_t words = {0};
    arguments_add(&words, "%s", saver);
    arguments_add(&words, "--dir=%s", dir);
    arguments_add(&words, "--store=%s", record);
    arguments_add(&words, "--order=%s", mm_action_name(order->action));
    if (!mm_id_is_none(&order->id)) // a consumer may have it
        arguments_add(&words, "--order-id=%s", mm_id_print(&order->id, id));
    if (order->name.size > 0)
        arguments_add(&words, "--order-name=%.*s", (int)order->name.size, order->name.data);
    if (order->until_ms > 0)
        arguments_add(&words, "--order-until=%lld", (long long)order->until_ms);
    arguments_add(&words, "--order-why=%.*s", (int)order->why.size, order->why.data);
    arguments_add(&words, "--order-actor=%.*s", (int)order->actor.size, order->actor.data);
    (void)snprintf(log, sizeof log, "%s/log/saver.log", dir);
    if (access(log, W_OK) == 0)
        arguments_add(&words, "--log-file=%s", log);
    int exit_code = run_saver(&words, error);
    arguments_clear(&words);
    free(saver);
    return exit_code;
}

int record_order_of_run(const run_settings_t *settings, mm_action_t action, const char *why)
{
    char actor[MM_ACTOR_MAX + 1], error[MM_ERROR_MAX];
    mm_order_t order = {
        .action = action, .why = mm_str(why), .actor = mm_str(record_order_actor(actor))};
    int exit_code = record_order_write(settings->dir, settings->db, &order, error);
    if (exit_code != 0 && *error)
        (void)caller_fail(exit_code, "%s", error);
    return exit_code;
}
