// One value of an option: from text to its field, within its limits, and back. A printed value
// reads back as the same value.

#include "options_table.h"

#include "duration.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void *field_of(mm_options_t *options, const mm_row_t *row)
{
    return (char *)options + row->offset;
}

static bool is_in_limits(const mm_row_t *row, int64_t number)
{
    return number >= row->low && number <= row->high;
}

// Returns false.
__attribute__((format(printf, 2, 3))) static bool complain(char complaint[MM_COMPLAINT],
                                                           const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(complaint, MM_COMPLAINT, format, arguments);
    va_end(arguments);
    return false;
}

static bool complain_of_durations(const mm_row_t *row, char complaint[MM_COMPLAINT])
{
    char low[MM_DURATION_TEXT], high[MM_DURATION_TEXT];
    return complain(complaint, "it must be from %s to %s", mm_duration_print(row->low, low),
                    mm_duration_print(row->high, high));
}

static bool parse_integer(const mm_row_t *row, const char *text, int64_t *ret_number,
                          char complaint[MM_COMPLAINT])
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || text[digits] != '\0')
        return complain(complaint, "it must be a whole number without sign, unit or blanks");
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    if (errno != 0 || !is_in_limits(row, number))
        return complain(complaint, "it must be from %lld to %lld", (long long)row->low,
                        (long long)row->high);
    *ret_number = number;
    return true;
}

