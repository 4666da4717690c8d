// See curve_play.h.

#include "curve_play.h"
#include "clock.h"

#include <string.h>

mm_key_t curve_keys[CURVE_KEYS];
mm_loop_t *curve_loop;
zap_t *zap;
int64_t (*curve_look)(int64_t now_ms);
char curve_error[MM_ERROR_MAX];
unsigned curve_revoked, curve_replaced, curve_cut;
const mm_allowed_t *curve_revoked_row;
uint64_t curve_cut_session;
const char *curve_taken;

static mm_socket_t *servers[8];
static size_t server_count;
static curve_step_fn *const *next;
static int64_t end_ms;
static bool is_late, is_over;

// ---- files

void curve_path(char ret_path[TEMP_PATH_MAX], const char *name)
{
    char path[TEMP_PATH_MAX];
    (void)snprintf(path, sizeof path, "keys/%s", name);
    temp_path(ret_path, path);
}

void curve_replace_key(mm_key_t *ret_key)
{
    char path[TEMP_PATH_MAX], error[MM_ERROR_MAX];
    curve_path(path, "consumer.key");
    *ret_key = curve_keys[CONSUMER];
    mm_key_draw(ret_key);
    assert_int_equal(mm_key_write(ret_key, path, true, error), 0);
}

void curve_allow(const mm_key_t *key)
{
    char path[TEMP_PATH_MAX], error[MM_ERROR_MAX];
    curve_path(path, "allowed");
    assert_int_equal(mm_allow_list_add(path, key, error), 0);
}

void curve_disallow(const mm_key_t *key)
{
    char path[TEMP_PATH_MAX], error[MM_ERROR_MAX];
    curve_path(path, "allowed");
    assert_int_equal(mm_allow_list_remove(path, key->role, key->name.text, error), 0);
}

static void make_keys(void)
{
    static const struct {
        mm_key_role_t role;
        const char *name;
    } all[CURVE_KEYS] = {[CONSUMER] = {MM_KEY_CONSUMER, "consumer"},
                         [PUBLISHER] = {MM_KEY_PUBLISHER, "p1"},
                         [SAVER] = {MM_KEY_SAVER, "s1"},
                         [EU_1] = {MM_KEY_RESTARTER, "eu-1"},
                         [EU_2] = {MM_KEY_RESTARTER, "eu-2"},
                         [VIEWER] = {MM_KEY_VIEWER, "v1"},
                         [ANNA] = {MM_KEY_OPERATOR, "anna"},
                         [STRANGER] = {MM_KEY_RESTARTER, "stranger"}};
    char path[TEMP_PATH_MAX], error[MM_ERROR_MAX];
    temp_path(path, "keys");
    assert_int_equal(mkdir(path, 0700), 0);
    for (whose_t i = 0; i < CURVE_KEYS; i++) {
        mm_key_t *key = &curve_keys[i];
        *key = (mm_key_t){.role = all[i].role, .not_after_ms = INT64_MAX};
        assert_true(mm_name_from(mm_str(all[i].name), &key->name));
        mm_key_draw(key);
        if (i != CONSUMER && i != STRANGER)
            curve_allow(key);
    }
    curve_path(path, "consumer.key");
    assert_int_equal(mm_key_write(&curve_keys[CONSUMER], path, false, error), 0);
}

// ---- the handler

static void on_revoked(void *arg, const mm_allowed_t *row)
{
    (void)arg;
    curve_revoked++;
    curve_revoked_row = row;
}

static void on_replaced(void *arg)
{
    (void)arg;
    curve_replaced++;
}

static void on_cut(void *arg, uint64_t session)
{
    (void)arg;
    curve_cut++;
    curve_cut_session = session;
}

static const char *on_taken(void *arg, const mm_allowed_t *row)
{
    (void)arg;
    (void)row;
    return curve_taken;
}

zap_t *curve_zap(int *ret_exit_code)
{
    static char keys[TEMP_PATH_MAX];
    temp_path(keys, "keys");
    zap_config_t config = {.folder = keys,
                           .revoked = on_revoked,
                           .replaced = on_replaced,
                           .cut = on_cut,
                           .taken = on_taken};
    return zap_new(curve_loop, &config, ret_exit_code, curve_error);
}

static int64_t turn(void *arg)
{
    (void)arg;
    int64_t now_ms = mm_clock_ms(), look_ms = end_ms;
    if (zap)
        look_ms = zap_turn(zap, now_ms);
    else if (curve_look)
        look_ms = curve_look(now_ms);

    while (*next && (*next)())
        next++;
    is_late = now_ms >= end_ms;
    is_over = !*next || is_late;
    if (is_over)
        mm_loop_stop(curve_loop);
    return mm_earlier(look_ms, end_ms);
}

