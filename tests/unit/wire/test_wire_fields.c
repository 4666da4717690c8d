// Tests of the wire codec's checks: each field of each kind is taken away, given every wrong type
// and put out of range. The answer must name the field and leave the caller's frame alone.

#include "wire_tries.h"

typedef enum {
    INT,
    BOOL,
    NAME,
    NAME_OR_NONE,
    HOST,
    HOST_OR_NONE,
    UTF8,
    SUFFIX,
    ID,
    LIST,
    MAP
} type_t;

typedef struct {
    const char *name;
    type_t type;
    uint64_t min; // INT: the range
    uint64_t max; // UTF8: the size
} field_t;

#define NUMBER(FIELD)                                                                              \
    {                                                                                              \
        FIELD, INT, 0, UINT64_MAX                                                                  \
    }
#define FROM_1(FIELD)                                                                              \
    {                                                                                              \
        FIELD, INT, 1, UINT64_MAX                                                                  \
    }
#define COUNT(FIELD)                                                                               \
    {                                                                                              \
        FIELD, INT, 0, UINT32_MAX                                                                  \
    }
#define COUNT_1(FIELD)                                                                             \
    {                                                                                              \
        FIELD, INT, 1, UINT32_MAX                                                                  \
    }
#define TIME(FIELD)                                                                                \
    {                                                                                              \
        FIELD, INT, 0, INT64_MAX                                                                   \
    }
#define ERROR(FIELD)                                                                               \
    {                                                                                              \
        FIELD, UTF8, 0, MM_ERROR_MAX                                                               \
    }
#define ID_FIELD                                                                                   \
    {                                                                                              \
        "id", ID, 0, 0                                                                             \
    }
#define HOST_FIELD                                                                                 \
    {                                                                                              \
        "host", HOST, 0, 0                                                                         \
    }
#define LEG_FIELD                                                                                  \
    {                                                                                              \
        "leg", INT, MM_LEG_SAVE, MM_LEG_SETTLE                                                     \
    }
#define ABOUT_FIELD                                                                                \
    {                                                                                              \
        "about", INT, MM_ABOUT_STATS, MM_ABOUT_VIEWERS                                             \
    }
#define FIELDS_MAX      14
#define WORKER_FIELDS   {"worker", NAME, 0, 0}, NUMBER("nonce")
#define CONSUMER_FIELDS {"consumer", NAME, 0, 0}, FROM_1("life")
#define ORIGIN_FIELDS   COUNT_1("deliveries"), {"publisher", NAME, 0, 0}, TIME("received_ms")
#define REPORT_FIELDS                                                                              \
    {                                                                                              \
        WORKER_FIELDS, {"role", INT, MM_ROLE_SAVER, MM_ROLE_RESTARTER}, NUMBER("session"),         \
            NUMBER("sequence"), TIME("stamp_ms"), {"slots", INT, 0, MM_SLOTS_MAX},                 \
            NUMBER("last_serial"), {"part", INT, 0, MM_PARTS_MAX - 1},                             \
            {"parts", INT, 2, MM_PARTS_MAX}, {"held", LIST, 0, 0},                                 \
        {                                                                                          \
            "results", LIST, 0, 0                                                                  \
        }                                                                                          \
    }

// The fields of each kind, behind version and kind.
static const field_t frame_fields[SAMPLES][FIELDS_MAX] = {
    {{"publisher", NAME, 0, 0}, NUMBER("life"), {"jobs", LIST, 0, 0}},
    {FROM_1("session"),
     TIME("stamp_ms"),
     NUMBER("confirmed"),
     {"last", BOOL, 0, 0},
     {"tasks", LIST, 0, 0}},
    REPORT_FIELDS,
    REPORT_FIELDS,
    {WORKER_FIELDS, NUMBER("session"), {"numbers", LIST, 0, 0}},
    {WORKER_FIELDS, NUMBER("session"), {"results", LIST, 0, 0}},
    {WORKER_FIELDS, NUMBER("session"), NUMBER("last_serial")},
    {CONSUMER_FIELDS, {"notices", LIST, 0, 0}},
    {CONSUMER_FIELDS, WORKER_FIELDS, FROM_1("session"), {"suffix", SUFFIX, 0, 0}},
    {CONSUMER_FIELDS, WORKER_FIELDS, NUMBER("session"), ERROR("reason")},
    {CONSUMER_FIELDS, WORKER_FIELDS, NUMBER("session")},
    {CONSUMER_FIELDS, {"draining", BOOL, 0, 0}, {"confirms", LIST, 0, 0}},
    {CONSUMER_FIELDS},
    {NUMBER("viewer"),
     ABOUT_FIELD,
     {"process", NAME_OR_NONE, 0, 0},
     COUNT("seconds"),
     {"text", UTF8, 0, MM_ASKED_MAX}},
    {{"process", NAME, 0, 0}, NUMBER("viewer"), ABOUT_FIELD, {"text", UTF8, 0, MM_REPLY_BYTES}},
};

#define NUMBERED                                                                                   \
    {                                                                                              \
        NULL, INT, 0, UINT64_MAX                                                                   \
    }
