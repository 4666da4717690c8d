// Small text files that nobody but this user, or root, may change: read as a whole, and replaced as
// a whole. What is wrong with one is said with its path, its line, and how to mend it.

#ifndef MM_PRIVATE_FILE_H
#define MM_PRIVATE_FILE_H

#include "job.h"

#include <sys/types.h>

// Modes that such a file may not have: a secret is for its owner alone, others may read a list.
#define MM_SECRET_FORBIDS 0077
#define MM_LIST_FORBIDS   0022

// Reads a regular file. Its lines all end with a newline, so that none was cut off; control
// characters but tabs, and bytes above 0x7f outside of comments, are refused. *ret_text, which the
// caller gives to mm_private_file_free, has a NUL behind its end. Returns 0, or a sysexits code
// with one sentence in error: EX_NOINPUT it cannot be read, EX_NOPERM it has a mode of those, or is
// neither this user's nor root's, EX_CONFIG it is no such text, is empty, or has more than size_max
// bytes. A pipe is not waited for.
int mm_private_file_read(const char *path, mode_t forbidden, size_t size_max, char **ret_text,
                         size_t *ret_size, char error[MM_ERROR_MAX]);
// Overwrites the text before it is freed. No-op for NULL.
void mm_private_file_free(char **text_p, size_t size);

// Writes a file with mode 0600, or what the umask leaves of it: a new one beside it is written,
// synced and renamed, and the folder is synced. At no time anybody else can read it, and whoever
// reads it has the former one or this one. A file that exists is replaced only if it may be. A kill
// may leave the one beside it, which begins with a dot. Returns 0, or a sysexits code with one
// sentence in error: EX_CANTCREAT it exists, or cannot be made, EX_IOERR it cannot be written.
int mm_private_file_write(const char *path, mm_str_t text, bool may_replace,
                          char error[MM_ERROR_MAX]);
// Gives a file of the same folder this name, in place of the one that has it, and syncs the folder.
// Returns as above.
int mm_private_file_rename(const char *from, const char *to, char error[MM_ERROR_MAX]);

// Whether nobody but this user, or root, may put files there. Returns 0, or a sysexits code with
// one sentence in error: EX_NOINPUT it cannot be looked at, or is none, EX_NOPERM.
int mm_private_folder_check(const char *folder, char error[MM_ERROR_MAX]);
// The same for the folder of a file and, when that is a symbolic link, the folder of each file that
// it leads to: whoever may put files there has this one.
int mm_private_place_check(const char *path, char error[MM_ERROR_MAX]);
// The folder of a file: "." without a slash. False: it does not fit.
#define MM_PRIVATE_PATH 4096
bool mm_private_folder_of(const char *path, char ret_folder[MM_PRIVATE_PATH]);

// ---- its lines

typedef struct {
    const char *path;
    mm_str_t rest;  // behind the line
    mm_str_t whole; // the line with its newline
    mm_str_t text;  // without it, and without blanks at both ends
    size_t number;  // from 1; 0: none yet
} mm_private_line_t;

// The next line that is neither empty nor a comment (# at its begin).
bool mm_private_line_next(mm_private_line_t *self);
// Writes "PATH:LINE: " and the sentence, and returns EX_CONFIG.
int mm_private_line_refuse(const mm_private_line_t *self, char error[MM_ERROR_MAX],
                           const char *format, ...) __attribute__((format(printf, 3, 4)));
// The text without blanks at both ends.
mm_str_t mm_private_trim(mm_str_t text);

#endif
