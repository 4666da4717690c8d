// See zap.h.

#include "zap.h"
#include "clock.h"
#include "file_stamp.h"
#include "frame_check.h"
#include "log.h"
#include "span.h"
#include "zap_probe.h"

#include <arpa/inet.h>
#include <assert.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <uthash.h>

#define ENDPOINT  "inproc://zeromq.zap.01"
#define VERSION   "1.0"
#define KEY_BYTES 32
// Connections that wait for accept, on each port. The four share what is served, some 2,500 a
// second, so that none waits for longer than a quarter of a second. With a queue of more than a
// second of work, whoever comes has given up (ZMQ_HANDSHAKE_IVL) when its turn comes: beside
// strangers without end nobody would ever get in. Who finds it full tries again, after a second.
#define BACKLOG    128
#define PROBE_MS   2000
#define LOOK_MS    250  // between two looks at the files; a change that has lasted so long counts
#define AGAIN_MS   5000 // until a file that could not be read is read again
#define WARN_MS    86400000 // between two warnings of a key that ends soon
#define REFUSED_MS 1000     // between two lines of refused keys
#define WHY_MAX    128
#define USER_MAX   (MM_NAME_MAX + 32)

// The parts of a question (RFC 27), behind the address and the empty frame of a REQ.
enum {
    SENDER,
    EMPTY,
    OF_VERSION,
    REQUEST,
    DOMAIN,
    ADDRESS,
    IDENTITY,
    MECHANISM,
    CREDENTIAL,
    PARTS
};

typedef struct {
    zmq_msg_t parts[PARTS];
    size_t count;
} question_t;

typedef struct {
    char *path;
    mm_file_stamp_t seen; // at the last look
    mm_file_stamp_t read; // when it was read
    bool is_news;         // it is read since it has changed
    bool has_failed;
    int64_t again_ms; // when it is read again after that
} watched_t;

typedef struct {
    uint64_t ticket; // names its domain
    uint64_t number; // of the session; 0: it is nobody's yet
    uint32_t serial; // of its worker's row
    bool is_taken;
    UT_hash_handle hh;
} session_t;

struct zap {
    zap_config_t config;
    mm_socket_t *handler;
    mm_key_t key; // the consumer's
    mm_allow_list_t *list;
    watched_t key_file;
    watched_t list_file;
    session_t *sessions; // by ticket
    uint64_t ticket;     // the last one
    int64_t look_ms;     // the next one
    int64_t expire_ms;   // Unix time at which the next date passes
    int64_t warn_ms;     // when keys that end soon are told of next
    uint64_t refused;
    uint64_t told; // of those, in the last log line
    int64_t told_ms;
};

// ---- questions

static mm_str_t part(const question_t *question, size_t number)
{
    zmq_msg_t *message = (zmq_msg_t *)(uintptr_t)&question->parts[number];
    return (mm_str_t){zmq_msg_data(message), zmq_msg_size(message)};
}

// False when there is none. Parts beyond the last one are dropped.
static bool receive_question(zap_t *self, question_t *ret_question)
{
    zmq_msg_t beyond;
    bool more = true;
    ret_question->count = 0;
    while (more) {
        bool fits = ret_question->count < PARTS;
        zmq_msg_t *message = fits ? &ret_question->parts[ret_question->count++] : &beyond;
        (void)zmq_msg_init(message);
        if (zmq_msg_recv(message, mm_socket_zmq(self->handler), ZMQ_DONTWAIT) < 0)
            return false;
        more = zmq_msg_more(message);
        if (!fits)
            (void)zmq_msg_close(message);
    }
    return true;
}

static void close_question(question_t *question)
{
    for (size_t i = 0; i < question->count; i++)
        (void)zmq_msg_close(&question->parts[i]);
}

static void send_part(zap_t *self, mm_str_t text, bool is_last)
{
    // A client that has gone meanwhile is nobody's loss.
    (void)zmq_send(mm_socket_zmq(self->handler), text.data, text.size,
                   ZMQ_DONTWAIT | (is_last ? 0 : ZMQ_SNDMORE));
}

