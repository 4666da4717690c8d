// The files of a run that are there before its first process: its list, the copy of --config, and a
// folder for profiles without those of an earlier run.

#ifndef RUN_FILES_H
#define RUN_FILES_H

#include "run_settings.h"

// Before there is a folder: refuses a list that cannot be opened, is a folder or empty, which the
// publisher would refuse behind that. Returns 0, or a sysexits code after a complaint.
int run_files_check_list(const run_settings_t *settings);
// Returns 0, or a sysexits code after a complaint. The folder was taken.
int run_files_prepare(const run_settings_t *settings);

#endif
