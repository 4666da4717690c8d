// Runs a fuzz target over the files of a folder, without a fuzzer: `fuzz_replay_TARGET TARGET
// FOLDER`. So what was once found is looked for in every `make check`, with any compiler.

#include "fuzz.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char path[4096]; // of the input that runs

static void on_crash(int number)
{
    static const char said[] = "FAIL fuzz: ";
    (void)!write(STDOUT_FILENO, said, sizeof said - 1);
    (void)!write(STDOUT_FILENO, path, strlen(path));
    (void)!write(STDOUT_FILENO, "\n", 1);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

static int replay(void)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    size_t size = 0, capacity = 0;
    uint8_t *data = NULL;
    for (int c; (c = getc(file)) != EOF;) {
        if (size == capacity) {
            capacity = capacity ? 2 * capacity : 4096;
            uint8_t *larger = realloc(data, capacity);
            if (!larger)
                abort();
            data = larger;
        }
        data[size++] = (uint8_t)c;
    }
    (void)fclose(file);
    uint8_t *exact = malloc(size ? size : 1); // one byte too many read is seen
    if (!exact)
        abort();
    if (size > 0)
        memcpy(exact, data, size);
    free(data);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fprintf(stderr, "usage: %s TARGET FOLDER\n", argv[0]);
        return 64;
    }
    static const int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        (void)signal(signals[i], on_crash);
    int count = 0;
    DIR *folder = opendir(argv[2]);
    for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;) {
        if (*entry->d_name == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", argv[2], entry->d_name);
        if (replay() == 0)
            count++;
    }
    if (folder)
        (void)closedir(folder);
    (void)printf("%s fuzz: %s (%d inputs)\n", count > 0 ? "PASS" : "FAIL", argv[1], count);
    return count > 0 ? 0 : 1;
}
