// Bytes for fuzz_wire.c that get behind the decoder's scan: the input is read as msgpack, one or a
// few of its elements are changed, and it is packed again. Some inputs are new frames out of
// fuzz_frame.c, some are changed byte by byte as libFuzzer does. Only for libFuzzer.

#include "fuzz_frame.h"
#include "random.h"
#include "wire_rules.h"

#include <assert.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);

static uint64_t state;
static msgpack_zone zone;
static msgpack_sbuffer packed;

static uint32_t below(uint32_t limit)
{
    return (uint32_t)mm_random_below(&state, limit);
}

static void *allocate(size_t size)
{
    void *at = msgpack_zone_malloc(&zone, size);
    assert(at);
    return at;
}

// ---- leaves

static uint64_t some_number(void)
{
    static const uint64_t numbers[] = {0,          1,
                                       2,          3,
                                       4,          5,
                                       13,         14,
                                       63,         64,
                                       255,        256,
                                       257,        4095,
                                       4096,       4097,
                                       UINT32_MAX, INT64_MAX,
                                       1u << 16,   (uint64_t)1 << 32,
                                       UINT64_MAX, (uint64_t)INT64_MAX + 1};
    return numbers[below(sizeof numbers / sizeof *numbers)];
}

static msgpack_object some_text(void)
{
    static const char *const texts[] = {"",
                                        "r1",
                                        "-r1",
                                        ".r1",
                                        "web-1:22",
                                        "a b",
                                        "\xC3\xA4",
                                        "\xC3",
                                        "1",
                                        "0",
                                        "65535",
                                        "65536",
                                        "\xED\xA0\x80",
                                        "a/b",
                                        "\xF4\x90\x80\x80",
                                        "task.00000000000000ff"};
    static const uint32_t sizes[] = {32, 33, 63, 64, 253, 254, 256, 257, 512, 513};
    msgpack_object object = {.type = MSGPACK_OBJECT_STR};
    const char *text = texts[below(sizeof texts / sizeof *texts)];
    object.via.str.ptr = text;
    object.via.str.size = (uint32_t)strlen(text);
    if (below(3) == 0) {
        object.via.str.size = sizes[below(sizeof sizes / sizeof *sizes)];
        char *longer = allocate(object.via.str.size);
        memset(longer, below(8) ? 'x' : '\0', object.via.str.size);
        object.via.str.ptr = longer;
    }
    return object;
}

static msgpack_object some_bin(void)
{
    msgpack_object object = {.type = MSGPACK_OBJECT_BIN};
    object.via.bin.size = below(4) ? 16 : below(20);
    char *bytes = allocate(object.via.bin.size + 1);
    memset(bytes, (int)below(256), object.via.bin.size);
    object.via.bin.ptr = bytes;
    return object;
}

static msgpack_object some_leaf(void)
{
    msgpack_object object = {.type = MSGPACK_OBJECT_NIL};
    switch (below(10)) {
    case 0: break;
    case 1:
        object.type = MSGPACK_OBJECT_BOOLEAN;
        object.via.boolean = below(2) == 1;
        break;
    case 2:
        object.type = MSGPACK_OBJECT_NEGATIVE_INTEGER;
        object.via.i64 = -1 - (int64_t)below(1000);
        break;
    case 3:
        object.type = MSGPACK_OBJECT_FLOAT64;
        object.via.f64 = 0.5;
        break;
    case 4: object.type = MSGPACK_OBJECT_ARRAY; break; // empty
    case 5: object.type = MSGPACK_OBJECT_MAP; break;
    case 6: return some_text();
    case 7: return some_bin();
    default: object.type = MSGPACK_OBJECT_POSITIVE_INTEGER; object.via.u64 = some_number();
    }
    return object;
}

// ---- the tree

// Counts down *left at each element; the one at which it was 0, or NULL.
static msgpack_object *find(msgpack_object *at, uint32_t *left)
{
    if ((*left)-- == 0)
        return at;
    msgpack_object *found = NULL;
    if (at->type == MSGPACK_OBJECT_ARRAY)
        for (uint32_t i = 0; i < at->via.array.size && !found; i++)
            found = find(&at->via.array.ptr[i], left);
    if (at->type == MSGPACK_OBJECT_MAP)
        for (uint32_t i = 0; i < at->via.map.size && !found; i++) {
            found = find(&at->via.map.ptr[i].key, left);
            if (!found)
                found = find(&at->via.map.ptr[i].val, left);
        }
    return found;
}

static msgpack_object *pick(msgpack_object *root)
{
    uint32_t all = UINT32_MAX;
    (void)find(root, &all);
    uint32_t left = below(UINT32_MAX - all);
    return find(root, &left);
}

