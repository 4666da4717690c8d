// The same work over NATS JetStream, by its own C client: streams "jobs", "results" and "acks" in
// the file store, which keep all. Publishing is asynchronous, with a confirmation for each message.
// Everybody pulls, and asks for more while half of what it asked for is still to come, as the
// clients' Consume() does. Who is alone acknowledges by the last message of a batch (AckAll),
// restarters each (AckExplicit). One server, one replica.
//
// nats [-n JOBS] [-w WINDOW] [-b JOBS] [-f default|always] DIR
//   -f default: a confirmed message is with the kernel, and synced within two minutes; always: it
//   is synced (sync_interval: always), which nats-server has from 2.10. NATS_SERVER: that program.

#include "work.h"

#include <nats/nats.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PULL       (2 * PEER_BATCH_MAX) // messages
#define TIMEOUT_MS ((int64_t)PEER_TIME_LIMIT_S * 1000)

struct link {
    natsConnection *connection;
    jsCtx *stream;
    natsSubscription *inbox;
    char inbox_name[64], pull[96];
    size_t asked; // and not yet received
    bool is_group;
    natsMsg *received[PEER_BATCH_MAX];
    size_t count;
};

static char url[64];

static void must(natsStatus status, const char *what)
{
    if (status != NATS_OK)
        roles_fail(what, natsStatus_GetText(status));
}

static void fail_publish(jsCtx *stream, jsPubAckErr *error, void *closure)
{
    (void)stream;
    (void)closure;
    roles_fail("nats publish", error->ErrText ? error->ErrText : "not confirmed");
}

static natsConnection *connect_server(void)
{
    natsConnection *connection = NULL;
    while (natsConnection_ConnectTo(&connection, url) != NATS_OK)
        peer_try_again("nats-server");
    return connection;
}

// ---- the broker --------------------------------------------------------------------------------

static void ask(link_t *self)
{
    char request[64];
    (void)snprintf(request, sizeof request, "{\"batch\":%zu,\"expires\":%lld}", PULL - self->asked,
                   (long long)TIMEOUT_MS * 1000000);
    must(natsConnection_PublishRequestString(self->connection, self->pull, self->inbox_name,
                                             request),
         "nats pull");
    self->asked = PULL;
}

static link_t *open_link(const char *name, const char *from, bool is_group)
{
    link_t *self = calloc(1, sizeof *self);
    natsInbox *inbox = NULL;
    jsOptions options;
    if (!self)
        roles_fail("nats", "no memory");
    self->is_group = is_group;
    self->connection = connect_server();
    (void)jsOptions_Init(&options);
    options.PublishAsync.ErrHandler = fail_publish;
    must(natsConnection_JetStream(&self->stream, self->connection, &options), "nats");
    must(natsInbox_Create(&inbox), "nats");
    (void)snprintf(self->inbox_name, sizeof self->inbox_name, "%s", inbox);
    natsInbox_Destroy(inbox);
    (void)snprintf(self->pull, sizeof self->pull, "$JS.API.CONSUMER.MSG.NEXT.%s.%s", from, name);
    must(natsConnection_SubscribeSync(&self->inbox, self->connection, self->inbox_name), "nats");
    ask(self);
    must(natsConnection_Flush(self->connection), "nats");
    return self;
}

static void publish(link_t *self, const char *to, const void *bytes, size_t size)
{
    must(js_PublishAsync(self->stream, to, bytes, (int)size, NULL), "nats publish");
}

// The client counts what is not confirmed, and tells nobody how many they are: all, or no waiting.
static void confirm(link_t *self, size_t most)
{
    jsPubOptions options;
    (void)jsPubOptions_Init(&options);
    options.MaxWait = TIMEOUT_MS;
    if (most == 0)
        must(js_PublishAsyncComplete(self->stream, &options), "nats confirm");
}

static void receive(link_t *self, size_t most, work_inbox_t *inbox)
{
    for (int64_t wait_ms = TIMEOUT_MS; self->count < most; wait_ms = 0) {
        natsMsg *message = NULL;
        natsStatus status = natsSubscription_NextMsg(&message, self->inbox, wait_ms);
        if (status == NATS_TIMEOUT && wait_ms == 0)
            break;
        must(status, "nats receive");
        const char *reply = natsMsg_GetReply(message);
        if (!reply)
            roles_fail("nats receive", "the server has ended a request");
        work_take(inbox, natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message));
        self->received[self->count++] = message;
        self->asked--;
    }
    if (self->asked <= PULL / 2)
        ask(self);
}

