// Where a record is: the path of a SQLite file, or the URI of a PostgreSQL database. A URI is shown
// to every user of the machine, by `ps`, and is kept in files: so it has no password.

#ifndef MM_RECORD_URI_H
#define MM_RECORD_URI_H

#include <stdbool.h>

// Whether it is the URI of a database of any kind, and not the path of a file.
bool mm_record_is_uri(const char *where);
// Whether libpq takes it: postgresql://… or postgres://….
bool mm_record_is_postgresql(const char *where);
// Why a URI is refused, as the end of a sentence that says where a password belongs; NULL: it has
// none, or is a path. It never repeats what it was given.
const char *mm_record_complaint(const char *where);

#endif
