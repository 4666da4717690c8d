// mayhem keys trust: a client's file on another machine learns a public key of the consumer.

#include "ctl.h"
#include "key_folder.h"
#include "keys.h"

#include <string.h>
#include <sysexits.h>

// PUBLIC, or the only line of standard input when it is "-": a key has characters that a shell
// reads.
static int read_public(const char *typed, char ret_public[MM_KEY_TEXT])
{
    char line[256] = "", fault[MM_KEY_FAULT];
    bool is_typed = strcmp(typed, "-") != 0;
    if (!is_typed && (!fgets(line, sizeof line, stdin) || getc(stdin) != EOF))
        return ctl_fail(EX_USAGE, "on standard input there must be one line, with the public key");
    mm_str_t text = mm_str(is_typed ? typed : line);
    while (text.size > 0 && strchr(" \t\r\n", text.data[text.size - 1]))
        text.size--;
    while (text.size > 0 && strchr(" \t", *text.data))
        text.data++, text.size--;
    if (!mm_key_is_valid(text))
        return ctl_fail(
            EX_USAGE,
            "%s is no public key (%s): type it in single quotes, behind --, or give - and the key "
            "on standard input",
            is_typed ? "that" : "the line", mm_key_fault(text, fault));
    memcpy(ret_public, text.data, text.size);
    ret_public[text.size] = '\0';
    return 0;
}

static int check(const mm_key_t *key, const char *public_key, bool only, const char *path)
{
    if (key->role == MM_KEY_CONSUMER)
        return ctl_fail(EX_DATAERR, "%s is the consumer's own key, which trusts nobody", path);
    if (strcmp(key->public_key, public_key) == 0)
        return ctl_fail(EX_DATAERR,
                        "that is the public key of %s itself, and not the consumer's: `mayhem keys "
                        "list` shows that",
                        path);
    if (!only && !mm_key_trusts(key, public_key) && key->server_count == MM_SERVER_KEYS)
        return ctl_fail(EX_DATAERR,
                        "%s has %d server keys already: remove one, or --only leaves no other one",
                        path, MM_SERVER_KEYS);
    return 0;
}

int keys_trust(keys_options_t *options)
{
    char public_key[MM_KEY_TEXT], error[MM_ERROR_MAX];
    mm_key_t key;
    int exit_code = read_public(options->name, public_key);
    if (exit_code != 0)
        return exit_code;
    exit_code = mm_key_read(options->key, &key, error);
    if (exit_code != 0)
        return ctl_fail(exit_code, "%s", error);
    exit_code = check(&key, public_key, options->only, options->key);
    bool is_known = mm_key_trusts(&key, public_key) && (!options->only || key.server_count == 1);
    if (exit_code == 0 && !is_known) {
        if (options->only)
            key.server_count = 0;
        if (!mm_key_trusts(&key, public_key))
            strcpy(key.server_keys[key.server_count++], public_key);
        exit_code = mm_key_write(&key, options->key, true, error);
        if (exit_code != 0)
            (void)ctl_fail(exit_code, "%s", error);
    }
    const char *next = options->only
                           ? "; start its client again, which trusts the others until then"
                           : "; its client reads that when it does not get in";
    if (exit_code == 0)
        (void)printf("%s trusts %s%s%s\n", options->key, options->only ? "no key but " : "",
                     public_key, is_known ? " already" : next);
    mm_key_clear(&key);
    return exit_code == 0 ? ctl_end_output(true) : exit_code;
}
