// What the stages of cores have in common: a clock that is only a number, job ids that are numbers,
// and a story, a line of text that tells what has happened.

#ifndef STORY_H
#define STORY_H

#include "uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

extern int64_t now_ms;
extern char story[1 << 16]; // since it was forgotten last

// The id of the job with this number.
mm_id_t id_of(uint64_t number);

// Adds to the story.
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
// Adds "; " between two events.
void tell_next(void);
void forget_story(void);
// The story is this one; then it is forgotten.
void expect_story(const char *expected);

#endif
