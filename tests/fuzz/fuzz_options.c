// Fuzzing the options: program, flags and an INI file out of the bytes, through mm_options_parse.
// It never exits or aborts; it refuses with 64 or 78 and one sentence; what it accepts is printed
// by
// --print-config so that it reads back as the same. The file is in memory.
//
// Input: a byte for the program; flags, each ended by a NUL byte; an empty one; the file.

#include "fuzz.h"
#include "options.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FLAGS_MAX 8

static int descriptor = -1; // of the file
static char path[64];
static FILE *said, *printed, *real_out, *real_err; // stderr and stdout of the options
static char said_text[1 << 16], printed_text[1 << 16], first_text[1 << 16];

static void start(void)
{
    if (descriptor >= 0)
        return;
    descriptor = memfd_create("fuzz.ini", MFD_CLOEXEC);
    assert(descriptor >= 0);
    (void)snprintf(path, sizeof path, "--config=/proc/self/fd/%d", descriptor);
    said = fmemopen(said_text, sizeof said_text, "w");
    printed = fmemopen(printed_text, sizeof printed_text, "w");
    assert(said && printed);
}

static void write_file(const void *data, size_t size)
{
    int rc = ftruncate(descriptor, 0);
    assert(rc == 0);
    ssize_t written = size ? pwrite(descriptor, data, size, 0) : 0;
    assert(written == (ssize_t)size);
}

// As the program would: returns whether it would start. What it says is in said_text, what it
// prints in printed_text.
static bool parse(mm_program_t program, int argc, char **argv, mm_options_t *ret_options,
                  int *ret_code)
{
    rewind(said);
    rewind(printed);
    real_out = stdout;
    real_err = stderr;
    stdout = printed;
    stderr = said;
    bool starts = mm_options_parse(program, argc, argv, ret_options, ret_code);
    stdout = real_out;
    stderr = real_err;
    (void)putc('\0', said);
    (void)putc('\0', printed);
    (void)fflush(said);
    (void)fflush(printed);
    return starts;
}

// The values of --print-config are, as a file, the same options. Comments name where they are from.
static void check_printed(mm_program_t program)
{
    mm_options_t options;
    char print[] = "--print-config", name[] = "program";
    char *argv[] = {name, path, print, NULL};
    int code = -1;
    memcpy(first_text, printed_text, sizeof first_text);
    write_file(first_text, strlen(first_text));
    bool starts = parse(program, 3, argv, &options, &code);
    assert(!starts && code == 0 && *said_text == '\0');
    char *first_rest = first_text, *rest = printed_text;
    while (first_rest && rest) {
        const char *first = strsep(&first_rest, "\n"), *now = strsep(&rest, "\n");
        assert(*first == '#' ? *now == '#' : strcmp(first, now) == 0);
    }
    assert(!first_rest && !rest);
}

static void check_started(mm_options_t *options)
{
    assert(options->lost_after_ms >= 2 * options->heartbeat_ms && *options->id &&
           *options->consumer);
    assert(options->slots >= 1 && options->slots <= MM_SLOTS_MAX);
    mm_options_free(options);
    mm_options_free(options); // idempotent
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    start();
    if (size == 0)
        return 0;
    mm_program_t program = (mm_program_t)(data[0] % 4);
    bool prints = data[0] & 4;
    char *text = malloc(size); // what follows the first byte, and a NUL
    assert(text);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    char print[] = "--print-config", name[] = "program";
    char *argv[FLAGS_MAX + 4] = {name, path}, *at = text, *end = text + size - 1;
    int argc = 2;
    while (at < end && *at != '\0' && argc < FLAGS_MAX + 2) {
        argv[argc++] = at;
        at += strlen(at) + 1;
    }
    if (prints)
        argv[argc++] = print;
    size_t used = at < end ? (size_t)(at + 1 - text) : size - 1;
    write_file(text + used, size - 1 - used);
    mm_options_t options = {0};
    int code = -1;
    if (parse(program, argc, argv, &options, &code)) {
        assert(*said_text == '\0' && code == -1);
        check_started(&options);
    } else if (code == 0) {
        assert(*said_text == '\0' && *printed_text != '\0');
        if (*printed_text == '[')
            check_printed(program);
    } else {
        assert((code == 64 || code == 78) && *printed_text == '\0');
        assert(strncmp(said_text, "mayhem-", 7) == 0 && said_text[strlen(said_text) - 1] == '\n');
    }
    free(text);
    return 0;
}
