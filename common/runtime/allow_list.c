// See allow_list.h.

#include "allow_list.h"
#include "array.h"
#include "private_file.h"

#include <errno.h>
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#define FILE_MAX ((size_t)8 << 20) // bytes of a file: some 80,000 lines

static const char heading[] = "# Whose keys the consumer lets in: ROLE NAME PUBLIC "
                              "[not-after=YYYY-MM-DD]. `mayhem keys` writes it.\n";

// ---- a file

// A line of a file. Its serial is none yet.
typedef struct {
    mm_allowed_t row;
    mm_str_t whole; // with its newline
    size_t number;
} line_t;

typedef struct {
    char *text;
    size_t size;
    line_t *lines;
    size_t count, capacity;
} list_t;

static void clear_list(list_t *self)
{
    mm_private_file_free(&self->text, self->size);
    free(self->lines);
    *self = (list_t){0};
}

// Cuts the next word off the text; empty at its end.
static mm_str_t next_word(mm_str_t *text)
{
    mm_str_t rest = mm_private_trim(*text), word = {rest.data, 0};
    while (word.size < rest.size && rest.data[word.size] != ' ' && rest.data[word.size] != '\t')
        word.size++;
    *text = (mm_str_t){rest.data + word.size, rest.size - word.size};
    return word;
}

static int shown(mm_str_t word)
{
    return word.size < 80 ? (int)word.size : 80;
}

#define FORM "a line is ROLE NAME PUBLIC [not-after=YYYY-MM-DD]"

static int parse_row(const mm_private_line_t *line, mm_allowed_t *ret_row, char error[MM_ERROR_MAX])
{
    static const char date[] = "not-after=";
    const size_t prefix = sizeof date - 1;
    mm_str_t rest = line->text;
    mm_str_t role = next_word(&rest), name = next_word(&rest), key = next_word(&rest);
    mm_str_t end = next_word(&rest), more = next_word(&rest);
    char fault[MM_KEY_FAULT];
    mm_allowed_t row = {.not_after_ms = INT64_MAX};
    if (!mm_key_role_from(role, &row.role) || row.role == MM_KEY_CONSUMER)
        return mm_private_line_refuse(line, error,
                                      "'%.*s' is no role of a client (publisher, saver, restarter, "
                                      "viewer, operator); " FORM,
                                      shown(role), role.data);
    if (!mm_name_from(name, &row.name))
        return mm_private_line_refuse(line, error, "'%.*s' is no name; " FORM, shown(name),
                                      name.data);
    if (!mm_key_is_valid(key))
        return mm_private_line_refuse(line, error, "'%.*s' is no public key: %s; " FORM, shown(key),
                                      key.data, mm_key_fault(key, fault));
    if (more.size > 0)
        return mm_private_line_refuse(line, error, "'%.*s' is too much; " FORM, shown(more),
                                      more.data);
    if (end.size > 0 &&
        (end.size < prefix || memcmp(end.data, date, prefix) != 0 ||
         !mm_key_date((mm_str_t){end.data + prefix, end.size - prefix}, &row.not_after_ms)))
        return mm_private_line_refuse(line, error, "'%.*s' is no not-after=YYYY-MM-DD; " FORM,
                                      shown(end), end.data);
    memcpy(row.public_key, key.data, key.size);
    *ret_row = row;
    return 0;
}

static int compare_keys(const void *a, const void *b)
{
    const line_t *const *x = a, *const *y = b;
    return strcmp((*x)->row.public_key, (*y)->row.public_key);
}

static int compare_names(const void *a, const void *b)
{
    const line_t *const *x = a, *const *y = b;
    int names = strcmp((*x)->row.name.text, (*y)->row.name.text);
    return names != 0 ? names : (int)(*x)->row.role - (int)(*y)->row.role;
}

