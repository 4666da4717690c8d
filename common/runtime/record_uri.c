// See record_uri.h. A URI as libpq reads it: SCHEME://USER:PASSWORD@HOSTS/DATABASE?NAME=VALUE&…

#include "record_uri.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool mm_record_is_uri(const char *where)
{
    size_t scheme =
        strspn(where, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    return scheme > 0 && begins_with(where + scheme, "://");
}

bool mm_record_is_postgresql(const char *where)
{
    return begins_with(where, "postgresql://") || begins_with(where, "postgres://");
}

// libpq ends the user and the password at the first '@' before a '/'; a '?' does not count there.
static bool has_user_password(const char *authority)
{
    size_t size = strcspn(authority, "@/");
    return authority[size] == '@' && memchr(authority, ':', size);
}

// Compares a name, which may be written with %XX for any of its letters.
static bool is_name(const char *at, const char *name)
{
    for (; *name; name++) {
        char c = *at++;
        if (c == '%' && isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1])) {
            static const char digits[] = "0123456789abcdef";
            const char *high = strchr(digits, tolower((unsigned char)at[0]));
            const char *low = strchr(digits, tolower((unsigned char)at[1]));
            c = (char)((high - digits) << 4 | (low - digits));
            at += 2;
        }
        if (c != *name)
            return false;
    }
    return *at == '=';
}

static bool has_password_parameter(const char *uri)
{
    for (const char *at = strchr(uri, '?'); at; at = strpbrk(at, "?&"))
        if (is_name(++at, "password") || is_name(at, "sslpassword"))
            return true;
    return false;
}

const char *mm_record_complaint(const char *where)
{
    if (!mm_record_is_uri(where))
        return NULL;
    if (!has_user_password(strstr(where, "://") + 3) && !has_password_parameter(where))
        return NULL;
    return "it has a password, which everybody on this machine could read: leave it out of the "
           "URI, "
           "and put it into ~/.pgpass (chmod 600), a service file, or PGPASSWORD";
}
