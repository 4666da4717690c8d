// For the writers of --trace. A trace has the format of tests/scenarios/: words of the form
// `kind name key=value key="two words"`.

#ifndef MM_TRACE_H
#define MM_TRACE_H

#include "attributes.h"

#include <stdio.h>

// Writes a text as one word of a trace, quoted when it has blanks, quotes or semicolons. A newline
// becomes a blank.
void mm_trace_print(FILE *file, mm_str_t text);
// Writes " key=text"; nothing when the text is empty.
void mm_trace_print_text(FILE *file, const char *key, mm_str_t text);
// Writes attributes as words of their own, " attr.KEY=VALUE" each; nothing when there are none.
void mm_trace_print_attributes(FILE *file, mm_str_t attributes);

#endif
