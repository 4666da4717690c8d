// The files of a directory, one after the other.

#ifndef DIRECTORY_H
#define DIRECTORY_H

#include "job.h"

// Reads one file. False, with one sentence in error, when it cannot be used.
typedef bool directory_read_fn(void *arg, const char *path, char error[MM_ERROR_MAX]);

// Reads a file, or all files of a directory whose names have this ending (".json") and do not begin
// with a dot, in order of their names, until one cannot be used. False, with one sentence in error,
// when one cannot be used, or there is none; that sentence ends with `hint`. hint: NULL when there
// need not be one.
bool directory_read(const char *path, const char *ending, const char *hint, directory_read_fn *read,
                    void *arg, char error[MM_ERROR_MAX]);

#endif
