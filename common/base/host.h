// Host names and process names, and the rules that every input of them is checked against.
// Independent of the locale.

#ifndef MM_HOST_H
#define MM_HOST_H

#include "string_view.h"

#define MM_HOST_MAX 253 // bytes in a host name (RFC 1035, 2.3.4, without the trailing dot)
#define MM_NAME_MAX 63  // bytes in the id of a process ("restarter-2")

// The id of a process, NUL-terminated: 1 to MM_NAME_MAX of [A-Za-z0-9._-].
typedef struct {
    char text[MM_NAME_MAX + 1];
} mm_name_t;

// Whether it is a name: 1 to MM_NAME_MAX of [A-Za-z0-9._-], not starting with '-' or '.'.
bool mm_is_name(mm_str_t text);
// Sets *ret_name; false, and untouched, when text is no name.
bool mm_name_from(mm_str_t text, mm_name_t *ret_name);
// Whether that is the name.
static inline bool mm_name_is(const mm_name_t *self, mm_str_t text)
{
    return text.size > 0 && text.size <= MM_NAME_MAX && self->text[text.size] == '\0' &&
           self->text[text.size - 1] != '\0' && memcmp(self->text, text.data, text.size) == 0;
}

// NULL when text is a host that can be restarted, else why not, as the end of a sentence ("it is
// empty", "it starts with '-' and could be taken for an option"): 1 to MM_HOST_MAX of
// [A-Za-z0-9._:-], not starting with '-'.
const char *mm_host_complaint(mm_str_t host);

// The first label of a host name ("web-7" of "web-7.example.net"); an IP address is kept whole.
mm_str_t mm_host_label(mm_str_t host);

#endif
