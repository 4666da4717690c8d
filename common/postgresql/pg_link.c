// See pg_link.h.

#include "pg_link.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "pg_servers.h"

#define PAUSE_MIN_MS   100
#define PAUSE_MAX_MS   2000
#define PARAMETERS_MAX 64
#define SERVER_MAX     300

// What a role or a database may have set otherwise. Without warnings a lost outcome looks like
// success; the fence of the record needs READ COMMITTED; and what ends a statement from outside
// ends no wait for a standby.
static const char settings[] =
    "SELECT set_config(s.name, v.value, false) FROM pg_settings AS s JOIN (VALUES "
    "('client_min_messages', 'warning'), ('statement_timeout', '0'), ('lock_timeout', '0'), "
    "('idle_session_timeout', '0'), ('default_transaction_isolation', 'read committed'), "
    "('synchronous_commit', 'on')) AS v (name, value) USING (name) "
    "WHERE s.name <> 'synchronous_commit' OR s.setting IN ('off', 'local', 'remote_write')";
// Else each try to write a row again leaves one more backend behind, which waits for that row. Not
// every server can look at its connection while it waits.
static const char optional_settings[] = "SELECT set_config(name, '2s', false) FROM pg_settings "
                                        "WHERE name = 'client_connection_check_interval'";

typedef enum {
    PAUSING,    // until the timer; then the next server is tried
    CONNECTING, // by libpq
    SETTING_UP, // settings and prepared statements, one after the other
    READY,
    BUSY // a command is under way
} state_t;

struct mm_pg_link {
    mm_pg_servers_t *servers;
    size_t count;   // of their addresses
    size_t index;   // the one that is connected, or tried
    size_t tried;   // of this round
    unsigned fails; // rounds and connections that have failed since the last answer
    char **prepares;
    size_t setup; // the next command of SETTING_UP
    int64_t deadline_ms;
    PGconn *connection;
    state_t state;
    int epoll;
    int timer;
    // The command under way, or the last one.
    PGresult *result;
    PGresult *refusal; // the first error
    bool is_doubtful;  // a warning, or a farewell, since it was sent
    bool is_broken;    // it could not be sent, or began what this link does not know
    char error[MM_ERROR_MAX];
    char trouble[MM_ERROR_MAX];
    int code; // of the trouble: the highest sysexits code of this round
    char server[SERVER_MAX];
};

// ---- the descriptor
// ------------------------------------------------------------------------------

static void arm(mm_pg_link_t *self, int64_t ms)
{
    struct itimerspec due = {.it_value = {ms / 1000, ms % 1000 * 1000000}};
    if (ms <= 0)
        due.it_value.tv_nsec = 1; // 0 would disarm it
    int status = timerfd_settime(self->timer, 0, &due, NULL);
    assert(status == 0);
}

static void disarm(mm_pg_link_t *self)
{
    int status = timerfd_settime(self->timer, 0, &(struct itimerspec){0}, NULL);
    assert(status == 0);
}

typedef struct {
    bool socket;
    bool timer;
} ready_t;

static ready_t look(mm_pg_link_t *self)
{
    struct epoll_event events[2];
    ready_t ready = {false, false};
    int count = epoll_wait(self->epoll, events, 2, 0);
    for (int i = 0; i < count; i++)
        if (events[i].data.fd == self->timer) {
            uint64_t times;
            ready.timer = read(self->timer, &times, sizeof times) == (ssize_t)sizeof times;
        } else
            ready.socket = true;
    return ready;
}

// libpq closes and opens sockets while it connects, and a new one may have the old one's number:
// the epoll has forgotten it then.
static void watch(mm_pg_link_t *self, uint32_t events)
{
    int descriptor = PQsocket(self->connection);
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    if (descriptor < 0)
        return;
    if (epoll_ctl(self->epoll, EPOLL_CTL_MOD, descriptor, &event) != 0) {
        int status = epoll_ctl(self->epoll, EPOLL_CTL_ADD, descriptor, &event);
        assert(status == 0);
    }
}

// ---- errors
// --------------------------------------------------------------------------------------

static bool is_class(const char *sqlstate, const char *class)
{
    return strncmp(sqlstate, class, strlen(class)) == 0;
}

