// The record, looked at from this machine: whether it can be read, and what it promises.

#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "finding.h"

// record: a path or a URI (record_uri.h).
void store_check(findings_t *findings, const char *record);

#endif
