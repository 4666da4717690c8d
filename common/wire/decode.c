// Bytes to frames in one pass: frames.def expands to code that reads and checks one field after the
// other. A frame with known and valid elements only needs no other check, since its fields cannot
// exceed the limits of depth and elements. Any other frame is scanned as a whole, which tells an
// invalid field from malformed bytes. The decoder allocates in mm_decoder_new only, keeps no byte
// of a frame, and does not touch the caller's frame before all of it is valid.

#include "big_endian.h"
#include "wire_rules.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

// Where all reads of an item are in one function, its fields_t is in registers.
#define ALWAYS_INLINE static inline __attribute__((always_inline))

// The elements of an array, from left to right.
typedef struct {
    const uint8_t *at;
    const uint8_t *end; // of the frame
    size_t left;        // elements to come
    const char *name;   // of the field read last, which is the bad one after a failure
} fields_t;

struct mm_decoder {
    mm_frame_t frame; // being read
    fields_t fields;  // of the frame
    const char *list; // being read, once its length is valid; else NULL
    size_t index;     // of the item being read
    fields_t inner;   // of that item
    bool has_unknown; // elements that were skipped
    bool is_foreign_hello;
    uint64_t foreign_version;
    char complaint[80];
    // What the frame points to: items_job and so on.
#define PLAIN(item, ...) mm_##item##_t items_##item[MM_BATCH_ITEMS];
#define ITEM(item)       PLAIN(item, )
#include "expand_frames.h"
    mm_pair_t pairs[MM_BATCH_ITEMS * (0
#define PAIRS(member, count, name, max, ...) +(max)
#include "expand_frames.h"
                                      )];
    mm_pair_t *next_pair;
    mm_real_t reals[MM_BATCH_ITEMS];
    mm_real_t *next_real;
    char *next_text;            // in `texts`
    char texts[MM_FRAME_BYTES]; // attributes: shorter than the maps that they come from
};

// ---- limits: the most elements of an item or a frame, those in its arrays and maps included

// clang-format off
enum {
#define PLAIN(item, ...)                     ELEMENTS_##item##_item = 1,
#define ITEM(item)                           ELEMENTS_##item##_item = 1
#define FIELD(...)                           + 1
#define PAIRS(member, count, name, max, ...) + 1 + 2 * (max)
#define ATTRIBUTES(...)                      + 1 + 2 * MM_ATTRIBUTES_MAX
#define END_ITEM                             ,
#define BODY(body)                           ELEMENTS_##body##_body = 3
#define LIST(item, ...)                      + 1 + MM_BATCH_ITEMS * ELEMENTS_##item##_item
#define END_BODY                             ,
#include "expand_frames.h"
};
// clang-format on

#define BODY(body)                                                                                 \
    _Static_assert(ELEMENTS_##body##_body <= MM_WIRE_ELEMENTS_MAX,                                 \
                   "a frame without a single unknown element must not need the scan");
#include "expand_frames.h"

mm_decoder_t *mm_decoder_new(void)
{
    mm_decoder_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    return self;
}

void mm_decoder_destroy(mm_decoder_t **self_p)
{
    free(*self_p);
    *self_p = NULL;
}

const char *mm_decoder_complaint(const mm_decoder_t *self)
{
    return self->complaint;
}

bool mm_decoder_foreign_hello(const mm_decoder_t *self, uint64_t *ret_version, mm_str_t *ret_worker,
                              uint64_t *ret_nonce)
{
    if (!self->is_foreign_hello)
        return false;
    *ret_version = self->foreign_version;
    *ret_worker = self->frame.as.report.worker;
    *ret_nonce = self->frame.as.report.instance;
    return true;
}

// ---- elements: each function reads the next one. False: it is missing, cut off or not valid.

// The first byte of the next element.
ALWAYS_INLINE bool parse_head(fields_t *in, const char *name, uint8_t *ret_head)
{
    in->name = name;
    if (in->left == 0 || in->at == in->end)
        return false;
    in->left--;
    *ret_head = *in->at++;
    return true;
}

// A number of 1, 2, 4 or 8 bytes.
ALWAYS_INLINE bool parse_wide(fields_t *in, size_t width, uint64_t *ret)
{
    if ((size_t)(in->end - in->at) < width)
        return false;
    *ret = width == 1   ? in->at[0]
           : width == 2 ? mm_big_endian_get(in->at, 2)
           : width == 4 ? mm_big_endian_get(in->at, 4)
                        : mm_big_endian_get(in->at, 8);
    in->at += width;
    return true;
}