// The exit code of a program that cannot start for this reason.
static int code_of(const char *sqlstate, int otherwise)
{
    if (is_class(sqlstate, "28") || strcmp(sqlstate, "42501") == 0)
        return EX_NOPERM;
    if (strcmp(sqlstate, "3D000") == 0)
        return EX_CONFIG;
    if (is_class(sqlstate, "57") || is_class(sqlstate, "53") || is_class(sqlstate, "08"))
        return EX_UNAVAILABLE;
    return otherwise;
}

// What follows a severity and its colon in a verbose message, "28P01: text", has a SQLSTATE.
static bool has_sqlstate(const char *text)
{
    return strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 &&
           strncmp(text + 5, ": ", 2) == 0;
}

// The reason why libpq has not connected, of which the first line tells, without what it says of
// the place. Returns the exit code.
static int connect_reason(const PGconn *connection, char reason[MM_ERROR_MAX])
{
    const char *text = PQerrorMessage(connection), *at = strstr(text, " failed: ");
    char sqlstate[6] = "";
    if (at != NULL)
        text = at + strlen(" failed: ");
    at = strstr(text, ":  ");
    if (at != NULL && has_sqlstate(at + 3)) {
        memcpy(sqlstate, at + 3, 5);
        text = at + 3 + 5 + 2;
    }
    (void)snprintf(reason, MM_ERROR_MAX, "%.*s", (int)strcspn(text, "\n"), text);
    return PQconnectionNeedsPassword(connection) ? EX_NOPERM : code_of(sqlstate, EX_UNAVAILABLE);
}

static const char *field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);
    return text != NULL ? text : "";
}

// Of an error that the server or libpq has given.
static void result_reason(const PGresult *result, char reason[MM_ERROR_MAX])
{
    const char *text = field(result, PG_DIAG_MESSAGE_PRIMARY);
    if (*text == '\0')
        text = PQresultErrorMessage(result);
    (void)snprintf(reason, MM_ERROR_MAX, "%.*s", (int)strcspn(text, "\n"), text);
}

// A warning of class 01 says that a commit may not have been replicated; 57P01 to 57P03 that the
// server ends the session.
static void receive_notice(void *argument, const PGresult *notice)
{
    mm_pg_link_t *self = argument;
    const char *sqlstate = field(notice, PG_DIAG_SQLSTATE);
    if (is_class(sqlstate, "01") || is_class(sqlstate, "57P")) {
        self->is_doubtful = true;
        result_reason(notice, self->error);
    }
}

// ---- the connection
// ------------------------------------------------------------------------------

static void hang_up(mm_pg_link_t *self)
{
    PQfinish(self->connection);
    self->connection = NULL;
}

