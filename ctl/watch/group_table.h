// The table of groups: how much of each limit is used, and why hosts wait. Pure.

#ifndef GROUP_TABLE_H
#define GROUP_TABLE_H

#include "page.h"
#include "snapshot.h"

// Adds the table to the page: at most `rows` groups, from the group number `first` on, or the last
// ones; and how many the consumer has not told of.
void group_table_put(page_t *page, const snapshot_t *snapshot, size_t first, size_t rows);

#endif
