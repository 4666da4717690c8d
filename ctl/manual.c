// mayhem man and mayhem completion: a manual page and bash's completion, from the commands' own
// help.

#include "child_process.h"
#include "ctl.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

// The help of a command, as it prints it; NULL: it cannot be had.
static char *help_of(const char *name)
{
    size_t size;
    child_end_t end;
    char *program = child_process_sibling("mayhem");
    char *text = child_process_capture(
        (char *[]){program, (char *)(uintptr_t)name, (char[]){"--help"}, NULL}, STDERR_FILENO,
        &size, &end);
    free(program);
    return text;
}

// A text for troff: it reads backslashes, and a dot or a quote at the begin of a line.
static void print_verbatim(const char *text)
{
    bool is_start = true;
    for (; *text; text++) {
        if (is_start && (*text == '.' || *text == '\''))
            (void)fputs("\\&", stdout);
        if (*text == '\\')
            (void)fputs("\\e", stdout);
        else if (*text == '-')
            (void)fputs("\\-", stdout);
        else
            (void)putchar(*text);
        is_start = *text == '\n';
    }
}

int ctl_man(int argc, char **argv)
{
    static const char usage[] =
        "usage: mayhem man\n\nPrints the manual page: mayhem man | man -l -\n";
    int exit_code = ctl_options(argc, argv, usage, &(ctl_option_t){.name = NULL}, NULL);
    if (exit_code != 0)
        return exit_code;
    (void)printf(
        ".TH MAYHEM 1 \"\" \"mayhem %s\"\n.SH NAME\nmayhem \\- restart a fleet of hosts, each "
        "once, and watch it\n.SH SYNOPSIS\n.B mayhem\n.I COMMAND\n[\\fIOPTION\\fR]...\n"
        ".SH COMMANDS\n",
        MM_VERSION);
    for (const ctl_entry_t *entry = ctl_entries; entry->name; entry++)
        (void)printf(".TP\n.B %s\n%s\n", entry->name, entry->help);
    for (const ctl_entry_t *entry = ctl_entries; entry->name; entry++) {
        char *text = help_of(entry->name);
        (void)printf(".SH MAYHEM %s\n.nf\n", entry->name);
        print_verbatim(text ? text : "");
        (void)printf(".fi\n");
        free(text);
    }
    return ctl_end_output(true);
}

int ctl_completion(int argc, char **argv)
{
    static const char usage[] = "usage: mayhem completion\n\n"
                                "Prints bash's completion: eval \"$(mayhem completion)\"\n";
    int exit_code = ctl_options(argc, argv, usage, &(ctl_option_t){.name = NULL}, NULL);
    if (exit_code != 0)
        return exit_code;
    (void)printf("_mayhem() {\n"
                 "    local words=\"");
    for (const ctl_entry_t *entry = ctl_entries; entry->name; entry++)
        (void)printf("%s%s", entry == ctl_entries ? "" : " ", entry->name);
    (void)printf(
        "\"\n"
        "    ((COMP_CWORD == 1)) ||\n"
        "        words=$(\"$1\" \"${COMP_WORDS[1]}\" --help 2>/dev/null | grep -o -- "
        "'--[a-z][a-z-]*')\n"
        "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\")\n"
        "}\n"
        "complete -o default -F _mayhem mayhem\n");
    return ctl_end_output(true);
}