// The size that follows a head. `first` is the head for the narrowest width, in bytes.
ALWAYS_INLINE bool parse_size(fields_t *in, uint8_t head, uint8_t first, size_t narrowest,
                              size_t *ret_size)
{
    uint64_t size;
    if (head < first || head > first + (narrowest == 1 ? 2 : 1) ||
        !parse_wide(in, narrowest << (head - first), &size))
        return false;
    *ret_size = (size_t)size;
    return true;
}

ALWAYS_INLINE bool parse_bytes(fields_t *in, size_t size, const uint8_t **ret)
{
    if ((size_t)(in->end - in->at) < size)
        return false;
    *ret = in->at;
    in->at += size;
    return true;
}

// The count of an array's elements or a map's pairs: both are encoded alike.
ALWAYS_INLINE bool parse_length(fields_t *in, const char *name, uint8_t fixed, uint8_t first,
                                size_t *ret_count)
{
    uint8_t head;
    if (!parse_head(in, name, &head))
        return false;
    *ret_count = head & 0x0F;
    return (head & 0xF0) == fixed || parse_size(in, head, first, 2, ret_count);
}

ALWAYS_INLINE bool parse_array(fields_t *in, const char *name, size_t *ret_count)
{
    return parse_length(in, name, 0x90, 0xDC, ret_count);
}

ALWAYS_INLINE bool parse_number(fields_t *in, const char *name, uint64_t low, uint64_t high,
                                uint64_t *ret)
{
    uint8_t head;
    if (!parse_head(in, name, &head))
        return false;
    if (head < 0x80) {
        *ret = head;
        return head >= low && head <= high;
    }
    // Any width is valid, and a signed number that is not negative.
    bool is_signed = head >= 0xD0;
    unsigned power = head - (is_signed ? 0xD0U : 0xCCU);
    if (head < 0xCC || power > 3 || !parse_wide(in, (size_t)1 << power, ret))
        return false;
    return *ret >= low && *ret <= high && !(is_signed && *ret >> ((8U << power) - 1) != 0);
}

ALWAYS_INLINE bool parse_string(fields_t *in, const char *name, mm_str_t *ret)
{
    uint8_t head;
    const uint8_t *bytes;
    if (!parse_head(in, name, &head))
        return false;
    size_t size = head & 0x1F;
    if (((head & 0xE0) != 0xA0 && !parse_size(in, head, 0xD9, 1, &size)) ||
        !parse_bytes(in, size, &bytes))
        return false;
    *ret = (mm_str_t){.data = (const char *)bytes, .size = size};
    return true;
}

ALWAYS_INLINE bool parse_flag(fields_t *in, const char *name, bool low, bool high, bool *ret)
{
    uint8_t head;
    if (!parse_head(in, name, &head) || (head != 0xC2 && head != 0xC3))
        return false;
    *ret = head == 0xC3;
    return *ret >= low && *ret <= high;
}

ALWAYS_INLINE bool parse_id(fields_t *in, const char *name, size_t low, size_t high, mm_id_t *ret)
{
    uint8_t head;
    size_t size;
    const uint8_t *bytes;
    (void)low, (void)high;
    if (!parse_head(in, name, &head) || !parse_size(in, head, 0xC4, 1, &size) ||
        size != sizeof ret->bytes || !parse_bytes(in, size, &bytes))
        return false;
    memcpy(ret->bytes, bytes, sizeof ret->bytes);
    return true;
}

// parse_u64, parse_name and so on.
#define NUMBER(type, c_type)                                                                       \
    ALWAYS_INLINE bool parse_##type(fields_t *in, const char *name, uint64_t low, uint64_t high,   \
                                    c_type *ret)                                                   \
    {                                                                                              \
        uint64_t number;                                                                           \
        if (!parse_number(in, name, low, high, &number))                                           \
            return false;                                                                          \
        *ret = (c_type)number;                                                                     \
        return true;                                                                               \
    }
#define TEXT(type)                                                                                 \
    ALWAYS_INLINE bool parse_##type(fields_t *in, const char *name, size_t low, size_t high,       \
                                    mm_str_t *ret)                                                 \
    {                                                                                              \
        return parse_string(in, name, ret) && mm_wire_is_##type(*ret, low, high);                  \
    }
#include "expand_frames.h"

