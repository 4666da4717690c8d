// See private_file.h.

#include "private_file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define PATH_SHOWN 200 // bytes of a path in a sentence

__attribute__((format(printf, 3, 4))) static int complain(int code, char error[MM_ERROR_MAX],
                                                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error, MM_ERROR_MAX, format, arguments);
    va_end(arguments);
    return code;
}

// ---- folders

bool mm_private_folder_of(const char *path, char ret_folder[MM_PRIVATE_PATH])
{
    const char *slash = strrchr(path, '/');
    size_t size = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
    if (size >= MM_PRIVATE_PATH)
        return false;
    memcpy(ret_folder, path, size);
    strcpy(ret_folder + size, size == 0 ? "." : "");
    return true;
}

static bool is_ours(const struct stat *status)
{
    return status->st_uid == geteuid() || status->st_uid == 0;
}

int mm_private_folder_check(const char *folder, char error[MM_ERROR_MAX])
{
    struct stat status;
    if (stat(folder, &status) != 0)
        return complain(EX_NOINPUT, error, "cannot look into %.*s: %s; `mayhem keys new` makes it",
                        PATH_SHOWN, folder, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return complain(EX_NOINPUT, error, "%.*s is no folder: name that of the keys", PATH_SHOWN,
                        folder);
    if (!is_ours(&status))
        return complain(EX_NOPERM, error,
                        "%.*s is another user's (%u), who could put keys there: work as that user, "
                        "or chown it",
                        PATH_SHOWN, folder, (unsigned)status.st_uid);
    if (status.st_mode & MM_LIST_FORBIDS)
        return complain(EX_NOPERM, error,
                        "%.*s has mode %04o, so that others could put keys there: chmod 700 it",
                        PATH_SHOWN, folder, (unsigned)status.st_mode & 07777);
    return 0;
}

#define LINKS_MAX 40 // as the kernel

// Where the symbolic link leads to: relative to its folder, unless it says otherwise. False: it is
// none, or leads to a path that is too long.
static bool follow(const char *folder, char path[MM_PRIVATE_PATH])
{
    char target[MM_PRIVATE_PATH];
    ssize_t size = readlink(path, target, sizeof target);
    if (size <= 0 || (size_t)size >= sizeof target)
        return false;
    target[size] = '\0';
    int length = *target == '/' ? snprintf(path, MM_PRIVATE_PATH, "%s", target)
                                : snprintf(path, MM_PRIVATE_PATH, "%s/%s", folder, target);
    return length < MM_PRIVATE_PATH;
}

int mm_private_place_check(const char *path, char error[MM_ERROR_MAX])
{
    char at[MM_PRIVATE_PATH], folder[MM_PRIVATE_PATH];
    if (snprintf(at, sizeof at, "%s", path) >= (int)sizeof at)
        return complain(EX_NOINPUT, error, "the path %.*s... is too long", PATH_SHOWN, path);
    for (int i = 0; i <= LINKS_MAX; i++) {
        int exit_code =
            mm_private_folder_of(at, folder) ? mm_private_folder_check(folder, error) : EX_NOINPUT;
        if (exit_code != 0 || !follow(folder, at))
            return exit_code;
    }
    return complain(EX_NOINPUT, error, "%.*s is a link that leads to no file", PATH_SHOWN, path);
}

static bool sync_folder(const char *folder)
{
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = descriptor >= 0 && fsync(descriptor) == 0;
    if (descriptor >= 0)
        (void)close(descriptor);
    return is_synced;
}

// ---- reading

static int check_status(const char *path, const struct stat *status, mode_t forbidden,
                        size_t size_max, char error[MM_ERROR_MAX])
{
    bool is_secret = forbidden == MM_SECRET_FORBIDS;
    if (!S_ISREG(status->st_mode))
        return complain(EX_CONFIG, error, "%.*s is a %s: name a file", PATH_SHOWN, path,
                        S_ISDIR(status->st_mode) ? "folder" : "pipe, socket or device");
    if (!is_ours(status))
        return complain(EX_NOPERM, error,
                        "%.*s is another user's (%u): work as that user, or chown it", PATH_SHOWN,
                        path, (unsigned)status->st_uid);
    if (status->st_mode & forbidden)
        return complain(
            EX_NOPERM, error, "%.*s has mode %04o, so that others may %s: chmod %s it%s",
            PATH_SHOWN, path, (unsigned)status->st_mode & 07777,
            is_secret ? "see the secret or change it" : "write to it", is_secret ? "600" : "go-w",
            is_secret ? ", and draw a new key if somebody could have read it" : "");
    if (status->st_size > (off_t)size_max)
        return complain(EX_CONFIG, error,
                        "%.*s has %lld bytes, more than such a file can have: is "
                        "it another one?",
                        PATH_SHOWN, path, (long long)status->st_size);
    return 0;
}

// Whether a line may have this byte.
static bool is_plain(unsigned char byte, bool is_comment)
{
    return byte == '\t' || (byte >= ' ' && byte < 0x7f) || (byte >= 0x80 && is_comment);
}

static int check_text(const char *path, mm_str_t text, char error[MM_ERROR_MAX])
{
    bool is_start = true, is_comment = false;
    size_t number = 1;
    if (text.size == 0)
        return complain(EX_CONFIG, error, "%.*s is empty: it was cut off, or never written",
                        PATH_SHOWN, path);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = (unsigned char)text.data[i];
        if (byte == '\n') {
            is_start = true;
            is_comment = false;
            number++;
            continue;
        }
        is_comment = is_comment || (is_start && byte == '#');
        is_start = is_start && (byte == ' ' || byte == '\t');
        if (!is_plain(byte, is_comment))
            return complain(EX_CONFIG, error, "%.*s:%zu: there is a byte 0x%02x in it%s",
                            PATH_SHOWN, path, number, byte,
                            byte == '\r' ? ": lines end with a newline alone (dos2unix mends it)"
                                         : ", which is no plain text: write the line anew");
    }
    if (text.data[text.size - 1] != '\n')
        return complain(EX_CONFIG, error,
                        "%.*s:%zu: the last line has no newline, and may be cut off: look at it, "
                        "then add one",
                        PATH_SHOWN, path, number);
    return 0;
}

