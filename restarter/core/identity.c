// See identity.h.

#include "identity.h"
#include "uuid.h"

#include <string.h>

// The next line without its newline; false: there is none that is whole.
static bool next_line(mm_str_t *rest, mm_str_t *ret_line)
{
    const char *newline = rest->size > 0 ? memchr(rest->data, '\n', rest->size) : NULL;
    if (!newline)
        return false;
    *ret_line = (mm_str_t){rest->data, (size_t)(newline - rest->data)};
    rest->size -= ret_line->size + 1;
    rest->data = newline + 1;
    return true;
}

// 32 digits, or a UUID by its size. All zeros are no id (machine-id(5)), nor are all ones (RFC
// 9562).
static bool read_id(mm_str_t line, size_t size, uint8_t bytes[16])
{
    mm_id_t id;
    if (line.size != size || !mm_uuid_parse(line, &id) || mm_id_is_none(&id) || mm_id_is_max(&id))
        return false;
    memcpy(bytes, id.bytes, sizeof id.bytes);
    return true;
}

// Digits, a dot and two digits, as milliseconds; false: it begins otherwise.
static bool read_seconds(mm_str_t *rest, int64_t *ret_ms)
{
    int64_t hundredths = 0;
    size_t i = 0, digits = 0, dot = 0;
    for (; i < rest->size && (dot == 0 || i < dot + 3); i++) {
        char c = rest->data[i];
        if (c == '.' && dot == 0 && digits > 0) {
            dot = i;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        if (++digits > 14)
            return false;
        hundredths = 10 * hundredths + (c - '0');
    }
    if (dot == 0 || i != dot + 3)
        return false;
    *ret_ms = 10 * hundredths;
    *rest = (mm_str_t){rest->data + i, rest->size - i};
    return true;
}

static bool read_uptime(mm_str_t line, int64_t *ret_ms)
{
    int64_t idle_ms;
    if (!read_seconds(&line, ret_ms) || line.size == 0 || line.data[0] != ' ')
        return false;
    line = (mm_str_t){line.data + 1, line.size - 1};
    return read_seconds(&line, &idle_ms) && line.size == 0;
}

identity_t identity_nobody(void)
{
    identity_t nobody = {.uptime_ms = IDENTITY_UPTIME_NONE};
    memset(nobody.boot, 0xff, sizeof nobody.boot);
    return nobody;
}

bool identity_is_nobody(const identity_t *self)
{
    identity_t nobody = identity_nobody();
    return identity_is_same(self, &nobody);
}

bool identity_parse(mm_str_t output, identity_t *ret_identity)
{
    identity_t identity = {.uptime_ms = IDENTITY_UPTIME_NONE};
    mm_str_t line;
    if (output.size > IDENTITY_OUTPUT_MAX)
        return false;
    if (!next_line(&output, &line) || !read_id(line, MM_HEX_TEXT - 1, identity.machine))
        return false;
    if (!next_line(&output, &line) || !read_id(line, MM_UUID_TEXT - 1, identity.boot))
        return false;
    if (output.size > 0 && (!next_line(&output, &line) || !read_uptime(line, &identity.uptime_ms)))
        return false;
    if (output.size > 0)
        return false;
    *ret_identity = identity;
    return true;
}

bool identity_is_same(const identity_t *one, const identity_t *other)
{
    return memcmp(one->machine, other->machine, sizeof one->machine) == 0 &&
           memcmp(one->boot, other->boot, sizeof one->boot) == 0;
}

identity_change_t identity_change(const identity_t *before, const identity_t *read,
                                  int64_t begun_ms, int64_t now_ms)
{
    bool has_uptime = read->uptime_ms != IDENTITY_UPTIME_NONE;
    bool is_older = has_uptime && read->uptime_ms >= now_ms - begun_ms;
    if (identity_is_nobody(before))
        return !has_uptime ? IDENTITY_UNKNOWN : is_older ? IDENTITY_OLD : IDENTITY_NEW;
    if (memcmp(before->machine, read->machine, sizeof before->machine) != 0)
        return IDENTITY_OTHER;
    if (memcmp(before->boot, read->boot, sizeof before->boot) == 0)
        return IDENTITY_OLD;
    return is_older ? IDENTITY_OLD : IDENTITY_NEW;
}
