// Texts, names and ids: compare, check, print, parse.
// Pure: ISO C only. It allocates nothing, keeps nothing, and does not know the locale.

#include "text.h"

#include <assert.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum { IN_HOST = 1, IN_NAME = 2, BOTH = 3 };

// clang-format off
static const uint8_t char_class[256] = {
    ['-'] = BOTH, ['.'] = BOTH, ['_'] = BOTH, [':'] = IN_HOST,
    ['0'] = BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH,
    ['A'] = BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH,
    ['N'] = BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH,
    ['a'] = BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH,
    ['n'] = BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH, BOTH,
};
// clang-format on

// Sixteen bytes, which compilers handle in one register where there is one.
typedef unsigned char block_t __attribute__((vector_size(16)));

static bool is_all_in(block_t block, bool with_colon)
{
    unsigned char last = with_colon ? ':' : '9'; // which is the next one
    block_t lower = block | 0x20;
    block_t good = (block_t)((lower >= 'a') & (lower <= 'z')) |
                   (block_t)((block >= '0') & (block <= last)) |
                   (block_t)((block >= '-') & (block <= '.')) | (block_t)(block == '_');
    uint64_t halves[2];
    memcpy(halves, &good, sizeof halves);
    return (halves[0] & halves[1]) == UINT64_MAX;
}

// Both ends together, for 8 bytes or more; the blocks of a longer text may overlap.
static bool is_all_of(mm_text_t text, uint8_t wanted)
{
    block_t block = {0};
    size_t i = 0;
    if (text.size < 8) {
        uint8_t have = wanted;
        for (; i < text.size; i++)
            have &= char_class[(unsigned char)text.data[i]];
        return have == wanted;
    }
    for (; i + sizeof block < text.size; i += sizeof block) {
        memcpy(&block, text.data + i, sizeof block);
        if (!is_all_in(block, wanted == IN_HOST))
            return false;
    }
    memcpy(&block, text.data + (text.size < sizeof block ? 0 : text.size - sizeof block), 8);
    memcpy((char *)&block + 8, text.data + text.size - 8, 8);
    return is_all_in(block, wanted == IN_HOST);
}

mm_text_t mm_text(const char *string)
{
    if (string == NULL)
        return (mm_text_t){.data = "", .size = 0};
    return (mm_text_t){.data = string, .size = strlen(string)};
}

bool mm_text_equal(mm_text_t a, mm_text_t b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

// Eight bytes at a time; what comes last is filled up with zeros, which the size tells apart.
uint64_t mm_text_hash(mm_text_t text)
{
    uint64_t hash = text.size;
    for (size_t at = 0; at < text.size; at += sizeof hash) {
        uint64_t word = 0;
        size_t rest = text.size - at;
        memcpy(&word, text.data + at, rest < sizeof word ? rest : sizeof word);
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return hash;
}

bool mm_text_is_name(mm_text_t text)
{
    return text.size > 0 && text.size <= MM_NAME_MAX && text.data[0] != '-' &&
           text.data[0] != '.' && is_all_of(text, IN_NAME);
}

bool mm_name_from(mm_text_t text, mm_name_t *ret_name)
{
    assert(ret_name != NULL);
    if (!mm_text_is_name(text))
        return false;
    memcpy(ret_name->text, text.data, text.size);
    memset(ret_name->text + text.size, 0, sizeof ret_name->text - text.size);
    return true;
}

const char *mm_host_complaint(mm_text_t host)
{
    if (host.size == 0)
        return "it is empty";
    if (host.data[0] == '-')
        return "it starts with '-' and could be taken for an option";
    if (host.size > MM_HOST_MAX)
        return "it is longer than 253 bytes";
    if (!is_all_of(host, IN_HOST))
        return "it holds something else than letters, digits and . _ : -";
    return NULL;
}

// Good enough for hosts that mm_host_complaint has passed: digits, dots and a port, or two colons.
static bool is_address(mm_text_t host)
{
    if (!is_digit(host.data[0]) && host.data[0] != '.' && memchr(host.data, ':', host.size) == NULL)
        return false; // a name, as nearly all are
    size_t colons = 0;
    bool numeric = true;
    for (size_t i = 0; i < host.size; i++) {
        if (host.data[i] == ':')
            colons++;
        else if (!is_digit(host.data[i]) && host.data[i] != '.')
            numeric = false;
    }
    return numeric || colons >= 2;
}

mm_text_t mm_host_instance(mm_text_t host)
{
    if (host.size == 0 || is_address(host))
        return host;
    const char *dot = memchr(host.data, '.', host.size);
    if (dot == NULL || dot == host.data)
        return host;
    return (mm_text_t){.data = host.data, .size = (size_t)(dot - host.data)};
}

int mm_id_compare(const mm_id_t *a, const mm_id_t *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

// Eight bytes, the most significant first.
static uint64_t number_at(const uint8_t *bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < 8; i++)
        number = number << 8 | bytes[i];
    return number;
}

static void put_number_at(uint64_t number, uint8_t *ret_bytes)
{
    for (size_t i = 0; i < 8; i++)
        ret_bytes[i] = (uint8_t)(number >> (56 - 8 * i));
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

char *mm_id_print(const mm_id_t *id, char buffer[MM_ID_TEXT])
{
    if (number_at(id->bytes) == 0) {
        char digits[20]; // UINT64_MAX has 20
        size_t count = 0;
        uint64_t rest = number_at(id->bytes + 8);
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
    for (size_t i = 0; i < sizeof id->bytes; i += 4)
        put_hex(id->bytes + i, buffer + 2 * i);
    buffer[MM_ID_TEXT - 1] = '\0';
    return buffer;
}

// "j" and a decimal number without leading zeros, as it was printed.
static bool parse_short_id(mm_text_t text, mm_id_t *ret_id)
{
    if (text.size < 2 || (text.data[1] == '0' && text.size > 2))
        return false;
    uint64_t number = 0;
    for (size_t i = 1; i < text.size; i++) {
        if (!is_digit(text.data[i]))
            return false;
        uint64_t digit = (uint64_t)(text.data[i] - '0');
        if (number > (UINT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    mm_id_t id = {{0}};
    put_number_at(number, id.bytes + 8);
    *ret_id = id;
    return true;
}

// -1 when c is no lower-case hex digit.
static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool mm_id_parse(mm_text_t text, mm_id_t *ret_id)
{
    assert(ret_id != NULL);
    if (text.size > 0 && text.data[0] == 'j')
        return parse_short_id(text, ret_id);
    if (text.size != MM_ID_TEXT - 1)
        return false;
    mm_id_t id;
    for (size_t i = 0; i < sizeof id.bytes; i++) {
        int high = hex_value(text.data[2 * i]);
        int low = hex_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        id.bytes[i] = (uint8_t)(high << 4 | low);
    }
    // Such an id prints in the short form: two texts for one id would not round-trip.
    if (number_at(id.bytes) == 0)
        return false;
    *ret_id = id;
    return true;
}
