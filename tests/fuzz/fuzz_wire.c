// Fuzzing the wire decoder: any bytes. What decodes says what the bytes say, can be encoded, and
// decodes to the same again; what does not leaves the frame alone and names the reason; decoding
// never allocates, whatever sizes the bytes declare. fuzz_wire_mutator.c makes the bytes.

#include "fuzz.h"
#include "wire.h"
#include "wire_rules.h"

#include <assert.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

// The sanitizer's, when there is one.
typedef void (*malloc_hook_t)(const volatile void *at, size_t size);
typedef void (*free_hook_t)(const volatile void *at);
int __sanitizer_install_malloc_and_free_hooks(malloc_hook_t, free_hook_t) __attribute__((weak));

static size_t allocations;
static mm_encoder_t *encoder;
static mm_decoder_t *decoder, *again;
static msgpack_zone zone;

static void on_malloc(const volatile void *at, size_t size)
{
    (void)at, (void)size;
    allocations++;
}

static void on_free(const volatile void *at)
{
    (void)at;
}

static void start(void)
{
    if (encoder)
        return;
    encoder = mm_encoder_new();
    decoder = mm_decoder_new();
    again = mm_decoder_new();
    bool is_ready = msgpack_zone_init(&zone, 1 << 20);
    assert(is_ready);
    if (__sanitizer_install_malloc_and_free_hooks)
        (void)__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}

static bool is_same_text(const char *a, uint32_t a_size, const char *b, uint32_t b_size)
{
    return a_size == b_size && (a_size == 0 || memcmp(a, b, a_size) == 0);
}

// Whether all that is in `part` is in `whole`, at its place; `whole` may know more at the ends of
// its arrays.
static bool is_part(const msgpack_object *part, const msgpack_object *whole)
{
    if (part->type != whole->type)
        return false;
    switch (part->type) {
    case MSGPACK_OBJECT_POSITIVE_INTEGER: return part->via.u64 == whole->via.u64;
    case MSGPACK_OBJECT_BOOLEAN: return part->via.boolean == whole->via.boolean;
    case MSGPACK_OBJECT_STR:
        return is_same_text(part->via.str.ptr, part->via.str.size, whole->via.str.ptr,
                            whole->via.str.size);
    case MSGPACK_OBJECT_BIN:
        return is_same_text(part->via.bin.ptr, part->via.bin.size, whole->via.bin.ptr,
                            whole->via.bin.size);
    case MSGPACK_OBJECT_ARRAY:
        for (uint32_t i = 0; i < part->via.array.size; i++)
            if (i == whole->via.array.size ||
                !is_part(&part->via.array.ptr[i], &whole->via.array.ptr[i]))
                return false;
        return true;
    case MSGPACK_OBJECT_MAP:
        if (part->via.map.size != whole->via.map.size)
            return false;
        for (uint32_t i = 0; i < part->via.map.size; i++)
            if (!is_part(&part->via.map.ptr[i].key, &whole->via.map.ptr[i].key) ||
                !is_part(&part->via.map.ptr[i].val, &whole->via.map.ptr[i].val))
                return false;
        return true;
    case MSGPACK_OBJECT_NIL:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
    case MSGPACK_OBJECT_EXT: break;
    }
    return false; // an encoder never writes these
}

static void unpack(const char *bytes, size_t size, msgpack_object *ret_object)
{
    int result = msgpack_unpack(bytes, size, NULL, &zone, ret_object);
    assert(result == MSGPACK_UNPACK_SUCCESS);
}

// The frame says what its bytes say, no more, and nothing of what it knows is missing.
static void check_good(const mm_frame_t *frame, const uint8_t *data, size_t size)
{
    mm_frame_t other;
    msgpack_object given, written;
    mm_encode_frame(encoder, frame);
    mm_str_t bytes = mm_encoder_bytes(encoder);
    msgpack_zone_clear(&zone);
    unpack((const char *)data, size, &given);
    unpack(bytes.data, bytes.size, &written);
    assert(is_part(&written, &given));
    char *copy = malloc(bytes.size);
    assert(copy);
    memcpy(copy, bytes.data, bytes.size);
    mm_wire_status_t status = mm_decode(again, copy, bytes.size, &other);
    assert(status == MM_WIRE_OK);
    mm_encode_frame(encoder, &other);
    mm_str_t twice = mm_encoder_bytes(encoder);
    assert(twice.size == bytes.size && memcmp(twice.data, copy, bytes.size) == 0);
    free(copy);
}

static void check_bad(const mm_frame_t *frame, mm_wire_status_t status, const uint8_t *data,
                      size_t size)
{
    mm_str_t worker;
    uint64_t version, instance;
    mm_frame_t untouched;
    memset(&untouched, 0xA5, sizeof untouched);
    assert(memcmp(frame, &untouched, sizeof untouched) == 0);
    assert(strlen(mm_decoder_complaint(decoder)) > 0);
    assert((status == MM_WIRE_MALFORMED) == !mm_wire_scan(data, size));
    if (mm_decoder_foreign_hello(decoder, &version, &worker, &instance))
        assert(status == MM_WIRE_VERSION_BAD && mm_wire_is_name(worker, 1, MM_NAME_MAX));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    start();
    mm_frame_t frame;
    memset(&frame, 0xA5, sizeof frame);
    allocations = 0;
    mm_wire_status_t status = mm_decode(decoder, data, size, &frame);
    assert(allocations == 0);
    if (status == MM_WIRE_OK)
        check_good(&frame, data, size);
    else
        check_bad(&frame, status, data, size);
    return 0;
}
