// See host_grammar.h. Nearly every host is a plain name, which is looked at by the register.

#include "host_grammar.h"
#include "ip_address.h"

#include <stdarg.h>
#include <stdio.h>

#define LABEL_MAX 63 // RFC 1035, 2.3.4

// Returns false.
__attribute__((format(printf, 2, 3))) static bool refuse(char why[HOST_GRAMMAR_WHY_MAX],
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(why, HOST_GRAMMAR_WHY_MAX, format, arguments);
    va_end(arguments);
    return false;
}

// The precision and text of a part of the host that is to be shown.
#define SHOWN(part) (int)(part).size, (part).data

static mm_str_t before(mm_str_t text, const char *at)
{
    return (mm_str_t){text.data, (size_t)(at - text.data)};
}

static mm_str_t behind(mm_str_t text, const char *at)
{
    return (mm_str_t){at + 1, (size_t)(text.data + text.size - at - 1)};
}

static const char *find(mm_str_t text, char c)
{
    return text.size > 0 ? memchr(text.data, c, text.size) : NULL;
}

static bool is_all_digits(mm_str_t text)
{
    size_t i = 0;
    while (i < text.size && mm_is_digit(text.data[i]))
        i++;
    return i > 0 && i == text.size;
}

static bool is_port(mm_str_t text)
{
    return text.size <= 5 && is_all_digits(text);
}

