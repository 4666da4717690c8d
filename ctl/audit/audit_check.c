// See audit_check.h.

#include "audit_check.h"

#include <string.h>

// What is sound ends with this row, unless it has ended before.
static void find(audit_check_t *self, int64_t intact_to)
{
    if (!self->is_broken)
        self->intact_to = intact_to;
    self->is_broken = true;
}

static void find_missing(audit_check_t *self, int64_t from, int64_t to, const logged_head_t *head)
{
    find(self, self->last);
    if (self->missing_count < AUDIT_CHECK_MAX)
        self->missing[self->missing_count] = (audit_missing_t){from, to, head};
    self->missing_count++;
}

static void find_changed(audit_check_t *self, int64_t seq)
{
    find(self, self->last);
    if (self->changed_count < AUDIT_CHECK_MAX)
        self->changed[self->changed_count] = seq;
    self->changed_count++;
}

// The chain may be sound in itself, and another one: only the heads before this one vouch for it.
static void find_replaced(audit_check_t *self, const logged_head_t *head)
{
    find(self, self->agreed_to);
    if (self->replaced_count < AUDIT_CHECK_MAX)
        self->replaced[self->replaced_count] = head;
    self->replaced_count++;
}

static void compare_heads(audit_check_t *self, int64_t seq)
{
    for (; self->next_head < self->heads->count; self->next_head++) {
        const logged_head_t *head = &self->heads->items[self->next_head];
        if (head->seq > seq)
            return;
        if (head->seq < seq)
            continue; // its row is missing, which is said of that
        if (memcmp(head->hash, self->hash, MM_AUDIT_HASH) != 0) {
            find_replaced(self, head);
            continue;
        }
        self->agreed++;
        self->agreed_to = seq;
    }
}

// Behind a gap nobody knows which hash was before.
void audit_check_row(audit_check_t *self, const mm_rows_t *row)
{
    uint8_t right[MM_AUDIT_HASH], has[MM_AUDIT_HASH];
    int64_t seq = audit_row_seq(row);
    bool is_next = seq == self->last + 1;
    audit_row_chain(row, self->hash, right);
    audit_row_hash(row, has);
    if (seq < 1)
        find_changed(self, seq); // no row has such a number
    else if (!is_next)
        find_missing(self, self->last + 1, seq - 1, NULL);
    else if (memcmp(right, has, MM_AUDIT_HASH) != 0)
        find_changed(self, seq);
    self->rows++;
    if (seq < 1)
        return;
    self->last = seq;
    memcpy(self->hash, has, MM_AUDIT_HASH);
    compare_heads(self, seq);
}

void audit_check_end(audit_check_t *self)
{
    const logged_head_t *items = self->heads->items;
    size_t count = self->heads->count;
    if (count > 0 && items[count - 1].seq > self->last)
        find_missing(self, self->last + 1, items[count - 1].seq, &items[count - 1]);
    if (!self->is_broken)
        self->intact_to = self->last;
}
