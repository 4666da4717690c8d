// What the audit says of an attempt, and of the host's groups, in words: the same in a record of
// whatever kind. It knows no database.

#ifndef AUDIT_TEXT_H
#define AUDIT_TEXT_H

#include "frame.h"

#define AUDIT_IDS_BYTES 320

// The groups of the host, in a run with a policy; else empty. A view of the real's attributes;
// real may be NULL, here and below.
mm_str_t audit_groups(const mm_real_t *real);
// What is known of machine, boots and attempt, as pairs with a blank between them.
mm_str_t audit_ids(const mm_real_t *real, char buffer[AUDIT_IDS_BYTES]);

#endif
