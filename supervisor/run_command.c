// See run_command.h. Texts with a NUL behind each: the folder, the variables, an empty one, the
// arguments.

#include "run_command.h"
#include "caller.h"
#include "run_folder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define PREFIX "MAYHEM_"

extern char **environ;

static void put(FILE *file, const char *text)
{
    (void)fwrite(text, 1, strlen(text) + 1, file);
}

static bool counts(const char *variable)
{
    const char *equals = strchr(variable, '=');
    return strncmp(variable, PREFIX, strlen(PREFIX)) == 0 && equals && equals[1] != '\0';
}

int run_command_write(const char *dir, int argc, char *const argv[])
{
    char path[RUN_PATH_MAX], fresh[RUN_PATH_MAX + 8];
    char *folder = getcwd(NULL, 0);
    (void)snprintf(path, sizeof path, "%s/run.command", dir);
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    FILE *file = folder ? fopen(fresh, "we") : NULL;
    bool is_written = file != NULL;
    if (file) {
        put(file, folder);
        for (char **variable = environ; *variable; variable++)
            if (counts(*variable))
                put(file, *variable);
        put(file, "");
        for (int i = 1; i < argc; i++)
            put(file, argv[i]);
        is_written = !ferror(file);
        is_written = fclose(file) == 0 && is_written && rename(fresh, path) == 0;
    }
    int error = errno;
    free(folder);
    return is_written ? 0 : caller_fail(EX_CANTCREAT, "cannot write %s: %s", path, strerror(error));
}

// All texts of the file; NULL with errno.
static char *read_texts(const char *dir, size_t *ret_size)
{
    char path[RUN_PATH_MAX], *texts = NULL;
    struct stat status;
    (void)snprintf(path, sizeof path, "%s/run.command", dir);
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    if (fstat(fileno(file), &status) == 0 && status.st_size > 0) {
        *ret_size = (size_t)status.st_size;
        texts = malloc(*ret_size);
        assert(texts);
        bool is_whole = fread(texts, 1, *ret_size, file) == *ret_size;
        if (!is_whole || texts[*ret_size - 1] != '\0') {
            free(texts);
            texts = NULL;
        }
    }
    (void)fclose(file);
    if (!texts)
        errno = EILSEQ;
    return texts;
}

static void clear_variables(void)
{
    for (char **variable = environ; *variable;) {
        char *name = counts(*variable) ? strndup(*variable, strcspn(*variable, "=")) : NULL;
        if (name)
            (void)unsetenv(name); // the next one moves here
        else
            variable++;
        free(name);
    }
}

static const char *set_variables(const char *text)
{
    for (; *text; text += strlen(text) + 1) {
        char *variable = strdup(text), *equals = variable ? strchr(variable, '=') : NULL;
        if (equals) {
            *equals = '\0';
            (void)setenv(variable, equals + 1, 1);
        }
        free(variable);
    }
    return text + 1;
}

bool run_command_recall(const char *dir, arguments_t *ret_words, bool *ret_has_config)
{
    size_t size = 0;
    char *texts = read_texts(dir, &size);
    *ret_has_config = false;
    if (!texts || chdir(texts) != 0) {
        int error = errno;
        free(texts);
        errno = error;
        return false;
    }
    clear_variables();
    const char *text = set_variables(texts + strlen(texts) + 1);
    for (; text < texts + size; text += strlen(text) + 1) {
        bool is_config = strcmp(text, "--config") == 0;
        *ret_has_config = *ret_has_config || is_config || strncmp(text, "--config=", 9) == 0;
        if (is_config)
            text += text + 9 < texts + size ? 9 : 0; // and its value
        else if (strncmp(text, "--config=", 9) != 0)
            arguments_add(ret_words, "%s", text);
    }
    free(texts);
    return true;
}
