// See key_folder.h.

#include "key_folder.h"
#include "allow_list.h"
#include "clock.h"
#include "crash.h"
#include "ctl.h"
#include "private_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>
#include <zmq.h>

#define LOCK_MS  5000 // for another command
#define SLICE_MS 20

// Makes it with the folders above it. Returns 0, or a sysexits code after a sentence.
static int make_folders(const char *folder)
{
    char path[KEY_PATH];
    (void)snprintf(path, sizeof path, "%s", folder);
    for (char *slash = path; (slash = strchr(slash + 1, '/')) != NULL; *slash = '/') {
        *slash = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return ctl_fail(EX_CANTCREAT, "cannot make %s: %s", path, strerror(errno));
    }
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return ctl_fail(EX_CANTCREAT, "cannot make %s: %s", folder, strerror(errno));
    return 0;
}

// The path of --keys, MAYHEM_KEYS or DIR/keys.
static int find_path(key_folder_t *self, target_t *target, const char *keys)
{
    char word[KEY_WORD];
    const char *dir = target->dir, *named = keys && *keys ? keys : getenv("MAYHEM_KEYS");
    if (!named || !*named) {
        int exit_code = target_folder(target);
        if (exit_code != 0)
            return exit_code;
    }
    int size = named && *named ? snprintf(self->path, sizeof self->path, "%s", named)
                               : snprintf(self->path, sizeof self->path, "%s/keys", target->dir);
    while (size > 1 && (size_t)size < sizeof self->path && self->path[size - 1] == '/')
        self->path[--size] = '\0';
    if ((size_t)size >= sizeof self->path - MM_NAME_MAX - 32)
        return ctl_fail(EX_USAGE, "the path of the keys is too long");
    (void)snprintf(self->allowed, sizeof self->allowed, "%s/allowed", self->path);
    const char *typed = keys && *keys ? keys : dir;
    if (typed)
        (void)snprintf(self->argument, sizeof self->argument, " --%s %s",
                       typed == dir ? "dir" : "keys", key_folder_word(typed, word));
    return 0;
}

// Two commands at once would each write the list that they have read: a revoked key could be back.
static int lock(key_folder_t *self)
{
    char path[KEY_PATH + 16];
    (void)snprintf(path, sizeof path, "%s/.lock", self->path);
    self->lock = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (self->lock < 0)
        return ctl_fail(EX_CANTCREAT, "cannot open %s: %s", path, strerror(errno));
    for (int64_t end_ms = mm_clock_ms() + LOCK_MS; flock(self->lock, LOCK_EX | LOCK_NB) != 0;) {
        if (errno != EWOULDBLOCK)
            return ctl_fail(EX_IOERR, "cannot lock %s: %s", path, strerror(errno));
        if (mm_clock_ms() >= end_ms)
            return ctl_fail(EX_TEMPFAIL,
                            "another `mayhem keys` works in %s: once more when it has ended",
                            self->path);
        (void)usleep(SLICE_MS * 1000);
    }
    return 0;
}

// One of the consumer's own; it need not be there.
static int read_own(const key_folder_t *self, const char *name, mm_key_t *ret_key, bool *ret_has)
{
    char path[KEY_PATH], error[MM_ERROR_MAX];
    if (!key_folder_path(self, name, path))
        return EX_USAGE;
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return 0;
    int exit_code = mm_key_read(path, ret_key, error);
    if (exit_code != 0)
        return ctl_fail(exit_code, "%s", error);
    if (ret_key->role != MM_KEY_CONSUMER)
        return ctl_fail(EX_CONFIG, "%s is the key of %s, and not the consumer's: put that back",
                        path, mm_key_role_phrase(ret_key->role));
    *ret_has = true;
    return 0;
}

// Makes the list of a new folder, before consumer.key: so a list is gone when that is there alone.
// A list that lets nobody in is from a crash in between.
static int make_list(const key_folder_t *self, bool *ret_is_new)
{
    char error[MM_ERROR_MAX];
    size_t place = 0;
    *ret_is_new = true;
    if (access(self->allowed, F_OK) != 0 && errno == ENOENT) {
        int exit_code = mm_allow_list_make(self->allowed, error);
        MM_CRASH_POINT("keys: there is a list, and no key of the consumer");
        return exit_code == 0 ? 0 : ctl_fail(exit_code, "%s", error);
    }
    mm_allow_list_t *list = mm_allow_list_new();
    int exit_code = mm_allow_list_read(list, self->allowed, error);
    *ret_is_new = exit_code == 0 && mm_allow_list_next(list, &place) == NULL;
    mm_allow_list_destroy(&list);
    return exit_code == 0 ? 0 : ctl_fail(exit_code, "%s", error);
}

static int make_consumer(key_folder_t *self)
{
    char path[KEY_PATH], error[MM_ERROR_MAX];
    bool is_new = !self->has_next && !self->has_former;
    if (self->has_consumer)
        return 0;
    int exit_code = is_new ? make_list(self, &is_new) : 0;
    if (exit_code != 0)
        return exit_code;
    if (!is_new)
        return ctl_fail(EX_DATAERR,
                        "%s has keys, but no consumer.key, by which clients know the consumer: put "
                        "it back from a copy, or begin in another folder",
                        self->path);
    self->consumer = (mm_key_t){.role = MM_KEY_CONSUMER, .not_after_ms = INT64_MAX};
    (void)mm_name_from(mm_str("consumer"), &self->consumer.name);
    mm_key_draw(&self->consumer);
    if (!key_folder_path(self, "consumer", path))
        return EX_USAGE;
    exit_code = mm_key_write(&self->consumer, path, false, error);
    self->has_consumer = exit_code == 0;
    return exit_code == 0 ? 0 : ctl_fail(exit_code, "%s", error);
}