// Two lines that are the same by this order; false: there are none.
static bool find_twins(const line_t **sorted, size_t count,
                       int (*compare)(const void *, const void *), const line_t **ret_first,
                       const line_t **ret_second)
{
    qsort(sorted, count, sizeof *sorted, compare);
    for (size_t i = 1; i < count; i++)
        if (compare(&sorted[i - 1], &sorted[i]) == 0) {
            bool is_first = sorted[i - 1]->number < sorted[i]->number;
            *ret_first = sorted[is_first ? i - 1 : i];
            *ret_second = sorted[is_first ? i : i - 1];
            return true;
        }
    return false;
}

static int check_twins(const list_t *self, const char *path, char error[MM_ERROR_MAX])
{
    const line_t *first, *second;
    const line_t **sorted = calloc(self->count + 1, sizeof *sorted);
    int exit_code = 0;
    assert(sorted);
    for (size_t i = 0; i < self->count; i++)
        sorted[i] = &self->lines[i];
    if (find_twins(sorted, self->count, compare_keys, &first, &second))
        exit_code = mm_private_line_refuse(
            &(mm_private_line_t){.path = path, .number = second->number}, error,
            "it has the key of line %zu, and a key has one role and one name: draw another key",
            first->number);
    else if (find_twins(sorted, self->count, compare_names, &first, &second))
        exit_code = mm_private_line_refuse(
            &(mm_private_line_t){.path = path, .number = second->number}, error,
            "%s %s has a key already in line %zu, and has only one: remove one of the two lines",
            mm_key_role_name(second->row.role), second->row.name.text, first->number);
    free(sorted);
    return exit_code;
}

// Reads it as a whole, or not at all.
static int read_list(const char *path, list_t *ret_self, char error[MM_ERROR_MAX])
{
    list_t self = {0};
    int exit_code =
        mm_private_file_read(path, MM_LIST_FORBIDS, FILE_MAX, &self.text, &self.size, error);
    if (exit_code != 0)
        return exit_code;
    mm_private_line_t line = {.path = path, .rest = {self.text, self.size}};
    // Who may put files into the folder may put an older list there.
    exit_code = mm_private_place_check(path, error);
    while (exit_code == 0 && mm_private_line_next(&line)) {
        mm_allowed_t row;
        exit_code = parse_row(&line, &row, error);
        if (exit_code == 0)
            *MM_ARRAY_ADD(self.lines, self.count, self.capacity) =
                (line_t){row, line.whole, line.number};
    }
    if (exit_code == 0)
        exit_code = check_twins(&self, path, error);
    if (exit_code == 0)
        *ret_self = self;
    else
        clear_list(&self);
    return exit_code;
}

// ---- the list in memory

// A row stays where it is: others keep pointers to it.
typedef struct {
    mm_allowed_t row;
    bool is_listed;  // while a file is read: it has this line, too
    bool is_changed; // its key's former line is told of as revoked; until dates are looked at
} kept_t;

struct mm_allow_list {
    kept_t **rows; // all that ever were, by serial - 1
    size_t row_count, row_capacity;
    kept_t **listed; // those of the file in its order, also those whose date has passed
    size_t listed_count;
    kept_t **by_key;  // the same, by their keys
    kept_t **revoked; // to be told
    size_t revoked_count, revoked_capacity, revoked_told;
};

mm_allow_list_t *mm_allow_list_new(void)
{
    mm_allow_list_t *self = calloc(1, sizeof *self);
    assert(self);
    return self;
}

void mm_allow_list_destroy(mm_allow_list_t **self_p)
{
    mm_allow_list_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    for (size_t i = 0; i < self->row_count; i++)
        free(self->rows[i]);
    free(self->rows);
    free(self->listed);
    free(self->by_key);
    free(self->revoked);
    free(self);
}

static int compare_kept(const void *a, const void *b)
{
    const kept_t *const *x = a, *const *y = b;
    return strcmp((*x)->row.public_key, (*y)->row.public_key);
}

