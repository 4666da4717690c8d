// Preloaded into an sshd that root starts and that was not installed: it insists on a user `sshd`,
// as whom it reads what clients say before they have logged in. Where there is none, that is
// nobody.

#include <dlfcn.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>

struct passwd *getpwnam(const char *name)
{
    struct passwd *(*original)(const char *) = NULL;
    *(void **)&original = dlsym(RTLD_NEXT, "getpwnam");
    struct passwd *user = original(name);
    return user || strcmp(name, "sshd") != 0 ? user : original("nobody");
}