// Reads up to the size; fewer bytes when it has become shorter.
static ssize_t read_all(int descriptor, char *text, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = read(descriptor, text + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

int mm_private_file_read(const char *path, mode_t forbidden, size_t size_max, char **ret_text,
                         size_t *ret_size, char error[MM_ERROR_MAX])
{
    struct stat status;
    // What is opened is what is looked at; a pipe without a writer does not block.
    int descriptor = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        int cause = errno;
        if (descriptor >= 0)
            (void)close(descriptor);
        return complain(EX_NOINPUT, error, "cannot read %.*s: %s; `mayhem keys` makes such files",
                        PATH_SHOWN, path, strerror(cause));
    }
    int exit_code = check_status(path, &status, forbidden, size_max, error);
    if (exit_code != 0) {
        (void)close(descriptor);
        return exit_code;
    }
    size_t capacity = (size_t)status.st_size;
    char *text = malloc(capacity + 1);
    assert(text);
    ssize_t size = read_all(descriptor, text, capacity);
    int cause = errno;
    (void)close(descriptor);
    text[size < 0 ? 0 : size] = '\0';
    if (size < 0)
        exit_code =
            complain(EX_NOINPUT, error, "cannot read %.*s: %s", PATH_SHOWN, path, strerror(cause));
    else
        exit_code = check_text(path, (mm_str_t){text, (size_t)size}, error);
    if (exit_code != 0) {
        mm_private_file_free(&text, capacity);
        return exit_code;
    }
    *ret_text = text;
    *ret_size = (size_t)size;
    return 0;
}

void mm_private_file_free(char **text_p, size_t size)
{
    if (!*text_p)
        return;
    explicit_bzero(*text_p, size);
    free(*text_p);
    *text_p = NULL;
}

// ---- writing

static bool write_all(int descriptor, mm_str_t text)
{
    while (text.size > 0) {
        ssize_t count = write(descriptor, text.data, text.size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        text.data += count;
        text.size -= (size_t)count;
    }
    return true;
}

// Gives the new file its name. link fails when the name is taken, rename would not.
static bool put_in_place(const char *fresh, const char *path, bool may_replace)
{
    if (may_replace)
        return rename(fresh, path) == 0;
    return link(fresh, path) == 0 && unlink(fresh) == 0;
}

int mm_private_file_write(const char *path, mm_str_t text, bool may_replace,
                          char error[MM_ERROR_MAX])
{
    char folder[MM_PRIVATE_PATH], fresh[MM_PRIVATE_PATH];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (!mm_private_folder_of(path, folder) ||
        snprintf(fresh, sizeof fresh, "%s/.%s.XXXXXX", folder, name) >= (int)sizeof fresh)
        return complain(EX_CANTCREAT, error, "cannot make %.*s: its path is too long", PATH_SHOWN,
                        path);
    int descriptor = mkostemp(fresh, O_CLOEXEC); // O_EXCL, 0600
    if (descriptor < 0)
        return complain(EX_CANTCREAT, error, "cannot make a file in %.*s: %s", PATH_SHOWN, folder,
                        strerror(errno));
    bool is_written = write_all(descriptor, text) && fsync(descriptor) == 0;
    int cause = errno;
    if (close(descriptor) != 0 && is_written) {
        is_written = false;
        cause = errno;
    }
    if (is_written && put_in_place(fresh, path, may_replace)) {
        if (sync_folder(folder))
            return 0;
        return complain(EX_IOERR, error, "%.*s is written, but may be lost by a power cut: %s",
                        PATH_SHOWN, path, strerror(errno));
    }
    if (is_written)
        cause = errno;
    (void)unlink(fresh);
    if (cause == EEXIST)
        return complain(EX_CANTCREAT, error, "%.*s exists already", PATH_SHOWN, path);
    return complain(EX_IOERR, error, "cannot write %.*s: %s", PATH_SHOWN, path, strerror(cause));
}

int mm_private_file_rename(const char *from, const char *to, char error[MM_ERROR_MAX])
{
    char folder[MM_PRIVATE_PATH];
    if (rename(from, to) == 0 && mm_private_folder_of(to, folder) && sync_folder(folder))
        return 0;
    return complain(EX_IOERR, error, "cannot rename %.*s to %.*s: %s", PATH_SHOWN, from, PATH_SHOWN,
                    to, strerror(errno));
}

// ---- lines

mm_str_t mm_private_trim(mm_str_t text)
{
    while (text.size > 0 && (*text.data == ' ' || *text.data == '\t'))
        text.data++, text.size--;
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

bool mm_private_line_next(mm_private_line_t *self)
{
    while (self->rest.size > 0) {
        const char *end = memchr(self->rest.data, '\n', self->rest.size);
        assert(end); // the reader has seen to it
        size_t size = (size_t)(end - self->rest.data);
        self->number++;
        self->whole = (mm_str_t){self->rest.data, size + 1};
        self->text = mm_private_trim((mm_str_t){self->rest.data, size});
        self->rest = (mm_str_t){end + 1, self->rest.size - size - 1};
        if (self->text.size > 0 && *self->text.data != '#')
            return true;
    }
    return false;
}

int mm_private_line_refuse(const mm_private_line_t *self, char error[MM_ERROR_MAX],
                           const char *format, ...)
{
    va_list arguments;
    int size = snprintf(error, MM_ERROR_MAX, "%.*s:%zu: ", PATH_SHOWN, self->path, self->number);
    va_start(arguments, format);
    (void)vsnprintf(error + size, MM_ERROR_MAX - (size_t)size, format, arguments);
    va_end(arguments);
    for (char *tab = error; (tab = strchr(tab, '\t')) != NULL;)
        *tab = ' ';
    return EX_CONFIG;
}
