// Frames to bytes: frames.def expands to code that writes one field after the other, with
// msgpack-c's packer, into one buffer that is reused and only grows. A value that the decoder would
// refuse is a bug of the caller and asserted; nothing is cut to fit. The header of a list has a
// fixed width and is written again when the count is known.

#include "big_endian.h"
#include "wire_rules.h"

#include <assert.h>
#include <msgpack.h>
#include <stdlib.h>

#define LIST_HEAD   3 // bytes of an array 16 header
#define FIRST_BYTES (MM_BATCH_BYTES + 8 * 1024)
#define TAIL_BYTES  16

// BATCH_job and so on: the item of the open batch.
typedef enum {
    BATCH_NONE = 0,
#define BATCH(item, ...) BATCH_##item,
#include "expand_frames.h"
} batch_t;

struct mm_encoder {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    size_t list_at; // offset of the last list's header
    size_t count;   // of its items so far
    batch_t batch;
    uint8_t tail[TAIL_BYTES]; // what the open batch has behind its list
    size_t tail_size;
    uint64_t version;
};

// ---- limits: the most bytes of an item, and of a frame without its items

// A text has a header of up to 5 bytes; no other field has a longer one than an id, 2 bytes.
enum {
#define TYPE(type, c_type) IS_TEXT_##type = 0,
#define TEXT(type)         IS_TEXT_##type = 1,
#include "expand_frames.h"
};

// clang-format off
enum {
#define PLAIN(item, type, low, high)                BYTES_##item##_item = 9,
#define ITEM(item)                                  BYTES_##item##_item = LIST_HEAD
#define BODY(body)                                  BYTES_##body##_body = LIST_HEAD + 2
#define FIELD(type, member, name, low, high)        + (IS_TEXT_##type ? 5 + (int)(high) \
                                                                   : 2 + (int)sizeof(mm_type_##type##_t))
#define INSTEAD(type, member, name, low, high)
#define PAIRS(member, count, name, max, key, value) + 3 + (max) * (5 + (key) + 5 + (value))
#define ATTRIBUTES(member, name)                    PAIRS(, , , MM_ATTRIBUTES_MAX, \
                                                          MM_ATTRIBUTE_KEY_MAX, MM_ATTRIBUTE_VALUE_MAX)
#define LIST(item, member, count, name)             + LIST_HEAD
#define END_ITEM                                    ,
#define END_BODY                                    ,
#include "expand_frames.h"
};

_Static_assert(5 + MM_ATTRIBUTES_BYTES <=
                   3 + MM_ATTRIBUTES_MAX * (10 + MM_ATTRIBUTE_KEY_MAX + MM_ATTRIBUTE_VALUE_MAX),
               "what items have instead of attributes is no longer");

// libzmq takes a frame whose lists are full.
#define BODY(body)      _Static_assert(BYTES_##body##_body
#define LIST(item, ...) + MM_BATCH_ITEMS * BYTES_##item##_item
#define END_BODY        <= MM_FRAME_BYTES, "its limits make the frame too large");
#include "expand_frames.h"
// clang-format on

mm_encoder_t *mm_encoder_new(void)
{
    mm_encoder_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    self->capacity = FIRST_BYTES;
    self->version = MM_WIRE_VERSION;
    self->bytes = malloc(self->capacity);
    assert(self->bytes != NULL);
    return self;
}

void mm_encoder_destroy(mm_encoder_t **self_p)
{
    if (*self_p == NULL)
        return;
    free((*self_p)->bytes);
    free(*self_p);
    *self_p = NULL;
}

mm_str_t mm_encoder_bytes(const mm_encoder_t *self)
{
    assert(self->batch == BATCH_NONE);
    return (mm_str_t){.data = (const char *)self->bytes, .size = self->size};
}

size_t mm_encoder_count(const mm_encoder_t *self)
{
    return self->batch == BATCH_NONE ? 0 : self->count;
}

bool mm_encoder_is_full(const mm_encoder_t *self)
{
    return self->batch != BATCH_NONE &&
           (self->count == MM_BATCH_ITEMS || self->size >= MM_BATCH_BYTES);
}

static inline void reserve(mm_encoder_t *self, size_t size)
{
    if (self->capacity - self->size >= size)
        return;
    self->capacity = 2 * self->capacity + size;
    self->bytes = realloc(self->bytes, self->capacity);
    assert(self->bytes != NULL);
}

// ---- fields

static inline int append(void *user, const char *bytes, size_t size)
{
    mm_encoder_t *self = user;
    assert(size <= self->capacity - self->size);
    memcpy(self->bytes + self->size, bytes, size);
    self->size += size;
    return 0;
}

