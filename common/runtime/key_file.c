// See key_file.h. No sentence about a file has a value of it that could be the secret.

#include "key_file.h"
#include "private_file.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>
#include <zmq.h>

#define DAY_MS   INT64_C(86400000)
#define FILE_MAX 8192
#define KEY_SIZE (MM_KEY_TEXT - 1)

// ---- roles, keys, dates

static const char *const role_names[] = {
    [MM_KEY_CONSUMER] = "consumer", [MM_KEY_PUBLISHER] = "publisher",
    [MM_KEY_SAVER] = "saver",       [MM_KEY_RESTARTER] = "restarter",
    [MM_KEY_VIEWER] = "viewer",     [MM_KEY_OPERATOR] = "operator"};
#define ROLES (sizeof role_names / sizeof *role_names)

const char *mm_key_role_name(mm_key_role_t role)
{
    return role_names[role];
}

const char *mm_key_role_phrase(mm_key_role_t role)
{
    static const char *const phrases[] = {
        [MM_KEY_CONSUMER] = "a consumer", [MM_KEY_PUBLISHER] = "a publisher",
        [MM_KEY_SAVER] = "a saver",       [MM_KEY_RESTARTER] = "a restarter",
        [MM_KEY_VIEWER] = "a viewer",     [MM_KEY_OPERATOR] = "an operator"};
    return phrases[role];
}

bool mm_key_role_from(mm_str_t text, mm_key_role_t *ret_role)
{
    for (size_t role = 0; role < ROLES; role++)
        if (mm_str_equal(text, mm_str(role_names[role]))) {
            *ret_role = (mm_key_role_t)role;
            return true;
        }
    return false;
}

static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               ".-:+=^!/*?&<>()[]{}@%$#";

bool mm_key_is_valid(mm_str_t text)
{
    char key[MM_KEY_TEXT];
    uint8_t bytes[32];
    if (text.size != KEY_SIZE)
        return false;
    memcpy(key, text.data, KEY_SIZE);
    key[KEY_SIZE] = '\0';
    // Five characters of the alphabet can be more than 2^32, which is no key either.
    bool is_valid = strspn(key, alphabet) == KEY_SIZE && zmq_z85_decode(bytes, key);
    explicit_bzero(key, sizeof key);
    explicit_bzero(bytes, sizeof bytes);
    return is_valid;
}

char *mm_key_fault(mm_str_t text, char buffer[MM_KEY_FAULT])
{
    enum { GROUP = 5 }; // characters, for four bytes
    char group[GROUP + 1] = "";
    uint8_t bytes[4];
    size_t place = 0;
    while (place < text.size && memchr(alphabet, text.data[place], sizeof alphabet - 1))
        place++;
    if (text.size != KEY_SIZE)
        (void)snprintf(buffer, MM_KEY_FAULT, "one is %d characters of Z85, and this has %zu",
                       KEY_SIZE, text.size);
    else if (place < KEY_SIZE)
        (void)snprintf(buffer, MM_KEY_FAULT, "its character %zu is '%c', which Z85 does not have",
                       place + 1,
                       text.data[place] > ' ' && text.data[place] < 0x7f ? text.data[place] : ' ');
    else {
        for (place = 0; place < KEY_SIZE; place += GROUP) {
            memcpy(group, text.data + place, GROUP);
            if (!zmq_z85_decode(bytes, group))
                break;
        }
        (void)snprintf(buffer, MM_KEY_FAULT, "its characters %zu to %zu are too large a number",
                       place + 1, place + GROUP);
    }
    explicit_bzero(group, sizeof group);
    explicit_bzero(bytes, sizeof bytes);
    return buffer;
}

bool mm_key_date(mm_str_t text, int64_t *ret_not_after_ms)
{
    static const char form[] = "0000-00-00";
    int number[3] = {0}, part = 0;
    if (text.size != sizeof form - 1)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (form[i] == '0' ? !mm_is_digit(text.data[i]) : text.data[i] != form[i])
            return false;
        if (form[i] == '0')
            number[part] = 10 * number[part] + text.data[i] - '0';
        else
            part++;
    }
    struct tm day = {.tm_year = number[0] - 1900, .tm_mon = number[1] - 1, .tm_mday = number[2]};
    time_t start = timegm(&day);
    if (start < 0 || day.tm_mon != number[1] - 1 || day.tm_mday != number[2])
        return false;
    *ret_not_after_ms = (int64_t)start * 1000 + DAY_MS;
    return true;
}