// What a rate may count jobs by, in the order in which one is printed.
static const struct {
    const char *name;
    double seconds;
} rate_units[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
#define RATE_UNITS (sizeof rate_units / sizeof rate_units[0])

// "5", "0.5/s", "6/m", "10/h". A number has at most six decimals, and a double keeps them exactly
// enough within the limits: so a printed rate reads back as the same.
static bool parse_rate(const mm_row_t *row, const char *text, double *ret_rate,
                       char complaint[MM_COMPLAINT])
{
    mm_decimal_t decimal;
    size_t unit = 0;
    if (strcmp(text, "max") == 0) {
        *ret_rate = MM_RATE_MAX;
        return true;
    }
    size_t used = mm_decimal_read(mm_str(text), &decimal);
    if (used > 0 && text[used] == '/')
        while (unit < RATE_UNITS && strcmp(text + used + 1, rate_units[unit].name) != 0)
            unit++;
    if (used == 0 || unit == RATE_UNITS || (text[used] != '\0' && text[used] != '/'))
        return complain(complaint, "a rate is a number of jobs a second, a minute, an hour or a "
                                   "day, as in 5, 0.5/s, 6/m, 10/h or 1/d; or max");
    double number = (double)decimal.whole + (double)decimal.millionth / 1e6;
    double rate = number / rate_units[unit].seconds;
    if (number > (double)row->high || (rate > 0 && rate < 1.0 / 86400))
        return complain(complaint, "it must be 0, max, or from 1/d to %lld", (long long)row->high);
    *ret_rate = rate;
    return true;
}

static void print_rate(double rate, FILE *file)
{
    char text[64];
    size_t unit = 0;
    if (rate < 0) {
        fputs("max", file);
        return;
    }
    do {
        (void)snprintf(text, sizeof text, "%.6f", rate * rate_units[unit].seconds);
    } while (strtod(text, NULL) / rate_units[unit].seconds != rate && ++unit < RATE_UNITS);
    size_t size = strlen(text);
    while (text[size - 1] == '0')
        size--;
    size -= text[size - 1] == '.';
    fprintf(file, unit == 0 || unit == RATE_UNITS ? "%.*s" : "%.*s/%s", (int)size, text,
            rate_units[unit % RATE_UNITS].name);
}

static bool parse_duration(const mm_row_t *row, const char *text, int64_t *ret_ms,
                           char complaint[MM_COMPLAINT])
{
    int64_t ms;
    const char *why = mm_duration_parse(mm_str(text), &ms);
    if (why != NULL)
        return complain(complaint, "%s", why);
    if (!is_in_limits(row, ms))
        return complain_of_durations(row, complaint);
    *ret_ms = ms;
    return true;
}

// "A..B", or one duration for both.
static bool parse_range(const mm_row_t *row, const char *text, mm_range_t *ret_range,
                        char complaint[MM_COMPLAINT])
{
    const char *dots = strstr(text, "..");
    mm_str_t low = mm_str(text), high = low;
    if (dots != NULL) {
        low.size = (size_t)(dots - text);
        high = mm_str(dots + 2);
    }
    mm_range_t range;
    const char *why = mm_duration_parse(low, &range.low_ms);
    if (why == NULL)
        why = mm_duration_parse(high, &range.high_ms);
    if (why != NULL)
        return complain(complaint, "%s; a range is two of them, as in 100ms..10s", why);
    if (range.low_ms > range.high_ms)
        return complain(complaint, "the range begins above its end: swap the two");
    if (!is_in_limits(row, range.low_ms) || !is_in_limits(row, range.high_ms))
        return complain_of_durations(row, complaint);
    *ret_range = range;
    return true;
}

static bool parse_percent(const mm_row_t *row, const char *text, int64_t *ret_ppm,
                          char complaint[MM_COMPLAINT])
{
    mm_decimal_t decimal;
    int64_t ppm;
    size_t used = mm_decimal_read(mm_str(text), &decimal);
    if (used == 0 || strcmp(text + used, "%") != 0)
        return complain(complaint, "a share is a number with a percent sign, as in 25%%");
    if (!mm_decimal_scale(decimal, 10000, &ppm) || !is_in_limits(row, ppm))
        return complain(complaint, "it must be from 0%% to 100%%, with four decimals at most");
    *ret_ppm = ppm;
    return true;
}

// "5", "25%".
static bool parse_amount(const mm_row_t *row, const char *text, mm_amount_t *ret_amount,
                         char complaint[MM_COMPLAINT])
{
    mm_amount_t amount;
    const char *why = mm_amount_parse(mm_str(text), &amount);
    if (*text == '\0' || strcmp(text, "0") == 0)
        amount = (mm_amount_t){0};
    else if (why)
        return complain(complaint, "%s", why);
    else if (!is_in_limits(row, amount.value))
        return complain(complaint, "it must be from %lld to %lld", (long long)row->low,
                        (long long)row->high);
    *ret_amount = amount;
    return true;
}

static void print_amount(mm_amount_t amount, FILE *file)
{
    char text[MM_AMOUNT_TEXT];
    fputs(amount.is_set ? mm_amount_print(amount, text) : "0", file);
}

// "0,255"; an empty list has none.
static bool parse_codes(const char *text, mm_codes_t *ret_codes, char complaint[MM_COMPLAINT])
{
    mm_codes_t codes = {0};
    for (const char *at = text; *text != '\0'; at++) {
        size_t digits = strspn(at, "0123456789");
        long code = digits > 0 && digits <= 3 ? strtol(at, NULL, 10) : 256;
        at += digits;
        if (code > 255 || (*at != ',' && *at != '\0'))
            return complain(complaint, "it is a list of exit codes from 0 to 255 with commas "
                                       "between them, as in 0,255");
        uint8_t bit = (uint8_t)(1U << (unsigned)(code % 8));
        codes.count = (uint16_t)(codes.count + ((codes.bits[code / 8] & bit) == 0));
        codes.bits[code / 8] |= bit;
        if (*at == '\0')
            break;
    }
    *ret_codes = codes;
    return true;
}

// "6:00" or "06:00"; an empty text is none.
static bool parse_daytime(const char *text, int64_t *ret_minute, char complaint[MM_COMPLAINT])
{
    const char *colon = strchr(text, ':');
    long hour = 0, minute = 0;
    bool is_time = colon && colon > text && colon - text <= 2 && strlen(colon) == 3 &&
                   strspn(text, "0123456789") == (size_t)(colon - text) &&
                   strspn(colon + 1, "0123456789") == 2;
    if (is_time) {
        hour = strtol(text, NULL, 10);
        minute = strtol(colon + 1, NULL, 10);
    }
    if (*text != '\0' && (!is_time || hour > 23 || minute > 59))
        return complain(complaint, "it must be a time of the day, as in 06:00");
    *ret_minute = *text != '\0' ? 60 * hour + minute : -1;
    return true;
}

// "A..B", one port, or 0.
static bool parse_ports(const mm_row_t *row, const char *text, mm_ports_t *ret_ports,
                        char complaint[MM_COMPLAINT])
{
    unsigned first = 0, last = 0;
    int one = 0, both = 0;
    bool is_number = *text >= '0' && *text <= '9' && strlen(text) <= strlen("65535..65535");
    if (is_number)
        (void)sscanf(text, "%5u%n..%5u%n", &first, &one, &last, &both);
    const char *end = both > 0 ? text + both : text + one;
    if (both == 0)
        last = first;
    if (!is_number || *end != '\0' || (both > 0 && (text[one + 2] < '0' || text[one + 2] > '9')))
        return complain(complaint, "it must be two ports with .. between them, as in 7100..7199");
    if (strcmp(text, "0") != 0 &&
        (first > last || !is_in_limits(row, first) || !is_in_limits(row, last)))
        return complain(complaint, "it must be from %lld to %lld, the lower port first",
                        (long long)row->low, (long long)row->high);
    *ret_ports = (mm_ports_t){first, last};
    return true;
}

static void print_ports(mm_ports_t ports, FILE *file)
{
    if (ports.first == 0)
        fputs("0", file);
    else
        fprintf(file, "%u..%u", ports.first, ports.last);
}

static bool parse_flag(const char *text, bool *ret_flag, char complaint[MM_COMPLAINT])
{
    static const char *const words[][2] = {
        {"no", "yes"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (int value = 0; value <= 1; value++) {
            if (strcmp(text, words[i][value]) == 0) {
                *ret_flag = value == 1;
                return true;
            }
        }
    }
    return complain(complaint, "it must be yes or no");
}

// The number-th word of "one|two|three"; size 0 when there is none.
static mm_str_t choice_word(const mm_row_t *row, int number)
{
    const char *word = row->argument;
    for (; number > 0; number--) {
        word += strcspn(word, "|");
        if (*word == '\0')
            return mm_str("");
        word++;
    }
    return (mm_str_t){.data = word, .size = strcspn(word, "|")};
}

static bool parse_choice(const mm_row_t *row, const char *text, void *ret_choice,
                         char complaint[MM_COMPLAINT])
{
    for (int number = 0; choice_word(row, number).size > 0; number++) {
        if (mm_str_equal(choice_word(row, number), mm_str(text))) {
            // All enums of options.h have the size of an int.
            memcpy(ret_choice, &number, sizeof number);
            return true;
        }
    }
    return complain(complaint, "it must be one of %s", row->argument);
}

// The empty name stands for the program's name.
static bool parse_name(const char *text, const char **ret_text, char complaint[MM_COMPLAINT])
{
    mm_name_t name;
    if (*text != '\0' && !mm_name_from(mm_str(text), &name))
        return complain(complaint,
                        "a name is 1 to %d letters, digits, '.', '_' and '-', not beginning with "
                        "'.' or '-'",
                        MM_NAME_MAX);
    *ret_text = text;
    return true;
}

bool mm_value_parse(mm_options_t *options, const mm_row_t *row, const char *text,
                    char complaint[MM_COMPLAINT])
{
    void *field = field_of(options, row);
    switch (row->kind) {
    case MM_KIND_TEXT:
    case MM_KIND_LIST: *(const char **)field = text; return true;
    case MM_KIND_NAME: return parse_name(text, field, complaint);
    case MM_KIND_FLAG: return parse_flag(text, field, complaint);
    case MM_KIND_INTEGER: return parse_integer(row, text, field, complaint);
    case MM_KIND_RATE: return parse_rate(row, text, field, complaint);
    case MM_KIND_DURATION: return parse_duration(row, text, field, complaint);
    case MM_KIND_RANGE: return parse_range(row, text, field, complaint);
    case MM_KIND_PERCENT: return parse_percent(row, text, field, complaint);
    case MM_KIND_AMOUNT: return parse_amount(row, text, field, complaint);
    case MM_KIND_CODES: return parse_codes(text, field, complaint);
    case MM_KIND_DAYTIME: return parse_daytime(text, field, complaint);
    case MM_KIND_PORTS: return parse_ports(row, text, field, complaint);
    case MM_KIND_CHOICE: return parse_choice(row, text, field, complaint);
    }
    assert(false);
    return false;
}

// Whether an INI file would strip blanks off this text, or break the line.
static bool needs_quotes(const char *text)
{
    size_t size = strlen(text);
    if (size == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        if ((unsigned char)text[i] < ' ')
            return true;
    }
    return text[0] == '"' || text[0] == ' ' || text[size - 1] == ' ';
}

static void print_text(const char *text, FILE *file)
{
    if (!needs_quotes(text)) {
        fputs(text, file);
        return;
    }
    fputc('"', file);
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            fprintf(file, "\\%c", *c);
        else if ((unsigned char)*c < ' ')
            fprintf(file, "\\x%02x", (unsigned)*c);
        else
            fputc(*c, file);
    }
    fputc('"', file);
}

static void print_duration(int64_t ms, FILE *file)
{
    char buffer[MM_DURATION_TEXT];
    fputs(mm_duration_print(ms, buffer), file);
}

static void print_codes(const mm_codes_t *codes, FILE *file)
{
    const char *comma = "";
    for (int code = 0; code < 256; code++) {
        if ((codes->bits[code / 8] >> code % 8 & 1) == 0)
            continue;
        fprintf(file, "%s%d", comma, code);
        comma = ",";
    }
}

void mm_value_print(const mm_options_t *options, const mm_row_t *row, FILE *file)
{
    const void *field = (const char *)options + row->offset;
    switch (row->kind) {
    case MM_KIND_TEXT:
    case MM_KIND_LIST:
    case MM_KIND_NAME: print_text(*(const char *const *)field, file); break;
    case MM_KIND_FLAG: fputs(*(const bool *)field ? "yes" : "no", file); break;
    case MM_KIND_INTEGER: fprintf(file, "%lld", (long long)*(const int64_t *)field); break;
    case MM_KIND_RATE: print_rate(*(const double *)field, file); break;
    case MM_KIND_DURATION: print_duration(*(const int64_t *)field, file); break;
    case MM_KIND_RANGE:
        print_duration(((const mm_range_t *)field)->low_ms, file);
        fputs("..", file);
        print_duration(((const mm_range_t *)field)->high_ms, file);
        break;
    case MM_KIND_PERCENT: fprintf(file, "%.10g%%", (double)*(const int64_t *)field / 1e4); break;
    case MM_KIND_AMOUNT: print_amount(*(const mm_amount_t *)field, file); break;
    case MM_KIND_CODES: print_codes(field, file); break;
    case MM_KIND_DAYTIME: {
        int minute = (int)*(const int64_t *)field;
        if (minute >= 0)
            fprintf(file, "%02d:%02d", minute / 60, minute % 60);
        break;
    }
    case MM_KIND_PORTS: print_ports(*(const mm_ports_t *)field, file); break;
    case MM_KIND_CHOICE: {
        int number;
        memcpy(&number, field, sizeof number);
        mm_str_t word = choice_word(row, number);
        fprintf(file, "%.*s", (int)word.size, word.data);
        break;
    }
    }
}

bool mm_value_unquote(char *text)
{
    const char *in = text + 1;
    char *out = text;
    while (*in != '"') {
        if (*in == '\0')
            return false;
        if (*in != '\\') {
            *out++ = *in++;
            continue;
        }
        if (in[1] == '"' || in[1] == '\\') {
            *out++ = in[1];
            in += 2;
        } else if (in[1] == 'x' && mm_hex_value(in[2]) >= 0 && mm_hex_value(in[3]) >= 0) {
            *out++ = (char)(mm_hex_value(in[2]) << 4 | mm_hex_value(in[3]));
            in += 4;
        } else {
            return false;
        }
    }
    if (in[1] != '\0')
        return false;
    *out = '\0';
    return true;
}
