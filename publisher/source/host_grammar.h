// What may stand in a list as a host. It is stricter than what a frame may hold
// (mm_host_complaint): a list is written by a human or by another tool, and what looks like a host
// there, but is a range, a URL or a line of YAML, would be restarted under a name that nobody
// meant.

#ifndef HOST_GRAMMAR_H
#define HOST_GRAMMAR_H

#include "host.h"

#define HOST_GRAMMAR_WHY_MAX 400

// Whether it is a host: a name of labels of 1 to 63 bytes of [A-Za-z0-9_-] with dots between them
// (and at its end), a canonical IPv4 address, or an IPv6 address; at most MM_HOST_MAX bytes, not
// beginning with '-'. False: `why` says why not, as the end of a sentence, and which form works;
// printable.
bool host_grammar_check(mm_str_t host, char why[HOST_GRAMMAR_WHY_MAX]);

// Whether it surely is one: a name of up to 63 bytes that does not begin with a digit, as nearly
// all are. This is cheap.
bool host_grammar_is_plain(mm_str_t text);

#endif