int make_curve(void **state)
{
    (void)state;
    make_temp_folder();
    make_keys();
    curve_revoked = curve_replaced = curve_cut = 0;
    curve_revoked_row = NULL;
    curve_taken = NULL;
    curve_look = NULL;
    curve_loop = mm_loop_new(turn, NULL);
    return 0;
}

void curve_open(void)
{
    int exit_code;
    zap = curve_zap(&exit_code);
    assert_non_null(zap);
}

int end_curve(void **state)
{
    mm_loop_destroy(&curve_loop);
    while (server_count > 0)
        mm_socket_destroy(&servers[--server_count]);
    zap_destroy(&zap);
    mm_socket_end();
    return remove_temp_folder(state);
}

mm_socket_t *curve_keep(mm_socket_t *socket)
{
    assert_true(server_count < sizeof servers / sizeof *servers);
    return servers[server_count++] = socket;
}

mm_socket_t *curve_serve(int type, const char *domain, char ret_endpoint[TEMP_PATH_MAX])
{
    mm_socket_t *socket = mm_socket_new(type);
    zap_serve(zap, socket, domain);
    assert_int_equal(mm_socket_bind(socket, "tcp://127.0.0.1:*"), 0);
    mm_socket_endpoint(socket, ret_endpoint, TEMP_PATH_MAX);
    return curve_keep(socket);
}

// ---- clients

static void on_event(void *arg)
{
    curve_client_t *self = arg;
    zmq_msg_t message;
    (void)zmq_msg_init(&message);
    while (zmq_msg_recv(&message, mm_socket_zmq(self->monitor), ZMQ_DONTWAIT) >= 0) {
        uint16_t event;
        memcpy(&event, zmq_msg_data(&message), sizeof event);
        self->let_in += event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
        self->refused += event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
        self->failed += event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL ||
                        event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
        self->cut += event == ZMQ_EVENT_DISCONNECTED;
        assert_true(zmq_msg_more(&message)); // the endpoint
        assert_true(zmq_msg_recv(&message, mm_socket_zmq(self->monitor), 0) >= 0);
    }
    (void)zmq_msg_close(&message);
}

static void set_key(mm_socket_t *socket, int option, const char *key)
{
    assert_int_equal(zmq_setsockopt(mm_socket_zmq(socket), option, key, MM_KEY_TEXT), 0);
}

void curve_connect(curve_client_t *self, int type, const mm_key_t *key, const char *server_key,
                   const char *topic, const char *endpoint)
{
    static unsigned count;
    memset(self, 0, sizeof *self);
    self->socket = mm_socket_new(type);
    mm_socket_limit(self->socket, 1000);
    if (key) {
        set_key(self->socket, ZMQ_CURVE_SERVERKEY, server_key);
        set_key(self->socket, ZMQ_CURVE_PUBLICKEY, key->public_key);
        set_key(self->socket, ZMQ_CURVE_SECRETKEY, key->secret_key);
    }
    if (topic)
        mm_socket_subscribe(self->socket, (mm_str_t){topic, strlen(topic) + 1});
    (void)snprintf(self->name, sizeof self->name, "inproc://client-%u", ++count);
    assert_int_equal(zmq_socket_monitor(mm_socket_zmq(self->socket), self->name, ZMQ_EVENT_ALL), 0);
    self->monitor = mm_socket_new(ZMQ_PAIR);
    assert_int_equal(mm_socket_connect(self->monitor, self->name), 0);
    mm_loop_add_socket(curve_loop, "monitor", self->monitor, ZMQ_POLLIN, on_event, self);
    assert_int_equal(mm_socket_connect(self->socket, endpoint), 0);
}

void curve_close(curve_client_t *self)
{
    if (!self->socket)
        return;
    mm_loop_remove_socket(curve_loop, self->monitor);
    (void)zmq_socket_monitor(mm_socket_zmq(self->socket), NULL, 0);
    mm_socket_destroy(&self->monitor);
    mm_socket_destroy(&self->socket);
}

void curve_play(curve_step_fn *const steps[])
{
    next = steps;
    end_ms = mm_clock_ms() + CURVE_PATIENCE_MS;
    mm_loop_run(curve_loop);
    if (is_late)
        fail_msg("step %d did not come true within %d ms", (int)(next - steps) + 1,
                 CURVE_PATIENCE_MS);
}