#define JOB_FIELDS                                                                                 \
    {                                                                                              \
        ID_FIELD, HOST_FIELD, COUNT_1("delivery")                                                  \
    }
#define ACKNOWLEDGEMENT_FIELDS                                                                     \
    {                                                                                              \
        {"worker", NAME, 0, 0}, FROM_1("session"), NUMBER("confirmed")                             \
    }
#define VERDICT                                                                                    \
    {                                                                                              \
        "verdict", INT, MM_VERDICT_EXTEND, MM_VERDICT_DEAD                                         \
    }
#define RESULT_FIELDS(OUTCOME_MIN)                                                                 \
    {                                                                                              \
        FROM_1("serial"), NUMBER("number"), LEG_FIELD, ID_FIELD,                                   \
            {"status", INT, MM_STATUS_OK, MM_STATUS_RETURNED},                                     \
            {"outcome", INT, OUTCOME_MIN, MM_OUTCOME_DEAD}, TIME("took_ms"), ERROR("error"),       \
        {                                                                                          \
            "evidence", MAP, 0, 0                                                                  \
        }                                                                                          \
    }

// The fields of each item of the samples' lists, in their order.
static const struct {
    const char *list;
    field_t fields[4][FIELDS_MAX];
} item_fields[] = {
    {"jobs", {JOB_FIELDS, JOB_FIELDS}},
    {"tasks",
     {{NUMBER("number"), LEG_FIELD, ID_FIELD, HOST_FIELD, COUNT_1("attempt")},
      {NUMBER("number"), LEG_FIELD, ID_FIELD, HOST_FIELD, ORIGIN_FIELDS},
      {NUMBER("number"),
       LEG_FIELD,
       ID_FIELD,
       HOST_FIELD,
       ORIGIN_FIELDS,
       COUNT("attempts"),
       COUNT("extended"),
       {"outcome", INT, MM_OUTCOME_RESTARTED, MM_OUTCOME_DEAD},
       {"worker", NAME_OR_NONE, 0, 0},
       ERROR("error")}}},
    {"held",
     {{NUMBER("number"), ID_FIELD, LEG_FIELD, {"started", BOOL, 0, 0}, HOST_FIELD},
      {NUMBER("number"),
       ID_FIELD,
       LEG_FIELD,
       {"started", BOOL, 0, 0},
       {"host", HOST_OR_NONE, 0, 0}}}},
    {"numbers", {{NUMBERED}, {NUMBERED}}},
    {"results", {RESULT_FIELDS(MM_OUTCOME_NONE), RESULT_FIELDS(MM_OUTCOME_RESTARTED)}},
    {"notices",
     {{VERDICT, ID_FIELD},
      {VERDICT, ID_FIELD, COUNT("attempts")},
      {VERDICT, ID_FIELD, TIME("delay_ms")},
      {VERDICT, ID_FIELD, COUNT("attempts"), ERROR("error")}}},
    {"confirms", {ACKNOWLEDGEMENT_FIELDS, ACKNOWLEDGEMENT_FIELDS}},
};

static size_t bad_frames;