static void accept_all(link_t *self)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->is_group || i == self->count - 1)
            must(natsConnection_PublishString(self->connection, natsMsg_GetReply(self->received[i]),
                                              "+ACK"),
                 "nats ack");
        natsMsg_Destroy(self->received[i]);
    }
    self->count = 0;
}

static void close_link(link_t *self)
{
    must(natsConnection_Flush(self->connection), "nats");
    natsSubscription_Destroy(self->inbox);
    jsCtx_Destroy(self->stream);
    natsConnection_Destroy(self->connection);
    free(self);
}

// ---- the server --------------------------------------------------------------------------------

static void add_stream(jsCtx *stream, const char *name)
{
    jsStreamConfig config;
    (void)jsStreamConfig_Init(&config);
    config.Name = name;
    config.Subjects = &name;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    must(js_AddStream(NULL, stream, &config, NULL, NULL), "nats stream");
}

static void add_consumer(jsCtx *stream, const char *from, const char *name, bool is_group)
{
    jsConsumerConfig config;
    (void)jsConsumerConfig_Init(&config);
    config.Durable = name;
    config.AckPolicy = is_group ? js_AckExplicit : js_AckAll;
    config.MaxAckPending = (int64_t)peer.window * 2;
    must(js_AddConsumer(NULL, stream, from, &config, NULL, NULL), "nats consumer");
}

static void start_server(void)
{
    char path[4096], *program = getenv("NATS_SERVER");
    int port = peer_free_port();
    (void)snprintf(path, sizeof path, "%s/nats.conf", peer.dir);
    (void)snprintf(url, sizeof url, "nats://127.0.0.1:%d", port);
    FILE *file = fopen(path, "we");
    if (!file)
        roles_fail(path, "it cannot be written");
    (void)fprintf(file, "listen: 127.0.0.1:%d\njetstream { store_dir: \"%s/store\"%s }\n", port,
                  peer.dir,
                  strcmp(peer.durability, "always") == 0 ? ", sync_interval: always" : "");
    if (fclose(file) != 0)
        roles_fail(path, "it cannot be written");
    peer_serve((const char *[]){program ? program : "nats-server", "-c", path, NULL});
}

static jsCtx *open_stream(natsConnection *connection)
{
    jsCtx *stream = NULL;
    must(natsConnection_JetStream(&stream, connection, NULL), "nats");
    return stream;
}

static int add_all(void *arg)
{
    (void)arg;
    natsConnection *connection = connect_server();
    jsCtx *stream = open_stream(connection);
    add_stream(stream, "jobs");
    add_stream(stream, "results");
    add_stream(stream, "acks");
    add_consumer(stream, "jobs", "saver", false);
    add_consumer(stream, "jobs", "restarter", true);
    add_consumer(stream, "results", "gatherer", false);
    add_consumer(stream, "acks", "producer", false);
    add_consumer(stream, "acks", "check", false);
    jsCtx_Destroy(stream);
    natsConnection_Destroy(connection);
    return 0;
}

// ---- the check ---------------------------------------------------------------------------------

static void check_accepted(const char *from, const char *name)
{
    natsConnection *connection = connect_server();
    jsCtx *stream = open_stream(connection);
    jsConsumerInfo *info = NULL;
    must(js_GetConsumerInfo(&info, stream, from, name, NULL, NULL), "nats check");
    if (info->NumPending > 0 || info->NumAckPending > 0)
        roles_fail(name, "not everything in its stream is acknowledged");
    jsConsumerInfo_Destroy(info);
    jsCtx_Destroy(stream);
    natsConnection_Destroy(connection);
}

// The acks are in their stream, each once, and everybody has acknowledged everything.
static void check(void)
{
    link_t *link = open_link("check", "acks", false);
    peer_seen_t *seen = peer_seen_create();
    for (uint64_t count = 0; count < peer.jobs;) {
        work_inbox_t inbox = {.from = "acks"};
        receive(link, WORK_JOBS_MAX / PEER_BATCH_MAX, &inbox);
        for (size_t i = 0; i < inbox.count; i++)
            peer_see_ack(seen, inbox.jobs[i]);
        count += inbox.count;
        accept_all(link);
    }
    peer_see_all(seen, "the stream of acks");
    close_link(link);
    check_accepted("jobs", "saver");
    check_accepted("jobs", "restarter");
    check_accepted("results", "gatherer");
    check_accepted("acks", "producer");
}

int main(int argc, char **argv)
{
    static const broker_t broker = {.open = open_link,
                                    .publish = publish,
                                    .confirm = confirm,
                                    .receive = receive,
                                    .accept = accept_all,
                                    .close = close_link};
    peer_start(argc, argv, (const char *const[]){"default", "always", NULL});
    start_server();
    peer_prepare(add_all);
    return work_run(&broker, check);
}
