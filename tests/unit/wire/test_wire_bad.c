// Tests of the wire codec with bad bytes: samples cut at every byte, with every bit flipped, with
// more behind them; sizes that lie; other versions. test_wire_fields.c has the fields.

#include "wire_tries.h"

static void a_hello_of_another_version_says_whose_it_is(void **state)
{
    (void)state;
    mm_str_t worker = mm_str("untouched");
    uint64_t version = 0, instance = 5;
    mm_frame_t frame;
    static const char hello[] = "\x95\x01\x03\xA2r1\x07\xC3"; // [1, 3, "r1", 7, true]
    assert_int_equal(mm_decode(decoder, hello, sizeof hello - 1, &frame), MM_WIRE_VERSION_BAD);
    assert_true(mm_decoder_foreign_hello(decoder, &version, &worker, &instance));
    assert_int_equal(version, 1);
    assert_int_equal(worker.size, 2);
    assert_memory_equal(worker.data, "r1", 2);
    assert_int_equal(instance, 7);

    // Nothing else can be refused by name, nor the same hello again after another frame.
    static const struct {
        const char *bytes;
        size_t size;
    } others[] = {{"\x94\x01\x04\xA2r1\x07", 7},
                  {"\x94\x01\x03\xA2-1\x07", 7},
                  {"\x93\x01\x03\xA2r1", 6},
                  {"\x94\x03\x0D\xA1"
                   "c\x07",
                   6},
                  {"\xC0", 1}};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        (void)mm_decode(decoder, hello, sizeof hello - 1, &frame);
        (void)mm_decode(decoder, others[i].bytes, others[i].size, &frame);
        assert_false(mm_decoder_foreign_hello(decoder, &version, &worker, &instance));
    }
    assert_int_equal(instance, 7);
}

// ---- what a later minor change may add

static void expect_longer_array_ignored(const msgpack_object *root, msgpack_object *array,
                                        const char *bytes, size_t bytes_size)
{
    msgpack_object longer[MM_BATCH_ITEMS];
    msgpack_object inner[] = {number(1), string("\xFF", 1), bin(3)};
    msgpack_object_kv pair = {number(1), {MSGPACK_OBJECT_ARRAY, {.array = {3, inner}}}};
    msgpack_object saved = *array;
    size_t size = array->via.array.size;
    assert_in_range(size, 2, sizeof longer / sizeof *longer - 2);
    memcpy(longer, array->via.array.ptr, size * sizeof *longer);
    longer[size] = pairs(&pair, 1);
    longer[size + 1] = (msgpack_object){MSGPACK_OBJECT_NIL, {0}};
    array->via.array.ptr = longer;
    array->via.array.size = (uint32_t)size + 2;
    assert_int_equal(try_tree(root), MM_WIRE_OK);
    *array = saved;
    // try_tree has encoded what it decoded: exactly the sample, without the new elements.
    assert_int_equal(mm_encoder_bytes(encoder).size, bytes_size);
    assert_memory_equal(mm_encoder_bytes(encoder).data, bytes, bytes_size);
}

static void unknown_elements_at_the_end_are_ignored(void **state)
{
    (void)state;
    for (size_t kind = 1; kind <= MM_FRAME_KINDS; kind++) {
        char *bytes;
        mm_frame_t frame = sample_of(kind);
        msgpack_object root = frame_tree(&frame, &bytes);
        mm_encode_frame(encoder, &frame);
        size_t size = mm_encoder_bytes(encoder).size;
        expect_longer_array_ignored(&root, &root, bytes, size);
        for (size_t i = 2; i < root.via.array.size; i++) {
            msgpack_object *list = &root.via.array.ptr[i];
            for (size_t j = 0; list->type == MSGPACK_OBJECT_ARRAY && j < list->via.array.size; j++)
                if (list->via.array.ptr[j].type == MSGPACK_OBJECT_ARRAY)
                    expect_longer_array_ignored(&root, &list->via.array.ptr[j], bytes, size);
        }
        free(bytes);
        msgpack_zone_clear(&zone);
    }
}

