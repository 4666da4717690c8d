// The same work over RabbitMQ, by its C client: an exchange "jobs" that copies each message into
// the queues of saver and restarter, and one each for results and acks. All queues are quorum
// queues: a message is confirmed when it is synced on a majority, which on one node is that node.
// Publishers take confirms as they come, consumers prefetch and acknowledge a batch at once, and
// each role has one connection for publishing and one for consuming, as flow control stops the
// former only.
//
// rabbitmq [-n JOBS] [-w WINDOW] [-b JOBS] [-f quorum] DIR

#include "work.h"

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define PREFETCH    (2 * PEER_BATCH_MAX) // messages
#define FRAME_BYTES 131072
#define CHANNEL     1
#define AHEAD_MAX   65536 // messages
#define SERVER      "/usr/lib/rabbitmq/bin/rabbitmq-server"

struct link {
    amqp_connection_state_t out, in;
    uint64_t published, confirmed; // messages: so many; all up to this one
    bool is_ahead[AHEAD_MAX];      // confirmed, while one before is not
    uint64_t received;             // the tag of the last message
};

static int port;
static const struct timeval no_time = {0};

// ---- the connection ----------------------------------------------------------------------------

static void must(amqp_rpc_reply_t reply, const char *what)
{
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
        roles_fail(what, amqp_error_string2(reply.library_error));
    if (reply.reply_type != AMQP_RESPONSE_NORMAL)
        roles_fail(what, "the server has refused it");
}

// NULL: there is no server yet.
static amqp_connection_state_t connect_once(void)
{
    amqp_connection_state_t self = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(self);
    if (socket && amqp_socket_open(socket, "127.0.0.1", port) == 0 &&
        amqp_login(self, "/", 0, FRAME_BYTES, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest")
                .reply_type == AMQP_RESPONSE_NORMAL)
        return self;
    (void)amqp_destroy_connection(self);
    return NULL;
}

static amqp_connection_state_t connect_server(void)
{
    amqp_connection_state_t self;
    while (!(self = connect_once()))
        peer_try_again("rabbitmq-server");
    (void)amqp_channel_open(self, CHANNEL);
    must(amqp_get_rpc_reply(self), "channel");
    return self;
}

static void disconnect(amqp_connection_state_t self)
{
    must(amqp_connection_close(self, AMQP_REPLY_SUCCESS), "rabbitmq close");
    (void)amqp_destroy_connection(self);
}

// ---- the broker --------------------------------------------------------------------------------

static link_t *open_link(const char *name, const char *from, bool is_group)
{
    (void)from;
    (void)is_group;
    link_t *self = calloc(1, sizeof *self);
    if (!self)
        roles_fail("rabbitmq", "no memory");
    self->out = connect_server();
    (void)amqp_confirm_select(self->out, CHANNEL);
    must(amqp_get_rpc_reply(self->out), "confirm.select");
    self->in = connect_server();
    (void)amqp_basic_qos(self->in, CHANNEL, 0, PREFETCH, 0);
    must(amqp_get_rpc_reply(self->in), "basic.qos");
    (void)amqp_basic_consume(self->in, CHANNEL, amqp_cstring_bytes(name), amqp_empty_bytes, 0, 0, 0,
                             amqp_empty_table);
    must(amqp_get_rpc_reply(self->in), "basic.consume");
    return self;
}

static void publish(link_t *self, const char *to, const void *bytes, size_t size)
{
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
                                          .delivery_mode = AMQP_DELIVERY_PERSISTENT};
    int error = amqp_basic_publish(self->out, CHANNEL, amqp_cstring_bytes(to), amqp_empty_bytes, 0,
                                   0, &properties, (amqp_bytes_t){size, (void *)bytes});
    if (error != 0)
        roles_fail("basic.publish", amqp_error_string2(error));
    self->published++;
}

// A confirmation is for one message, or for all up to one.
static void note_confirmed(link_t *self, const amqp_basic_ack_t *ack)
{
    self->is_ahead[ack->delivery_tag % AHEAD_MAX] = true;
    for (;; self->confirmed++) {
        bool *next = &self->is_ahead[(self->confirmed + 1) % AHEAD_MAX];
        if (!*next && (!ack->multiple || self->confirmed >= ack->delivery_tag))
            break;
        *next = false;
    }
}

// Waits for one, or takes one that is there; false: there is none.
static bool take_confirm(link_t *self, bool waits)
{
    amqp_frame_t frame;
    int error = amqp_simple_wait_frame_noblock(self->out, &frame, waits ? NULL : &no_time);
    if (error == AMQP_STATUS_TIMEOUT && !waits)
        return false;
    if (error != 0)
        roles_fail("confirm", amqp_error_string2(error));
    if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
        roles_fail("confirm", "the server has refused a message");
    note_confirmed(self, frame.payload.method.decoded);
    amqp_maybe_release_buffers(self->out);
    return true;
}

static void confirm(link_t *self, size_t most)
{
    while (self->confirmed < self->published)
        if (!take_confirm(self, self->published - self->confirmed > most))
            return;
}

static void receive(link_t *self, size_t most, work_inbox_t *inbox)
{
    for (size_t count = 0; count < most; count++) {
        amqp_envelope_t envelope;
        amqp_rpc_reply_t reply =
            amqp_consume_message(self->in, &envelope, count == 0 ? NULL : &no_time, 0);
        if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
            reply.library_error == AMQP_STATUS_TIMEOUT && count > 0)
            break;
        must(reply, "receive");
        work_take(inbox, envelope.message.body.bytes, envelope.message.body.len);
        self->received = envelope.delivery_tag;
        amqp_destroy_envelope(&envelope);
        amqp_maybe_release_buffers(self->in);
    }
}

