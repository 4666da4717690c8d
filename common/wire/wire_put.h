// The encoder's writers of single fields, with msgpack-c's packer, into one buffer that is reused
// and only ever grows. Each asserts what the decoder would refuse: it is a bug of the caller.
// Private to common/wire/encode.c: a header only to keep both files short and the calls inlined.

#ifndef MM_WIRE_PUT_H
#define MM_WIRE_PUT_H

#include "wire_rules.h"

#include <assert.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

// No item, and no frame without its items, takes more: a result with all its evidence has 3,000.
#define MM_WIRE_ITEM_BYTES 4096

struct mm_encoder {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
    size_t list_at; // where the header of the open list is
    size_t count;   // of its items so far
    bool is_open;   // a batch
    mm_frame_kind_t kind;
};

static inline int append(void *user, const char *bytes, size_t size)
{
    mm_encoder_t *self = user;
    assert(size <= self->capacity - self->size);
    memcpy(self->bytes + self->size, bytes, size);
    self->size += size;
    return 0;
}

// Made anew for each field: only so does the compiler see through the callback.
static inline msgpack_packer packer(mm_encoder_t *self)
{
    msgpack_packer out;
    msgpack_packer_init(&out, self, append);
    return out;
}

// Makes room for one more item, or for a frame's own fields.
static inline void reserve(mm_encoder_t *self)
{
    if (self->capacity - self->size >= MM_WIRE_ITEM_BYTES)
        return;
    self->capacity *= 2;
    self->bytes = realloc(self->bytes, self->capacity);
    assert(self->bytes != NULL);
}

// Room for an item with a text that is longer than usual.
static inline void reserve_text(mm_encoder_t *self, size_t size)
{
    size_t needed = self->size + MM_WIRE_ITEM_BYTES + size;
    if (self->capacity >= needed)
        return;
    self->capacity = needed;
    self->bytes = realloc(self->bytes, self->capacity);
    assert(self->bytes != NULL);
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

static inline void put_count(mm_encoder_t *self, uint32_t count, uint32_t min, uint32_t max)
{
    assert(count >= min && count <= max);
    put_number(self, count);
}

static inline void put_time(mm_encoder_t *self, int64_t time)
{
    assert(time >= 0);
    put_number(self, (uint64_t)time);
}

static inline void put_bool(mm_encoder_t *self, bool value)
{
    msgpack_packer out = packer(self);
    (void)(value ? msgpack_pack_true(&out) : msgpack_pack_false(&out));
}

static inline void put_id(mm_encoder_t *self, const mm_id_t *id)
{
    msgpack_packer out = packer(self);
    (void)msgpack_pack_bin(&out, sizeof id->bytes);
    (void)msgpack_pack_bin_body(&out, id->bytes, sizeof id->bytes);
}

static inline void put_string(mm_encoder_t *self, mm_str_t text)
{
    msgpack_packer out = packer(self);
    (void)msgpack_pack_str(&out, text.size);
    if (text.size > 0)
        (void)msgpack_pack_str_body(&out, text.data, text.size);
}

static inline void put_utf8(mm_encoder_t *self, mm_str_t text, size_t size_max)
{
    assert(mm_wire_is_utf8(text, size_max));
    put_string(self, text);
}

static inline void put_name(mm_encoder_t *self, mm_str_t text)
{
    assert(mm_wire_is_name(text));
    put_string(self, text);
}

static inline void put_host(mm_encoder_t *self, mm_str_t text)
{
    assert(mm_wire_is_host(text));
    put_string(self, text);
}

static inline void put_leg(mm_encoder_t *self, mm_leg_t leg)
{
    assert(leg >= MM_LEG_SAVE && leg <= MM_LEG_SETTLE);
    put_number(self, (uint64_t)leg);
}

static inline void put_outcome(mm_encoder_t *self, mm_outcome_t outcome, mm_outcome_t min)
{
    assert(outcome >= min && outcome <= MM_OUTCOME_DEAD);
    put_number(self, (uint64_t)outcome);
}

#endif
