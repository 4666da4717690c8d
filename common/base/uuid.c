// See uuid.h.

#include "uuid.h"
#include "big_endian.h"

#include <endian.h>
#include <string.h>

int mm_id_compare(const mm_id_t *a, const mm_id_t *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

// Four bytes as eight hex digits: one nibble goes into each byte of a word, and all are made digits
// together. 39 is from '9' + 1 to 'a'.
static void put_hex(const uint8_t *bytes, char *ret_digits)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof number);
    uint64_t nibbles = be32toh(number);
    nibbles = (nibbles << 16 | nibbles) & UINT64_C(0x0000ffff0000ffff);
    nibbles = (nibbles << 8 | nibbles) & UINT64_C(0x00ff00ff00ff00ff);
    nibbles = (nibbles << 4 | nibbles) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    uint64_t is_letter =
        (nibbles + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    uint64_t digits = htobe64(nibbles + UINT64_C(0x3030303030303030) + 39 * is_letter);
    memcpy(ret_digits, &digits, sizeof digits);
}

static bool is_dash_due(size_t place)
{
    return place == 8 || place == 13 || place == 18 || place == 23;
}

char *mm_hex_print(const mm_id_t *id, char buffer[MM_HEX_TEXT])
{
    for (size_t i = 0; i < sizeof id->bytes; i += 4)
        put_hex(id->bytes + i, buffer + 2 * i);
    buffer[MM_HEX_TEXT - 1] = '\0';
    return buffer;
}

char *mm_uuid_print(const mm_id_t *id, char buffer[MM_UUID_TEXT])
{
    char digits[MM_HEX_TEXT];
    const char *next = mm_hex_print(id, digits);
    for (size_t i = 0; i < MM_UUID_TEXT - 1; i++)
        buffer[i] = is_dash_due(i) ? '-' : *next++;
    buffer[MM_UUID_TEXT - 1] = '\0';
    return buffer;
}

bool mm_uuid_parse(mm_str_t text, mm_id_t *ret_id)
{
    bool has_dashes = text.size == MM_UUID_TEXT - 1;
    if (!has_dashes && text.size != MM_HEX_TEXT - 1)
        return false;
    mm_id_t id = {{0}};
    size_t digits = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (has_dashes && is_dash_due(i)) {
            if (text.data[i] != '-')
                return false;
            continue;
        }
        int value = mm_hex_value(text.data[i]);
        if (value < 0)
            return false;
        id.bytes[digits / 2] = (uint8_t)(id.bytes[digits / 2] << 4 | value);
        digits++;
    }
    *ret_id = id;
    return true;
}

char *mm_id_print(const mm_id_t *id, char buffer[MM_ID_TEXT])
{
    if (mm_big_endian_get(id->bytes, 8) == 0) {
        char digits[20]; // UINT64_MAX has 20
        size_t count = 0;
        uint64_t rest = mm_big_endian_get(id->bytes + 8, 8);
        do {
            digits[count++] = (char)('0' + rest % 10);
            rest /= 10;
        } while (rest > 0);
        buffer[0] = 'j';
        for (size_t i = 0; i < count; i++)
            buffer[1 + i] = digits[count - 1 - i];
        buffer[1 + count] = '\0';
        return buffer;
    }
    return mm_hex_print(id, buffer);
}

// "j" and a decimal number without leading zeros, as it was printed.
static bool parse_short_id(mm_str_t text, mm_id_t *ret_id)
{
    if (text.size < 2 || (text.data[1] == '0' && text.size > 2))
        return false;
    uint64_t number = 0;
    for (size_t i = 1; i < text.size; i++) {
        if (!mm_is_digit(text.data[i]))
            return false;
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    mm_id_t id = {{0}};
    mm_big_endian_put(number, 8, id.bytes + 8);
    *ret_id = id;
    return true;
}

bool mm_id_parse(mm_str_t text, mm_id_t *ret_id)
{
    if (text.size > 0 && text.data[0] == 'j')
        return parse_short_id(text, ret_id);
    mm_id_t id;
    if (text.size != MM_ID_TEXT - 1 || !mm_uuid_parse(text, &id))
        return false;
    // Such an id prints in the short form: two texts for one id would not round-trip.
    if (mm_big_endian_get(id.bytes, 8) == 0)
        return false;
    *ret_id = id;
    return true;
}