static int compare_key(const void *key, const void *item)
{
    const kept_t *const *kept = item;
    return strcmp(key, (*kept)->row.public_key);
}

static kept_t *find_listed(const mm_allow_list_t *self, const char *public_key)
{
    kept_t **found = self->listed_count == 0 ? NULL
                                             : bsearch(public_key, self->by_key, self->listed_count,
                                                       sizeof *self->by_key, compare_key);
    return found ? *found : NULL;
}

static void mark_revoked(mm_allow_list_t *self, kept_t *kept)
{
    kept->row.is_revoked = true;
    *MM_ARRAY_ADD(self->revoked, self->revoked_count, self->revoked_capacity) = kept;
}

// The row of this line: the one that it had before, or a new one.
static kept_t *row_of(mm_allow_list_t *self, const mm_allowed_t *row)
{
    kept_t *kept = find_listed(self, row->public_key);
    if (kept && kept->row.role == row->role && strcmp(kept->row.name.text, row->name.text) == 0 &&
        kept->row.not_after_ms == row->not_after_ms)
        return kept;
    bool is_changed = kept && !kept->row.is_revoked;
    kept = calloc(1, sizeof *kept);
    assert(kept);
    kept->row = *row;
    kept->is_changed = is_changed;
    *MM_ARRAY_ADD(self->rows, self->row_count, self->row_capacity) = kept;
    kept->row.serial = (uint32_t)self->row_count;
    return kept;
}

int mm_allow_list_read(mm_allow_list_t *self, const char *path, char error[MM_ERROR_MAX])
{
    list_t list;
    int exit_code = read_list(path, &list, error);
    if (exit_code != 0)
        return exit_code;
    kept_t **listed = calloc(list.count + 1, sizeof(kept_t *));
    kept_t **by_key = calloc(list.count + 1, sizeof(kept_t *));
    assert(listed && by_key);
    for (size_t i = 0; i < list.count; i++) {
        listed[i] = by_key[i] = row_of(self, &list.lines[i].row);
        listed[i]->is_listed = true;
    }
    for (size_t i = 0; i < self->listed_count; i++)
        if (!self->listed[i]->is_listed && !self->listed[i]->row.is_revoked)
            mark_revoked(self, self->listed[i]);
    for (size_t i = 0; i < list.count; i++)
        listed[i]->is_listed = false;
    qsort(by_key, list.count, sizeof *by_key, compare_kept);
    free(self->listed);
    free(self->by_key);
    self->listed = listed;
    self->by_key = by_key;
    self->listed_count = list.count;
    clear_list(&list);
    return 0;
}

const mm_allowed_t *mm_allow_list_find(const mm_allow_list_t *self, const char *public_key,
                                       int64_t unix_ms)
{
    const kept_t *kept = find_listed(self, public_key);
    return kept && !kept->row.is_revoked && unix_ms < kept->row.not_after_ms ? &kept->row : NULL;
}

const mm_allowed_t *mm_allow_list_row(const mm_allow_list_t *self, uint32_t serial)
{
    return serial > 0 && serial <= self->row_count ? &self->rows[serial - 1]->row : NULL;
}

int64_t mm_allow_list_expire(mm_allow_list_t *self, int64_t unix_ms)
{
    int64_t next_ms = INT64_MAX;
    for (size_t i = 0; i < self->listed_count; i++) {
        kept_t *kept = self->listed[i];
        if (kept->row.is_revoked)
            continue;
        bool is_over = kept->row.not_after_ms <= unix_ms;
        if (is_over && kept->is_changed) // it has never counted: its former line is told of
            kept->row.is_revoked = true;
        else if (is_over)
            mark_revoked(self, kept);
        else if (kept->row.not_after_ms < next_ms)
            next_ms = kept->row.not_after_ms;
        kept->is_changed = false;
    }
    return next_ms;
}

