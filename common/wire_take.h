// The decoder's readers of single fields. Each takes the next field of an array: it says true and
// sets its output, or says false and has left the field's name behind. What is behind the last
// field that a frame or item knows is not looked at. Allocates nothing; texts are borrowed. Private
// to common/wire_decode.c: a header only to keep both files short and the calls inlined.

#ifndef MM_WIRE_TAKE_H
#define MM_WIRE_TAKE_H

#include "wire_rules.h"

#include <msgpack.h>
#include <string.h>

// The fields of an array, from left to right.
typedef struct {
    const msgpack_object *at;
    const msgpack_object *end;
    const char *name; // of the field read last: the bad one when a reader says false
} fields_t;

static inline bool take(fields_t *in, const char *name, msgpack_object_type type,
                        const msgpack_object **ret_object)
{
    in->name = name;
    if (in->at == in->end || in->at->type != type)
        return false;
    *ret_object = in->at++;
    return true;
}

static inline bool take_range(fields_t *in, const char *name, uint64_t min, uint64_t max,
                              uint64_t *ret)
{
    const msgpack_object *object;
    if (!take(in, name, MSGPACK_OBJECT_POSITIVE_INTEGER, &object))
        return false;
    if (object->via.u64 < min || object->via.u64 > max)
        return false;
    *ret = object->via.u64;
    return true;
}

static inline bool take_number(fields_t *in, const char *name, uint64_t min, uint64_t *ret)
{
    return take_range(in, name, min, UINT64_MAX, ret);
}

static inline bool take_count(fields_t *in, const char *name, uint32_t min, uint32_t max,
                              uint32_t *ret)
{
    uint64_t number;
    if (!take_range(in, name, min, max, &number))
        return false;
    *ret = (uint32_t)number;
    return true;
}

static inline bool take_time(fields_t *in, const char *name, int64_t *ret)
{
    uint64_t number;
    if (!take_range(in, name, 0, INT64_MAX, &number))
        return false;
    *ret = (int64_t)number;
    return true;
}

static inline bool take_bool(fields_t *in, const char *name, bool *ret)
{
    const msgpack_object *object;
    if (!take(in, name, MSGPACK_OBJECT_BOOLEAN, &object))
        return false;
    *ret = object->via.boolean;
    return true;
}

static inline bool take_string(fields_t *in, const char *name, mm_text_t *ret)
{
    const msgpack_object *object;
    if (!take(in, name, MSGPACK_OBJECT_STR, &object))
        return false;
    *ret = (mm_text_t){.data = object->via.str.ptr, .size = object->via.str.size};
    return true;
}

static inline bool take_utf8(fields_t *in, const char *name, size_t size_max, mm_text_t *ret)
{
    return take_string(in, name, ret) && mm_wire_is_utf8(*ret, size_max);
}

static inline bool take_name(fields_t *in, const char *name, mm_text_t *ret)
{
    return take_string(in, name, ret) && mm_wire_is_name(*ret);
}

static inline bool take_name_or_none(fields_t *in, const char *name, mm_text_t *ret)
{
    return take_string(in, name, ret) && (ret->size == 0 || mm_wire_is_name(*ret));
}

static inline bool take_host(fields_t *in, mm_text_t *ret)
{
    return take_string(in, "host", ret) && mm_wire_is_host(*ret);
}

static inline bool take_host_or_none(fields_t *in, mm_text_t *ret)
{
    return take_string(in, "host", ret) && (ret->size == 0 || mm_wire_is_host(*ret));
}

static inline bool take_suffix(fields_t *in, mm_text_t *ret)
{
    return take_string(in, "suffix", ret) && mm_wire_is_suffix(*ret);
}

static inline bool take_id(fields_t *in, mm_id_t *ret)
{
    const msgpack_object *object;
    if (!take(in, "id", MSGPACK_OBJECT_BIN, &object) || object->via.bin.size != sizeof ret->bytes)
        return false;
    memcpy(ret->bytes, object->via.bin.ptr, sizeof ret->bytes);
    return true;
}

static inline bool take_leg(fields_t *in, mm_leg_t *ret)
{
    uint64_t number;
    if (!take_range(in, "leg", MM_LEG_SAVE, MM_LEG_SETTLE, &number))
        return false;
    *ret = (mm_leg_t)number;
    return true;
}

static inline bool take_outcome(fields_t *in, mm_outcome_t min, mm_outcome_t *ret)
{
    uint64_t number;
    if (!take_range(in, "outcome", min, MM_OUTCOME_DEAD, &number))
        return false;
    *ret = (mm_outcome_t)number;
    return true;
}

static inline bool take_status(fields_t *in, mm_status_t *ret)
{
    uint64_t number;
    if (!take_range(in, "status", MM_STATUS_OK, MM_STATUS_RETURNED, &number))
        return false;
    *ret = (mm_status_t)number;
    return true;
}

static inline bool take_role(fields_t *in, mm_role_t *ret)
{
    uint64_t number;
    if (!take_range(in, "role", MM_ROLE_SAVER, MM_ROLE_RESTARTER, &number))
        return false;
    *ret = (mm_role_t)number;
    return true;
}

static inline bool take_verdict(fields_t *in, mm_verdict_t *ret)
{
    uint64_t number;
    if (!take_range(in, "verdict", MM_VERDICT_EXTEND, MM_VERDICT_DEAD, &number))
        return false;
    *ret = (mm_verdict_t)number;
    return true;
}

static inline bool take_pair(const msgpack_object_kv *pair, mm_evidence_t *ret)
{
    fields_t key = {.at = &pair->key, .end = &pair->key + 1};
    fields_t value = {.at = &pair->val, .end = &pair->val + 1};
    return take_utf8(&key, "key", MM_EVIDENCE_KEY_MAX, &ret->key) && ret->key.size > 0 &&
           take_utf8(&value, "value", MM_EVIDENCE_VALUE_MAX, &ret->value);
}

static inline bool take_evidence(fields_t *in, mm_result_t *ret)
{
    const msgpack_object *object;
    if (!take(in, "evidence", MSGPACK_OBJECT_MAP, &object) ||
        object->via.map.size > MM_EVIDENCE_MAX)
        return false;
    for (uint32_t i = 0; i < object->via.map.size; i++)
        if (!take_pair(&object->via.map.ptr[i], &ret->evidence[i]))
            return false;
    ret->evidence_count = object->via.map.size;
    return true;
}

#endif