static void accept_all(link_t *self)
{
    if (amqp_basic_ack(self->in, CHANNEL, self->received, 1) != 0)
        roles_fail("basic.ack", "it was not sent");
}

static void close_link(link_t *self)
{
    disconnect(self->in);
    disconnect(self->out);
    free(self);
}

// ---- the server --------------------------------------------------------------------------------

static void write_file(const char *name, const char *text)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", peer.dir, name);
    FILE *file = fopen(path, "we");
    if (!file || fputs(text, file) < 0 || fclose(file) != 0)
        roles_fail(path, "it cannot be written");
}

__attribute__((format(printf, 2, 3))) static void set(const char *name, const char *format, ...)
{
    char text[4400];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof text, format, values);
    va_end(values);
    (void)setenv(name, text, 1);
}

// A node of its own: files below the folder, free ports of 127.0.0.1, and its own port mapper.
static void start_server(void)
{
    char text[512], mapper[16];
    port = peer_free_port();
    (void)snprintf(mapper, sizeof mapper, "%d", peer_free_port());
    (void)snprintf(text, sizeof text, "listeners.tcp.1 = 127.0.0.1:%d\nlog.file.level = error\n",
                   port);
    write_file("rabbitmq.conf", text);
    write_file("plugins", "[].\n");
    write_file("rabbitmq-env.conf", "");
    set("HOME", "%s", peer.dir);
    set("ERL_EPMD_PORT", "%s", mapper);
    set("ERL_EPMD_ADDRESS", "127.0.0.1");
    set("RABBITMQ_NODENAME", "mayhem-%d@localhost", port);
    set("RABBITMQ_DIST_PORT", "%d", peer_free_port());
    set("RABBITMQ_CONFIG_FILE", "%s/rabbitmq.conf", peer.dir);
    set("RABBITMQ_CONF_ENV_FILE", "%s/rabbitmq-env.conf", peer.dir);
    set("RABBITMQ_ENABLED_PLUGINS_FILE", "%s/plugins", peer.dir);
    set("RABBITMQ_MNESIA_BASE", "%s/mnesia", peer.dir);
    set("RABBITMQ_LOG_BASE", "%s/log", peer.dir);
    set("RABBITMQ_PID_FILE", "%s/rabbitmq.pid", peer.dir);
    set("RABBITMQ_FEATURE_FLAGS_FILE", "%s/feature_flags", peer.dir);
    // This process becomes the node itself, without a shell and its traps in between.
    set("RABBITMQ_ALLOW_INPUT", "1");
    set("RABBITMQ_SERVER_START_ARGS", "-noinput");
    // Schedulers that look for work in vain take the processors from the clients.
    set("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
        "+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}");
    peer_assist((const char *[]){"epmd", "-port", mapper, "-address", "127.0.0.1", NULL});
    peer_serve((const char *[]){SERVER, NULL});
}

static void add_queue(amqp_connection_state_t server, const char *exchange, const char *queue)
{
    amqp_table_entry_t kind = {
        .key = amqp_cstring_bytes("x-queue-type"),
        .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes("quorum")}};
    amqp_bytes_t to = amqp_cstring_bytes(exchange), name = amqp_cstring_bytes(queue);
    (void)amqp_exchange_declare(server, CHANNEL, to, amqp_cstring_bytes("fanout"), 0, 1, 0, 0,
                                amqp_empty_table);
    must(amqp_get_rpc_reply(server), "exchange.declare");
    (void)amqp_queue_declare(server, CHANNEL, name, 0, 1, 0, 0, (amqp_table_t){1, &kind});
    must(amqp_get_rpc_reply(server), "queue.declare");
    (void)amqp_queue_bind(server, CHANNEL, name, to, amqp_empty_bytes, amqp_empty_table);
    must(amqp_get_rpc_reply(server), "queue.bind");
}

static void add_all(void)
{
    amqp_connection_state_t server = connect_server();
    add_queue(server, "jobs", "saver");
    add_queue(server, "jobs", "restarter");
    add_queue(server, "results", "gatherer");
    add_queue(server, "acks", "producer");
    disconnect(server);
}

// Nothing is left, and nothing came back from a connection that has ended without its acks.
static void check(void)
{
    static const char *const queues[] = {"saver", "restarter", "gatherer", "producer"};
    amqp_connection_state_t server = connect_server();
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++) {
        const amqp_queue_declare_ok_t *queue = amqp_queue_declare(
            server, CHANNEL, amqp_cstring_bytes(queues[i]), 1, 1, 0, 0, amqp_empty_table);
        must(amqp_get_rpc_reply(server), queues[i]);
        if (queue->message_count > 0)
            roles_fail(queues[i], "messages are left in its queue");
    }
    disconnect(server);
}

int main(int argc, char **argv)
{
    static const broker_t broker = {.open = open_link,
                                    .publish = publish,
                                    .confirm = confirm,
                                    .receive = receive,
                                    .accept = accept_all,
                                    .close = close_link};
    peer_start(argc, argv, (const char *const[]){"quorum", NULL});
    if (peer.window >= AHEAD_MAX)
        roles_fail("rabbitmq", "the window is too large");
    start_server();
    add_all();
    return work_run(&broker, check);
}