static void pause_before_next(mm_pg_link_t *self)
{
    int64_t pause = PAUSE_MIN_MS << (self->fails < 5 ? self->fails : 5);
    self->fails++;
    self->tried = 0;
    self->state = PAUSING;
    arm(self, pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
}

// The worst trouble of a round stays: a wrong password tells more than a standby beside it.
static void note_trouble(mm_pg_link_t *self, int code, const char *reason)
{
    if (code <= self->code)
        return;
    self->code = code;
    (void)snprintf(self->trouble, sizeof self->trouble, "PostgreSQL at %.280s: %.200s",
                   self->server, reason);
}

// This server is not to be had: the next one at once, and after the last one a pause.
static void give_up(mm_pg_link_t *self, int code, const char *reason)
{
    note_trouble(self, code, reason);
    hang_up(self);
    self->index++;
    if (++self->tried < self->count) {
        self->state = PAUSING;
        arm(self, 0);
    } else
        pause_before_next(self);
}

static void connect_next(mm_pg_link_t *self)
{
    if (self->tried == 0) {
        self->count = mm_pg_servers_look_up(self->servers);
        self->code = 0;
    }
    self->index %= self->count;
    (void)snprintf(self->server, sizeof self->server, "%s",
                   mm_pg_servers_name(self->servers, self->index));
    self->connection = mm_pg_servers_connect(self->servers, self->index);
    assert(self->connection != NULL);
    (void)PQsetErrorVerbosity(self->connection, PQERRORS_VERBOSE); // for the SQLSTATE
    (void)PQsetNoticeReceiver(self->connection, receive_notice, self);
    if (PQstatus(self->connection) == CONNECTION_BAD) {
        char reason[MM_ERROR_MAX];
        int code = connect_reason(self->connection, reason);
        give_up(self, code, reason);
        return;
    }
    self->state = CONNECTING;
    arm(self, mm_pg_servers_connect_ms(self->servers));
    watch(self, EPOLLOUT);
}

static bool flush(mm_pg_link_t *self)
{
    int left = PQflush(self->connection);
    if (left >= 0)
        watch(self, left > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
    return left >= 0;
}

static void begin_command(mm_pg_link_t *self, state_t state)
{
    PQclear(self->result);
    PQclear(self->refusal);
    self->result = self->refusal = NULL;
    self->is_doubtful = self->is_broken = false;
    *self->error = '\0';
    self->state = state;
    arm(self, self->deadline_ms);
}

// After it was given to libpq; a failure is seen in the next step.
static void end_send(mm_pg_link_t *self, int status)
{
    if (status == 1 && flush(self))
        return;
    self->is_broken = true;
    arm(self, 0);
}

// Sends the next command of a new connection; after the last one it is ready.
static void set_up_next(mm_pg_link_t *self)
{
    size_t prepare = 2 * (self->setup - 2);
    if (self->setup >= 2 && (self->prepares == NULL || self->prepares[prepare] == NULL)) {
        self->state = READY;
        *self->trouble = '\0';
        self->code = 0;
        disarm(self);
        return;
    }
    begin_command(self, SETTING_UP);
    if (self->setup < 2)
        end_send(self,
                 PQsendQuery(self->connection, self->setup == 0 ? settings : optional_settings));
    else
        end_send(self, PQsendPrepare(self->connection, self->prepares[prepare],
                                     self->prepares[prepare + 1], 0, NULL));
    self->setup++;
}

static void step_connecting(mm_pg_link_t *self, ready_t ready)
{
    char reason[MM_ERROR_MAX];
    PostgresPollingStatusType status = PGRES_POLLING_ACTIVE;
    if (ready.socket) // else libpq would believe that it is connected
        status = PQconnectPoll(self->connection);
    if (status == PGRES_POLLING_OK) {
        (void)PQsetnonblocking(self->connection, 1);
        self->setup = 0;
        set_up_next(self);
    } else if (status == PGRES_POLLING_FAILED) {
        int code = connect_reason(self->connection, reason);
        give_up(self, code, reason);
    } else if (ready.timer) {
        (void)snprintf(reason, sizeof reason, "no answer within %lld ms",
                       (long long)mm_pg_servers_connect_ms(self->servers));
        give_up(self, EX_UNAVAILABLE, reason);
    } else if (ready.socket)
        watch(self, status == PGRES_POLLING_READING ? EPOLLIN : EPOLLOUT);
}

// ---- receiving
// -----------------------------------------------------------------------------------

// Keeps the last result and the first error.
static void keep(mm_pg_link_t *self, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) {
        PQclear(self->result);
        self->result = result;
        return;
    }
    if (status != PGRES_FATAL_ERROR) { // COPY: what it moves has no place here
        self->is_broken = true;
        (void)snprintf(self->error, sizeof self->error, "it answers with a COPY");
    }
    if (self->refusal == NULL)
        self->refusal = result;
    else
        PQclear(result);
}

// Reads what is there. True: the command has ended, or the connection has.
static bool receive(mm_pg_link_t *self)
{
    if (!PQconsumeInput(self->connection) || !flush(self))
        self->is_broken = true;
    while (!self->is_broken && !PQisBusy(self->connection)) {
        PGresult *result = PQgetResult(self->connection);
        if (result == NULL)
            return true;
        keep(self, result);
    }
    // An error that stands before the end of the connection is read all the same.
    if (PQstatus(self->connection) == CONNECTION_BAD)
        self->is_broken = true;
    return self->is_broken;
}

// Whether the server has told by its error that nothing is there. Those below are not of the
// command but of the session (a standby, no such prepared statement, a shutdown): another one may
// do it.
static bool is_refused(const mm_pg_link_t *self)
{
    static const char *const of_session[] = {"25006", "26000", "57P"};
    const char *sqlstate = field(self->refusal, PG_DIAG_SQLSTATE);
    if (strcmp(field(self->refusal, PG_DIAG_SEVERITY_NONLOCALIZED), "ERROR") != 0)
        return false;
    for (size_t i = 0; i < sizeof of_session / sizeof *of_session; i++)
        if (is_class(sqlstate, of_session[i]))
            return false;
    return true;
}

// What is known of a command that has ended.
static mm_pg_outcome_t outcome_of(const mm_pg_link_t *self)
{
    if (self->is_broken || self->is_doubtful ||
        PQtransactionStatus(self->connection) != PQTRANS_IDLE)
        return MM_PG_UNKNOWN;
    if (self->refusal != NULL)
        return is_refused(self) ? MM_PG_FAILED : MM_PG_UNKNOWN;
    return self->result != NULL ? MM_PG_DONE : MM_PG_UNKNOWN;
}

// Why it is not DONE, in self->error.
static void describe(mm_pg_link_t *self, const char *otherwise)
{
    char reason[MM_ERROR_MAX];
    if (self->refusal != NULL && *PQresultErrorMessage(self->refusal) != '\0')
        result_reason(self->refusal, reason);
    else if (*self->error != '\0')
        (void)snprintf(reason, sizeof reason, "%s", self->error);
    else
        (void)snprintf(reason, sizeof reason, "%s", otherwise);
    (void)snprintf(self->error, sizeof self->error, "PostgreSQL at %.280s: %.200s", self->server,
                   reason);
}

// The connection is of no more use: another one, after a pause.
static void lose(mm_pg_link_t *self)
{
    (void)snprintf(self->trouble, sizeof self->trouble, "%s", self->error);
    hang_up(self);
    pause_before_next(self);
}

static void answer(mm_pg_link_t *self, const char *otherwise, mm_pg_answer_t *ret_answer)
{
    mm_pg_outcome_t outcome = outcome_of(self);
    *ret_answer = (mm_pg_answer_t){.outcome = outcome, .error = self->error};
    *self->error = outcome == MM_PG_DONE ? '\0' : *self->error;
    if (outcome == MM_PG_DONE)
        ret_answer->result = self->result;
    else
        describe(self, otherwise);
    if (outcome == MM_PG_FAILED)
        (void)snprintf(ret_answer->sqlstate, sizeof ret_answer->sqlstate, "%s",
                       field(self->refusal, PG_DIAG_SQLSTATE));
    if (outcome == MM_PG_UNKNOWN)
        lose(self);
    else {
        self->state = READY;
        self->fails = 0;
        disarm(self);
    }
}

static void step_setting_up(mm_pg_link_t *self, bool due)
{
    bool has_ended = receive(self);
    if (!has_ended && !due)
        return;
    self->is_broken = self->is_broken || !has_ended;
    bool is_optional = self->setup == 2; // it counts what was sent
    mm_pg_outcome_t outcome = outcome_of(self);
    if (outcome == MM_PG_DONE || (outcome == MM_PG_FAILED && is_optional)) {
        set_up_next(self);
        return;
    }
    char reason[MM_ERROR_MAX] = "no answer while the session is set up";
    int code = EX_UNAVAILABLE;
    if (self->refusal != NULL) {
        result_reason(self->refusal, reason);
        code = code_of(field(self->refusal, PG_DIAG_SQLSTATE),
                       outcome == MM_PG_FAILED ? EX_CONFIG : EX_UNAVAILABLE);
    }
    give_up(self, code, reason);
}

static void step_ready(mm_pg_link_t *self)
{
    if (PQconsumeInput(self->connection) && !PQisBusy(self->connection) &&
        PQstatus(self->connection) == CONNECTION_OK) {
        PQfreemem(PQnotifies(self->connection));
        return;
    }
    describe(self, "it has closed the connection");
    lose(self);
}

static bool step_busy(mm_pg_link_t *self, bool due, mm_pg_answer_t *ret_answer)
{
    char late[80];
    (void)snprintf(late, sizeof late, "no answer within %lld ms", (long long)self->deadline_ms);
    bool was_sent = !self->is_broken, has_ended = !was_sent || receive(self);
    if (!has_ended && !due)
        return false;
    self->is_broken = self->is_broken || !has_ended;
    answer(self, has_ended ? "the connection has broken" : late, ret_answer);
    return true;
}

bool mm_pg_step(mm_pg_link_t *self, mm_pg_answer_t *ret_answer)
{
    ready_t ready = look(self);
    switch (self->state) {
    case PAUSING:
        if (ready.timer)
            connect_next(self);
        return false;
    case CONNECTING: step_connecting(self, ready); return false;
    case SETTING_UP: step_setting_up(self, ready.timer); return false;
    case READY: step_ready(self); return false;
    case BUSY: return step_busy(self, ready.timer, ret_answer);
    }
    return false;
}

// ---- commands
// ------------------------------------------------------------------------------------

bool mm_pg_is_ready(const mm_pg_link_t *self)
{
    return self->state == READY;
}

void mm_pg_send(mm_pg_link_t *self, const char *prepared, int count, const char *const *values,
                const int *sizes)
{
    int formats[PARAMETERS_MAX];
    assert(self->state == READY && count >= 0 && count <= PARAMETERS_MAX);
    for (int i = 0; i < count; i++)
        formats[i] = 1;
    begin_command(self, BUSY);
    end_send(self,
             PQsendQueryPrepared(self->connection, prepared, count, values, sizes, formats, 1));
}

static void wait_for_step(const mm_pg_link_t *self, int64_t ms)
{
    struct pollfd one = {.fd = self->epoll, .events = POLLIN};
    (void)poll(&one, 1, ms > 60000 ? 60000 : (int)ms);
}

mm_pg_answer_t mm_pg_run(mm_pg_link_t *self, const char *sql)
{
    mm_pg_answer_t ended = {.outcome = MM_PG_FAILED, .sqlstate = "08001", .error = self->trouble};
    assert(self->state != BUSY);
    int64_t ends_ms = mm_clock_ms() + self->deadline_ms, now_ms;
    while (self->state != READY && (now_ms = mm_clock_ms()) < ends_ms) {
        wait_for_step(self, ends_ms - now_ms);
        (void)mm_pg_step(self, &ended);
    }
    if (self->state != READY)
        return ended;
    begin_command(self, BUSY);
    end_send(self, PQsendQuery(self->connection, sql));
    while (!mm_pg_step(self, &ended))
        wait_for_step(self, self->deadline_ms);
    return ended;
}

// ---- opening and closing
// -------------------------------------------------------------------------

static char **copy_of(const char *const *texts)
{
    size_t count = 0;
    while (texts != NULL && texts[count] != NULL)
        count++;
    char **copies = calloc(count + 1, sizeof *copies);
    assert(copies != NULL);
    for (size_t i = 0; i < count; i++) {
        copies[i] = strdup(texts[i]);
        assert(copies[i] != NULL);
    }
    return copies;
}

int mm_pg_open(const mm_pg_config_t *config, mm_pg_link_t **ret_self, char error[MM_ERROR_MAX])
{
    assert(config->deadline_ms > 0);
    mm_pg_servers_t *servers =
        mm_pg_servers_new(config->uri, config->name, config->deadline_ms, error);
    if (servers == NULL)
        return EX_USAGE;
    mm_pg_link_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    self->servers = servers;
    self->deadline_ms = config->deadline_ms;
    self->prepares = copy_of(config->prepares);
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->timer = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = self->timer};
    if (self->epoll < 0 || self->timer < 0 ||
        epoll_ctl(self->epoll, EPOLL_CTL_ADD, self->timer, &event) != 0) {
        (void)snprintf(error, MM_ERROR_MAX, "cannot wait for PostgreSQL: %s", strerror(errno));
        mm_pg_close(&self);
        return EX_OSERR;
    }
    mm_pg_answer_t none;
    connect_next(self);
    while (self->state != READY && !(self->state == PAUSING && self->tried == 0)) {
        wait_for_step(self, self->deadline_ms);
        (void)mm_pg_step(self, &none);
    }
    if (self->state != READY) {
        int code = self->code;
        (void)snprintf(error, MM_ERROR_MAX, "%s", self->trouble);
        mm_pg_close(&self);
        return code;
    }
    *ret_self = self;
    return 0;
}

void mm_pg_close(mm_pg_link_t **self_p)
{
    mm_pg_link_t *self = *self_p;
    if (self == NULL)
        return;
    hang_up(self);
    PQclear(self->result);
    PQclear(self->refusal);
    mm_pg_servers_destroy(&self->servers);
    for (char **each = self->prepares; *each != NULL; each++)
        free(*each);
    free(self->prepares);
    if (self->epoll >= 0)
        (void)close(self->epoll);
    if (self->timer >= 0)
        (void)close(self->timer);
    free(self);
    *self_p = NULL;
}

int mm_pg_descriptor(const mm_pg_link_t *self)
{
    return self->epoll;
}

const char *mm_pg_server(const mm_pg_link_t *self)
{
    return self->server;
}

const char *mm_pg_trouble(const mm_pg_link_t *self)
{
    return self->trouble;
}