// A new one for each field: only then does the compiler inline the callback.
static inline msgpack_packer packer(mm_encoder_t *self)
{
    msgpack_packer out;
    msgpack_packer_init(&out, self, append);
    return out;
}

static inline void put_array(mm_encoder_t *self, size_t count)
{
    msgpack_packer out = packer(self);
    (void)msgpack_pack_array(&out, count);
}

static inline void put_number(mm_encoder_t *self, uint64_t number)
{
    msgpack_packer out = packer(self);
    (void)msgpack_pack_uint64(&out, number);
}

static inline void put_string(mm_encoder_t *self, mm_str_t text)
{
    msgpack_packer out = packer(self);
    (void)msgpack_pack_str(&out, text.size);
    if (text.size > 0)
        (void)msgpack_pack_str_body(&out, text.data, text.size);
}

static inline void put_pairs(mm_encoder_t *self, const mm_pair_t *pairs, uint32_t count,
                             uint32_t max, size_t key_max, size_t value_max)
{
    msgpack_packer out = packer(self);
    assert(count <= max);
    (void)msgpack_pack_map(&out, count);
    for (uint32_t i = 0; i < count; i++) {
        assert(mm_wire_is_text(pairs[i].key, 1, key_max));
        assert(mm_wire_is_text(pairs[i].value, 0, value_max));
        put_string(self, pairs[i].key);
        put_string(self, pairs[i].value);
    }
}

static void put_attributes(mm_encoder_t *self, mm_str_t attributes)
{
    msgpack_packer out = packer(self);
    mm_attribute_t pair;
    size_t count = 0;
    assert(mm_attributes_are_valid(attributes));
    for (mm_str_t rest = attributes; mm_attributes_next(&rest, &pair);)
        count++;
    (void)msgpack_pack_map(&out, count);
    while (mm_attributes_next(&attributes, &pair)) {
        put_string(self, pair.key);
        put_string(self, pair.value);
    }
}

static inline void put_flag(mm_encoder_t *self, bool value, bool low, bool high)
{
    msgpack_packer out = packer(self);
    assert(value >= low && value <= high);
    (void)(value ? msgpack_pack_true(&out) : msgpack_pack_false(&out));
}

static inline void put_id(mm_encoder_t *self, mm_id_t id, size_t low, size_t high)
{
    msgpack_packer out = packer(self);
    (void)low, (void)high;
    (void)msgpack_pack_bin(&out, sizeof id.bytes);
    (void)msgpack_pack_bin_body(&out, id.bytes, sizeof id.bytes);
}

// put_u64, put_name and so on.
#define NUMBER(type, c_type)                                                                       \
    static inline void put_##type(mm_encoder_t *self, c_type value, uint64_t low, uint64_t high)   \
    {                                                                                              \
        assert((uint64_t)value >= low && (uint64_t)value <= high);                                 \
        put_number(self, (uint64_t)value);                                                         \
    }