// Whether it may be shown in the form that works: it has no byte of another form.
static bool is_showable(mm_str_t text)
{
    return text.size > 0 && mm_host_complaint(text) == NULL;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

// Whether two dots are beside each other: of eight places at a time, a byte of `others` is zero
// where a dot is in both.
static bool has_double_dot(mm_str_t text)
{
    const size_t step = sizeof(uint64_t);
    if (text.size <= step) {
        for (size_t i = 1; i < text.size; i++)
            if (text.data[i] == '.' && text.data[i - 1] == '.')
                return true;
        return false;
    }
    for (size_t i = 0;; i += step) {
        size_t last = text.size - step - 1, at = i < last ? i : last;
        uint64_t here, next;
        memcpy(&here, text.data + at, step);
        memcpy(&next, text.data + at + 1, step);
        uint64_t others = (here ^ EACH('.')) | (next ^ EACH('.'));
        if (((others - EACH(1)) & ~others & EACH(0x80)) != 0)
            return true;
        if (at == last)
            return false;
    }
}

bool host_grammar_is_plain(mm_str_t text)
{
    _Static_assert(MM_NAME_MAX <= LABEL_MAX, "no label is too long");
    return mm_is_name(text) && !mm_is_digit(text.data[0]) && !has_double_dot(text);
}

// ---- what a host is taken for

// "[2001:db8::1]" and "[2001:db8::1]:22"
static bool refuse_brackets(mm_str_t host, char *why)
{
    const char *end = find(host, ']');
    mm_str_t inner = end ? before(behind(host, host.data), end) : (mm_str_t){0};
    if (host.data[0] != '[' || !end || !mm_is_ip_address(inner))
        return refuse(why,
                      "it looks like a range: write each host on a line of its own, or make the "
                      "list an Ansible inventory, which begins with a section, as in [web], and "
                      "has ranges as web-[01:20]");
    mm_str_t port = behind(host, end);
    if (port.size > 1 && is_port(behind(port, port.data)))
        return refuse(why,
                      "write the address without brackets, and the port as an attribute: "
                      "%.*s port=%.*s",
                      SHOWN(inner), SHOWN(behind(port, port.data)));
    return refuse(why, "write the address without brackets: %.*s", SHOWN(inner));
}

static bool refuse_user(mm_str_t host, const char *at, char *why)
{
    mm_str_t user = before(host, at), name = behind(host, at);
    const char *colon = find(name, ':');
    mm_str_t port = colon && !mm_is_ip_address(name) ? behind(name, colon) : (mm_str_t){0};
    if (is_port(port))
        name = before(name, colon);
    if (!is_showable(user) || !is_showable(name))
        return refuse(why, "it has a user: write the host alone, and user=NAME behind it");
    if (is_port(port))
        return refuse(why, "write user and port as attributes: %.*s user=%.*s port=%.*s",
                      SHOWN(name), SHOWN(user), SHOWN(port));
    return refuse(why, "write the user as an attribute: %.*s user=%.*s", SHOWN(name), SHOWN(user));
}

static bool refuse_slash(mm_str_t host, const char *slash, char *why)
{
    mm_str_t kind = before(host, slash);
    if (mm_is_ip_address(kind))
        return refuse(why, "it is a network: write each address on a line of its own");
    if (slash > host.data && slash[-1] == ':')
        return refuse(why, "it is a URL: write the host alone, and user=NAME or port=N behind it");
    if (mm_str_equal(kind, mm_str("node")) || mm_str_equal(kind, mm_str("nodes")))
        return refuse(why, "it looks like the output of kubectl: write the name without %.*s/",
                      SHOWN(kind));
    return refuse(why, "it is a path: write the host alone");
}

// Bytes that no host has, by which other forms are known. True: there is none of them.
static bool check_bytes(mm_str_t host, char *why)
{
    const char *at;
    if (find(host, '[') || find(host, ']'))
        return refuse_brackets(host, why);
    if ((at = find(host, '/')) != NULL)
        return refuse_slash(host, at, why);
    if ((at = find(host, '@')) != NULL)
        return refuse_user(host, at, why);
    if (find(host, '{') || find(host, '}'))
        return refuse(why, "it looks like a range: write each host on a line of its own");
    if (find(host, '*') || find(host, '?'))
        return refuse(why, "it looks like a pattern: write the hosts, and choose a part of them "
                           "with --only");
    if (find(host, ',') || find(host, ';'))
        return refuse(why, "it looks like several hosts, or CSV: write one host a line, and what "
                           "belongs to it as key=value behind it");
    if ((at = find(host, '%')) != NULL && mm_is_ip_address(before(host, at)))
        return refuse(why, "it is an address with a zone: write it without one, or give the host "
                           "a name");
    return true;
}

// A host with colons that is no address.
static bool refuse_colons(mm_str_t host, char *why)
{
    const char *first = find(host, ':');
    mm_str_t name = before(host, first), port = behind(host, first);
    if (host.size == 1)
        return refuse(why, "it has no name");
    bool is_one = !find(port, ':');
    if (is_one && port.size == 0)
        return refuse(why, "it ends with a colon, as a key of YAML does: plain lists, JSON Lines "
                           "and Ansible inventories as INI are read; ansible-inventory --list has "
                           "the hosts of the others");
    if (is_one && is_port(port) && is_showable(name))
        return refuse(why, "write the port as an attribute: %.*s port=%.*s", SHOWN(name),
                      SHOWN(port));
    return refuse(why, is_one
                           ? "a host has a colon in an IPv6 address only: write a port as port=N "
                             "behind the host"
                           : "it has colons and is no valid IPv6 address, as 2001:db8::1 is");
}

// As inet_aton takes one: that a name is read as an address depends on the program that reads it.
static bool is_number(mm_str_t label)
{
    size_t i = 2;
    if (is_all_digits(label))
        return true;
    if (label.size < 3 || label.data[0] != '0' || (label.data[1] | 0x20) != 'x')
        return false;
    while (i < label.size &&
           mm_hex_value(mm_is_digit(label.data[i]) ? label.data[i]
                                                   : (char)(label.data[i] | 0x20)) >= 0)
        i++;
    return i == label.size;
}

// Labels, of which the last one may be empty behind a final dot.
static bool check_labels(mm_str_t host, char *why)
{
    bool is_numeric = true;
    for (mm_str_t rest = host; rest.size > 0;) {
        const char *dot = find(rest, '.');
        mm_str_t label = dot ? before(rest, dot) : rest;
        if (label.size == 0)
            return refuse(why, host.size == 1 ? "it has no name"
                                              : "it has a dot too many: labels stand between dots");
        if (label.size > LABEL_MAX)
            return refuse(why, "its label %.20s... is longer than %d bytes", label.data, LABEL_MAX);
        is_numeric = is_numeric && is_number(label);
        rest = dot ? behind(rest, dot) : (mm_str_t){0};
    }
    bool is_one_number = is_all_digits(host);
    if (is_numeric && !is_one_number)
        return refuse(why, "it has only numbers and is no IPv4 address, which is four numbers up "
                           "to 255 without leading zeros, as in 10.0.0.1");
    return true;
}

// "10.0.0.1-20" and "10.0.0.1-10.0.0.20"
static bool check_range(mm_str_t host, char *why)
{
    const char *dash = find(host, '-');
    if (!dash || !mm_is_ip_address(before(host, dash)))
        return true;
    mm_str_t end = behind(host, dash);
    for (size_t i = 0; i < end.size; i++)
        if (!mm_is_digit(end.data[i]) && end.data[i] != '.')
            return true;
    return refuse(why, "it looks like a range of addresses: write each on a line of its own");
}

bool host_grammar_check(mm_str_t host, char why[HOST_GRAMMAR_WHY_MAX])
{
    if (host_grammar_is_plain(host))
        return true;
    const char *complaint = mm_host_complaint(host);
    if (!complaint && mm_is_ip_address(host))
        return true;
    if (complaint && host.size <= MM_HOST_MAX && !check_bytes(host, why))
        return false;
    if (complaint)
        return refuse(why, "%s", complaint);
    if (find(host, ':'))
        return refuse_colons(host, why);
    return check_labels(host, why) && check_range(host, why);
}
