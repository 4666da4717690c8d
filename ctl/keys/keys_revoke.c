// mayhem keys revoke: a key is taken off the allow list.

#include "allow_list.h"
#include "ctl.h"
#include "key_folder.h"
#include "keys.h"

#include <string.h>
#include <sysexits.h>
#include <unistd.h>

// The only role in which the list has this name.
static int find_role(const key_folder_t *folder, const char *name, mm_key_role_t *ret_role)
{
    char error[MM_ERROR_MAX], roles[128] = "";
    size_t place = 0, count = 0;
    mm_allow_list_t *list = mm_allow_list_new();
    int exit_code = mm_allow_list_read(list, folder->allowed, error);
    if (exit_code != 0)
        (void)ctl_fail(exit_code, "%s", error);
    for (const mm_allowed_t *row; exit_code == 0 && (row = mm_allow_list_next(list, &place));)
        if (strcmp(row->name.text, name) == 0) {
            *ret_role = row->role;
            (void)strcat(strcat(roles, count++ > 0 ? ", " : ""), mm_key_role_name(row->role));
        }
    if (exit_code == 0 && count == 0)
        exit_code = ctl_fail(EX_NOINPUT,
                             "nobody on the list %s is called '%.100s'; `mayhem keys list%s` shows "
                             "who is",
                             folder->allowed, name, folder->argument);
    else if (exit_code == 0 && count > 1)
        exit_code =
            ctl_fail(EX_USAGE, "%s has a key as %s: say with --role which one", name, roles);
    mm_allow_list_destroy(&list);
    return exit_code;
}

static void print(const key_folder_t *folder, mm_key_role_t role, const char *name)
{
    char file[KEY_PATH], word[KEY_WORD], error[MM_ERROR_MAX];
    mm_key_t there = {.role = MM_KEY_CONSUMER};
    const char *role_name = mm_key_role_name(role);
    (void)printf("%s %s may no longer come in\n\n", role_name, name);
    (void)printf("a running consumer reads the changed list by itself: it ignores what %s sends\n"
                 "from then on, and cuts its connections%s\n",
                 name,
                 role == MM_KEY_SAVER || role == MM_KEY_RESTARTER
                     ? "; the worker is lost, and its tasks go to others"
                     : "");
    bool has_file = key_folder_path(folder, name, file) && mm_key_read(file, &there, error) == 0 &&
                    there.role == role;
    mm_key_clear(&there);
    if (has_file)
        (void)printf(
            "delete its file, here and where it was copied to; it opens nothing any more:\n"
            "  rm %s\n",
            key_folder_word(file, word));
    else
        (void)printf("delete its file where it was copied to; it opens nothing any more\n");
    (void)printf("another key for the same name: mayhem keys new %s --role %s%s\n", name, role_name,
                 folder->argument);
}

int keys_revoke(keys_options_t *options)
{
    char error[MM_ERROR_MAX];
    key_folder_t folder;
    mm_key_role_t role = MM_KEY_CONSUMER;
    if (options->role && !mm_key_role_from(mm_str(options->role), &role))
        return ctl_fail(EX_USAGE,
                        "--role is '%.100s'; it must be publisher, saver, restarter, viewer or "
                        "operator",
                        options->role);
    int exit_code = key_folder_open(&folder, &options->target, options->keys, KEY_FOLDER_LIST);
    if (exit_code == 0)
        exit_code = key_folder_need_list(&folder);
    if (exit_code == 0 && !options->role)
        exit_code = find_role(&folder, options->name, &role);
    if (exit_code == 0) {
        exit_code = mm_allow_list_remove(folder.allowed, role, options->name, error);
        if (exit_code != 0)
            (void)ctl_fail(exit_code, "%s", error);
        else
            print(&folder, role, options->name);
    }
    key_folder_close(&folder);
    return exit_code == 0 ? ctl_end_output(true) : exit_code;
}
