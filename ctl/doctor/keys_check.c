// See keys_check.h.

#include "keys_check.h"
#include "allow_list.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PATH_TEXT 4352

const char *key_date_print(int64_t not_after_ms, int64_t unix_ms, char buffer[KEY_DATE_TEXT])
{
    char day[MM_KEY_DATE_TEXT];
    (void)mm_key_date_print(not_after_ms, day);
    if (not_after_ms == INT64_MAX)
        (void)snprintf(buffer, KEY_DATE_TEXT, "without an end");
    else
        (void)snprintf(buffer, KEY_DATE_TEXT, "%s %s", not_after_ms <= unix_ms ? "ended" : "ends",
                       day);
    return buffer;
}

static bool check_folder(findings_t *findings, const char *folder)
{
    struct stat status;
    if (stat(folder, &status) != 0 || !S_ISDIR(status.st_mode)) {
        finding_fail(findings, "folder %s: %s; mayhem keys makes one", folder,
                     errno != 0 ? strerror(errno) : "it is no folder");
        return false;
    }
    unsigned mode = status.st_mode & 0777;
    if ((mode & 022) != 0)
        finding_fail(findings, "folder %s: others may write to it (mode %03o): chmod 700 it",
                     folder, mode);
    else
        finding_ok(findings, "folder %s: mode %03o", folder, mode);
    return true;
}

// Reads the consumer's own key; false: it cannot be used.
static bool check_own(findings_t *findings, const char *folder, int64_t unix_ms, mm_key_t *ret_key)
{
    char path[PATH_TEXT], error[MM_ERROR_MAX], date[KEY_DATE_TEXT];
    (void)snprintf(path, sizeof path, "%s/consumer.key", folder);
    if (mm_key_read(path, ret_key, error) != 0) {
        finding_fail(findings, "consumer's key: %s", error);
        return false;
    }
    if (ret_key->role != MM_KEY_CONSUMER)
        finding_fail(findings, "consumer's key %s is of %s: mayhem keys makes the consumer's", path,
                     mm_key_role_phrase(ret_key->role));
    else if (mm_key_days_left(ret_key->not_after_ms, unix_ms) == 0)
        finding_fail(findings, "consumer's key %s has ended: have a new one made", path);
    else
        finding_ok(findings, "consumer's key %s %s", path,
                   key_date_print(ret_key->not_after_ms, unix_ms, date));
    return true;
}

static void check_dates(findings_t *findings, const mm_allow_list_t *list, int64_t unix_ms)
{
    const mm_allowed_t *row;
    for (size_t place = 0; (row = mm_allow_list_next(list, &place));) {
        int days = mm_key_days_left(row->not_after_ms, unix_ms);
        const char *role = mm_key_role_name(row->role);
        if (days >= 0)
            finding_warn(findings, "key %s of %s %s: mayhem keys new %s --role %s", row->name.text,
                         mm_key_role_phrase(row->role),
                         days == 0 ? "has ended" : "ends within 14 days", row->name.text, role);
    }
}

static void check_list(findings_t *findings, const char *folder, const mm_key_t *key,
                       int64_t unix_ms)
{
    char path[PATH_TEXT], error[MM_ERROR_MAX];
    size_t counts[MM_KEY_OPERATOR + 1] = {0}, place = 0;
    mm_allow_list_t *list = mm_allow_list_new();
    (void)snprintf(path, sizeof path, "%s/allowed", folder);
    if (mm_allow_list_read(list, path, error) != 0) {
        finding_fail(findings, "list: %s", error);
        mm_allow_list_destroy(&list);
        return;
    }
    for (const mm_allowed_t *row; (row = mm_allow_list_next(list, &place));)
        counts[row->role]++;
    finding_ok(findings,
               "list %s: publishers %zu, savers %zu, restarters %zu, viewers %zu, operators %zu",
               path, counts[MM_KEY_PUBLISHER], counts[MM_KEY_SAVER], counts[MM_KEY_RESTARTER],
               counts[MM_KEY_VIEWER], counts[MM_KEY_OPERATOR]);
    check_dates(findings, list, unix_ms);
    const mm_allowed_t *row = key ? mm_allow_list_find(list, key->public_key, unix_ms) : NULL;
    if (key && (!row || row->role != key->role || strcmp(row->name.text, key->name.text) != 0))
        finding_fail(findings, "key %s of %s is not on the list: mayhem keys new %s --role %s",
                     key->name.text, mm_key_role_phrase(key->role), key->name.text,
                     mm_key_role_name(key->role));
    else if (key)
        finding_ok(findings, "key %s of %s is on the list", key->name.text,
                   mm_key_role_phrase(key->role));
    mm_allow_list_destroy(&list);
}

void keys_check(findings_t *findings, const char *folder, const mm_key_t *key, int64_t unix_ms)
{
    mm_key_t own = {0};
    errno = 0;
    if (!check_folder(findings, folder))
        return;
    if (check_own(findings, folder, unix_ms, &own) && key && !mm_key_trusts(key, own.public_key))
        finding_fail(findings,
                     "key %s has another server key than this consumer: have a new one made "
                     "(mayhem keys new %s --role %s)",
                     key->name.text, key->name.text, mm_key_role_name(key->role));
    mm_key_clear(&own);
    check_list(findings, folder, key, unix_ms);
}
