// mayhem keys: who may join a pipeline from other machines.

#include "ctl.h"
#include "keys.h"

#include <string.h>
#include <sysexits.h>

static const char usage[] =
    "usage: mayhem keys new NAME --role ROLE [OPTION]...\n"
    "       mayhem keys list [--json]\n"
    "       mayhem keys revoke NAME [--role ROLE]\n"
    "       mayhem keys rotate [--switch|--finish]\n"
    "       mayhem keys trust PUBLIC|- --key FILE\n\n"
    "The keys by which processes on other machines join a consumer that listens there (--listen).\n"
    "  new     draws a key for NAME, and puts it on the list of those who may come in\n"
    "  list    whose keys are on that list, and for how long\n"
    "  revoke  takes a key off the list: a running consumer throws it out at once\n"
    "  rotate  another key for the consumer itself, in three steps\n"
    "  trust   adds a key of the consumer to a client's file, where that is on another machine\n";

enum {
    ROLE = 1,
    NOT_AFTER = 2,
    JSON = 4,
    SWITCH = 8,
    FINISH = 16,
    KEY = 32,
    ONLY = 64,
    NAME = 128
};

static const struct {
    const char *word;
    keys_command_t *run;
    unsigned takes, needs;
    const char *form;
} commands[] = {
    {"new", keys_new, NAME | ROLE | NOT_AFTER, NAME | ROLE, "new NAME --role ROLE"},
    {"list", keys_list, JSON, 0, "list [--json]"},
    {"revoke", keys_revoke, NAME | ROLE, NAME, "revoke NAME [--role ROLE]"},
    {"rotate", keys_rotate, SWITCH | FINISH, 0, "rotate [--switch|--finish]"},
    {"trust", keys_trust, NAME | KEY | ONLY, NAME | KEY, "trust PUBLIC|- --key FILE"},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static unsigned given_of(const keys_options_t *options)
{
    return (options->role ? ROLE : 0U) | (options->not_after ? NOT_AFTER : 0U) |
           (options->is_json ? JSON : 0U) | (options->switches ? SWITCH : 0U) |
           (options->finishes ? FINISH : 0U) | (options->key ? KEY : 0U) |
           (options->only ? ONLY : 0U) | (options->name ? NAME : 0U);
}

static int parse(int argc, char **argv, keys_options_t *self, char ***ret_names)
{
    const ctl_option_t options[] = {
        {.name = "role",
         .argument = "ROLE",
         .help = "publisher, saver, restarter, viewer or operator",
         .text = &self->role},
        {.name = "keys",
         .argument = "DIR",
         .help = "their folder (MAYHEM_KEYS, or keys in the pipeline's)",
         .text = &self->keys},
        TARGET_DIR_OPTION(&self->target),
        {.name = "not-after",
         .argument = "DATE",
         .help = "new: the last day of the key, as in 2027-12-01",
         .text = &self->not_after},
        {.name = "switch", .help = "rotate: the next key takes over", .flag = &self->switches},
        {.name = "finish", .help = "rotate: forget the former key", .flag = &self->finishes},
        {.name = "key", .argument = "FILE", .help = "trust: the client's file", .text = &self->key},
        {.name = "only", .help = "trust: and no other key any more", .flag = &self->only},
        {.name = "json", .help = "list: as a JSON object", .flag = &self->is_json},
        {.name = NULL}};
    return ctl_options(argc, argv, usage, options, ret_names);
}

int ctl_keys(int argc, char **argv)
{
    keys_options_t options = {.name = NULL};
    char **names;
    size_t i = 0;
    int exit_code = parse(argc, argv, &options, &names);
    if (exit_code != 0)
        return exit_code;
    if (!names[0])
        return ctl_fail(EX_USAGE, "say one of new, list, revoke, rotate and trust: mayhem keys "
                                  "list; mayhem keys --help says more");
    while (i < COMMANDS && strcmp(commands[i].word, names[0]) != 0)
        i++;
    if (i == COMMANDS)
        return ctl_fail(EX_USAGE,
                        "there is no mayhem keys %.100s; there are new, list, revoke, rotate and "
                        "trust",
                        names[0]);
    options.name = names[1];
    unsigned given = given_of(&options);
    if ((given & ~commands[i].takes) != 0 || (commands[i].needs & ~given) != 0 ||
        (names[1] && names[2]))
        return ctl_fail(EX_USAGE, "it is: mayhem keys %s", commands[i].form);
    return commands[i].run(&options);
}
