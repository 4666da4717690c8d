// The keys of a process for CURVE (RFC 26), as a file of lines NAME = VALUE:
//
//   # Mayhem Mandrill: a secret key. Keep it to yourself (mode 0600).
//   role = restarter
//   name = eu-1
//   public = rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7
//   secret = JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6
//   not-after = 2027-12-01
//   server = Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID
//
// Keys are the 40 printable characters of Z85 (RFC 32). A line that begins with # is a comment.
// server comes once or, while the consumer's key is being replaced, up to MM_SERVER_KEYS times; the
// consumer's own file has role = consumer and none. not-after is optional: the key counts until the
// end of that day, UTC.

#ifndef MM_KEY_FILE_H
#define MM_KEY_FILE_H

#include "job.h"

#define MM_KEY_TEXT    41 // bytes of a key in Z85 with its NUL
#define MM_SERVER_KEYS 4

typedef enum {
    MM_KEY_CONSUMER,
    MM_KEY_PUBLISHER,
    MM_KEY_SAVER,
    MM_KEY_RESTARTER,
    MM_KEY_VIEWER,
    MM_KEY_OPERATOR
} mm_key_role_t;

typedef struct {
    mm_key_role_t role;
    mm_name_t name;
    char public_key[MM_KEY_TEXT];
    char secret_key[MM_KEY_TEXT];
    char server_keys[MM_SERVER_KEYS][MM_KEY_TEXT];
    size_t server_count;
    int64_t not_after_ms; // Unix time from which it no longer counts; INT64_MAX: it has no end
} mm_key_t;

// "restarter"; static.
const char *mm_key_role_name(mm_key_role_t role);
// "a restarter", "an operator"; static.
const char *mm_key_role_phrase(mm_key_role_t role);
// False, and untouched, when it is none.
bool mm_key_role_from(mm_str_t text, mm_key_role_t *ret_role);
// Whether it is a key in Z85: 40 of its characters.
bool mm_key_is_valid(mm_str_t text);
// Why it is none: "one is 40 characters of Z85, and this has 39", or which character is wrong. No
// other one is in it, since it may be of a secret. Returns buffer.
#define MM_KEY_FAULT 80
char *mm_key_fault(mm_str_t text, char buffer[MM_KEY_FAULT]);
// The end of a day YYYY-MM-DD in Unix time; false when it is none.
bool mm_key_date(mm_str_t text, int64_t *ret_not_after_ms);
// That day, "2027-12-01"; "" when it has no end. Returns buffer.
#define MM_KEY_DATE_TEXT 16
char *mm_key_date_print(int64_t not_after_ms, char buffer[MM_KEY_DATE_TEXT]);

// Draws a new pair of keys; the other fields stay.
void mm_key_draw(mm_key_t *self);

// Reads a file. Returns 0, or a sysexits code with one sentence in error (the path, the line, what
// is wrong, how to mend it): EX_NOINPUT it cannot be read, EX_NOPERM others than its owner can (any
// bit of 0077) or it is another user's, or it is a consumer's and others may put files into its
// folder or that of the file to which it is a link, EX_CONFIG it is not such a file, or public does
// not belong to secret. A date that has passed is no error here.
int mm_key_read(const char *path, mm_key_t *ret_self, char error[MM_ERROR_MAX]);
// Writes a file with mode 0600, by a new file beside it that is synced and renamed. Must not exist
// unless may_replace. Returns 0, or a sysexits code with one sentence in error.
int mm_key_write(const mm_key_t *self, const char *path, bool may_replace,
                 char error[MM_ERROR_MAX]);
// Whether this is one of its server keys.
bool mm_key_trusts(const mm_key_t *self, const char *server_key);
// Overwrites the secret, so that it does not stay in memory.
void mm_key_clear(mm_key_t *self);

// Whether it is about to end: the days that are left, 0 for one that has ended, -1 when there are
// more than MM_KEY_WARN_DAYS.
#define MM_KEY_WARN_DAYS 14
int mm_key_days_left(int64_t not_after_ms, int64_t unix_ms);

#endif