const mm_allowed_t *mm_allow_list_next_revoked(mm_allow_list_t *self)
{
    if (self->revoked_told < self->revoked_count)
        return &self->revoked[self->revoked_told++]->row;
    self->revoked_told = self->revoked_count = 0;
    return NULL;
}

const mm_allowed_t *mm_allow_list_next(const mm_allow_list_t *self, size_t *place)
{
    while (*place < self->listed_count) {
        const mm_allowed_t *row = &self->listed[(*place)++]->row;
        if (!row->is_revoked)
            return row;
    }
    return NULL;
}

// ---- changing a file

static line_t *find_name(const list_t *self, mm_key_role_t role, const char *name)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->lines[i].row.role == role && strcmp(self->lines[i].row.name.text, name) == 0)
            return &self->lines[i];
    return NULL;
}

static line_t *find_key(const list_t *self, const char *public_key)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->lines[i].row.public_key, public_key) == 0)
            return &self->lines[i];
    return NULL;
}

// Replaces the file by the two parts, one behind the other.
static int write_list(const char *path, mm_str_t first, mm_str_t second, char error[MM_ERROR_MAX])
{
    char *text = malloc(first.size + second.size + 1), *end = text;
    assert(text);
    (void)mm_str_copy(&end, first);
    (void)mm_str_copy(&end, second);
    int exit_code =
        mm_private_file_write(path, (mm_str_t){text, first.size + second.size}, true, error);
    free(text);
    return exit_code;
}

int mm_allow_list_make(const char *path, char error[MM_ERROR_MAX])
{
    return mm_private_file_write(path, mm_str(heading), false, error);
}

int mm_allow_list_add(const char *path, const mm_key_t *key, char error[MM_ERROR_MAX])
{
    char line[256], date[MM_KEY_DATE_TEXT];
    const char *role = mm_key_role_name(key->role), *name = key->name.text;
    list_t list = {0};
    bool is_new = access(path, F_OK) != 0 && errno == ENOENT;
    int exit_code = is_new ? 0 : read_list(path, &list, error);
    if (exit_code != 0)
        return exit_code;
    const line_t *same = find_name(&list, key->role, name);
    if (same || (same = find_key(&list, key->public_key)) != NULL) {
        (void)snprintf(
            error, MM_ERROR_MAX,
            "%.200s:%zu: %s %s is on the list already with %s key: revoke that one first", path,
            same->number, mm_key_role_name(same->row.role), same->row.name.text,
            strcmp(same->row.public_key, key->public_key) == 0 ? "this" : "another");
        clear_list(&list);
        return EX_DATAERR;
    }
    (void)snprintf(line, sizeof line, "%s %s %s%s%s\n", role, name, key->public_key,
                   key->not_after_ms == INT64_MAX ? "" : " not-after=",
                   mm_key_date_print(key->not_after_ms, date));
    mm_str_t before = is_new ? mm_str(heading) : (mm_str_t){list.text, list.size};
    exit_code = write_list(path, before, mm_str(line), error);
    clear_list(&list);
    return exit_code;
}

int mm_allow_list_remove(const char *path, mm_key_role_t role, const char *name,
                         char error[MM_ERROR_MAX])
{
    list_t list;
    int exit_code = read_list(path, &list, error);
    if (exit_code != 0)
        return exit_code;
    const line_t *line = find_name(&list, role, name);
    if (line) {
        size_t before = (size_t)(line->whole.data - list.text), behind = before + line->whole.size;
        // The file is never empty: that would be one that was cut off.
        mm_str_t first =
            before == 0 && behind == list.size ? mm_str(heading) : (mm_str_t){list.text, before};
        exit_code =
            write_list(path, first, (mm_str_t){list.text + behind, list.size - behind}, error);
    } else {
        (void)snprintf(error, MM_ERROR_MAX,
                       "%.200s: %s %.100s is not on the list; `mayhem keys list` shows who is",
                       path, mm_key_role_name(role), name);
        exit_code = EX_NOINPUT;
    }
    clear_list(&list);
    return exit_code;
}