ALWAYS_INLINE bool parse_pairs(mm_decoder_t *self, fields_t *in, const char *name, uint32_t max,
                               size_t key_max, size_t value_max, const mm_pair_t **ret_pairs,
                               uint32_t *ret_count)
{
    size_t count;
    if (!parse_length(in, name, 0x80, 0xDE, &count) || count > max)
        return false;
    *ret_pairs = count > 0 ? self->next_pair : NULL;
    *ret_count = (uint32_t)count;
    fields_t pair = {.at = in->at, .end = in->end, .left = 2 * count};
    for (; pair.left > 0; self->next_pair++)
        if (!parse_text(&pair, NULL, 1, key_max, &self->next_pair->key) ||
            !parse_text(&pair, NULL, 0, value_max, &self->next_pair->value))
            return false;
    in->at = pair.at;
    return true;
}

ALWAYS_INLINE bool parse_attributes(mm_decoder_t *self, fields_t *in, const char *name,
                                    mm_str_t *ret)
{
    size_t count, size = 0;
    if (!parse_length(in, name, 0x80, 0xDE, &count) || count > MM_ATTRIBUTES_MAX)
        return false;
    fields_t pair = {.at = in->at, .end = in->end, .left = 2 * count};
    while (pair.left > 0) {
        mm_str_t key, value;
        if (!parse_string(&pair, NULL, &key) || !parse_string(&pair, NULL, &value) ||
            !mm_attributes_add(self->next_text, &size, key, value))
            return false;
    }
    in->at = pair.at;
    *ret = (mm_str_t){self->next_text, size};
    self->next_text += size;
    return true;
}

// Skips elements that a later version has added.
ALWAYS_INLINE bool skip_unknown(mm_decoder_t *self, fields_t *in)
{
    for (; in->left > 0; in->left--) {
        self->has_unknown = true;
        const uint8_t *end = mm_wire_skip(in->at, in->end);
        if (end == NULL)
            return false;
        in->at = end;
    }
    return true;
}

// Reads the head of the frame's next field, a list, and sets self->inner to its items.
static bool open_list(mm_decoder_t *self, const char *name, size_t *ret_count)
{
    self->list = NULL;
    if (!parse_array(&self->fields, name, ret_count) || *ret_count > MM_BATCH_ITEMS)
        return false;
    self->list = name;
    self->inner = (fields_t){.at = self->fields.at, .end = self->fields.end};
    return true;
}

// ---- items and frames

// clang-format off

// parse_job_item, parse_jobs_body and so on.
#define PLAIN(item, type, low, high)                                                               \
    static bool parse_##item##_item(mm_decoder_t *self, mm_##item##_t *it)                         \
    {                                                                                              \
        return parse_##type(&self->inner, NULL, low, high, it);                                    \
    }