#define TEXT(type)                                                                                 \
    static inline void put_##type(mm_encoder_t *self, mm_str_t text, size_t low, size_t high)      \
    {                                                                                              \
        assert(mm_wire_is_##type(text, low, high));                                                \
        put_string(self, text);                                                                    \
    }
#include "expand_frames.h"

// ---- lists

static void open_list(mm_encoder_t *self)
{
    self->list_at = self->size;
    self->count = 0;
    (void)append(self, "\xDC\x00\x00", LIST_HEAD);
}

static void close_list(mm_encoder_t *self)
{
    assert(self->count <= MM_BATCH_ITEMS);
    mm_big_endian_put(self->count, 2, self->bytes + self->list_at + 1);
}

// Counts an item of up to `size` bytes in the open list and reserves its memory. Returns self.
static mm_encoder_t *open_item(mm_encoder_t *self, size_t size)
{
    self->count++;
    reserve(self, size);
    return self;
}

static void put_head(mm_encoder_t *self, size_t elements, mm_frame_kind_t kind)
{
    put_array(self, elements);
    put_number(self, self->version);
    put_number(self, (uint64_t)kind);
}

// ---- items and frames

// clang-format off

// count_job_item, count_jobs_body and so on: the elements of an array.
#define ITEM(item)                                                                                 \
    static inline size_t count_##item##_item(const mm_##item##_t *it)                              \
    {                                                                                              \
        (void)it;                                                                                  \
        return 0U
#define BODY(body)                                                                                 \
    static inline size_t count_##body##_body(const mm_##body##_body_t *it, mm_frame_kind_t kind)   \
    {                                                                                              \
        (void)it, (void)kind;                                                                      \
        return 2U
#define FIELD(...) + 1U
#define PAIRS(...) + 1U
#define ATTRIBUTES(...) + 1U
#define LIST(...)  + 1U
#define WHEN(label, condition) + ((condition) ? 0U
#define END_WHEN : 0U)
#define END_ITEM       ; }
#define END_BODY       ; }
#include "expand_frames.h"

// put_job_item, put_jobs_body and so on. The list of a batch is empty.
#define PLAIN(item, type, low, high)                                                               \
    static inline void put_##item##_item(mm_encoder_t *self, const mm_##item##_t *it)              \
    {                                                                                              \
        put_##type(self, *it, low, high);                                                          \
    }
#define ITEM(item)                                                                                 \
    static void put_##item##_item(mm_encoder_t *self, const mm_##item##_t *it)                     \
    {                                                                                              \
        put_array(self, count_##item##_item(it));
#define BODY(body)                                                                                 \
    static void put_##body##_body(mm_encoder_t *self, const mm_##body##_body_t *it,                \
                                  mm_frame_kind_t kind, bool is_batch)                             \
    {                                                                                              \
        const size_t size = BYTES_##body##_body;                                                   \
        (void)is_batch;                                                                            \
        reserve(self, size);                                                                       \
        put_head(self, count_##body##_body(it, kind), kind);
#define FIELD(type, member, name, low, high)                                                       \
        put_##type(self, it->member, low, high);
#define PAIRS(member, count, name, ...)                                                            \
        put_pairs(self, it->member, it->count, __VA_ARGS__);
#define ATTRIBUTES(member, name)                                                                   \
        put_attributes(self, it->member);
#define LIST(item, member, count, name)                                                            \
        open_list(self);                                                                           \
        for (size_t i = 0; i < it->count; i++)                                                     \
            put_##item##_item(open_item(self, BYTES_##item##_item), &it->member[i]);               \
        close_list(self);                                                                          \
        reserve(self, size);
#define BATCH(item, member, count, name)                                                           \
        if (is_batch) {                                                                            \
            self->batch = BATCH_##item;                                                            \
            open_list(self);                                                                       \
        } else {                                                                                   \
            LIST(item, member, count, name)                                                        \
        }
#define WHEN(label, condition)                                                                     \
        if (condition) {
#define END_WHEN                                                                                   \
        }
#define END_ITEM                                                                                   \
    }
#define END_BODY                                                                                   \
    }
#include "expand_frames.h"

// clang-format on

static void put_frame(mm_encoder_t *self, const mm_frame_t *frame, bool is_batch)
{
    assert(self->batch == BATCH_NONE);
    self->size = 0;
    switch (frame->kind) {
#define FRAME(number, KIND, body, route)                                                           \
    case MM_FRAME_##KIND:                                                                          \
        put_##body##_body(self, &frame->as.body, MM_FRAME_##KIND, is_batch);                       \
        return;
#include "expand_frames.h"
    }
    assert(false);
}

void mm_encode_frame(mm_encoder_t *self, const mm_frame_t *frame)
{
    put_frame(self, frame, false);
    assert(self->size <= MM_FRAME_BYTES);
}

void mm_encode_refused(mm_encoder_t *self, const mm_frame_t *frame, uint64_t version)
{
    assert(frame->kind == MM_FRAME_REFUSED);
    self->version = version;
    mm_encode_frame(self, frame);
    self->version = MM_WIRE_VERSION;
}

// ---- batches

void mm_encode_begin(mm_encoder_t *self, const mm_frame_t *header)
{
    put_frame(self, header, true);
    assert(self->batch != BATCH_NONE);
    size_t behind = self->list_at + LIST_HEAD;
    self->tail_size = self->size - behind;
    assert(self->tail_size <= sizeof self->tail);
    memcpy(self->tail, self->bytes + behind, self->tail_size);
    self->size = behind;
}

void mm_encode_finish(mm_encoder_t *self)
{
    assert(self->batch != BATCH_NONE);
    close_list(self);
    self->batch = BATCH_NONE;
    reserve(self, self->tail_size);
    (void)append(self, (const char *)self->tail, self->tail_size);
}

// mm_encode_job and so on.
#define BATCH(item, ...)                                                                           \
    void mm_encode_##item(mm_encoder_t *self, const mm_##item##_t *it)                             \
    {                                                                                              \
        assert(self->batch == BATCH_##item && !mm_encoder_is_full(self));                          \
        put_##item##_item(open_item(self, BYTES_##item##_item), it);                               \
    }
#include "expand_frames.h"
