// mayhem keys new: a key for a client. The file is written first and the line second: a crash in
// between leaves a secret that opens nothing, while a line without its file could not be told from
// one whose file was moved away, so that nobody would dare to mend it. A file whose key is not on
// the list is from such a crash, or its key was revoked: the same command draws another key into
// it, so that what was revoked never comes back.

#include "allow_list.h"
#include "clock.h"
#include "crash.h"
#include "ctl.h"
#include "key_folder.h"
#include "keys.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

// What is typed becomes a key without keys.
static int check(const keys_options_t *options, mm_key_t *ret_key)
{
    mm_key_t key = {.not_after_ms = INT64_MAX};
    if (!mm_key_role_from(mm_str(options->role), &key.role) || key.role == MM_KEY_CONSUMER)
        return ctl_fail(EX_USAGE,
                        "--role is '%.100s'; it must be publisher, saver, restarter, viewer or "
                        "operator%s",
                        options->role,
                        strcmp(options->role, "consumer") == 0
                            ? " (the consumer's own key is made with the first one of these)"
                            : "");
    if (!mm_name_from(mm_str(options->name), &key.name))
        return ctl_fail(EX_USAGE,
                        "'%.100s' is no name: one is 1 to %d of A-Z a-z 0-9 . _ -, and begins with "
                        "none of . and -",
                        options->name, MM_NAME_MAX);
    if (key_folder_is_own(options->name))
        return ctl_fail(EX_USAGE, "the consumer's own key is in %s.key: choose another name",
                        options->name);
    if (options->not_after && !mm_key_date(mm_str(options->not_after), &key.not_after_ms))
        return ctl_fail(EX_USAGE, "--not-after is '%.100s'; it must be a day, as in 2027-12-01",
                        options->not_after);
    if (key.not_after_ms <= mm_clock_wall_ms())
        return ctl_fail(EX_USAGE, "--not-after %s is over: the key would open nothing",
                        options->not_after);
    *ret_key = key;
    return 0;
}

static bool is_named(const mm_allowed_t *row, const mm_key_t *key)
{
    return row->role == key->role && strcmp(row->name.text, key->name.text) == 0;
}

// Whether the list has no such name yet, nor the key of the file that is there.
static int check_list(const key_folder_t *folder, const mm_key_t *key, const mm_key_t *there,
                      const char *file)
{
    char error[MM_ERROR_MAX];
    size_t place = 0;
    mm_allow_list_t *list = mm_allow_list_new();
    int exit_code = mm_allow_list_read(list, folder->allowed, error);
    if (exit_code != 0)
        (void)ctl_fail(exit_code, "%s", error);
    for (const mm_allowed_t *row; exit_code == 0 && (row = mm_allow_list_next(list, &place));) {
        const char *role = mm_key_role_name(row->role), *name = row->name.text;
        if (is_named(row, key))
            exit_code = ctl_fail(EX_DATAERR,
                                 "%s %s has a key already; for another one first: mayhem keys "
                                 "revoke %s --role %s%s",
                                 role, name, name, role, folder->argument);
        else if (there && strcmp(row->public_key, there->public_key) == 0)
            exit_code =
                ctl_fail(EX_DATAERR, "%s is the key of %s %s: move it away, or choose another name",
                         file, role, name);
    }
    mm_allow_list_destroy(&list);
    return exit_code;
}

// Whether the name is free, and with it the file: one that is there must be of this name, of this
// consumer, and open nothing.
static int check_free(const key_folder_t *folder, const mm_key_t *key, const char *file)
{
    char error[MM_ERROR_MAX];
    mm_key_t there;
    bool has_file = access(file, F_OK) == 0 || errno != ENOENT;
    int exit_code = has_file ? mm_key_read(file, &there, error) : 0;
    if (exit_code != 0)
        return ctl_fail(exit_code, "%s", error);
    exit_code = check_list(folder, key, has_file ? &there : NULL, file);
    if (exit_code == 0 && has_file &&
        (there.role != key->role || strcmp(there.name.text, key->name.text) != 0 ||
         !mm_key_trusts(&there, folder->consumer.public_key)))
        exit_code =
            ctl_fail(EX_DATAERR,
                     "%s is a key of %s %s, which this consumer has not made: move it away, "
                     "or choose another name",
                     file, mm_key_role_name(there.role), there.name.text);
    if (has_file)
        mm_key_clear(&there);
    return exit_code;
}