static void answer(zap_t *self, const question_t *question, const char *code, const char *user)
{
    send_part(self, part(question, SENDER), false);
    send_part(self, mm_str(""), false);
    send_part(self, mm_str(VERSION), false);
    send_part(self, part(question, REQUEST), false);
    send_part(self, mm_str(code), false);
    send_part(self, mm_str(""), false); // why: the client is not told
    send_part(self, mm_str(user), false);
    send_part(self, mm_str(""), true);
}

// ---- who may connect

static session_t *find_ticket(const zap_t *self, uint64_t ticket)
{
    session_t *session;
    HASH_FIND(hh, self->sessions, &ticket, sizeof ticket, session);
    return session;
}

// "session-0000000000000001"; false when the domain is none.
static bool read_ticket(mm_str_t domain, uint64_t *ret_ticket)
{
    char text[32], end;
    if (domain.size >= sizeof text)
        return false;
    memcpy(text, domain.data, domain.size);
    text[domain.size] = '\0';
    return sscanf(text, "session-%16" SCNx64 "%c", ret_ticket, &end) == 1;
}

// Why a key that does not count does not.
static void explain_unknown(const zap_t *self, const char *public_key, int64_t unix_ms,
                            char why[WHY_MAX])
{
    const mm_allowed_t *row, *found = NULL;
    struct tm day;
    (void)snprintf(why, WHY_MAX, "it is not on the list");
    for (uint32_t serial = 1; (row = mm_allow_list_row(self->list, serial)); serial++)
        if (strcmp(row->public_key, public_key) == 0)
            found = row;
    if (!found)
        return;
    time_t last = (time_t)((found->not_after_ms - 1) / 1000);
    if (unix_ms < found->not_after_ms || !gmtime_r(&last, &day))
        (void)snprintf(why, WHY_MAX, "it was revoked");
    else
        (void)strftime(why, WHY_MAX, "it ended on %Y-%m-%d", &day);
}

// Takes the session for this row. NULL, or why not.
static const char *take_session(session_t *session, const mm_allowed_t *row)
{
    if (!session || session->serial != row->serial)
        return "it is not its session";
    if (session->is_taken)
        return "the session is taken";
    session->is_taken = true;
    return NULL;
}

// The row of the key that asks, which may connect; else NULL, and why not.
static const mm_allowed_t *decide(zap_t *self, const question_t *question, const char *public_key,
                                  char why[WHY_MAX])
{
    uint64_t ticket;
    mm_str_t domain = part(question, DOMAIN);
    int64_t unix_ms = mm_clock_wall_ms();
    const mm_allowed_t *row = mm_allow_list_find(self->list, public_key, unix_ms);
    if (!row) {
        explain_unknown(self, public_key, unix_ms, why);
        return NULL;
    }
    const char *taken = self->config.taken(self->config.arg, row);
    if (taken) {
        (void)snprintf(why, WHY_MAX, "%s", taken);
        return NULL;
    }
    if (read_ticket(domain, &ticket)) {
        session_t *session = find_ticket(self, ticket);
        const char *refusal = take_session(session, row);
        if (refusal && session && session->serial == row->serial)
            self->config.cut(self->config.arg, session->number);
        (void)snprintf(why, WHY_MAX, "%s", refusal ? refusal : "");
        return refusal ? NULL : row;
    }
    if (frame_check_domain(row->role, domain))
        return row;
    (void)snprintf(why, WHY_MAX, "role %s may not connect to %.*s", mm_key_role_name(row->role),
                   (int)domain.size, domain.data);
    return NULL;
}

static void tell_refused(zap_t *self, const question_t *question, const char *public_key,
                         const char *why)
{
    int64_t now_ms = mm_clock_ms();
    self->refused++;
    if (self->told > 0 && now_ms - self->told_ms < REFUSED_MS)
        return;
    mm_log(MM_LOG_WARN, "Refused a key", MM_STR("address", part(question, ADDRESS)),
           MM_STRING("key", public_key), MM_STRING("why", why), MM_INT("total", self->refused));
    self->told = self->refused;
    self->told_ms = now_ms;
}

