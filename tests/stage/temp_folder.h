// A folder for each test, made before it and removed after it with all that is in it.

#ifndef TEMP_FOLDER_H
#define TEMP_FOLDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { TEMP_PATH_MAX = 96 };

extern char folder[sizeof "/tmp/mayhem_test.XXXXXX"]; // of the test that runs

void make_temp_folder(void);

// The path of `name` in the folder, whether it exists or not.
void temp_path(char ret_path[TEMP_PATH_MAX], const char *name);

// Makes this file anew, with exactly this mode.
void temp_write(const char *path, const char *bytes, size_t size, mode_t mode);

// For the end of a test: 0, or -1 when something could not be removed.
int remove_temp_folder(void **state);

#endif
