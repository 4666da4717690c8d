// What is written to standard error while a test listens.

#ifndef HEAR_H
#define HEAR_H

// From now on standard error is kept.
void hear_begin(void);
// The end of it. Returns what was written, until the next call.
const char *hear_end(void);

#endif