// Whether the processes of a run beside the consumer are called so: restarter-N, saver, publisher.
static bool is_local(const mm_key_t *key)
{
    static const char restarter[] = "restarter-";
    const char *name = key->name.text, *number = name + sizeof restarter - 1;
    if (key->role == MM_KEY_PUBLISHER)
        return strcmp(name, "publisher") == 0;
    if (key->role != MM_KEY_SAVER && key->role != MM_KEY_RESTARTER)
        return false;
    return strcmp(name, "saver") == 0 ||
           (strncmp(name, restarter, sizeof restarter - 1) == 0 && *number != '\0' &&
            number[strspn(number, "0123456789")] == '\0');
}

static void print(const key_folder_t *folder, const mm_key_t *key, const char *file)
{
    static const char *const commands[] = {[MM_KEY_PUBLISHER] = "mayhem-publisher",
                                           [MM_KEY_SAVER] = "mayhem-saver",
                                           [MM_KEY_RESTARTER] = "mayhem-restarter",
                                           [MM_KEY_VIEWER] = "mayhem status",
                                           [MM_KEY_OPERATOR] = "mayhem halt --why TEXT"};
    char word[KEY_WORD], date[MM_KEY_DATE_TEXT];
    const char *role = mm_key_role_name(key->role), *name = key->name.text;
    bool has_end = key->not_after_ms != INT64_MAX;
    (void)printf("%s %s may come in%s%s, with the key in %s\n", role, name,
                 has_end ? " until the end of " : "", mm_key_date_print(key->not_after_ms, date),
                 file);
    (void)printf("its public key is %s\n\n", key->public_key);
    (void)printf("1. copy that file to the machine of the %s, and let nobody else read it:\n"
                 "     scp -p %s MACHINE:\n",
                 role, key_folder_word(file, word));
    (void)printf("2. the consumer listens for it, and takes up a changed list by itself:\n"
                 "     mayhem run --listen tcp://ADDRESS:PORT --keys %s ...\n",
                 key_folder_word(folder->path, word));
    (void)printf("3. there:\n     %s --consumer tcp://ADDRESS:PORT --key %s.key\n",
                 commands[key->role], name);
}

int keys_new(keys_options_t *options)
{
    char file[KEY_PATH], error[MM_ERROR_MAX];
    key_folder_t folder;
    mm_key_t key;
    int exit_code = check(options, &key);
    if (exit_code != 0)
        return exit_code;
    exit_code = key_folder_open(&folder, &options->target, options->keys, KEY_FOLDER_MAKE);
    if (exit_code == 0 && !key_folder_path(&folder, options->name, file))
        exit_code = EX_USAGE;
    if (exit_code == 0)
        exit_code = key_folder_need_list(&folder);
    if (exit_code == 0)
        exit_code = check_free(&folder, &key, file);
    if (exit_code == 0) {
        mm_key_draw(&key);
        strcpy(key.server_keys[key.server_count++], folder.consumer.public_key);
        if (folder.has_next)
            strcpy(key.server_keys[key.server_count++], folder.next.public_key);
        exit_code = mm_key_write(&key, file, true, error);
        MM_CRASH_POINT("keys: the file is there, the line is not");
        if (exit_code == 0)
            exit_code = mm_allow_list_add(folder.allowed, &key, error);
        if (exit_code != 0)
            (void)ctl_fail(exit_code, "%s", error);
    }
    if (exit_code == 0) {
        print(&folder, &key, file);
        if (is_local(&key))
            (void)ctl_fail(0,
                           "a process that a run starts beside the consumer may be called %s, too: "
                           "this key is refused while there is one; another name is safe",
                           options->name);
    }
    mm_key_clear(&key);
    key_folder_close(&folder);
    return exit_code == 0 ? ctl_end_output(true) : exit_code;
}
