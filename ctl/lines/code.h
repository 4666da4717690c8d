// Machine code as far as counting needs it: an instruction with a repeat prefix (rep stos, with
// which a struct is cleared) is counted by callgrind for each repetition.

#ifndef CODE_H
#define CODE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

// Zeroed: nothing is open.
typedef struct {
    const char *object; // of the file; compared as a pointer
    FILE *file;
} code_t;

// Whether the instruction at this address of an object (as in its symbol table) repeats itself.
// False, too, when the object cannot be read, or is for another machine than x86-64.
bool code_repeats(code_t *self, const char *object, uint64_t address);
void code_close(code_t *self);

#endif
