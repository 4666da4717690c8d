// file_host: a host that is a file, for runs of a thousand hosts: each line of FOLDER/HOST is a
// reboot, "BOOT_MS WALL_MS" of the moment at which it goes down, in lines of one length, appended
// by one write each. So what was restarted twice is counted on the host: it has two lines.
//
//   file_host FOLDER identify HOST                three lines: machine id, boot id, uptime
//   file_host FOLDER health HOST                  exit 0 while it is up
//   file_host FOLDER reboot HOST [BOOT_ID]        exit 255, as a session that is cut; with BOOT_ID
//                                                 nothing but exit 1 when that is not its boot
//
// It is down for DOWN ms after each reboot, then boots: FILE_HOST_DOWN (300). It goes down DELAY ms
// after it was asked to: FILE_HOST_DELAY (20); until then the command lasts. Down, it answers with
// exit 255. A reboot that is asked for also appends "begin HOST PID MS" and "end HOST PID MS" to
// FILE_HOST_RECORD, if set, for the auditor.

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { LINE_SIZE = 32, SESSION_CUT = 255 };

typedef struct {
    int64_t boots;    // reboots that have gone down
    int64_t since_ms; // CLOCK_BOOTTIME of the last boot
    bool up;
} state_t;

static int64_t down_ms, delay_ms;

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t number_of(const char *name, int64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoll(text, NULL, 10) : otherwise;
}

// FNV-1a, once more mixed: ids that are made of the host's name.
static uint64_t hash(const char *text, uint64_t salt)
{
    uint64_t value = 14695981039346656037u ^ salt;
    for (; *text != '\0'; text++)
        value = (value ^ (unsigned char)*text) * 1099511628211u;
    value = (value ^ value >> 29) * 0xbf58476d1ce4e5b9u;
    return value ^ value >> 32;
}

// Reboots that are still ahead (delay) do not count. A host that never was rebooted has been up for
// as long as this machine.
static state_t look(int file)
{
    int64_t now_ms = clock_ms(CLOCK_BOOTTIME), last_ms = 0;
    state_t state = {0};
    char line[LINE_SIZE + 1] = "";
    for (; read(file, line, LINE_SIZE) == LINE_SIZE; state.boots++) {
        int64_t at_ms = strtoll(line, NULL, 10);
        if (at_ms > now_ms)
            break;
        last_ms = at_ms;
    }
    state.up = state.boots == 0 || now_ms >= last_ms + down_ms;
    state.since_ms = state.boots == 0 ? 0 : last_ms + down_ms;
    return state;
}

static void print_boot_id(const char *host, int64_t boots, char ret_id[37])
{
    uint64_t high = hash(host, (uint64_t)boots * 2 + 3), low = hash(host, (uint64_t)boots * 2 + 4);
    (void)snprintf(ret_id, 37, "%08x-%04x-4%03x-a%03x-%012" PRIx64, (unsigned)(high >> 32),
                   (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
                   (unsigned)(low >> 48 & 0xfff), low & 0xffffffffffffu);
}

static int identify(const char *host, state_t state)
{
    char boot_id[37];
    print_boot_id(host, state.boots, boot_id);
    int64_t up_ms = clock_ms(CLOCK_BOOTTIME) - state.since_ms;
    return printf("%016" PRIx64 "%016" PRIx64 "\n%s\n%" PRId64 ".%02d 0.00\n", hash(host, 1),
                  hash(host, 2), boot_id, up_ms / 1000, (int)(up_ms % 1000 / 10)) > 0
               ? EX_OK
               : EX_IOERR;
}

static void record(const char *word, const char *host)
{
    const char *name = getenv("FILE_HOST_RECORD");
    if (name == NULL)
        return;
    char line[400];
    int size = snprintf(line, sizeof line, "%s %.300s %d %" PRId64 "\n", word, host, (int)getpid(),
                        clock_ms(CLOCK_REALTIME));
    int file = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (file < 0 || write(file, line, (size_t)size) != size)
        exit(EX_IOERR);
}

static int reboot_host(int file, const char *host)
{
    char line[LINE_SIZE + 1];
    record("begin", host);
    record("end", host); // from here on it goes down, whatever becomes of this process
    int64_t at_ms = clock_ms(CLOCK_BOOTTIME) + delay_ms;
    (void)snprintf(line, sizeof line, "%015" PRId64 " %015" PRId64 "\n", at_ms,
                   clock_ms(CLOCK_REALTIME) + delay_ms);
    if (write(file, line, LINE_SIZE) != LINE_SIZE)
        return EX_IOERR;
    struct timespec wait = {delay_ms / 1000, delay_ms % 1000 * 1000000};
    (void)nanosleep(&wait, NULL);
    return SESSION_CUT;
}

static int usage(void)
{
    (void)fputs("usage: file_host FOLDER identify|health|reboot HOST [BOOT_ID]\n", stderr);
    return EX_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 4 || argc > 5 || strchr(argv[3], '/') != NULL)
        return usage();
    char path[4096], boot_id[37];
    down_ms = number_of("FILE_HOST_DOWN", 300);
    delay_ms = number_of("FILE_HOST_DELAY", 20);
    if (snprintf(path, sizeof path, "%s/%s", argv[1], argv[3]) >= (int)sizeof path)
        return usage();
    (void)mkdir(argv[1], 0755);
    int file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
    if (file < 0) {
        perror(path);
        return EX_CANTCREAT;
    }
    state_t state = look(file);
    if (!state.up) {
        (void)fprintf(stderr, "file_host: %s does not answer\n", argv[3]);
        return SESSION_CUT;
    }
    if (strcmp(argv[2], "identify") == 0)
        return identify(argv[3], state);
    if (strcmp(argv[2], "health") == 0)
        return EX_OK;
    if (strcmp(argv[2], "reboot") != 0)
        return usage();
    print_boot_id(argv[3], state.boots, boot_id);
    if (argc == 5 && strcmp(argv[4], boot_id) != 0)
        return 1;
    return reboot_host(file, argv[3]);
}