#define ITEM(item)                                                                                 \
    static bool parse_##item##_item(mm_decoder_t *self, mm_##item##_t *it)                         \
    {                                                                                              \
        fields_t fields = self->inner, *in = &fields;                                              \
        bool is_good = false;                                                                      \
        *it = (mm_##item##_t){0};                                                                  \
        if (!parse_array(in, NULL, &in->left))                                                     \
            goto done;
#define BODY(body)                                                                                 \
    static bool parse_##body##_body(mm_decoder_t *self, mm_##body##_body_t *it,                    \
                                    mm_frame_kind_t kind)                                          \
    {                                                                                              \
        fields_t *in = &self->fields;                                                              \
        (void)kind;
#define FIELD(type, member, name, low, high)                                                       \
        if (!parse_##type(in, name, low, high, &it->member))                                       \
            goto done;
#define PART(member)                                                                               \
        it->member = self->next_real++;                                                            \
        *it->member = (mm_real_t){.exit = MM_EXIT_NONE};
#define PAIRS(member, count, name, ...)                                                            \
        if (!parse_pairs(self, in, name, __VA_ARGS__, &it->member, &it->count))                    \
            goto done;
#define ATTRIBUTES(member, name)                                                                   \
        if (!parse_attributes(self, in, name, &it->member))                                        \
            goto done;
#define LIST(item, member, count, name)                                                            \
        if (!open_list(self, name, &it->count))                                                    \
            goto done;                                                                             \
        for (size_t i = 0; i < it->count; i++) {                                                   \
            self->index = i;                                                                       \
            self->inner.left = 1;                                                                  \
            if (!parse_##item##_item(self, &self->items_##item[i]))                                \
                goto done;                                                                         \
        }                                                                                          \
        it->member = self->items_##item;                                                           \
        in->at = self->inner.at;                                                                   \
        self->list = NULL;
#define WHEN(label, condition)                                                                     \
        if (condition) {
#define OPTIONAL(condition)                                                                        \
        if (in->left > 0) {
#define END_WHEN                                                                                   \
        }
#define DERIVED(c_type, member, value)                                                             \
        it->member = (value);
#define END_ITEM                                                                                   \
        is_good = skip_unknown(self, in);                                                          \
    done:                                                                                          \
        self->inner = fields;                                                                      \
        return is_good;                                                                            \
    }
#define END_BODY                                                                                   \
        return true;                                                                               \
    done:                                                                                          \
        return false;                                                                              \
    }
#include "expand_frames.h"

// clang-format on

static bool parse_body(mm_decoder_t *self)
{
    switch (self->frame.kind) {
#define FRAME(number, KIND, body, route)                                                           \
    case MM_FRAME_##KIND:                                                                          \
        return parse_##body##_body(self, &self->frame.as.body, MM_FRAME_##KIND);
#include "expand_frames.h"
    }
    assert(false);
    return false;
}

// ---- from the outside in

// Reads a hello of another version, as far as it is the same in all versions.
static bool is_foreign_hello(mm_decoder_t *self)
{
    uint64_t kind;
    return parse_number(&self->fields, "kind", MM_FRAME_HELLO, MM_FRAME_HELLO, &kind) &&
           parse_name(&self->fields, "worker", 1, MM_NAME_MAX, &self->frame.as.report.worker) &&
           parse_number(&self->fields, "nonce", 0, UINT64_MAX, &self->frame.as.report.instance);
}

static mm_wire_status_t decode_array(mm_decoder_t *self)
{
    fields_t *in = &self->fields;
    self->frame = (mm_frame_t){0};
    self->next_pair = self->pairs;
    self->next_real = self->reals;
    self->next_text = self->texts;
    uint64_t version;
    uint64_t kind;
    if (!parse_number(in, "version", 0, UINT64_MAX, &version))
        return MM_WIRE_FIELD_BAD;
    if (version != MM_WIRE_VERSION) {
        self->foreign_version = version;
        self->is_foreign_hello = is_foreign_hello(self);
        in->name = "version";
        return MM_WIRE_VERSION_BAD;
    }
    if (!parse_number(in, "kind", 0, UINT64_MAX, &kind))
        return MM_WIRE_FIELD_BAD;
    if (kind < 1 || kind > MM_FRAME_KINDS)
        return MM_WIRE_KIND_BAD;
    self->frame.kind = (mm_frame_kind_t)kind;
    return parse_body(self) ? MM_WIRE_OK : MM_WIRE_FIELD_BAD;
}

// Whether nothing follows the known fields but elements that a later version has added.
static bool ends_well(mm_decoder_t *self)
{
    return skip_unknown(self, &self->fields) && self->fields.at == self->fields.end;
}

static void complain(mm_decoder_t *self)
{
    char *to = self->complaint;
    size_t size = sizeof self->complaint;
    if (self->list == NULL)
        (void)snprintf(to, size, "%s", self->fields.name);
    else if (self->inner.name == NULL)
        (void)snprintf(to, size, "%s[%zu]", self->list, self->index);
    else
        (void)snprintf(to, size, "%s[%zu].%s", self->list, self->index, self->inner.name);
}

mm_wire_status_t mm_decode(mm_decoder_t *self, const void *data, size_t size, mm_frame_t *ret_frame)
{
    self->list = NULL;
    self->has_unknown = false;
    self->is_foreign_hello = false;
    self->fields = (fields_t){.at = data, .end = (const uint8_t *)data + size, .left = 1};
    mm_wire_status_t status = MM_WIRE_MALFORMED;
    if (size <= MM_FRAME_BYTES && parse_array(&self->fields, "frame", &self->fields.left))
        status = decode_array(self);
    bool is_known = status == MM_WIRE_OK && ends_well(self) && !self->has_unknown;
    if (!is_known && !mm_wire_scan(data, size)) {
        status = MM_WIRE_MALFORMED;
        self->is_foreign_hello = false;
        self->list = NULL;
        self->fields.name = "frame";
    }
    if (status == MM_WIRE_OK)
        *ret_frame = self->frame;
    else
        complain(self);
    return status;
}
