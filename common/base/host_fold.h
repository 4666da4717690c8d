// Which spellings are the same host. Commands, record and messages have a host as its list wrote
// it; wherever hosts are compared (duplicates of a list, locks), their folded forms are.

#ifndef MM_HOST_FOLD_H
#define MM_HOST_FOLD_H

#include "host.h"

// The folded form of a host without a complaint (mm_host_complaint): lower case, no final dot, an
// IPv6 address in the form of RFC 5952, and one that maps an IPv4 address as that IPv4 address.
// Folded again it stays what it is. A host that is folded already, as nearly all are, is returned
// itself; else the text is in the buffer. At most MM_HOST_MAX bytes, at least one.
mm_str_t mm_host_fold(mm_str_t host, char buffer[MM_HOST_MAX]);

#endif
