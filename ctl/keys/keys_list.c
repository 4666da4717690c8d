// mayhem keys list: whose keys are on the allow list, until when, and the consumer's own.

#include "allow_list.h"
#include "clock.h"
#include "ctl.h"
#include "key_folder.h"
#include "keys.h"

#include <assert.h>
#include <inttypes.h>

#define DAY_MS INT64_C(86400000)

// The days that are left, the last one counting whole; 0: it has ended; -1: it has no end.
static int64_t days_left(int64_t not_after_ms, int64_t now_ms)
{
    if (not_after_ms == INT64_MAX)
        return -1;
    return not_after_ms <= now_ms ? 0 : (not_after_ms - now_ms + DAY_MS - 1) / DAY_MS;
}

static json_t *row_json(const mm_allowed_t *row, int64_t now_ms)
{
    char date[MM_KEY_DATE_TEXT];
    int64_t days = days_left(row->not_after_ms, now_ms);
    json_t *json = json_pack("{s:s, s:s, s:s, s:s?, s:o}", "role", mm_key_role_name(row->role),
                             "name", row->name.text, "public", row->public_key, "not_after",
                             days < 0 ? NULL : mm_key_date_print(row->not_after_ms, date),
                             "days_left", days < 0 ? json_null() : json_integer(days));
    assert(json);
    return json;
}

static bool print_json(const key_folder_t *folder, const mm_allow_list_t *list)
{
    size_t place = 0;
    int64_t now_ms = mm_clock_wall_ms();
    json_t *rows = json_array();
    for (const mm_allowed_t *row; (row = mm_allow_list_next(list, &place)) != NULL;)
        json_array_append_new(rows, row_json(row, now_ms));
    json_t *json =
        json_pack("{s:s, s:s?, s:s?, s:o}", "consumer", folder->consumer.public_key, "next",
                  folder->has_next ? folder->next.public_key : NULL, "former",
                  folder->has_former ? folder->former.public_key : NULL, "allowed", rows);
    assert(json);
    return ctl_write_json(stdout, json, JSON_COMPACT);
}

static void print_row(const mm_allowed_t *row, int64_t now_ms)
{
    char date[MM_KEY_DATE_TEXT];
    int64_t days = days_left(row->not_after_ms, now_ms);
    (void)printf("%-9s  %-20s  %s", mm_key_role_name(row->role), row->name.text, row->public_key);
    if (days < 0)
        (void)printf("  no end\n");
    else if (days == 0)
        (void)printf("  %s  has ended\n", mm_key_date_print(row->not_after_ms, date));
    else
        (void)printf("  %s  %" PRId64 " day%s left\n", mm_key_date_print(row->not_after_ms, date),
                     days, days == 1 ? "" : "s");
}

static void print_text(const key_folder_t *folder, const mm_allow_list_t *list)
{
    size_t place = 0;
    int64_t now_ms = mm_clock_wall_ms();
    (void)printf("%-9s  %-20s  %s\n", "consumer", "", folder->consumer.public_key);
    if (folder->has_next)
        (void)printf("%-9s  %-20s  %s  next: mayhem keys rotate --switch%s\n", "", "its next key",
                     folder->next.public_key, folder->argument);
    if (folder->has_former)
        (void)printf("%-9s  %-20s  %s  next: mayhem keys rotate --%s%s\n", "", "its former key",
                     folder->former.public_key, folder->has_next ? "switch" : "finish",
                     folder->argument);
    for (const mm_allowed_t *row; (row = mm_allow_list_next(list, &place)) != NULL;)
        print_row(row, now_ms);
}

int keys_list(keys_options_t *options)
{
    char error[MM_ERROR_MAX];
    key_folder_t folder;
    bool is_good = true;
    mm_allow_list_t *list = mm_allow_list_new();
    int exit_code = key_folder_open(&folder, &options->target, options->keys, KEY_FOLDER_LOOK);
    if (exit_code == 0)
        exit_code = key_folder_need_list(&folder);
    if (exit_code == 0) {
        exit_code = mm_allow_list_read(list, folder.allowed, error);
        if (exit_code != 0)
            (void)ctl_fail(exit_code, "%s", error);
    }
    if (exit_code == 0 && options->is_json)
        is_good = print_json(&folder, list);
    else if (exit_code == 0)
        print_text(&folder, list);
    mm_allow_list_destroy(&list);
    key_folder_close(&folder);
    return exit_code == 0 ? ctl_end_output(is_good) : exit_code;
}
