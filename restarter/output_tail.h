// What a command has written to its output and error: its end, and its beginning. Pure; allocates
// nothing.

#ifndef OUTPUT_TAIL_H
#define OUTPUT_TAIL_H

#include "string_view.h"

#include <stdbool.h>
#include <stdint.h>

#define OUTPUT_TAIL_MAX 480 // bytes that are kept of the end,
#define OUTPUT_HEAD_MAX 160 // and of the beginning

// Zeroed: empty.
typedef struct {
    uint16_t size;
    bool is_cut; // there was more before
    uint16_t head_size;
    char bytes[OUTPUT_TAIL_MAX];
    char head[OUTPUT_HEAD_MAX];
} output_tail_t;

void output_tail_add(output_tail_t *self, mm_str_t more);
// The bytes as they came; empty when some were cut off, since half an answer is none.
mm_str_t output_tail_whole(const output_tail_t *self);

// One line of UTF-8 without control characters and terminal escapes, line ends shown as " | ": the
// last bytes of it that fit into size (> 0, the NUL included). Returns its length.
size_t output_tail_text(const output_tail_t *self, char *ret_text, size_t size);
// The same of its first line that is not empty, the first bytes of it that fit; empty when the
// beginning was cut off.
size_t output_tail_line(const output_tail_t *self, char *ret_text, size_t size);
// The same, in full, of the next line from *place, which is 0 before the first one; of a long
// output only the lines of its beginning are kept. 0: there are no more.
#define OUTPUT_LINE_TEXT (3 * OUTPUT_TAIL_MAX + 1)
size_t output_tail_next_line(const output_tail_t *self, size_t *place,
                             char ret_text[OUTPUT_LINE_TEXT]);

#endif
