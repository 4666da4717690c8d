// mayhem keys rotate: another key for the consumer, while all clients go on. First they learn the
// next public key, then the consumer takes it up, then the former one is forgotten. Each step can
// be repeated after a crash, and none can be done out of order.

#include "crash.h"
#include "ctl.h"
#include "key_folder.h"
#include "keys.h"
#include "private_file.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static int write_client(const mm_key_t *key, const char *path)
{
    char error[MM_ERROR_MAX];
    int exit_code = mm_key_write(key, path, true, error);
    return exit_code == 0 ? 0 : ctl_fail(exit_code, "%s", error);
}

typedef struct {
    const key_folder_t *folder;
    size_t changed;
} step_t;

// ---- the next key

static int check_room(void *arg, mm_key_t *key, const char *path)
{
    const key_folder_t *folder = arg;
    bool is_wanted = mm_key_trusts(key, folder->consumer.public_key) &&
                     !(folder->has_next && mm_key_trusts(key, folder->next.public_key));
    if (is_wanted && key->server_count == MM_SERVER_KEYS)
        return ctl_fail(EX_DATAERR,
                        "%s has %d server keys, and no room for another one: remove "
                        "those that are not in use",
                        path, MM_SERVER_KEYS);
    return 0;
}

static int add_next(void *arg, mm_key_t *key, const char *path)
{
    step_t *self = arg;
    const char *next = self->folder->next.public_key;
    if (!mm_key_trusts(key, self->folder->consumer.public_key) || mm_key_trusts(key, next))
        return 0;
    self->changed++;
    strcpy(key->server_keys[key->server_count++], next);
    return write_client(key, path);
}

static int draw_next(key_folder_t *folder)
{
    char path[KEY_PATH], error[MM_ERROR_MAX];
    if (folder->has_next)
        return 0;
    folder->next = folder->consumer;
    mm_key_draw(&folder->next);
    if (!key_folder_path(folder, "consumer.next", path))
        return EX_USAGE;
    int exit_code = mm_key_write(&folder->next, path, false, error);
    folder->has_next = exit_code == 0;
    MM_CRASH_POINT("keys: there is a next key, and no client knows it");
    return exit_code == 0 ? 0 : ctl_fail(exit_code, "%s", error);
}

static int begin(key_folder_t *folder)
{
    step_t step = {.folder = folder};
    if (folder->has_former)
        return ctl_fail(EX_DATAERR, "the last rotation has not ended: mayhem keys rotate --%s%s",
                        folder->has_next ? "switch" : "finish", folder->argument);
    int exit_code = key_folder_each(folder, check_room, folder);
    if (exit_code == 0)
        exit_code = draw_next(folder);
    if (exit_code == 0)
        exit_code = key_folder_each(folder, add_next, &step);
    if (exit_code != 0)
        return exit_code;
    (void)printf("the next key of the consumer is in consumer.next.key, its public key in %zu more "
                 "file%s of %s\n%s\n\n",
                 step.changed, plural(step.changed), folder->path, folder->next.public_key);
    (void)printf("1. each client's file on another machine needs it, too: copy the file there "
                 "again, or\n"
                 "     printf '%%s\\n' '%s' |\n"
                 "         ssh MACHINE mayhem keys trust - --key NAME.key\n",
                 folder->next.public_key);
    (void)printf("2. then the consumer takes it up: mayhem keys rotate --switch%s\n"
                 "Running clients read their file by themselves when they do not get in.\n",
                 folder->argument);
    return 0;
}

// ---- the switch

static int check_knows_next(void *arg, mm_key_t *key, const char *path)
{
    const key_folder_t *folder = arg;
    if (!mm_key_trusts(key, folder->consumer.public_key) ||
        mm_key_trusts(key, folder->next.public_key))
        return 0;
    return ctl_fail(EX_DATAERR,
                    "%s does not know the next key yet, and its client would be kept "
                    "out: mayhem keys rotate%s, without --switch, adds it",
                    path, folder->argument);
}