// ---- bytes at random

static void a_frame_cut_at_any_byte_is_malformed(void **state)
{
    (void)state;
    for (size_t kind = 1; kind <= MM_FRAME_KINDS; kind++) {
        char *bytes;
        mm_frame_t frame = sample_of(kind);
        size_t size = sample_encode(encoder, &frame, &bytes);
        for (size_t cut = 0; cut < size; cut++) {
            assert_int_equal(try_bytes(bytes, cut), MM_WIRE_MALFORMED);
            assert_string_equal(mm_decoder_complaint(decoder), "frame");
        }
        assert_int_equal(try_bytes(bytes, size), MM_WIRE_OK);
        free(bytes);
    }
}

static void a_frame_with_bytes_behind_it_is_malformed(void **state)
{
    (void)state;
    char bytes[32] = "\x94\x03\x0D\xA1"
                     "c\x07";
    assert_int_equal(try_bytes(bytes, 6), MM_WIRE_OK);
    assert_int_equal(try_bytes(bytes, 7), MM_WIRE_MALFORMED);
    assert_int_equal(try_bytes(bytes, sizeof bytes), MM_WIRE_MALFORMED);
}

static void any_flipped_bit_is_refused_or_gives_a_good_frame(void **state)
{
    (void)state;
    size_t statuses[MM_WIRE_STATUS_COUNT] = {0};
    for (size_t kind = 1; kind <= MM_FRAME_KINDS; kind++) {
        char *bytes;
        mm_frame_t frame = sample_of(kind);
        size_t size = sample_encode(encoder, &frame, &bytes);
        for (size_t bit = 0; bit < size * 8; bit++) {
            bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
            statuses[try_bytes(bytes, size)]++;
            bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        }
        free(bytes);
    }
    for (size_t i = 0; i < MM_WIRE_STATUS_COUNT; i++)
        assert_true(statuses[i] > 0);
}

static void declared_sizes_are_not_believed(void **state)
{
    (void)state;
    static const char *const bombs[] = {"\xDD\xFF\xFF\xFF\xFF",
                                        "\x93\x03\x01\xDD\xFF\xFF\xFF\xFF",
                                        "\x93\x03\x01\xDF\xFF\xFF\xFF\xFF",
                                        "\x93\x03\x01\xDB\xFF\xFF\xFF\xFF",
                                        "\x93\x03\x01\xC6\xFF\xFF\xFF\xFF",
                                        "\x93\x03\x01\xC9\xFF\xFF\xFF\xFF\x01",
                                        "\x95\x03\x01\xA1p\x07\xDD\xFF\xFF\xFF\xFF",
                                        "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x90"};
    for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++)
        assert_int_equal(try_bytes(bombs[i], strlen(bombs[i])), MM_WIRE_MALFORMED);
}

static void a_bad_frame_does_no_harm_to_the_next(void **state)
{
    (void)state;
    for (size_t kind = 1; kind <= MM_FRAME_KINDS; kind++) {
        char *bytes;
        mm_frame_t frame = sample_of(kind);
        size_t size = sample_encode(encoder, &frame, &bytes);
        assert_int_equal(try_bytes("\x91\x03", 2), MM_WIRE_FIELD_BAD);
        assert_int_equal(try_bytes(bytes, size), MM_WIRE_OK);
        assert_memory_equal(mm_encoder_bytes(encoder).data, bytes, size);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hello_of_another_version_says_whose_it_is),
        cmocka_unit_test(unknown_elements_at_the_end_are_ignored),
        cmocka_unit_test(a_frame_cut_at_any_byte_is_malformed),
        cmocka_unit_test(a_frame_with_bytes_behind_it_is_malformed),
        cmocka_unit_test(any_flipped_bit_is_refused_or_gives_a_good_frame),
        cmocka_unit_test(declared_sizes_are_not_believed),
        cmocka_unit_test(a_bad_frame_does_no_harm_to_the_next),
    };
    return cmocka_run_group_tests(tests, open_codec, close_codec);
}
