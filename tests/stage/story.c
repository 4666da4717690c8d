// See story.h.

#include "story.h"

int64_t now_ms;
char story[1 << 16];
static size_t story_size;

mm_id_t id_of(uint64_t number)
{
    mm_id_t id = {{0}};
    for (size_t i = 0; i < 8; i++)
        id.bytes[15 - i] = (uint8_t)(number >> 8 * i);
    return id;
}

void tell(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(story + story_size, sizeof story - story_size, format, args);
    va_end(args);
    assert_true(size >= 0 && (size_t)size < sizeof story - story_size);
    story_size += (size_t)size;
}

void tell_next(void)
{
    tell("%s", story_size > 0 ? "; " : "");
}

void forget_story(void)
{
    story_size = 0;
    story[0] = '\0';
}

void expect_story(const char *expected)
{
    assert_string_equal(story, expected);
    forget_story();
}
