// The files of a run that are there before its first process: the copy of --config, and a folder
// for profiles without those of an earlier run.

#ifndef RUN_FILES_H
#define RUN_FILES_H

#include "run_settings.h"

// Returns 0, or a sysexits code after a complaint. The folder was taken.
int run_files_prepare(const run_settings_t *settings);

#endif
