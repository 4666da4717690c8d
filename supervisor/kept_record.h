// Where the record of a folder is, when it is in a database: DIR/store has the URI, so that every
// later command in that folder finds it. A file of nobody else (mode 0600), and without a password.

#ifndef KEPT_RECORD_H
#define KEPT_RECORD_H

#include "job.h"

#define KEPT_RECORD_MAX 4096 // bytes, with its end

// The URI; empty: the record is a file. Returns 0, or a sysexits code with one sentence in error:
// 77 others may write to the file, 78 there is no URI in it, or one with a password.
int kept_record_read(const char *dir, char ret_uri[KEPT_RECORD_MAX], char error[MM_ERROR_MAX]);
// Keeps a URI; anything else is a path, and nothing is kept then. Returns 0, or a sysexits code
// with one sentence in error: 73 or 74.
int kept_record_write(const char *dir, const char *where, char error[MM_ERROR_MAX]);

#endif