char *mm_key_date_print(int64_t not_after_ms, char buffer[MM_KEY_DATE_TEXT])
{
    time_t day = (time_t)((not_after_ms - DAY_MS) / 1000);
    struct tm parts;
    if (not_after_ms == INT64_MAX || !gmtime_r(&day, &parts) ||
        strftime(buffer, MM_KEY_DATE_TEXT, "%Y-%m-%d", &parts) == 0)
        strcpy(buffer, "");
    return buffer;
}

int mm_key_days_left(int64_t not_after_ms, int64_t unix_ms)
{
    if (not_after_ms <= unix_ms)
        return 0;
    if (not_after_ms - unix_ms > MM_KEY_WARN_DAYS * DAY_MS)
        return -1;
    return (int)((not_after_ms - unix_ms + DAY_MS - 1) / DAY_MS);
}

void mm_key_draw(mm_key_t *self)
{
    int rc = zmq_curve_keypair(self->public_key, self->secret_key);
    assert(rc == 0); // libzmq has CURVE
}

void mm_key_clear(mm_key_t *self)
{
    explicit_bzero(self->secret_key, sizeof self->secret_key);
}

bool mm_key_trusts(const mm_key_t *self, const char *server_key)
{
    for (size_t i = 0; i < self->server_count; i++)
        if (strcmp(self->server_keys[i], server_key) == 0)
            return true;
    return false;
}

// ---- reading

typedef enum { ROLE, NAME, PUBLIC, SECRET, NOT_AFTER, SERVER, FIELDS } field_t;

static const char *const field_names[FIELDS] = {
    [ROLE] = "role",     [NAME] = "name",           [PUBLIC] = "public",
    [SECRET] = "secret", [NOT_AFTER] = "not-after", [SERVER] = "server"};

typedef struct {
    mm_private_line_t line;
    mm_key_t key;
    bool has[FIELDS];
    char *error;
} reader_t;

static field_t find_field(mm_str_t name)
{
    field_t field = ROLE;
    while (field < FIELDS && !mm_str_equal(name, mm_str(field_names[field])))
        field++;
    return field;
}

static void copy_key(char ret_key[MM_KEY_TEXT], mm_str_t text)
{
    memcpy(ret_key, text.data, KEY_SIZE);
    ret_key[KEY_SIZE] = '\0';
}

static int parse_key(reader_t *self, field_t field, char ret_key[MM_KEY_TEXT], mm_str_t value)
{
    char fault[MM_KEY_FAULT];
    if (!mm_key_is_valid(value))
        return mm_private_line_refuse(&self->line, self->error, "%s is no key: %s",
                                      field_names[field], mm_key_fault(value, fault));
    copy_key(ret_key, value);
    return 0;
}

static int add_server(reader_t *self, mm_str_t value)
{
    mm_key_t *key = &self->key;
    char server[MM_KEY_TEXT];
    if (key->server_count == MM_SERVER_KEYS)
        return mm_private_line_refuse(&self->line, self->error,
                                      "there are more than %d server keys: remove old ones",
                                      MM_SERVER_KEYS);
    int exit_code = parse_key(self, SERVER, server, value);
    if (exit_code != 0)
        return exit_code;
    if (mm_key_trusts(key, server))
        return mm_private_line_refuse(&self->line, self->error,
                                      "this server key is there twice: remove one");
    strcpy(key->server_keys[key->server_count++], server);
    return 0;
}

static int parse_value(reader_t *self, field_t field, mm_str_t value)
{
    mm_key_t *key = &self->key;
    const mm_private_line_t *line = &self->line;
    int shown = value.size < 80 ? (int)value.size : 80;
    switch (field) {
    case ROLE:
        return mm_key_role_from(value, &key->role)
                   ? 0
                   : mm_private_line_refuse(line, self->error,
                                            "'%.*s' is no role: there are publisher, saver, "
                                            "restarter, viewer, operator and consumer",
                                            shown, value.data);
    case NAME:
        return mm_name_from(value, &key->name)
                   ? 0
                   : mm_private_line_refuse(line, self->error,
                                            "'%.*s' is no name: one is 1 to %d of A-Z a-z 0-9 . _ "
                                            "-, and begins with none of . and -",
                                            shown, value.data, MM_NAME_MAX);
    case PUBLIC: return parse_key(self, field, key->public_key, value);
    case SECRET: return parse_key(self, field, key->secret_key, value);
    case SERVER: return add_server(self, value);
    case NOT_AFTER:
        return mm_key_date(value, &key->not_after_ms)
                   ? 0
                   : mm_private_line_refuse(line, self->error,
                                            "'%.*s' is no day: write it as in 2027-12-01", shown,
                                            value.data);
    case FIELDS: break;
    }
    return mm_private_line_refuse(line, self->error,
                                  "there is no such field: they are role, name, public, secret, "
                                  "not-after and server");
}

