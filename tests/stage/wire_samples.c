// See wire_samples.h.

#include "wire_samples.h"
#include "random.h"
#include "wire_walk.h"

#include <assert.h>
#include <msgpack.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// ---- making

typedef struct {
    wire_visitor_t visitor;
    sample_size_t size;
    uint64_t random;
    uint64_t turn;   // of the item in its list: numbers with few values take turns
    uint64_t stride; // turns for which this number keeps a value, so that all combinations come
} maker_t;

__attribute__((format(printf, 1, 2))) static mm_str_t text_of(const char *format, ...)
{
    static char texts[1 << 16]; // more than one sample needs
    static size_t used;
    char text[64];
    va_list arguments;
    va_start(arguments, format);
    size_t size = (size_t)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    assert(size < sizeof text);
    used = used + size > sizeof texts ? 0 : used;
    memcpy(texts + used, text, size);
    used += size;
    return (mm_str_t){texts + used - size, size};
}

// Legal in every type of text but suffixes.
static mm_str_t text_of_size(size_t size)
{
    static char longest[MM_REPLY_BYTES];
    assert(size <= sizeof longest);
    memset(longest, 'x', sizeof longest);
    return (mm_str_t){longest, size};
}

static mm_str_t make_text(maker_t *self, const wire_field_t *field, uint64_t limit)
{
    unsigned number = (unsigned)mm_random_below(&self->random, 1000000);
    if (field->text == WIRE_TEXT_suffix)
        return limit == field->low ? mm_str("1") : text_of("task.%016x", number);
    if (self->size != SAMPLE_DISTINCT)
        return text_of_size(limit);
    if (field->low == 0 && self->turn % 4 == 3)
        return mm_str("");
    return text_of(field->text == WIRE_TEXT_text ? "Gerät \"%u\"\n" : "web-%u", number);
}

static uint64_t distinct_number(maker_t *self, const wire_field_t *field)
{
    uint64_t range = field->high - field->low, drawn = mm_random_next(&self->random);
    if (range < 16) {
        drawn = self->turn / self->stride;
        self->stride *= range + 1;
    } else if (range > UINT32_MAX) {
        drawn >>= 8 * mm_random_below(&self->random, 5); // of all widths
    }
    return field->low + (range == UINT64_MAX ? drawn : drawn % (range + 1));
}

// The largest item of each leg has fields of its own.
static uint64_t limit_number(const maker_t *self, const wire_field_t *field, uint64_t limit)
{
    bool takes_turns = self->size == SAMPLE_LARGEST && field->name && !strcmp(field->name, "leg");
    return takes_turns ? field->low + self->turn % (field->high - field->low + 1) : limit;
}

static void make_pairs(maker_t *self, const wire_field_t *field)
{
    static mm_pair_t pairs[2][16];
    bool is_distinct = self->size == SAMPLE_DISTINCT;
    uint32_t count = is_distinct                     ? 1 + (uint32_t)(self->turn % field->high)
                     : self->size == SAMPLE_SMALLEST ? 0
                                                     : (uint32_t)field->high;
    assert(count <= 16);
    for (uint32_t i = 0; i < count; i++)
        pairs[is_distinct][i] = (mm_pair_t){
            is_distinct ? text_of("key %u", i) : text_of_size(field->key_max),
            is_distinct ? text_of("%.*s", (int)i, "of no use") : text_of_size(field->value_max)};
    *(const mm_pair_t **)field->value = count > 0 ? pairs[is_distinct] : NULL;
    *field->pair_count = count;
}

// A distinct item has one pair or more: what is behind them then is unknown.
static mm_str_t make_attributes(const maker_t *self, const wire_field_t *field)
{
    static char texts[SAMPLE_ITEMS + 1][MM_ATTRIBUTES_BYTES];
    bool is_distinct = self->size == SAMPLE_DISTINCT;
    size_t count = is_distinct                     ? 1 + self->turn % field->high
                   : self->size == SAMPLE_SMALLEST ? 0
                                                   : field->high;
    char *text = texts[is_distinct ? self->turn : SAMPLE_ITEMS];
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        char key[MM_ATTRIBUTE_KEY_MAX];
        memset(key, (char)('a' + i), sizeof key);
        bool is_added =
            mm_attributes_add(text, &size, (mm_str_t){key, is_distinct ? 1 + i : sizeof key},
                              is_distinct ? text_of("%.*s", (int)i, "/v=1,-@")
                                          : text_of_size(MM_ATTRIBUTE_VALUE_MAX));
        assert(is_added);
    }
    return (mm_str_t){text, size};
}

static void make(wire_visitor_t *visitor, const wire_field_t *field)
{
    maker_t *self = (maker_t *)visitor;
    bool is_distinct = self->size == SAMPLE_DISTINCT;
    uint64_t limit = self->size == SAMPLE_SMALLEST ? field->low : field->high;
    switch (field->class) {
    case WIRE_flag: // one that is always true is there only then
        *(bool *)field->value = field->low || (is_distinct ? self->turn % 2 == 0 : limit);
        return;
    case WIRE_id:
        for (size_t i = 0; is_distinct && i < sizeof(mm_id_t); i++)
            ((mm_id_t *)field->value)->bytes[i] = (uint8_t)mm_random_next(&self->random);
        return;
    case WIRE_TEXT: *(mm_str_t *)field->value = make_text(self, field, limit); return;
    case WIRE_NUMBER:
        wire_set_number(field, is_distinct ? distinct_number(self, field)
                                           : limit_number(self, field, limit));
        return;
    case WIRE_PAIRS: make_pairs(self, field); return;
    case WIRE_ATTRIBUTES: *(mm_str_t *)field->value = make_attributes(self, field); return;
    case WIRE_LIST:
        *(size_t *)field->value = is_distinct ? SAMPLE_ITEMS : limit;
        self->turn = UINT64_MAX;
        return;
    case WIRE_ITEM:
        self->turn++;
        self->stride = 1;
        return;
    case WIRE_END: return;
    }
}

