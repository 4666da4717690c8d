// Tests of the wire codec's checks: each field of each kind is taken away, given every wrong type
// and put out of range. The answer must name the field and leave the caller's frame alone.

#include "wire_tries.h"
#include "wire_walk.h"

#include <inttypes.h>

static size_t bad_frames;

static void expect_bad(const msgpack_object *root, const char *complaint, const char *what)
{
    mm_wire_status_t status = try_tree(root);
    bad_frames++;
    if (status != MM_WIRE_FIELD_BAD || strcmp(mm_decoder_complaint(decoder), complaint) != 0)
        fail_msg("%s with %s: status %d, \"%s\"", complaint, what, (int)status,
                 status == MM_WIRE_OK ? "" : mm_decoder_complaint(decoder));
}

// Replaces *target for one try.
static void expect_refused(const msgpack_object *root, msgpack_object *target, msgpack_object value,
                           const char *complaint, const char *what)
{
    msgpack_object saved = *target;
    *target = value;
    expect_bad(root, complaint, what);
    *target = saved;
}

static void expect_wrong_types_refused(const msgpack_object *root, msgpack_object *target,
                                       const char *complaint)
{
    const struct {
        const char *what;
        msgpack_object value;
    } values[] = {
        {"nil", {MSGPACK_OBJECT_NIL, {0}}},
        {"a bool", {MSGPACK_OBJECT_BOOLEAN, {.boolean = true}}},
        {"an integer", number(1)},
        {"-1", {MSGPACK_OBJECT_NEGATIVE_INTEGER, {.i64 = -1}}},
        {"INT64_MIN", {MSGPACK_OBJECT_NEGATIVE_INTEGER, {.i64 = INT64_MIN}}},
        {"a float", {MSGPACK_OBJECT_FLOAT64, {.f64 = 1.0}}},
        {"a string", string("1", 1)},
        {"a bin", bin(16)},
        {"an array", {MSGPACK_OBJECT_ARRAY, {.array = {0, NULL}}}},
        {"a map", pairs(NULL, 0)},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (values[i].value.type != target->type)
            expect_refused(root, target, values[i].value, complaint, values[i].what);
}

#define MANY (MM_REPLY_BYTES + 1)
static char many[MANY]; // 'x'

static void expect_texts_refused(const msgpack_object *root, msgpack_object *target,
                                 size_t size_max, bool is_none_good, const char *complaint)
{
    static const char *const texts[] = {"-rf", "a b",       "a/b",      "\xC3\xA4", "\n",
                                        "a\"", "$(reboot)", "web-1;ls", "*",        "\xFF"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_refused(root, target, string(texts[i], strlen(texts[i])), complaint, texts[i]);
    expect_refused(root, target, string("a\0b", 3), complaint, "NUL");
    expect_refused(root, target, string(many, size_max + 1), complaint, "too many bytes");
    if (!is_none_good)
        expect_refused(root, target, string("", 0), complaint, "no bytes");
}

static void expect_bad_utf8_refused(const msgpack_object *root, msgpack_object *target,
                                    size_t size_max, const char *complaint)
{
    static const char *const texts[] = {
        "\xFF", "text\xC3", "\xC0\x80", "\xED\xA0\x80", "a long text, and then \xF4\x90\x80\x80",
        "\x80"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_refused(root, target, string(texts[i], strlen(texts[i])), complaint, texts[i]);
    expect_refused(root, target, string("a\0b", 3), complaint, "NUL");
    expect_refused(root, target, string(many, size_max + 1), complaint, "too many bytes");
}

static void expect_bad_maps_refused(const msgpack_object *root, msgpack_object *target,
                                    const wire_field_t *field, const char *complaint)
{
    msgpack_object_kv pair = {string("key", 3), string("value", 5)};
    msgpack_object map = pairs(&pair, 1);
    msgpack_object_kv more[32];
    assert_in_range(field->high, 1, 31);
    for (size_t i = 0; i <= field->high; i++)
        more[i] = pair;
    expect_refused(root, target, pairs(more, (uint32_t)field->high + 1), complaint, "a pair more");
    pair.key = string("", 0);
    expect_refused(root, target, map, complaint, "an empty key");
    pair.key = string(many, field->key_max + 1);
    expect_refused(root, target, map, complaint, "a long key");
    pair.key = number(1);
    expect_refused(root, target, map, complaint, "a number for a key");
    pair.key = string("key", 3);
    pair.val = string(many, field->value_max + 1);
    expect_refused(root, target, map, complaint, "a long value");
    pair.val = string("\xFF", 1);
    expect_refused(root, target, map, complaint, "a value that is not UTF-8");
    pair.val = number(1);
    expect_refused(root, target, map, complaint, "a number for a value");
}

static void expect_bad_attributes_refused(const msgpack_object *root, msgpack_object *target,
                                          const char *complaint)
{
    static const char *const keys[] = {"", "Key", "_key", "0", "k-y", "k y", "k=", "\xC3\xA4"};
    static const char *const values[] = {"-rf", "a b", "a\n",       "\xC3\xA4", "\xFF",
                                         "a\"", "a;b", "$(reboot)", "*",        "\\"};
    msgpack_object_kv more[MM_ATTRIBUTES_MAX + 1];
    for (size_t i = 0; i <= MM_ATTRIBUTES_MAX; i++)
        more[i] = (msgpack_object_kv){string("abcdefghi" + i, 1), string("v", 1)};
    expect_refused(root, target, pairs(more, MM_ATTRIBUTES_MAX + 1), complaint, "a pair more");
    more[1].key = more[0].key;
    expect_refused(root, target, pairs(more, 2), complaint, "a key twice");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        more[0].key = string(keys[i], strlen(keys[i]));
        expect_refused(root, target, pairs(more, 1), complaint, keys[i]);
    }
    more[0].key = string(many, MM_ATTRIBUTE_KEY_MAX + 1);
    expect_refused(root, target, pairs(more, 1), complaint, "a long key");
    more[0].key = number(1);
    expect_refused(root, target, pairs(more, 1), complaint, "a number for a key");
    more[0].key = string("k", 1);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        more[0].val = string(values[i], strlen(values[i]));
        expect_refused(root, target, pairs(more, 1), complaint, values[i]);
    }
    more[0].val = string("a\0b", 3);
    expect_refused(root, target, pairs(more, 1), complaint, "NUL");
    more[0].val = string(many, MM_ATTRIBUTE_VALUE_MAX + 1);
    expect_refused(root, target, pairs(more, 1), complaint, "a long value");
    more[0].val = number(1);
    expect_refused(root, target, pairs(more, 1), complaint, "a number for a value");
}

static void expect_bad_texts_refused(const msgpack_object *root, msgpack_object *target,
                                     const wire_field_t *field, const char *complaint)
{
    switch (field->text) {
    case WIRE_TEXT_text: expect_bad_utf8_refused(root, target, field->high, complaint); return;
    case WIRE_TEXT_suffix:
        expect_refused(root, target, string("65536", 5), complaint, "65536");
        break;
    case WIRE_TEXT_name:
        expect_refused(root, target, string("a:b", 3), complaint, "a colon");
        break;
    case WIRE_TEXT_host: break;
    }
    expect_texts_refused(root, target, field->high, field->low == 0, complaint);
}

static void expect_bad_values_refused(const msgpack_object *root, msgpack_object *target,
                                      const wire_field_t *field, const char *complaint)
{
    msgpack_object items[MM_BATCH_ITEMS + 1];
    switch (field->class) {
    case WIRE_NUMBER:
        if (field->low > 0)
            expect_refused(root, target, number(field->low - 1), complaint, "too little");
        if (field->high < UINT64_MAX)
            expect_refused(root, target, number(field->high + 1), complaint, "too much");
        return;
    case WIRE_TEXT: expect_bad_texts_refused(root, target, field, complaint); return;
    case WIRE_id:
        expect_refused(root, target, bin(15), complaint, "15 bytes");
        expect_refused(root, target, bin(17), complaint, "17 bytes");
        return;
    case WIRE_LIST:
        for (size_t i = 0; i <= MM_BATCH_ITEMS; i++)
            items[i] = target->via.array.ptr[0];
        expect_refused(root, target,
                       (msgpack_object){MSGPACK_OBJECT_ARRAY, {.array = {257, items}}}, complaint,
                       "257 items");
        return;
    case WIRE_PAIRS: expect_bad_maps_refused(root, target, field, complaint); return;
    case WIRE_ATTRIBUTES: expect_bad_attributes_refused(root, target, complaint); return;
    case WIRE_flag:
    case WIRE_ITEM:
    case WIRE_END: return;
    }
    fail();
}

// ---- every field of every kind

// A walk through a frame and its tree together.
typedef struct {
    wire_visitor_t visitor;
    const msgpack_object *root;
    msgpack_object *arrays[3]; // the one at hand is the last
    uint32_t next[3];          // of its elements
    size_t depth;
    const char *list;
} walker_t;

// Everything that can be wrong with one field.
static void check_field(wire_visitor_t *visitor, const wire_field_t *field)
{
    walker_t *self = (walker_t *)visitor;
    msgpack_object *parent = self->arrays[self->depth];
    if (field->class == WIRE_END) {
        assert_int_equal(self->next[self->depth], parent->via.array.size); // none is left out
        self->depth--;
        return;
    }
    uint32_t index = self->next[self->depth]++, size = parent->via.array.size;
    assert_true(index < size);
    msgpack_object *target = &parent->via.array.ptr[index];
    char complaint[80];
    if (self->depth == 0)
        (void)snprintf(complaint, sizeof complaint, "%s", field->name);
    else
        (void)snprintf(complaint, sizeof complaint, "%s[%" PRIu32 "]%s%s", self->list,
                       self->next[1] - 1, field->name ? "." : "", field->name ? field->name : "");
    expect_wrong_types_refused(self->root, target, complaint);
    expect_bad_values_refused(self->root, target, field, complaint);
    if (field->name != NULL) { // an item may be missing
        parent->via.array.size = index;
        if (visitor->is_optional)
            assert_int_equal(try_tree(self->root), MM_WIRE_OK);
        else
            expect_bad(self->root, complaint, "nothing there");
        parent->via.array.size = size;
    }
    if (field->class == WIRE_LIST)
        self->list = field->name;
    if (field->class == WIRE_LIST || field->class == WIRE_ITEM) {
        self->arrays[++self->depth] = target;
        self->next[self->depth] = 0;
    }
}

static void every_field_of_every_kind_is_checked(void **state)
{
    (void)state;
    memset(many, 'x', sizeof many);
    bad_frames = 0;
    for (size_t kind = 1; kind <= MM_FRAME_KINDS; kind++) {
        char *bytes;
        mm_frame_t frame = sample_of(kind);
        msgpack_object root = frame_tree(&frame, &bytes);
        assert_int_equal(try_tree(&root), MM_WIRE_OK);
        walker_t walker = {{.visit = check_field}, &root, .arrays = {&root}, .next = {2}};
        wire_walk(&walker.visitor, &frame);
        assert_int_equal(walker.next[0], root.via.array.size);
        free(bytes);
        msgpack_zone_clear(&zone);
    }
    assert_true(bad_frames > 2000);
}

static void versions_and_kinds_are_checked(void **state)
{
    (void)state;
    for (size_t sample = 1; sample <= MM_FRAME_KINDS; sample++) {
        char *bytes;
        mm_frame_t frame = sample_of(sample);
        msgpack_object root = frame_tree(&frame, &bytes);
        msgpack_object *elements = root.via.array.ptr;
        expect_wrong_types_refused(&root, &elements[0], "version");
        expect_wrong_types_refused(&root, &elements[1], "kind");
        uint32_t size = root.via.array.size;
        root.via.array.size = 0;
        expect_bad(&root, "version", "nothing there");
        root.via.array.size = 1;
        expect_bad(&root, "kind", "nothing there");
        root.via.array.size = size;

        static const uint64_t kinds[] = {0, MM_FRAME_KINDS + 1, 99, 257, UINT64_MAX};
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            elements[1] = number(kinds[i]);
            assert_int_equal(try_tree(&root), MM_WIRE_KIND_BAD);
            assert_string_equal(mm_decoder_complaint(decoder), "kind");
        }
        static const uint64_t versions[] = {0, MM_WIRE_VERSION - 1, MM_WIRE_VERSION + 1, 257,
                                            UINT64_MAX};
        for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
            elements[0] = number(versions[i]); // of a kind that is unknown too: the version counts
            assert_int_equal(try_tree(&root), MM_WIRE_VERSION_BAD);
            assert_string_equal(mm_decoder_complaint(decoder), "version");
        }
        free(bytes);
        msgpack_zone_clear(&zone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_every_kind_is_checked),
        cmocka_unit_test(versions_and_kinds_are_checked),
    };
    return cmocka_run_group_tests(tests, open_codec, close_codec);
}
