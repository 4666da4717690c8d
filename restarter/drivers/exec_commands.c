// See exec_commands.h.

#include "exec_commands.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DIGEST_DIGITS 16
#define NAME_MAX      (MM_NAME_MAX - DIGEST_DIGITS - 1) // bytes of the driver's own name

// ---- what it is called

// "ssh" of "ssh" and of "/etc/drivers/ssh.ini"; what cannot be in a name is left out.
static void name_driver(const mm_options_t *options, char ret_name[NAME_MAX + 1])
{
    const char *slash = strrchr(options->driver, '/');
    const char *from = slash ? slash + 1 : options->driver;
    const char *dot = strrchr(from, '.');
    size_t all = dot && strcmp(dot, ".ini") == 0 ? (size_t)(dot - from) : strlen(from), size = 0;
    for (size_t i = 0; i < all && size < NAME_MAX; i++)
        if (strchr("_-.", from[i]) ? size > 0
                                   : (from[i] >= '0' && from[i] <= '9') ||
                                         ((from[i] | 0x20) >= 'a' && (from[i] | 0x20) <= 'z'))
            ret_name[size++] = from[i];
    ret_name[size] = '\0';
    if (size == 0)
        (void)snprintf(ret_name, NAME_MAX + 1, "exec");
}

static size_t count_restarts(const mm_options_t *options)
{
    return options->restart_count > 0 ? options->restart_count : 1;
}

static const char *restart_line(const mm_options_t *options, size_t number)
{
    return options->restart_count > 0 ? options->restarts[number] : options->exec;
}

// FNV-1a, with the NUL that ends it.
static uint64_t digest(uint64_t hash, const char *text)
{
    do
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    while (*text++ != '\0');
    return hash;
}

static void make_name(exec_commands_t *self, const mm_options_t *options)
{
    char name[NAME_MAX + 1];
    uint64_t hash = digest(UINT64_C(0xcbf29ce484222325), options->dry_run ? "dry run" : "");
    name_driver(options, name);
    for (size_t i = 0; i < count_restarts(options); i++)
        hash = digest(hash, restart_line(options, i));
    (void)snprintf(self->name.text, sizeof self->name.text, "%s-%016" PRIx64, name, hash);
}

void exec_commands_describe(const mm_options_t *options)
{
    char name[NAME_MAX + 1];
    name_driver(options, name);
    (void)printf("%s: ", name);
    for (size_t i = 0; i < count_restarts(options); i++)
        (void)printf("%s%s", i > 0 ? " | " : "", restart_line(options, i));
    (void)printf("%s", options->dry_run ? " (dry run)" : "");
}

// ---- open and close

// number: of what restarts a host, from 0.
static bool open_command(const mm_options_t *options, const char *option, size_t number,
                         const char *line, mm_command_t **ret_command, char *complaint)
{
    char name[MM_ORIGIN_TEXT];
    if (*line == '\0')
        return true;
    *ret_command =
        mm_command_new(mm_options_origin(options, option, number, name), line, complaint);
    return *ret_command && mm_command_find(*ret_command, complaint);
}

static bool open_restarts(exec_commands_t *self, const mm_options_t *options, char *complaint)
{
    for (size_t i = 0; i < count_restarts(options); i++) {
        if (!open_command(options, "exec", i, restart_line(options, i), &self->restarts[i],
                          complaint))
            return false;
        self->config.commands++;
    }
    return true;
}

static bool check_ids(const exec_commands_t *self, char *complaint)
{
    const mm_command_t *others[] = {self->verify, self->before, self->after};
    bool names_ids = false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        names_ids = names_ids || (others[i] && mm_command_names_ids(others[i]));
    for (uint32_t i = 0; i < self->config.commands; i++)
        names_ids = names_ids || mm_command_names_ids(self->restarts[i]);
    if (self->skip_if && mm_command_names_ids(self->skip_if)) {
        (void)snprintf(
            complaint, MM_ERROR_MAX,
            "--skip-if names {boot_id} or {machine_id}, which are known only later: take "
            "them out");
        return false;
    }
    if (!names_ids || self->identify)
        return true;
    (void)snprintf(complaint, MM_ERROR_MAX,
                   "a command names {boot_id} or {machine_id}, which are known only with "
                   "--identify: give that, or take them out");
    return false;
}