// The former key stays beside it until --finish: by it that step knows what is to be forgotten.
static int keep_former(key_folder_t *folder)
{
    char path[KEY_PATH], error[MM_ERROR_MAX];
    if (folder->has_former)
        return 0;
    if (!key_folder_path(folder, "consumer.old", path))
        return EX_USAGE;
    int exit_code = mm_key_write(&folder->consumer, path, false, error);
    MM_CRASH_POINT("keys: the former key is kept, and still in use");
    return exit_code == 0 ? 0 : ctl_fail(exit_code, "%s", error);
}

static int switch_over(key_folder_t *folder)
{
    char from[KEY_PATH], to[KEY_PATH], error[MM_ERROR_MAX];
    if (!folder->has_next)
        return ctl_fail(EX_DATAERR, "%s%s%s",
                        folder->has_former
                            ? "the consumer has its next key already: mayhem keys rotate --finish"
                            : "there is no next key yet: mayhem keys rotate",
                        folder->argument, folder->has_former ? "" : ", without --switch, draws it");
    int exit_code = key_folder_each(folder, check_knows_next, folder);
    if (exit_code == 0)
        exit_code = keep_former(folder);
    if (exit_code != 0)
        return exit_code;
    if (!key_folder_path(folder, "consumer.next", from) || !key_folder_path(folder, "consumer", to))
        return EX_USAGE;
    exit_code = mm_private_file_rename(from, to, error);
    if (exit_code != 0)
        return ctl_fail(exit_code, "%s", error);
    (void)printf("consumer.key is the next key now\n%s\n\n", folder->next.public_key);
    (void)printf(
        "a running consumer takes it up by itself, and cuts its clients on other machines:\n"
        "they come back with the next server key of their files\n"
        "when `mayhem status` shows them all: mayhem keys rotate --finish%s\n",
        folder->argument);
    return 0;
}

// ---- the end

static int forget_former(void *arg, mm_key_t *key, const char *path)
{
    step_t *self = arg;
    const char *former = self->folder->former.public_key;
    const char *consumer = self->folder->consumer.public_key;
    size_t count = 0;
    if (!mm_key_trusts(key, former))
        return 0;
    self->changed++;
    for (size_t i = 0; i < key->server_count; i++)
        if (strcmp(key->server_keys[i], former) != 0 && count++ != i)
            strcpy(key->server_keys[count - 1], key->server_keys[i]);
    key->server_count = count;
    if (!mm_key_trusts(key, consumer)) // a copy from before the rotation was put back
        strcpy(key->server_keys[key->server_count++], consumer);
    return write_client(key, path);
}

static int finish(key_folder_t *folder)
{
    char path[KEY_PATH];
    step_t step = {.folder = folder};
    if (folder->has_next)
        return ctl_fail(EX_DATAERR,
                        "the consumer has its former key still: mayhem keys rotate --switch%s "
                        "comes first",
                        folder->argument);
    if (!folder->has_former)
        return ctl_fail(EX_DATAERR,
                        "there is no rotation to finish: mayhem keys rotate%s begins one",
                        folder->argument);
    int exit_code = key_folder_each(folder, forget_former, &step);
    if (exit_code != 0 || !key_folder_path(folder, "consumer.old", path))
        return exit_code != 0 ? exit_code : EX_USAGE;
    MM_CRASH_POINT("keys: all clients have forgotten the former key");
    if (unlink(path) != 0)
        return ctl_fail(EX_IOERR, "cannot remove %s: %s", path, strerror(errno));
    (void)printf("the former key of the consumer is forgotten, also by %zu file%s of %s\n\n",
                 step.changed, plural(step.changed), folder->path);
    (void)printf("each client's file on another machine should forget it, too: copy the file there "
                 "again, or\n"
                 "     printf '%%s\\n' '%s' |\n"
                 "         ssh MACHINE mayhem keys trust - --only --key NAME.key\n",
                 folder->consumer.public_key);
    return 0;
}

int keys_rotate(keys_options_t *options)
{
    key_folder_t folder;
    if (options->switches && options->finishes)
        return ctl_fail(EX_USAGE, "--switch and --finish are two steps: one after the other");
    int exit_code = key_folder_open(&folder, &options->target, options->keys, KEY_FOLDER_CHANGE);
    if (exit_code == 0)
        exit_code = options->switches   ? switch_over(&folder)
                    : options->finishes ? finish(&folder)
                                        : begin(&folder);
    key_folder_close(&folder);
    return exit_code == 0 ? ctl_end_output(true) : exit_code;
}
