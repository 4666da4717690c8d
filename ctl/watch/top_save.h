// Profiles that top saves: as a file that `mayhemctl profile --read` takes.

#ifndef TOP_SAVE_H
#define TOP_SAVE_H

#include "profiles.h"

#define TOP_SAVE_PATH 512

// Into folder/profile/top-TIME.json, or ./mayhem-profile-TIME.json when folder is NULL. False, with
// errno, when that cannot be written. ret_path is set in both cases.
bool top_save(const char *folder, const profiles_t *profiles, char ret_path[TOP_SAVE_PATH]);

#endif
