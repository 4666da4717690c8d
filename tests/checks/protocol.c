// Prints common/wire/frames.def in the words of docs/protocol.md: a line for each limit, each type
// and each row of the tables of section 3. protocol.sh compares them with the document.

#include "wire_rules.h"

#include <inttypes.h>
#include <stdio.h>

enum {
#define TYPE(type, c_type) TYPE_##type,
#include "expand_frames.h"
    TYPES
};

enum {
#define TYPE(type, c_type)   IS_NUMBER_##type = false,
#define NUMBER(type, c_type) IS_NUMBER_##type = true,
#include "expand_frames.h"
};

// What a list of them is a list of.
#define PLAIN(item, type, ...) static const char word_of_##item[] = #type;
#define ITEM(item)             static const char word_of_##item[] = #item;
#include "expand_frames.h"

static bool prints; // else it looks for the widest range of each type
static struct {
    bool is_used;
    uint64_t low, high;
} widest[TYPES];
static char table[128];
static int row;
static const char *label; // of the row; NULL: none
static bool is_optional;
static const char *first_optional; // of the block; NULL: it is to come

// What was before the conditions that are open.
static struct {
    const char *label;
    bool is_optional;
} outer[4];
static unsigned depth;

static void open_condition(const char *words, bool makes_optional)
{
    outer[depth].label = label;
    outer[depth++].is_optional = is_optional;
    label = words ? words : label;
    is_optional |= makes_optional;
    first_optional = NULL;
}

static void close_condition(void)
{
    label = outer[--depth].label;
    is_optional = outer[depth].is_optional;
    first_optional = NULL;
}

static void print_row(const char *name)
{
    (void)printf("%s %d | %s%s%s | %s", table, ++row, label ? label : "", label ? ": " : "", name,
                 is_optional && !first_optional ? "optional " : "");
}

// The others of a block are there when its first one is.
static void end_row(const char *name)
{
    if (first_optional)
        (void)printf(", with %s", first_optional);
    else if (is_optional)
        first_optional = name;
    (void)printf("\n");
}

// A number's range is worth words when another field of that type has a wider one.
static void print_range(size_t type, uint64_t low, uint64_t high)
{
    bool is_widest = high == widest[type].high;
    if (!is_widest || low != widest[type].low)
        (void)printf(is_widest && high >= UINT32_MAX ? " ≥ %" PRIu64 : ", %" PRIu64 " to %" PRIu64,
                     low, high);
}

static void field(size_t type, const char *word, bool is_number, const char *name, uint64_t low,
                  uint64_t high)
{
    if (!prints) {
        bool is_used = widest[type].is_used;
        widest[type].low = is_used && widest[type].low < low ? widest[type].low : low;
        widest[type].high = is_used && widest[type].high > high ? widest[type].high : high;
        widest[type].is_used = true;
        return;
    }
    print_row(name);
    (void)printf("%s", word);
    if (is_number)
        print_range(type, low, high);
    else if (type == TYPE_text)
        (void)printf(", up to %" PRIu64 " bytes", high);
    else if (low == 0 && type != TYPE_flag)
        (void)printf(" or empty");
    end_row(name);
}

static void pairs(const char *name, uint64_t max, uint64_t key_max, uint64_t value_max)
{
    if (!prints)
        return;
    print_row(name);
    (void)printf("map, up to %" PRIu64 " pairs of %" PRIu64 " and %" PRIu64 " bytes", max, key_max,
                 value_max);
    end_row(name);
}

static void list(const char *name, const char *word)
{
    if (!prints)
        return;
    print_row(name);
    (void)printf("list of %s", word);
    end_row(name);
}

static void begin(const char *name)
{
    row = 0;
    (void)snprintf(table, sizeof table, "%s", name);
}

// Named by all kinds that have this body.
static void begin_body(const char *name)
{
    const char *sent = "";
    begin("");
#define FRAME(number, KIND, body, route)                                                           \
    if (strcmp(#body, name) == 0) {                                                                \
        (void)snprintf(table + strlen(table), sizeof table - strlen(table), "**%s**, ",            \
                       #number " " #KIND);                                                         \
        sent = (route);                                                                            \
    }
#include "expand_frames.h"
    (void)snprintf(table + strlen(table), sizeof table - strlen(table), "%s", sent);
}

static void tables(void)
{
    const mm_frame_kind_t kind = 0;
    (void)kind;
    // clang-format off
#define ITEM(item)                                                                                 \
    {                                                                                              \
        mm_##item##_t zero = {0}, *it = &zero;                                                     \
        begin(#item);
#define OWNS(c_type, member)                                                                       \
        c_type none = {0};                                                                         \
        zero.member = &none;
#define BODY(body)                                                                                 \
    {                                                                                              \
        const mm_##body##_body_t zero = {0}, *it = &zero;                                          \
        begin_body(#body);
#define FIELD(type, member, name, low, high)                                                       \
        (void)it, field(TYPE_##type, #type, IS_NUMBER_##type, name, low, high);
#define PAIRS(member, count, name, max, key_max, value_max)                                        \
        pairs(name, max, key_max, value_max);
#define ATTRIBUTES(member, name)                                                                   \
        pairs(name, MM_ATTRIBUTES_MAX, MM_ATTRIBUTE_KEY_MAX, MM_ATTRIBUTE_VALUE_MAX);
#define LIST(item, member, count, name)                                                            \
        list(name, word_of_##item);
#define WHEN(words, condition)                                                                     \
        open_condition(words, false);
#define OPTIONAL(condition)                                                                        \
        open_condition(NULL, true);
#define END_WHEN                                                                                   \
        close_condition();
#define END_ITEM                                                                                   \
    }
#define END_BODY                                                                                   \
    }
#include "expand_frames.h"
    // clang-format on
}

int main(void)
{
    (void)printf("P2.2 version, %d\nversion other than %d\n", MM_WIRE_VERSION, MM_WIRE_VERSION);
    (void)printf("P2.2 1 to %d\nP2.6 at most %d\nP2.7 at most %d\nP2.8 at most %d\n"
                 "P2.10 at most %d\n",
                 (int)MM_FRAME_KINDS, MM_FRAME_BYTES, MM_WIRE_DEPTH_MAX, MM_WIRE_ELEMENTS_MAX,
                 MM_BATCH_ITEMS);
#define TYPE(type, c_type) (void)printf("type " #type "\n");
#include "expand_frames.h"
    tables();
    prints = true;
    tables();
    return 0;
}
