// The files of a directory, one after the other.

#ifndef DIRECTORY_H
#define DIRECTORY_H

#include "job.h"

// Reads one file. False, with one sentence in error, when it cannot be used.
typedef bool directory_read_fn(void *arg, const char *path, char error[MM_ERROR_MAX]);

// Calls read for each file of a directory whose name has this ending (".json") and does not begin
// with a dot, in order of their names, until it returns false. Returns the number of such files; -1
// with errno when the directory cannot be read.
int directory_each(const char *path, const char *ending, directory_read_fn *read, void *arg,
                   char error[MM_ERROR_MAX]);

// Reads a file, or all such files of a directory. False, with one sentence in error that ends with
// `hint` when nothing was found.
bool directory_read(const char *path, const char *ending, const char *hint, directory_read_fn *read,
                    void *arg, char error[MM_ERROR_MAX]);

#endif
