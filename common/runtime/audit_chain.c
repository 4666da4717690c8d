// See audit_chain.h. SHA-256 by libsodium, whose one-shot and streaming calls need no start.

#include "audit_chain.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static_assert(MM_AUDIT_HASH == crypto_hash_sha256_BYTES, "the hash is SHA-256");

static void add(crypto_hash_sha256_state *state, const void *bytes, size_t size)
{
    (void)crypto_hash_sha256_update(state, bytes, size);
}

static void add_value(crypto_hash_sha256_state *state, const mm_audit_value_t *value)
{
    bool has_bytes = value->type == MM_AUDIT_STRING || value->type == MM_AUDIT_BLOB;
    uint64_t number = has_bytes ? value->bytes.size : (uint64_t)value->number;
    uint8_t head[9] = {(uint8_t)value->type};
    for (size_t i = 0; value->type != MM_AUDIT_NULL && i < 8; i++)
        head[1 + i] = (uint8_t)(number >> (56 - 8 * i));
    add(state, head, sizeof head);
    if (has_bytes)
        add(state, value->bytes.data, value->bytes.size);
}

void mm_audit_hash(const uint8_t before[MM_AUDIT_HASH], const mm_audit_value_t *values,
                   size_t count, uint8_t ret_hash[MM_AUDIT_HASH])
{
    crypto_hash_sha256_state state;
    (void)crypto_hash_sha256_init(&state);
    add(&state, before, MM_AUDIT_HASH);
    for (size_t i = 0; i < count; i++)
        add_value(&state, &values[i]);
    (void)crypto_hash_sha256_final(&state, ret_hash);
}

char *mm_audit_print(const uint8_t hash[MM_AUDIT_HASH], char buffer[MM_AUDIT_TEXT])
{
    return sodium_bin2hex(buffer, MM_AUDIT_TEXT, hash, MM_AUDIT_HASH);
}

bool mm_audit_parse(mm_str_t text, uint8_t ret_hash[MM_AUDIT_HASH])
{
    uint8_t hash[MM_AUDIT_HASH];
    if (text.size != 2 * MM_AUDIT_HASH)
        return false;
    for (size_t i = 0; i < MM_AUDIT_HASH; i++) {
        int high = mm_hex_value(text.data[2 * i]), low = mm_hex_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        hash[i] = (uint8_t)(high * 16 + low);
    }
    memcpy(ret_hash, hash, sizeof hash);
    return true;
}
