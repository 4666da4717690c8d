// For the tests of the wire codec with bad bytes: decoding them under watch, and samples as trees
// of msgpack-c that can be changed and packed again.

#ifndef WIRE_TRIES_H
#define WIRE_TRIES_H

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <msgpack.h>

#include "wire_samples.h"

static mm_encoder_t *encoder;
static mm_decoder_t *decoder;
static msgpack_zone zone;

// Decodes a copy in memory of exactly its size; a failure must leave the frame untouched.
static inline mm_wire_status_t try_bytes(const void *bytes, size_t size)
{
    char *copy = malloc(size + (size == 0));
    mm_frame_t frame;
    mm_frame_t untouched;
    assert(copy != NULL);
    if (size > 0)
        memcpy(copy, bytes, size);
    memset(&frame, 0xA5, sizeof frame);
    memset(&untouched, 0xA5, sizeof untouched);
    mm_wire_status_t status = mm_decode(decoder, copy, size, &frame);
    if (status != MM_WIRE_OK) {
        assert_memory_equal(&frame, &untouched, sizeof frame);
        assert_true(strlen(mm_decoder_complaint(decoder)) > 0);
    } else {
        // What can be decoded can be encoded: none of the encoder's assertions is stricter.
        mm_encode_frame(encoder, &frame);
    }
    free(copy);
    return status;
}

static inline mm_wire_status_t try_tree(const msgpack_object *root)
{
    msgpack_sbuffer buffer;
    msgpack_packer packer;
    msgpack_sbuffer_init(&buffer);
    msgpack_packer_init(&packer, &buffer, msgpack_sbuffer_write);
    (void)msgpack_pack_object(&packer, *root);
    mm_wire_status_t status = try_bytes(buffer.data, buffer.size);
    msgpack_sbuffer_destroy(&buffer);
    return status;
}

// The frame's bytes as a tree of msgpack-c, and those bytes, which the tree points into.
static inline msgpack_object frame_tree(const mm_frame_t *frame, char **ret_bytes)
{
    msgpack_object root;
    size_t size = sample_encode(encoder, frame, ret_bytes);
    assert_int_equal(msgpack_unpack(*ret_bytes, size, NULL, &zone, &root), MSGPACK_UNPACK_SUCCESS);
    return root;
}

static inline msgpack_object number(uint64_t value)
{
    return (msgpack_object){MSGPACK_OBJECT_POSITIVE_INTEGER, {.u64 = value}};
}

static inline msgpack_object string(const char *text, size_t size)
{
    return (msgpack_object){MSGPACK_OBJECT_STR, {.str = {(uint32_t)size, text}}};
}

static inline msgpack_object bin(size_t size)
{
    return (msgpack_object){MSGPACK_OBJECT_BIN, {.bin = {(uint32_t)size, "0123456789abcdef0"}}};
}

static inline msgpack_object pairs(msgpack_object_kv *ptr, uint32_t count)
{
    return (msgpack_object){MSGPACK_OBJECT_MAP, {.map = {count, ptr}}};
}

// A distinct sample of each kind.
static inline mm_frame_t sample_of(size_t kind)
{
    return wire_sample((mm_frame_kind_t)kind, SAMPLE_DISTINCT);
}

static inline int open_codec(void **state)
{
    (void)state;
    encoder = mm_encoder_new();
    decoder = mm_decoder_new();
    return msgpack_zone_init(&zone, 1 << 16) ? 0 : -1;
}

static inline int close_codec(void **state)
{
    (void)state;
    mm_encoder_destroy(&encoder);
    mm_decoder_destroy(&decoder);
    msgpack_zone_destroy(&zone);
    return 0;
}

#endif