static void configure(exec_commands_t *self, const mm_options_t *options)
{
    restart_config_t *config = &self->config;
    config->identifies = self->identify != NULL;
    config->allows_unreachable = options->allow_unreachable;
    config->has_health = self->health != NULL;
    config->has_verify = self->verify != NULL;
    config->has_skip = self->skip_if != NULL;
    config->has_before = self->before != NULL;
    config->has_after = self->after != NULL;
    config->tries = (uint32_t)options->attempts;
    config->timeout_ms = options->timeout_ms;
    config->verify_ms = options->verify_timeout_ms;
    config->settle_ms = options->settle_ms;
    config->lost_after_ms = options->lost_after_ms;
    memcpy(config->ok_codes, options->exec_ok.bits, sizeof config->ok_codes);
    if (options->exec_ok.count > 0)
        return;
    config->ok_codes[0] |= 1;
    if (self->identify || self->verify)
        config->ok_codes[255 / 8] |= 1U << 255U % 8U; // ssh's, when the host goes down under it
}

bool exec_commands_open(exec_commands_t *self, const mm_options_t *options,
                        char ret_complaint[MM_ERROR_MAX])
{
    // Where there are ids, what verifies a host tells whether it is well.
    bool is_health = *options->identify != '\0' && *options->verify != '\0';
    const struct {
        const char *option, *line;
        mm_command_t **command;
    } others[] = {{"identify", options->identify, &self->identify},
                  {"health", options->health, &self->health},
                  {"verify", options->verify, is_health ? &self->health : &self->verify},
                  {"skip-if", options->skip_if, &self->skip_if},
                  {"before", options->before, &self->before},
                  {"after", options->after, &self->after}};
    *self = (exec_commands_t){0};
    make_name(self, options);
    if (!open_restarts(self, options, ret_complaint))
        return false;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!open_command(options, others[i].option, 0, others[i].line, others[i].command,
                          ret_complaint))
            return false;
    configure(self, options);
    return check_ids(self, ret_complaint);
}

void exec_commands_close(exec_commands_t *self)
{
    for (size_t i = 0; i < MM_COMMANDS_MAX; i++)
        mm_command_destroy(&self->restarts[i]);
    mm_command_destroy(&self->identify);
    mm_command_destroy(&self->health);
    mm_command_destroy(&self->verify);
    mm_command_destroy(&self->skip_if);
    mm_command_destroy(&self->before);
    mm_command_destroy(&self->after);
}

// ---- the commands

#define OTHERS 6

// Those that do not restart a host; NULL: there is none.
static const mm_command_t *other(const exec_commands_t *self, size_t number)
{
    const mm_command_t *const others[OTHERS] = {self->identify, self->health, self->verify,
                                                self->skip_if,  self->before, self->after};
    return others[number];
}

bool exec_commands_keys(const exec_commands_t *self, mm_attribute_keys_t *keys)
{
    for (uint32_t i = 0; i < self->config.commands; i++)
        if (!mm_command_keys(self->restarts[i], keys))
            return false;
    for (size_t i = 0; i < OTHERS; i++)
        if (other(self, i) && !mm_command_keys(other(self, i), keys))
            return false;
    return true;
}

const char *exec_commands_naming(const exec_commands_t *self, mm_str_t key)
{
    for (uint32_t i = 0; i < self->config.commands; i++)
        if (mm_command_names(self->restarts[i], key))
            return mm_command_name(self->restarts[i]);
    for (size_t i = 0; i < OTHERS; i++)
        if (other(self, i) && mm_command_names(other(self, i), key))
            return mm_command_name(other(self, i));
    assert(false);
    return "";
}

mm_str_t exec_commands_lack(const exec_commands_t *self, mm_str_t attributes)
{
    mm_str_t key = {0};
    for (uint32_t i = 0; i < self->config.commands && key.size == 0; i++)
        key = mm_command_lacks(self->restarts[i], attributes);
    for (size_t i = 0; i < OTHERS && key.size == 0; i++)
        if (other(self, i))
            key = mm_command_lacks(other(self, i), attributes);
    return key;
}

mm_command_t *exec_commands_get(const exec_commands_t *self, restart_what_t what, uint32_t number)
{
    switch (what) {
    case RESTART_IDENTIFY: return self->identify;
    case RESTART_HEALTH: return self->health;
    case RESTART_VERIFY: return self->verify;
    case RESTART_SKIP_IF: return self->skip_if;
    case RESTART_BEFORE: return self->before;
    case RESTART_AFTER: return self->after;
    case RESTART_COMMAND: break;
    }
    assert(number >= 1 && number <= self->config.commands);
    return self->restarts[number - 1];
}