static void answer_question(zap_t *self, const question_t *question)
{
    char public_key[MM_KEY_TEXT] = "", why[WHY_MAX] = "it has no CURVE key", user[USER_MAX];
    const mm_allowed_t *row = NULL;
    if (mm_str_equal(part(question, DOMAIN), mm_str(ZAP_PROBE_DOMAIN))) {
        answer(self, question, "400", "");
        return;
    }
    mm_str_t credential = question->count == PARTS ? part(question, CREDENTIAL) : mm_str("");
    if (credential.size == KEY_BYTES && mm_str_equal(part(question, MECHANISM), mm_str("CURVE"))) {
        (void)zmq_z85_encode(public_key, (const uint8_t *)credential.data, KEY_BYTES);
        row = decide(self, question, public_key, why);
    }
    if (!row) {
        tell_refused(self, question, public_key, why);
        answer(self, question, "400", "");
        return;
    }
    (void)snprintf(user, sizeof user, "%s:%s:%" PRIu32, mm_key_role_name(row->role), row->name.text,
                   row->serial);
    answer(self, question, "200", user);
}

static void on_question(void *arg)
{
    MM_SPAN("on_question");
    zap_t *self = arg;
    question_t question;
    for (int i = 0; i < MM_DRAIN_MAX; i++) {
        bool is_there = receive_question(self, &question);
        if (is_there && question.count > ADDRESS)
            answer_question(self, &question);
        close_question(&question);
        if (!is_there)
            return;
    }
}

// ---- sockets

void zap_serve(const zap_t *self, mm_socket_t *socket, const char *domain)
{
    mm_socket_set_server(socket, self->key.secret_key, domain);
    mm_socket_set(socket, ZMQ_BACKLOG, &(int){BACKLOG}, sizeof(int));
}

uint64_t zap_serve_session(zap_t *self, mm_socket_t *socket)
{
    char domain[32];
    session_t *session = calloc(1, sizeof *session);
    assert(session);
    *session = (session_t){.ticket = ++self->ticket};
    HASH_ADD(hh, self->sessions, ticket, sizeof session->ticket, session);
    (void)snprintf(domain, sizeof domain, "session-%016" PRIx64, session->ticket);
    zap_serve(self, socket, domain);
    return session->ticket;
}

void zap_give_session(zap_t *self, uint64_t ticket, uint64_t number, const mm_allowed_t *row)
{
    session_t *session = find_ticket(self, ticket);
    assert(session && session->number == 0 && number != 0);
    session->number = number;
    session->serial = row->serial;
}

static void end_session(zap_t *self, session_t *session)
{
    HASH_DELETE(hh, self->sessions, session);
    free(session);
}

void zap_end_ticket(zap_t *self, uint64_t ticket)
{
    session_t *session = find_ticket(self, ticket);
    if (session)
        end_session(self, session);
}

void zap_end_session(zap_t *self, uint64_t number)
{
    session_t *session, *next;
    HASH_ITER (hh, self->sessions, session, next)
        if (session->number == number)
            end_session(self, session);
}

// ---- senders

// Whether a descriptor is a connection with this address at its other end. libzmq may have closed
// the one that was meant, and its number may be another file's by now.
static bool is_connected_to(int descriptor, const char *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    struct sockaddr_storage peer;
    socklen_t size = sizeof peer;
    if (descriptor < 0 || !address || getpeername(descriptor, (struct sockaddr *)&peer, &size) != 0)
        return false;
    if (peer.ss_family == AF_INET)
        (void)inet_ntop(AF_INET, &((struct sockaddr_in *)&peer)->sin_addr, text, sizeof text);
    else if (peer.ss_family == AF_INET6)
        (void)inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&peer)->sin6_addr, text, sizeof text);
    return *text != '\0' && strcmp(text, address) == 0;
}

void zap_shut_down(zmq_msg_t *message)
{
    int descriptor = zmq_msg_get(message, ZMQ_SRCFD);
    if (is_connected_to(descriptor, zmq_msg_gets(message, "Peer-Address")))
        (void)shutdown(descriptor, SHUT_RDWR);
}