mm_frame_t wire_sample(mm_frame_kind_t kind, sample_size_t size)
{
    maker_t maker = {{.visit = make, .makes = true, .makes_all = true},
                     size,
                     .random = (uint64_t)kind,
                     .stride = 1};
    mm_frame_t frame = {.kind = kind};
    wire_walk(&maker.visitor, &frame);
    return frame;
}

size_t sample_encode(mm_encoder_t *encoder, const mm_frame_t *frame, char **ret_bytes)
{
    mm_encode_frame(encoder, frame);
    mm_str_t bytes = mm_encoder_bytes(encoder);
    *ret_bytes = malloc(bytes.size);
    assert(*ret_bytes);
    memcpy(*ret_bytes, bytes.data, bytes.size);
    return bytes.size;
}

// ---- comparing

typedef struct {
    wire_visitor_t visitor;
    const msgpack_object *arrays[3]; // the one at hand is the last
    uint32_t next[3];                // of its elements
    size_t depth;
    bool is_same;
} reader_t;

static bool is_text(const msgpack_object *element, mm_str_t text)
{
    return element->type == MSGPACK_OBJECT_STR &&
           mm_str_equal((mm_str_t){element->via.str.ptr, element->via.str.size}, text);
}

static bool are_pairs(const msgpack_object *element, const mm_pair_t *pairs, uint32_t count)
{
    bool are_same = element->type == MSGPACK_OBJECT_MAP && element->via.map.size == count;
    for (uint32_t i = 0; are_same && i < count; i++)
        are_same = is_text(&element->via.map.ptr[i].key, pairs[i].key) &&
                   is_text(&element->via.map.ptr[i].val, pairs[i].value);
    return are_same;
}

static bool are_attributes(const msgpack_object *element, mm_str_t attributes)
{
    bool are_same = element->type == MSGPACK_OBJECT_MAP;
    uint32_t count = 0;
    for (mm_attribute_t pair; mm_attributes_next(&attributes, &pair); count++)
        are_same = are_same && count < element->via.map.size &&
                   is_text(&element->via.map.ptr[count].key, pair.key) &&
                   is_text(&element->via.map.ptr[count].val, pair.value);
    return are_same && element->via.map.size == count;
}

static bool is_value(const msgpack_object *element, const wire_field_t *field)
{
    switch (field->class) {
    case WIRE_flag:
        return element->type == MSGPACK_OBJECT_BOOLEAN &&
               element->via.boolean == *(const bool *)field->value;
    case WIRE_id:
        return element->type == MSGPACK_OBJECT_BIN && element->via.bin.size == sizeof(mm_id_t) &&
               memcmp(element->via.bin.ptr, field->value, sizeof(mm_id_t)) == 0;
    case WIRE_TEXT: return is_text(element, *(const mm_str_t *)field->value);
    case WIRE_NUMBER:
        return element->type == MSGPACK_OBJECT_POSITIVE_INTEGER &&
               element->via.u64 == wire_number(field);
    case WIRE_PAIRS:
        return are_pairs(element, *(const mm_pair_t **)field->value, *field->pair_count);
    case WIRE_ATTRIBUTES: return are_attributes(element, *(const mm_str_t *)field->value);
    case WIRE_LIST:
        return element->type == MSGPACK_OBJECT_ARRAY &&
               element->via.array.size == *(const size_t *)field->value;
    case WIRE_ITEM: return element->type == MSGPACK_OBJECT_ARRAY;
    case WIRE_END: break;
    }
    return false;
}

static void compare(wire_visitor_t *visitor, const wire_field_t *field)
{
    reader_t *self = (reader_t *)visitor;
    const msgpack_object *array = self->arrays[self->depth];
    uint32_t *next = &self->next[self->depth];
    if (!self->is_same)
        return;
    if (field->class == WIRE_END) {
        self->is_same = *next == array->via.array.size;
        self->depth--;
        return;
    }
    const msgpack_object *element = &array->via.array.ptr[(*next)++];
    self->is_same = *next <= array->via.array.size && is_value(element, field);
    if (!self->is_same)
        (void)fprintf(stderr, "element %u, %s, differs\n", *next - 1,
                      field->name ? field->name : "an item");
    if (field->class == WIRE_LIST || field->class == WIRE_ITEM) {
        self->arrays[++self->depth] = element;
        self->next[self->depth] = 0;
    }
}

bool sample_is_frame(const void *bytes, size_t size, const mm_frame_t *frame)
{
    msgpack_unpacked unpacked;
    msgpack_unpacked_init(&unpacked);
    size_t end = 0;
    msgpack_unpack_return result = msgpack_unpack_next(&unpacked, bytes, size, &end);
    const msgpack_object *root = &unpacked.data, *elements = root->via.array.ptr;
    reader_t reader = {{.visit = compare}, .arrays = {root}, .next = {2}};
    reader.is_same = result == MSGPACK_UNPACK_SUCCESS && end == size &&
                     root->type == MSGPACK_OBJECT_ARRAY && root->via.array.size >= 2 &&
                     elements[0].via.u64 == MM_WIRE_VERSION &&
                     elements[1].via.u64 == (uint64_t)frame->kind;
    mm_frame_t copy = *frame;
    if (reader.is_same) {
        wire_walk(&reader.visitor, &copy);
        compare(&reader.visitor, &(wire_field_t){.class = WIRE_END});
    }
    msgpack_unpacked_destroy(&unpacked);
    return reader.is_same;
}