int key_folder_open(key_folder_t *self, target_t *target, const char *keys, key_folder_use_t use)
{
    char error[MM_ERROR_MAX];
    *self = (key_folder_t){.lock = -1};
    if (!zmq_has("curve"))
        return ctl_fail(EX_UNAVAILABLE, "this libzmq was built without CURVE: install another one");
    int exit_code = find_path(self, target, keys);
    if (exit_code != 0)
        return exit_code;
    exit_code = use == KEY_FOLDER_MAKE ? make_folders(self->path) : 0;
    if (exit_code != 0)
        return exit_code;
    exit_code = mm_private_folder_check(self->path, error);
    if (exit_code != 0)
        return ctl_fail(exit_code, "%s", error);
    if (use != KEY_FOLDER_LOOK)
        exit_code = lock(self);
    if (exit_code != 0 || use == KEY_FOLDER_LIST)
        return exit_code;
    exit_code = read_own(self, "consumer", &self->consumer, &self->has_consumer);
    if (exit_code == 0)
        exit_code = read_own(self, "consumer.next", &self->next, &self->has_next);
    if (exit_code == 0)
        exit_code = read_own(self, "consumer.old", &self->former, &self->has_former);
    if (exit_code == 0 && use == KEY_FOLDER_MAKE)
        exit_code = make_consumer(self);
    if (exit_code == 0 && !self->has_consumer)
        exit_code = ctl_fail(EX_NOINPUT,
                             "there are no keys in %s: `mayhem keys new` makes some, or --keys "
                             "names another folder",
                             self->path);
    return exit_code;
}

void key_folder_close(key_folder_t *self)
{
    mm_key_clear(&self->consumer);
    mm_key_clear(&self->next);
    mm_key_clear(&self->former);
    if (self->lock >= 0)
        (void)close(self->lock);
    self->lock = -1;
}

bool key_folder_path(const key_folder_t *self, const char *name, char ret_path[KEY_PATH])
{
    if (snprintf(ret_path, KEY_PATH, "%s/%s.key", self->path, name) < KEY_PATH)
        return true;
    (void)ctl_fail(EX_USAGE, "the path of %s.key is too long", name);
    return false;
}

bool key_folder_is_own(const char *name)
{
    static const char *const names[] = {"consumer", "consumer.next", "consumer.old", NULL};
    return ctl_find_word(names, name) >= 0;
}

// The name of a client's file, without its ending, is put into `name`.
static bool is_client(const char *file, char name[MM_NAME_MAX + 1])
{
    size_t size = strlen(file), end = strlen(".key");
    if (*file == '.' || size <= end || size - end > MM_NAME_MAX ||
        strcmp(file + size - end, ".key") != 0)
        return false;
    memcpy(name, file, size - end);
    name[size - end] = '\0';
    return !key_folder_is_own(name);
}

#define FILES_SHOWN 400 // bytes of the names of clients' files

int key_folder_need_list(const key_folder_t *self)
{
    char names[FILES_SHOWN] = "", name[MM_NAME_MAX + 1];
    struct dirent **files = NULL;
    size_t size = 0;
    if (access(self->allowed, F_OK) == 0 || errno != ENOENT)
        return 0;
    int count = scandir(self->path, &files, NULL, versionsort);
    for (int i = 0; i < count; i++) {
        if (is_client(files[i]->d_name, name) && size < sizeof names)
            size += (size_t)snprintf(names + size, sizeof names - size, "%s%s.key",
                                     size > 0 ? ", " : "", name);
        free(files[i]);
    }
    free(files);
    return ctl_fail(EX_NOINPUT,
                    "the list %s is gone, and a new one would revoke all keys: put it back from a "
                    "copy, or write it again, a line ROLE NAME PUBLIC for each key that may come "
                    "in, as its file says (here are %s%s); or begin in another folder",
                    self->allowed, count < 0 || !*names ? "none" : names,
                    size < sizeof names ? "" : " ...");
}

int key_folder_each(const key_folder_t *self, key_folder_fn *fn, void *arg)
{
    struct dirent **files = NULL;
    int count = scandir(self->path, &files, NULL, versionsort), exit_code = 0;
    if (count < 0)
        return ctl_fail(EX_NOINPUT, "cannot look into %s: %s", self->path, strerror(errno));
    for (int i = 0; i < count; i++) {
        char name[MM_NAME_MAX + 1], path[KEY_PATH], error[MM_ERROR_MAX];
        mm_key_t key;
        if (exit_code == 0 && is_client(files[i]->d_name, name)) {
            exit_code = key_folder_path(self, name, path) ? 0 : EX_USAGE;
            if (exit_code == 0) {
                exit_code = mm_key_read(path, &key, error);
                exit_code = exit_code == 0 ? fn(arg, &key, path) : ctl_fail(exit_code, "%s", error);
                mm_key_clear(&key);
            }
        }
        free(files[i]);
    }
    free(files);
    return exit_code;
}

char *key_folder_word(const char *path, char buffer[KEY_WORD])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";
    char *at = buffer;
    if (*path && path[strspn(path, plain)] == '\0')
        return strcpy(buffer, path);
    *at++ = '\'';
    for (; *path && at < buffer + KEY_WORD - 8; path++)
        at = *path == '\'' ? stpcpy(at, "'\\''") : (*at = *path, at + 1);
    (void)strcpy(at, "'");
    return buffer;
}
