// Why a consumer has ended with 75: DIR/consumer.deposed says that it leads no longer, so that
// whoever has started it starts it again. Too many dead hosts end it with the same code, and there
// is no such file then.

#ifndef MM_DEPOSED_H
#define MM_DEPOSED_H

#include <stdbool.h>

// By the consumer. False with errno: it cannot be written, and the end counts as the other one.
bool mm_deposed_write(const char *dir);
// Whether it was there; it is gone then.
bool mm_deposed_remove(const char *dir);

#endif