static void expect_bad(const msgpack_object *root, const char *complaint, const char *what)
{
    mm_wire_status_t status = try_tree(root);
    bad_frames++;
    if (status != MM_WIRE_FIELD_BAD || strcmp(mm_decoder_complaint(decoder), complaint) != 0)
        fail_msg("%s with %s: %s, \"%s\"", complaint, what, mm_wire_status_name(status),
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
                                    const char *complaint)
{
    msgpack_object_kv pair = {string("key", 3), string("value", 5)};
    msgpack_object map = pairs(&pair, 1);
    msgpack_object_kv nine[MM_EVIDENCE_MAX + 1];
    for (size_t i = 0; i <= MM_EVIDENCE_MAX; i++)
        nine[i] = pair;
    expect_refused(root, target, pairs(nine, MM_EVIDENCE_MAX + 1), complaint, "nine pairs");
    pair.key = string("", 0);
    expect_refused(root, target, map, complaint, "an empty key");
    pair.key = string(many, MM_EVIDENCE_KEY_MAX + 1);
    expect_refused(root, target, map, complaint, "a long key");
    pair.key = number(1);
    expect_refused(root, target, map, complaint, "a number for a key");
    pair.key = string("key", 3);
    pair.val = string(many, MM_EVIDENCE_VALUE_MAX + 1);
    expect_refused(root, target, map, complaint, "a long value");
    pair.val = string("\xFF", 1);
    expect_refused(root, target, map, complaint, "a value that is not UTF-8");
    pair.val = number(1);
    expect_refused(root, target, map, complaint, "a number for a value");
}

static void expect_bad_values_refused(const msgpack_object *root, msgpack_object *target,
                                      const field_t *field, const char *complaint)
{
    msgpack_object items[MM_BATCH_ITEMS + 1];
    switch (field->type) {
    case INT:
        if (field->min > 0)
            expect_refused(root, target, number(field->min - 1), complaint, "too little");
        if (field->max < UINT64_MAX)
            expect_refused(root, target, number(field->max + 1), complaint, "too much");
        return;
    case BOOL: return;
    case NAME:
    case NAME_OR_NONE:
        expect_texts_refused(root, target, MM_NAME_MAX, field->type == NAME_OR_NONE, complaint);
        expect_refused(root, target, string("a:b", 3), complaint, "a colon");
        return;
    case HOST:
    case HOST_OR_NONE:
        expect_texts_refused(root, target, MM_HOST_MAX, field->type == HOST_OR_NONE, complaint);
        return;
    case SUFFIX:
        expect_texts_refused(root, target, 21, false, complaint);
        expect_refused(root, target, string("65536", 5), complaint, "65536");
        return;
    case UTF8: expect_bad_utf8_refused(root, target, field->max, complaint); return;
    case ID:
        expect_refused(root, target, bin(15), complaint, "15 bytes");
        expect_refused(root, target, bin(17), complaint, "17 bytes");
        return;
    case LIST:
        for (size_t i = 0; i <= MM_BATCH_ITEMS; i++)
            items[i] = target->via.array.ptr[0];
        expect_refused(root, target,
                       (msgpack_object){MSGPACK_OBJECT_ARRAY, {.array = {257, items}}}, complaint,
                       "257 items");
        return;
    case MAP: expect_bad_maps_refused(root, target, complaint); return;
    }
    fail();
}

// Everything that can be wrong with the field at `index` of the array *parent.
static void expect_field_checked(const msgpack_object *root, msgpack_object *parent, size_t index,
                                 const field_t *field, const char *complaint)
{
    msgpack_object *target = &parent->via.array.ptr[index];
    uint32_t size = parent->via.array.size;
    expect_wrong_types_refused(root, target, complaint);
    expect_bad_values_refused(root, target, field, complaint);
    if (field->name == NULL)
        return; // an item of a list may be missing
    parent->via.array.size = (uint32_t)index;
    expect_bad(root, complaint, "nothing there");
    parent->via.array.size = size;
}

// ---- every field of every kind

static void expect_items_checked(const msgpack_object *root, msgpack_object *list,
                                 const char *list_name)
{
    size_t row = 0;
    while (strcmp(item_fields[row].list, list_name) != 0)
        row++;
    assert_true(list->via.array.size > 0);
    for (size_t i = 0; i < list->via.array.size; i++) {
        msgpack_object *item = &list->via.array.ptr[i];
        const field_t *fields = item_fields[row].fields[i];
        char complaint[80];
        (void)snprintf(complaint, sizeof complaint, "%s[%zu]", list_name, i);
        if (item->type != MSGPACK_OBJECT_ARRAY) {
            expect_field_checked(root, list, i, &fields[0], complaint);
            continue;
        }
        expect_wrong_types_refused(root, item, complaint);
        for (size_t j = 0; j < item->via.array.size; j++) {
            assert_non_null(fields[j].name); // no field of the sample is left out here
            (void)snprintf(complaint, sizeof complaint, "%s[%zu].%s", list_name, i, fields[j].name);
            expect_field_checked(root, item, j, &fields[j], complaint);
        }
    }
}

static void every_field_of_every_kind_is_checked(void **state)
{
    (void)state;
    memset(many, 'x', sizeof many);
    bad_frames = 0;
    for (size_t sample = 0; sample < SAMPLES; sample++) {
        char *bytes;
        msgpack_object root = sample_tree(sample, &bytes);
        assert_int_equal(try_tree(&root), MM_WIRE_OK);
        for (size_t i = 2; i < root.via.array.size; i++) {
            const field_t *field = &frame_fields[sample][i - 2];
            assert_non_null(field->name);
            expect_field_checked(&root, &root, i, field, field->name);
            if (field->type == LIST)
                expect_items_checked(&root, &root.via.array.ptr[i], field->name);
        }
        free(bytes);
        msgpack_zone_clear(&zone);
    }
    assert_true(bad_frames > 2000);
}

static void versions_and_kinds_are_checked(void **state)
{
    (void)state;
    for (size_t sample = 0; sample < SAMPLES; sample++) {
        char *bytes;
        msgpack_object root = sample_tree(sample, &bytes);
        msgpack_object *elements = root.via.array.ptr;
        expect_wrong_types_refused(&root, &elements[0], "version");
        expect_wrong_types_refused(&root, &elements[1], "kind");
        uint32_t size = root.via.array.size;
        root.via.array.size = 0;
        expect_bad(&root, "version", "nothing there");
        root.via.array.size = 1;
        expect_bad(&root, "kind", "nothing there");
        root.via.array.size = size;

        static const uint64_t kinds[] = {0, SAMPLES + 1, 99, 257, UINT64_MAX};
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            elements[1] = number(kinds[i]);
            assert_int_equal(try_tree(&root), MM_WIRE_KIND_BAD);
            assert_string_equal(mm_decoder_complaint(decoder), "kind");
        }
        static const uint64_t versions[] = {0, 2, 257, UINT64_MAX};
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