bool zap_sender(const zap_t *self, zmq_msg_t *message, const mm_allowed_t **ret_row)
{
    *ret_row = NULL;
    const char *user = zmq_msg_gets(message, "User-Id"); // "ROLE:NAME:SERIAL", of answer_question
    if (!user)
        return true;
    const char *serial = strrchr(user, ':');
    const mm_allowed_t *row =
        serial ? mm_allow_list_row(self->list, (uint32_t)strtoul(serial + 1, NULL, 10)) : NULL;
    if (row && !row->is_revoked) {
        *ret_row = row;
        return true;
    }
    zap_shut_down(message);
    return false;
}

uint64_t zap_refused(const zap_t *self)
{
    return self->refused;
}

size_t zap_workers(const zap_t *self)
{
    size_t place = 0, count = 0;
    for (const mm_allowed_t *row; (row = mm_allow_list_next(self->list, &place));)
        count += row->role == MM_KEY_SAVER || row->role == MM_KEY_RESTARTER;
    return count;
}

// ---- files and dates

static void watch(watched_t *self, const char *folder, const char *name)
{
    int size = asprintf(&self->path, "%s/%s", folder, name);
    assert(size > 0);
    self->seen = self->read = mm_file_stamp_of(self->path); // before it is read
}

// Whether it is to be read: it has changed, and not since the last look, so that an editor that
// writes in place is not met in the middle; or it could not be read, and some time has passed.
static bool is_to_be_read(watched_t *self, int64_t now_ms)
{
    mm_file_stamp_t now = mm_file_stamp_of(self->path);
    bool rests = mm_file_stamp_is_same(&now, &self->seen);
    bool is_again = self->has_failed && now.number != 0 && now_ms >= self->again_ms;
    self->seen = now;
    self->is_news = rests && !mm_file_stamp_is_same(&now, &self->read);
    if (!self->is_news && !is_again)
        return false;
    self->read = now;
    self->again_ms = now_ms + AGAIN_MS;
    return true;
}

// What was read before holds when there was an error, which is told of once.
static void note_read(watched_t *self, int exit_code, const char *error)
{
    bool had_failed = self->has_failed;
    self->has_failed = exit_code != 0;
    if (had_failed && !self->has_failed)
        mm_log(MM_LOG_INFO, "Keys can be read again", MM_STRING("file", self->path));
    if (self->has_failed && self->is_news)
        mm_log(MM_LOG_ERROR, "Cannot read keys anew: the former ones hold",
               MM_STRING("error", error));
}

static int read_key(zap_t *self, mm_key_t *ret_key, char error[MM_ERROR_MAX])
{
    int exit_code = mm_key_read(self->key_file.path, ret_key, error);
    if (exit_code != 0 || ret_key->role == MM_KEY_CONSUMER)
        return exit_code;
    (void)snprintf(error, MM_ERROR_MAX,
                   "%s: it is the key of %s, not the consumer's: put the one with role = consumer "
                   "there",
                   self->key_file.path, mm_key_role_phrase(ret_key->role));
    mm_key_clear(ret_key);
    return EX_CONFIG;
}

static void read_key_anew(zap_t *self)
{
    char error[MM_ERROR_MAX];
    mm_key_t key;
    int exit_code = read_key(self, &key, error);
    note_read(&self->key_file, exit_code, error);
    if (exit_code != 0)
        return;
    bool is_other = strcmp(key.public_key, self->key.public_key) != 0;
    mm_key_clear(&self->key);
    self->key = key;
    mm_key_clear(&key);
    if (!is_other)
        return;
    mm_log(MM_LOG_INFO, "The consumer has another key", MM_STRING("key", self->key.public_key));
    self->config.replaced(self->config.arg);
}

static void read_list_anew(zap_t *self)
{
    char error[MM_ERROR_MAX];
    int exit_code = mm_allow_list_read(self->list, self->list_file.path, error);
    note_read(&self->list_file, exit_code, error);
    if (exit_code != 0)
        return;
    size_t place = 0, count = 0;
    while (mm_allow_list_next(self->list, &place))
        count++;
    self->expire_ms = 0; // there may be other dates
    mm_log(MM_LOG_INFO, "Read the allow list", MM_INT("keys", count));
}

