// See wire_walk.h.

#include "wire_walk.h"

#include <assert.h>

enum {
#define TYPE(type, c_type)   CLASS_##type = WIRE_##type, TEXT_##type = 0,
#define TEXT(type)           CLASS_##type = WIRE_TEXT, TEXT_##type = WIRE_TEXT_##type,
#define NUMBER(type, c_type) CLASS_##type = WIRE_NUMBER, TEXT_##type = 0,
#include "expand_frames.h"
};

static void visit(wire_visitor_t *visitor, wire_field_t field)
{
    visitor->visit(visitor, &field);
    visitor->is_optional = false;
}

// For the items that are made: as many as two lists of a frame may have.
static mm_real_t *make_real(void)
{
    static mm_real_t reals[4 * MM_BATCH_ITEMS];
    static size_t next;
    mm_real_t *real = &reals[next++ % (4 * MM_BATCH_ITEMS)];
    *real = (mm_real_t){0};
    return real;
}

// clang-format off
#define VISIT(...)                                                                                 \
        visit(visitor, (wire_field_t){__VA_ARGS__});
#define VISIT_VALUE(type, label, at, first, last)                                                  \
        VISIT(.class = (wire_class_t)CLASS_##type, .text = (wire_text_t)TEXT_##type,               \
              .name = (label), .value = (at),                                                      \
              .size = sizeof *(at), .low = (first), .high = (last))

#define PLAIN(item, type, low, high)                                                               \
    static void walk_##item##_item(wire_visitor_t *visitor, mm_##item##_t *it)                     \
    {                                                                                              \
        VISIT_VALUE(type, NULL, it, low, high)                                                     \
    }
#define ITEM(item)                                                                                 \
    static void walk_##item##_item(wire_visitor_t *visitor, mm_##item##_t *it)                     \
    {                                                                                              \
        if (visitor->makes)                                                                        \
            *it = (mm_##item##_t){0};                                                              \
        VISIT(.class = WIRE_ITEM, .which = WIRE_ITEM_##item, .value = it)
#define BODY(body)                                                                                 \
    static void walk_##body##_body(wire_visitor_t *visitor, mm_##body##_body_t *it,                \
                                   mm_frame_kind_t kind)                                           \
    {                                                                                              \
        (void)kind;
#define FIELD(type, member, name, low, high)                                                       \
        VISIT_VALUE(type, name, &it->member, low, high)
#define PART(member)                                                                               \
        if (visitor->makes && !it->member)                                                         \
            it->member = make_real();
#define PAIRS(member, count, label, max, longest_key, longest_value)                               \
        VISIT(.class = WIRE_PAIRS, .name = (label), .value = &it->member, .high = (max),           \
              .pair_count = &it->count, .key_max = (longest_key), .value_max = (longest_value))
#define ATTRIBUTES(member, label)                                                                  \
        VISIT(.class = WIRE_ATTRIBUTES, .name = (label), .value = &it->member,                     \
              .size = sizeof it->member, .high = MM_ATTRIBUTES_MAX)
#define LIST(item, member, count, label)                                                           \
        static mm_##item##_t made_##member[MM_BATCH_ITEMS];                                        \
        if (visitor->makes)                                                                        \
            it->member = made_##member;                                                            \
        VISIT(.class = WIRE_LIST, .name = (label), .value = &it->count, .high = MM_BATCH_ITEMS)    \
        for (size_t i = 0; i < it->count; i++)                                                     \
            walk_##item##_item(visitor, (mm_##item##_t *)&it->member[i]);                          \
        VISIT(.class = WIRE_END)
#define WHEN(label, condition)                                                                     \
        if (condition) {
#define OPTIONAL(condition)                                                                        \
        if (visitor->makes_all || (condition)) {                                                   \
            visitor->is_optional = true;
#define END_WHEN                                                                                   \
            visitor->is_optional = false;                                                          \
        }
#define DERIVED(c_type, member, value)                                                             \
        if (visitor->makes)                                                                        \
            it->member = (value);
#define END_ITEM                                                                                   \
        VISIT(.class = WIRE_END)                                                                   \
    }
#define END_BODY                                                                                   \
    }
#include "expand_frames.h"
// clang-format on

void wire_walk(wire_visitor_t *visitor, mm_frame_t *frame)
{
    switch (frame->kind) {
#define FRAME(number, KIND, body, route)                                                           \
    case MM_FRAME_##KIND:                                                                          \
        walk_##body##_body(visitor, &frame->as.body, MM_FRAME_##KIND);                             \
        return;
#include "expand_frames.h"
    }
    assert(false);
}

uint64_t wire_number(const wire_field_t *field)
{
    assert(field->class == WIRE_NUMBER);
    return field->size == sizeof(uint64_t) ? *(const uint64_t *)field->value
                                           : *(const uint32_t *)field->value;
}

void wire_set_number(const wire_field_t *field, uint64_t number)
{
    assert(field->class == WIRE_NUMBER && number >= field->low && number <= field->high);
    if (field->size == sizeof(uint64_t))
        *(uint64_t *)field->value = number;
    else
        *(uint32_t *)field->value = (uint32_t)number;
}
