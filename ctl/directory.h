// The files of a folder, one after the other.

#ifndef DIRECTORY_H
#define DIRECTORY_H

#include <stdbool.h>

// Calls take for each file of the folder whose name ends so (".json") and does not begin with a
// dot, in order of their names, until it returns false. Returns how many such files there are; -1
// with errno when the folder cannot be read.
int directory_each(const char *path, const char *ending, bool (*take)(void *arg, const char *file),
                   void *arg);

#endif
