// See foreign_format.h.

#include "foreign_format.h"
#include "host_words.h"
#include "ip_address.h"

#include <strings.h>

#define WORDS_MAX 4

typedef struct {
    mm_str_t words[WORDS_MAX];
    size_t count; // of those that were looked at
} words_t;

static words_t split(mm_str_t line)
{
    words_t self = {.count = 0};
    for (size_t i = 0; i < line.size && self.count < WORDS_MAX;) {
        size_t start = i;
        while (i < line.size && !host_words_is_blank(line.data[i]))
            i++;
        if (i > start)
            self.words[self.count++] = (mm_str_t){line.data + start, i - start};
        while (i < line.size && host_words_is_blank(line.data[i]))
            i++;
    }
    return self;
}

static bool has(mm_str_t text, const char *what)
{
    return memmem(text.data, text.size, what, strlen(what)) != NULL;
}

static bool begins(mm_str_t text, const char *what)
{
    size_t size = strlen(what);
    return text.size >= size && memcmp(text.data, what, size) == 0;
}

static bool is_one_of(mm_str_t word, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(names[i]) == word.size && strncasecmp(word.data, names[i], word.size) == 0)
            return true;
    return false;
}
#define IS_ONE_OF(word, names) is_one_of((word), (names), sizeof(names) / sizeof *(names))

const char *foreign_bytes(mm_str_t line)
{
    bool has_nul = line.size > 0 && memchr(line.data, '\0', line.size);
    if (begins(line, "\xFF\xFE") || begins(line, "\xFE\xFF"))
        return "it is UTF-16: convert the list with iconv -f UTF-16 -t UTF-8";
    if (has_nul)
        return "it holds NUL bytes, as UTF-16 does: convert the list with iconv -f UTF-16 -t UTF-8";
    if (begins(line, "\x1F\x8B") || begins(line, "PK\x03\x04") ||
        begins(line, "\xFD"
                     "7zXZ") ||
        begins(line, "\x28\xB5\x2F\xFD"))
        return "it is compressed: unpack the list";
    size_t size = line.size;
    while (size > 0 && line.data[size - 1] == '\r')
        size--;
    if (size > 0 && memchr(line.data, '\r', size))
        return "it holds CR within the line, as old Mac files have it at the end of one: convert "
               "the list with tr '\\r' '\\n'";
    return NULL;
}

const char *foreign_header(mm_str_t word)
{
    static const char *const any_case[] = {"hostname", "fqdn"};
    static const char *const capital[] = {"NAME", "Name", "HOST", "Host"};
    bool is_header = IS_ONE_OF(word, any_case);
    for (size_t i = 0; i < sizeof capital / sizeof *capital; i++)
        is_header = is_header || mm_str_equal(word, mm_str(capital[i]));
    return is_header ? "it looks like the header of a table: leave it out (a host of this name is "
                       "written with a dot at its end)"
                     : NULL;
}

// What is seen at the begin of a line.
static const char *by_begin(mm_str_t line, const words_t *words)
{
    mm_str_t first = words->words[0];
    if (begins(line, "<"))
        return "it looks like HTML or XML: is it an error page?";
    if (begins(line, "---") || begins(line, "- ") || begins(line, "%YAML"))
        return "it looks like YAML: plain lists, JSON Lines and Ansible inventories as INI are "
               "read; ansible-inventory --list has the hosts";
    if (begins(line, "[{") || begins(line, "[\"") || mm_str_equal(first, mm_str("[")) ||
        mm_str_equal(first, mm_str("]")) || begins(line, "}") || begins(line, "\""))
        return "it looks like JSON over several lines: JSON Lines has one object a line, as jq -c "
               "'.[]' prints it";
    if (begins(line, "|") || begins(line, "+-"))
        return "it looks like a table: leave only the names of the hosts";
    return NULL;
}

// What is seen in the second word of a line.
static const char *by_words(mm_str_t line, const words_t *words)
{
    static const char *const states[] = {
        "Ready",   "NotReady", "Ready,SchedulingDisabled", "NotReady,SchedulingDisabled",
        "Running", "STATUS"};
    static const char *const keys[] = {"ssh-rsa",
                                       "ssh-ed25519",
                                       "ssh-dss",
                                       "ecdsa-sha2-nistp256",
                                       "ecdsa-sha2-nistp384",
                                       "ecdsa-sha2-nistp521"};
    static const char *const settings[] = {"Host", "HostName", "User", "Port"};
    mm_str_t first = words->words[0], second = words->words[1];
    if (IS_ONE_OF(second, states))
        return "it looks like the output of kubectl: kubectl get nodes -o name | cut -d/ -f2 has "
               "the names alone";
    if (IS_ONE_OF(second, keys))
        return "it looks like a line of known_hosts: leave only the name of the host";
    if (IS_ONE_OF(first, settings) && !has(line, "="))
        return "it looks like a line of an ssh_config: write the host alone";
    if (mm_is_ip_address(first) && !has(second, "="))
        return "it looks like a line of /etc/hosts: write the name alone, or with its address "
               "behind it as address=10.0.0.1";
    if (has(second, ",") && !has(second, "=") && !has(first, ","))
        return "it looks like a line of genders: write what belongs to a host as groups=web,eu and "
               "key=value";
    return NULL;
}

const char *foreign_format(mm_str_t line)
{
    const char *found = foreign_bytes(line);
    words_t words = split(line);
    if (found || words.count == 0)
        return found;
    mm_str_t text = {words.words[0].data, (size_t)(line.data + line.size - words.words[0].data)};
    if (has(text, "\xC2\xA0") || has(text, "\xE2\x80\xAF"))
        return "it holds a no-break space, which looks like a blank: type a blank";
    found = by_begin(text, &words);
    if (found)
        return found;
    if (has(text, ",") && !has(text, "=") && !memchr(text.data, '{', text.size) &&
        !memchr(text.data, '[', text.size) && (words.count == 1 || has(words.words[0], ",")))
        return "it looks like CSV: write one host a line, and what belongs to it as key=value "
               "behind it";
    if (words.words[0].size > 1 && words.words[0].data[words.words[0].size - 1] == ':')
        return "it looks like YAML: plain lists, JSON Lines and Ansible inventories as INI are "
               "read; ansible-inventory --list has the hosts";
    return words.count > 1 ? by_words(text, &words) : NULL;
}