static void tell_revoked(zap_t *self)
{
    for (const mm_allowed_t *row; (row = mm_allow_list_next_revoked(self->list));) {
        mm_log(MM_LOG_WARN, "A key no longer counts",
               MM_STRING("role", mm_key_role_name(row->role)), MM_STRING("name", row->name.text),
               MM_STRING("key", row->public_key));
        self->config.revoked(self->config.arg, row);
    }
}

static void warn_of(const char *role, const char *name, int64_t not_after_ms, int64_t unix_ms)
{
    int days = mm_key_days_left(not_after_ms, unix_ms);
    if (days >= 0)
        mm_log(MM_LOG_WARN, "A key ends soon: make another one", MM_STRING("role", role),
               MM_STRING("name", name), MM_INT("days", days));
}

static void warn_of_dates(zap_t *self, int64_t unix_ms)
{
    size_t place = 0;
    warn_of("consumer", self->key.name.text, self->key.not_after_ms, unix_ms);
    for (const mm_allowed_t *row; (row = mm_allow_list_next(self->list, &place));)
        warn_of(mm_key_role_name(row->role), row->name.text, row->not_after_ms, unix_ms);
}

int64_t zap_turn(zap_t *self, int64_t now_ms)
{
    if (now_ms < self->look_ms)
        return self->look_ms;
    self->look_ms = now_ms + LOOK_MS;
    int64_t unix_ms = mm_clock_wall_ms();
    if (is_to_be_read(&self->key_file, now_ms))
        read_key_anew(self);
    if (is_to_be_read(&self->list_file, now_ms))
        read_list_anew(self);
    if (unix_ms >= self->expire_ms)
        self->expire_ms = mm_allow_list_expire(self->list, unix_ms);
    tell_revoked(self);
    if (now_ms >= self->warn_ms) {
        warn_of_dates(self, unix_ms);
        self->warn_ms = now_ms + WARN_MS;
    }
    return self->look_ms;
}

// ---- start and end

static int read_files(zap_t *self, char error[MM_ERROR_MAX])
{
    struct stat status;
    const char *folder = self->config.folder;
    if (stat(folder, &status) != 0) {
        (void)snprintf(error, MM_ERROR_MAX,
                       "there are no keys in %s, and --listen needs some: make the first one with "
                       "`mayhem keys new NAME --role restarter`",
                       folder);
        return EX_CONFIG;
    }
    watch(&self->key_file, folder, "consumer.key");
    watch(&self->list_file, folder, "allowed");
    int exit_code = read_key(self, &self->key, error);
    return exit_code != 0 ? exit_code : mm_allow_list_read(self->list, self->list_file.path, error);
}

zap_t *zap_new(mm_loop_t *loop, const zap_config_t *config, int *ret_exit_code,
               char error[MM_ERROR_MAX])
{
    zap_t *self = calloc(1, sizeof *self);
    assert(self);
    self->config = *config;
    self->list = mm_allow_list_new();
    self->handler = mm_socket_new(ZMQ_ROUTER);
    int rc = mm_socket_bind(self->handler, ENDPOINT);
    assert(rc == 0); // a process has one
    *ret_exit_code = read_files(self, error);
    if (*ret_exit_code == 0 && !zap_probe(self->handler, on_question, self, PROBE_MS)) {
        (void)snprintf(
            error, MM_ERROR_MAX,
            "a key that nobody knows was not refused within %d s: libzmq lacks CURVE, or "
            "this machine is too slow to be open to others; leave out --listen",
            PROBE_MS / 1000);
        *ret_exit_code = EX_CONFIG;
    }
    if (*ret_exit_code != 0) {
        zap_destroy(&self);
        return NULL;
    }
    mm_loop_add_socket(loop, "zap", self->handler, ZMQ_POLLIN, on_question, self);
    return self;
}

void zap_destroy(zap_t **self_p)
{
    zap_t *self = *self_p;
    if (!self)
        return;
    *self_p = NULL;
    session_t *session, *next;
    HASH_ITER (hh, self->sessions, session, next)
        end_session(self, session);
    mm_socket_destroy(&self->handler);
    mm_allow_list_destroy(&self->list);
    mm_key_clear(&self->key);
    free(self->key_file.path);
    free(self->list_file.path);
    free(self);
}
