// See user_screen.h.

#include "user_screen.h"
#include "array.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MESSAGE_MAX 8192
#define WAIT_MS     2000

// A message: what to do, a byte, then a text.
enum { SHOW_OUT = 'o', SHOW_ERROR = 'e', FOLLOW = 'f' };

struct user_screen {
    pid_t pid;
    int socket;
};

// ---- the process

typedef struct {
    int file;
    char *path;
} log_t;

typedef struct {
    int out, errors;
    int changes; // inotify
    log_t *logs;
    size_t count, capacity;
} shower_t;

static void write_all(int descriptor, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t count = write(descriptor, bytes, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return;
        bytes += count;
        size -= (size_t)count;
    }
}

static void show_appended(const shower_t *self)
{
    char bytes[65536];
    for (size_t i = 0; i < self->count; i++)
        for (ssize_t size; (size = read(self->logs[i].file, bytes, sizeof bytes)) > 0;)
            write_all(self->errors, bytes, (size_t)size);
}

// One that was started again goes on with the same file.
static void follow(shower_t *self, const char *text)
{
    char *path;
    off_t offset = (off_t)strtoll(text, &path, 10);
    path++; // the blank
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->logs[i].path, path) == 0)
            return;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_CREAT, 0600);
    if (file < 0)
        return;
    (void)lseek(file, offset, SEEK_SET);
    (void)inotify_add_watch(self->changes, path, IN_MODIFY);
    *MM_ARRAY_ADD(self->logs, self->count, self->capacity) = (log_t){file, strdup(path)};
}

// False when the supervisor has closed the socket.
static bool take_message(shower_t *self, int socket)
{
    char message[MESSAGE_MAX + 1];
    ssize_t size = recv(socket, message, MESSAGE_MAX, 0);
    if (size <= 0)
        return size < 0 && errno == EINTR;
    message[size] = '\0';
    if (*message == FOLLOW)
        follow(self, message + 1);
    else
        write_all(*message == SHOW_OUT ? self->out : self->errors, message + 1, (size_t)size - 1);
    return true;
}

static _Noreturn void show(shower_t *self, int socket)
{
    char changes[4096];
    (void)prctl(PR_SET_NAME, "mayhem-screen");
    (void)setpgid(0, 0);
    for (int number = 1; number < NSIG; number++)
        if (number != SIGCHLD)
            (void)signal(number, SIG_IGN); // it ends when the supervisor has
    self->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    struct pollfd items[] = {{.fd = socket, .events = POLLIN},
                             {.fd = self->changes, .events = POLLIN}};
    for (bool goes_on = true; goes_on;) {
        if (poll(items, 2, -1) < 0 && errno != EINTR)
            break;
        if (items[1].revents)
            while (read(self->changes, changes, sizeof changes) > 0)
                continue;
        show_appended(self);
        if (items[0].revents)
            goes_on = take_message(self, socket);
    }
    show_appended(self);
    _exit(0);
}

// ---- in the supervisor

user_screen_t *user_screen_new(int out, int errors)
{
    int ends[2];
    user_screen_t *self = calloc(1, sizeof *self);
    assert(self);
    self->socket = -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return self; // nothing is shown
    self->pid = fork();
    if (self->pid == 0) {
        close(ends[0]);
        show(&(shower_t){.out = out, .errors = errors}, ends[1]);
    }
    close(ends[1]);
    self->socket = ends[0];
    return self;
}

void user_screen_destroy(user_screen_t **self_p)
{
    user_screen_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    if (self->socket >= 0)
        close(self->socket);
    if (self->pid > 0) {
        int descriptor = pidfd_open(self->pid, 0);
        struct pollfd item = {.fd = descriptor, .events = POLLIN};
        if (poll(&item, 1, WAIT_MS) == 0)
            (void)kill(self->pid, SIGKILL);
        (void)waitpid(self->pid, NULL, 0);
        if (descriptor >= 0)
            close(descriptor);
    }
    free(self);
}

static void send_message(user_screen_t *self, char what, const char *text, const char *ending)
{
    char message[MESSAGE_MAX];
    int size = snprintf(message, sizeof message, "%c%s%s", what, text, ending);
    if (size > 0 && self->socket >= 0)
        (void)send(self->socket, message, size < MESSAGE_MAX ? (size_t)size : MESSAGE_MAX - 1,
                   MSG_DONTWAIT | MSG_NOSIGNAL);
}

void user_screen_out(user_screen_t *self, const char *line)
{
    send_message(self, SHOW_OUT, line, "\n");
}

void user_screen_error(user_screen_t *self, const char *line)
{
    send_message(self, SHOW_ERROR, line, "\n");
}

void user_screen_follow(user_screen_t *self, const char *path)
{
    struct stat status;
    char text[MESSAGE_MAX];
    long long size = stat(path, &status) == 0 ? (long long)status.st_size : 0;
    (void)snprintf(text, sizeof text, "%lld %s", size, path);
    send_message(self, FOLLOW, text, "");
}