static void change_array(msgpack_object *root, msgpack_object *array)
{
    msgpack_object *items = array->via.array.ptr;
    uint32_t size = array->via.array.size;
    uint32_t at = size ? below(size) : 0;
    switch (below(4)) {
    case 0: // without one
        if (size > 0)
            memmove(&items[at], &items[at + 1], (--array->via.array.size - at) * sizeof *items);
        return;
    case 1: // cut off
        array->via.array.size = at;
        return;
    case 2: // two changed over
        if (size > 0) {
            msgpack_object former = items[at];
            uint32_t other = below(size);
            items[at] = items[other];
            items[other] = former;
        }
        return;
    }
    // One more: of its own, or from elsewhere; sometimes as many as break a limit.
    uint32_t more = below(16) ? 1 : 256 + below(2);
    msgpack_object *larger = allocate((size + more) * sizeof *items);
    if (size > 0)
        memcpy(larger, items, size * sizeof *items);
    msgpack_object added = size > 0 && below(2) ? items[at] : below(2) ? *pick(root) : some_leaf();
    for (uint32_t i = 0; i < more; i++)
        larger[size + i] = added;
    array->via.array.ptr = larger;
    array->via.array.size = size + more;
}

static void change_map(msgpack_object *map)
{
    uint32_t size = map->via.map.size, more = below(8) ? 1 : MM_EVIDENCE_MAX;
    if (size > 0 && below(3) == 0) {
        map->via.map.size--;
        return;
    }
    msgpack_object_kv *larger = allocate((size + more) * sizeof *larger);
    if (size > 0)
        memcpy(larger, map->via.map.ptr, size * sizeof *larger);
    for (uint32_t i = 0; i < more; i++)
        larger[size + i] = (msgpack_object_kv){some_text(), some_text()};
    map->via.map.ptr = larger;
    map->via.map.size = size + more;
}

static void change(msgpack_object *root)
{
    msgpack_object *at = pick(root);
    if (below(16) == 0) {
        *at = *pick(root); // a subtree at another place; of itself it is a copy
        return;
    }
    switch (at->type) {
    case MSGPACK_OBJECT_ARRAY:
        if (at != root || below(2) == 0)
            change_array(root, at);
        else if (root->via.array.size >= 2)
            root->via.array.ptr[1] = (msgpack_object){MSGPACK_OBJECT_POSITIVE_INTEGER,
                                                      {.u64 = below(MM_FRAME_KINDS + 2)}};
        return;
    case MSGPACK_OBJECT_MAP: change_map(at); return;
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        if (below(2))
            at->via.u64 = below(2) ? some_number() : at->via.u64 + below(3) - 1;
        else
            *at = some_leaf();
        return;
    case MSGPACK_OBJECT_STR: *at = below(4) ? some_text() : some_leaf(); return;
    case MSGPACK_OBJECT_BIN: *at = below(4) ? some_bin() : some_leaf(); return;
    case MSGPACK_OBJECT_NIL:
    case MSGPACK_OBJECT_BOOLEAN:
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
    case MSGPACK_OBJECT_EXT: *at = some_leaf(); return;
    }
}

// A change can put a large list into each of its copies: what grows too much is not wanted.
static bool is_small(msgpack_object *root)
{
    uint32_t left = 2 * MM_WIRE_ELEMENTS_MAX;
    return find(root, &left) == NULL;
}

// ---- bytes

static size_t new_frame(uint8_t *data, size_t size_max)
{
    static mm_encoder_t *encoder;
    if (!encoder)
        encoder = mm_encoder_new();
    fuzz_known_t known;
    mm_frame_t frame;
    uint8_t choices[64];
    for (size_t i = 0; i < sizeof choices; i++)
        choices[i] = below(3) ? 0 : (uint8_t)below(256);
    fuzz_bytes_t in = {choices, choices + sizeof choices};
    fuzz_known_init(&known);
    fuzz_frame(&known, &in, (mm_frame_kind_t)(1 + below(MM_FRAME_KINDS)), &frame);
    mm_encode_frame(encoder, &frame);
    mm_str_t bytes = mm_encoder_bytes(encoder);
    if (bytes.size > size_max)
        return 0;
    memcpy(data, bytes.data, bytes.size);
    return bytes.size;
}

static size_t changed(uint8_t *data, size_t size, size_t size_max)
{
    msgpack_object root;
    msgpack_zone_clear(&zone);
    if (!mm_wire_scan(data, size) ||
        msgpack_unpack((const char *)data, size, NULL, &zone, &root) != MSGPACK_UNPACK_SUCCESS)
        return 0;
    for (uint32_t i = 1 + below(3); i > 0 && is_small(&root); i--)
        change(&root);
    if (!is_small(&root))
        return 0;
    msgpack_packer out;
    msgpack_packer_init(&out, &packed, msgpack_sbuffer_write);
    msgpack_sbuffer_clear(&packed);
    (void)msgpack_pack_object(&out, root);
    if (packed.size > size_max)
        return 0;
    memcpy(data, packed.data, packed.size);
    return packed.size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
    if (!packed.data) {
        bool is_ready = msgpack_zone_init(&zone, 1 << 20);
        assert(is_ready);
        msgpack_sbuffer_init(&packed);
        packed.data = malloc(1);
    }
    state = seed;
    uint32_t way = below(16);
    size_t made = way == 0  ? new_frame(data, size_max)
                  : way < 3 ? 0
                            : changed(data, size, size_max);
    if (made > 0)
        return made;
    return LLVMFuzzerMutate(data, size, size_max);
}