static int parse_line(reader_t *self)
{
    mm_str_t text = self->line.text;
    const char *sign = memchr(text.data, '=', text.size);
    if (!sign)
        return mm_private_line_refuse(&self->line, self->error,
                                      "it is not of the form FIELD = VALUE");
    mm_str_t name = mm_private_trim((mm_str_t){text.data, (size_t)(sign - text.data)});
    mm_str_t value =
        mm_private_trim((mm_str_t){sign + 1, text.size - (size_t)(sign + 1 - text.data)});
    field_t field = find_field(name);
    if (field < SERVER && self->has[field])
        return mm_private_line_refuse(&self->line, self->error,
                                      "%s comes a second time: remove one of the two lines",
                                      field_names[field]);
    if (field < FIELDS)
        self->has[field] = true;
    return parse_value(self, field, value);
}

__attribute__((format(printf, 2, 3))) static int refuse(reader_t *self, const char *format, ...)
{
    va_list arguments;
    int size = snprintf(self->error, MM_ERROR_MAX, "%.200s: ", self->line.path);
    va_start(arguments, format);
    (void)vsnprintf(self->error + size, MM_ERROR_MAX - (size_t)size, format, arguments);
    va_end(arguments);
    return EX_CONFIG;
}

// Whether the fields that are there belong together.
static int check_whole(reader_t *self)
{
    mm_key_t *key = &self->key;
    char derived[MM_KEY_TEXT];
    for (field_t field = ROLE; field <= SECRET; field++)
        if (!self->has[field])
            return refuse(self, "it has no line '%s = ...': draw a new key, or write it again",
                          field_names[field]);
    if (key->role == MM_KEY_CONSUMER && key->server_count > 0)
        return refuse(self, "it is the consumer's own key, which has no server: remove that line");
    if (key->role != MM_KEY_CONSUMER && key->server_count == 0)
        return refuse(self,
                      "it has no line 'server = ...', the consumer's public key: `mayhem keys "
                      "trust` adds it");
    if (zmq_curve_public(derived, key->secret_key) != 0 || strcmp(derived, key->public_key) != 0)
        return refuse(self,
                      "public does not belong to secret: the file was changed by hand, draw a "
                      "new key");
    return 0;
}

int mm_key_read(const char *path, mm_key_t *ret_self, char error[MM_ERROR_MAX])
{
    char *text = NULL;
    size_t size = 0;
    reader_t reader = {.line = {.path = path}, .key = {.not_after_ms = INT64_MAX}, .error = error};
    int exit_code = mm_private_file_read(path, MM_SECRET_FORBIDS, FILE_MAX, &text, &size, error);
    if (exit_code != 0)
        return exit_code;
    reader.line.rest = (mm_str_t){text, size};
    while (exit_code == 0 && mm_private_line_next(&reader.line))
        exit_code = parse_line(&reader);
    if (exit_code == 0)
        exit_code = check_whole(&reader);
    // Clients know the consumer by it: nobody else may put another one there.
    if (exit_code == 0 && reader.key.role == MM_KEY_CONSUMER)
        exit_code = mm_private_place_check(path, error);
    mm_private_file_free(&text, size);
    if (exit_code == 0)
        *ret_self = reader.key;
    mm_key_clear(&reader.key);
    return exit_code;
}

// ---- writing

int mm_key_write(const mm_key_t *self, const char *path, bool may_replace, char error[MM_ERROR_MAX])
{
    char text[1024], date[MM_KEY_DATE_TEXT];
    bool has_end = self->not_after_ms != INT64_MAX;
    int size = snprintf(text, sizeof text,
                        "# Mayhem Mandrill: a secret key. Keep it to yourself (mode 0600).\n"
                        "role = %s\nname = %s\npublic = %s\nsecret = %s\n%s%s%s",
                        mm_key_role_name(self->role), self->name.text, self->public_key,
                        self->secret_key, has_end ? "not-after = " : "",
                        mm_key_date_print(self->not_after_ms, date), has_end ? "\n" : "");
    for (size_t i = 0; i < self->server_count; i++)
        size += snprintf(text + size, sizeof text - (size_t)size, "server = %s\n",
                         self->server_keys[i]);
    assert(size > 0 && (size_t)size < sizeof text);
    int exit_code = mm_private_file_write(path, (mm_str_t){text, (size_t)size}, may_replace, error);
    explicit_bzero(text, sizeof text);
    return exit_code;
}
