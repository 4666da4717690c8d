// mayhem-restarter takes restart tasks from the consumer, as many at a time as it has slots, and
// has a driver do them (drivers/drivers.h).

#include "clock.h"
#include "crash.h"
#include "drivers.h"
#include "log_messages.h"
#include "pay.h"
#include "room.h"
#include "service.h"
#include "span.h"
#include "uuid.h"
#include "worker_client.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <zmq.h>

#define FINISH_MAX 32   // results in one call of the worker client
#define HOSTS_MAX  128  // in a reply to a viewer: with their words below MM_REPLY_BYTES
#define STOP_MS    2000 // from TERM to KILL for what still runs; part of the drain timeout

typedef struct {
    mm_options_t options;
    mm_loop_t *loop;
    mm_worker_client_t *client;
    const driver_kind_t *kind;
    driver_t *driver;
    room_t room;
    uint32_t slots;    // in the last report
    int64_t permit_ms; // that the driver was told of
    mm_real_t pause;   // of a result
} restarter_t;

static void start_restart(void *arg, const mm_task_t *task, int64_t now_ms)
{
    restarter_t *self = arg;
    {
        MM_SPAN_COUNTED("start restart");
        driver_start(self->driver, task, now_ms);
    }
    MM_CRASH_POINT("restarter: restart started");
}

static void stop_restarts(void *arg)
{
    restarter_t *self = arg;
    mm_log(MM_LOG_WARN, "Stopping what still runs",
           MM_INT("tasks", mm_worker_client_running(self->client)));
    driver_stop(self->driver, mm_clock_ms());
}

// By the number of a task that runs.
static void log_note(void *arg, uint64_t number, driver_note_t note, const char *text)
{
    static const char *const messages[] = {
        [DRIVER_NOTE_COMMAND] = "The command has ended",
        [DRIVER_NOTE_PROBE] = "The host does not say who it is; asking on",
        [DRIVER_NOTE_LOOK] = "A look did not find it well",
        [DRIVER_NOTE_SKIP] = "Nobody has said whether there is something to do; restarting",
        [DRIVER_NOTE_LEFT] = "Cannot kill what a command has left; its slot is kept",
        [DRIVER_NOTE_BEFORE] = "What comes before the restart has ended",
        [DRIVER_NOTE_AFTER] = "What comes after the restart has ended",
        [DRIVER_NOTE_PERMIT] = "Nothing permits a command; giving the restart back",
        [DRIVER_NOTE_OUTPUT] = "The output of the command is not kept any more"};
    bool is_bad = note == DRIVER_NOTE_PROBE || note == DRIVER_NOTE_SKIP ||
                  note == DRIVER_NOTE_LEFT || note == DRIVER_NOTE_OUTPUT;
    const restarter_t *self = arg;
    mm_task_t task;
    if (!mm_worker_client_holds(self->client, number, &task))
        return;
    mm_log(is_bad ? MM_LOG_WARN : MM_LOG_INFO, messages[note], MM_JOB(&task.id),
           MM_STR("host", task.host), MM_INT("attempt", task.attempt), MM_STRING("said", text));
}

// Asked before each command.
static int64_t permit_now(void *arg)
{
    const restarter_t *self = arg;
    return mm_worker_client_permit(self->client);
}

// What waits for a permit goes on.
static void tell_permit(restarter_t *self)
{
    int64_t permit_ms = mm_worker_client_permit(self->client);
    if (permit_ms == self->permit_ms)
        return;
    self->permit_ms = permit_ms;
    driver_permit(self->driver, mm_clock_ms());
}

// The consumer tells of it once.
static bool is_held(const mm_result_t *result)
{
    return result->status == MM_STATUS_RETURNED && result->real && result->real->is_held;
}

// By the fault of this machine.
static bool has_failed_here(const mm_result_t *result)
{
    bool is_back = result->status == MM_STATUS_RETURNED || result->status == MM_STATUS_OPEN;
    return is_back && result->error.size > 0 && !is_held(result);
}

static void log_restarted(const mm_task_t *task, const mm_result_t *result)
{
    if (result->real && result->real->end == MM_END_SKIPPED && result->real->words.size == 0)
        mm_log(MM_LOG_INFO, "There is nothing to do", MM_JOB(&task->id),
               MM_STR("host", task->host));
    else if (result->real && result->real->end == MM_END_SKIPPED)
        mm_log(MM_LOG_INFO, "There is nothing to do", MM_JOB(&task->id), MM_STR("host", task->host),
               MM_STR("why", result->real->words));
    else if (task->leg == MM_LEG_PROBE)
        mm_log(MM_LOG_DEBUG, "Identified a host", MM_JOB(&task->id), MM_STR("host", task->host));
    else if (!result->real)
        mm_log(MM_LOG_INFO, MM_MESSAGE_RESTARTED, MM_JOB(&task->id), MM_STR("host", task->host),
               MM_INT("attempt", task->attempt), MM_SECONDS("took", result->took_ms));
    else
        mm_log(MM_LOG_INFO, MM_MESSAGE_RESTARTED, MM_JOB(&task->id), MM_STR("host", task->host),
               MM_INT("attempt", task->attempt), MM_SECONDS("took", result->took_ms),
               MM_STRING("proof", mm_proof_name(result->real->proof)));
}

static void log_finish(const mm_task_t *task, const mm_result_t *result)
{
    if (is_held(result))
        mm_log(MM_LOG_DEBUG, "Returned a restart: its host is held", MM_JOB(&task->id),
               MM_STR("host", task->host), MM_STR("error", result->error));
    else if (has_failed_here(result))
        mm_log(MM_LOG_WARN, "Returned a restart: it cannot be started here", MM_JOB(&task->id),
               MM_STR("host", task->host), MM_STR("error", result->error));
    else if (result->status == MM_STATUS_OPEN)
        mm_log(MM_LOG_INFO, "Returned a restart that is not proven yet", MM_JOB(&task->id),
               MM_STR("host", task->host), MM_INT("attempt", task->attempt));
    else if (result->status == MM_STATUS_RETURNED)
        mm_log(MM_LOG_INFO, "Returned a restart that was not started", MM_JOB(&task->id),
               MM_STR("host", task->host));
    else if (result->status == MM_STATUS_OK)
        log_restarted(task, result);
    else
        mm_log(MM_LOG_WARN, MM_MESSAGE_NOT_RESTARTED, MM_JOB(&task->id), MM_STR("host", task->host),
               MM_INT("attempt", task->attempt), MM_SECONDS("took", result->took_ms),
               MM_STR("error", result->error));
}

// What cannot be started here makes for fewer tasks at a time, and none for a while.
static void learn(restarter_t *self, mm_result_t *result, size_t ended, int64_t now_ms)
{
    size_t running = mm_worker_client_running(self->client) - ended;
    if (is_held(result))
        return;
    if (!has_failed_here(result)) {
        room_started(&self->room);
        return;
    }
    int64_t pause_ms = room_failed(&self->room, (uint32_t)running, now_ms);
    if (result->status == MM_STATUS_RETURNED && pause_ms > 0) {
        self->pause = (mm_real_t){.pause_ms = pause_ms};
        result->real = &self->pause;
    }
}

static void tell_slots(restarter_t *self)
{
    if (self->room.slots == self->slots)
        return;
    if (self->room.slots < self->slots)
        mm_log(MM_LOG_WARN, "Fewer restarts at a time: this machine cannot start more",
               MM_INT("slots", self->room.slots));
    else
        mm_log(MM_LOG_INFO, "More restarts at a time again", MM_INT("slots", self->room.slots));
    self->slots = self->room.slots;
    mm_worker_client_set_slots(self->client, self->slots);
}

// Results without a text go to the worker client FINISH_MAX at a time. One with a text, or of a
// real restart, ends its batch, since that lives only until the next result is taken.
static void receive_finished(restarter_t *self)
{
    mm_result_t results[FINISH_MAX];
    size_t count = 0;
    int64_t now_ms = mm_clock_ms();
    while (driver_next_finished(self->driver, now_ms, &results[count])) {
        mm_result_t *result = &results[count++];
        mm_task_t task;
        bool held = mm_worker_client_holds(self->client, result->number, &task);
        assert(held);
        log_finish(&task, result);
        learn(self, result, count, now_ms);
        MM_CRASH_POINT("restarter: restart finished, result not sent");
        bool has_more = result->error.size > 0 || result->evidence_count > 0 || result->real;
        if (count == FINISH_MAX || has_more) {
            mm_worker_client_finish(self->client, results, count);
            count = 0;
        }
    }
    mm_worker_client_finish(self->client, results, count);
}

// The hosts that are being restarted: as many as fit into a reply.
static json_t *hosts(void *arg)
{
    const restarter_t *self = arg;
    int64_t now_ms = mm_clock_ms(), wall_ms = mm_clock_wall_ms();
    json_t *list = json_array();
    driver_view_t view;
    size_t left_out = 0;
    for (size_t cursor = 0; driver_look(self->driver, &cursor, &view);) {
        char id[MM_ID_TEXT];
        mm_task_t task;
        if (!mm_worker_client_holds(self->client, view.number, &task))
            continue;
        if (json_array_size(list) == HOSTS_MAX) {
            left_out++;
            continue;
        }
        json_t *host = json_pack(
            "{s:s%, s:s, s:I, s:s, s:I, s:I, s:s}", "host", task.host.data, task.host.size, "job",
            mm_id_print(&task.id, id), "attempt", (json_int_t)task.attempt, "doing", view.doing,
            "command", (json_int_t)view.command, "since_ms",
            (json_int_t)(wall_ms - (now_ms - view.since_ms)), "words", view.words);
        assert(host);
        json_array_append_new(list, host);
    }
    return json_pack("{s:o, s:I}", "hosts", list, "left_out", (json_int_t)left_out);
}

static void on_driver(void *arg)
{
    MM_SPAN("on_driver");
    restarter_t *self = arg;
    driver_step(self->driver, mm_clock_ms());
}

static void on_signal(void *arg, int number)
{
    MM_SPAN("on_signal");
    restarter_t *self = arg;
    mm_service_log_signal(number);
    mm_log(MM_LOG_INFO, "Returning what has not started, finishing what runs",
           MM_INT("running", mm_worker_client_running(self->client)));
    mm_worker_client_drain(self->client);
    driver_drain(self->driver, mm_clock_ms());
}

static int64_t turn(void *arg)
{
    MM_SPAN("turn");
    restarter_t *self = arg;
    int64_t now_ms = mm_clock_ms();
    if (now_ms >= driver_deadline(self->driver))
        driver_step(self->driver, now_ms);
    tell_permit(self);
    receive_finished(self);
    int64_t deadline = mm_worker_client_turn(self->client);
    receive_finished(self); // what that turn stopped
    (void)room_raise(&self->room, mm_clock_ms());
    tell_slots(self);
    if (driver_is_lost(self->driver))
        mm_log(MM_LOG_ERROR, "The process that starts commands was killed; killing what runs",
               MM_INT("running", mm_worker_client_running(self->client)));
    if (mm_worker_client_is_done(self->client) || driver_is_lost(self->driver))
        mm_loop_stop(self->loop);
    return mm_earlier(mm_earlier(deadline, driver_deadline(self->driver)), self->room.raise_ms);
}

// The driver; NULL when it cannot work with the options, which has then been said.
static driver_t *make_driver(const driver_kind_t *kind, const mm_options_t *options)
{
    char complaint[MM_ERROR_MAX];
    driver_t *driver = kind->new (options, complaint);
    if (!driver)
        (void)mm_service_fail(options, EX_CONFIG, "%s", complaint);
    return driver;
}

static void print_attributes(const driver_t *driver)
{
    const mm_attribute_keys_t *keys = &driver->attributes;
    for (size_t i = 0; i < keys->count; i++)
        (void)printf("%s%.*s%s", i == 0 ? "attributes: " : ",", (int)keys->keys[i].size,
                     keys->keys[i].data, keys->is_optional[i] ? "?" : "");
    if (keys->count > 0)
        (void)putchar('\n');
    for (size_t i = 0; i < keys->count; i++)
        (void)printf("named: %.*s %s\n", (int)keys->keys[i].size, keys->keys[i].data,
                     driver->named_by[i]);
}

// Also tells `mayhem run` what the commands need to know of a job, how sure a success is, and last,
// since a command may hold anything, what the driver is.
static int check_driver(const mm_options_t *options)
{
    const driver_kind_t *kind = drivers_choose(options);
    driver_t *driver = make_driver(kind, options);
    if (!driver)
        return EX_CONFIG;
    print_attributes(driver);
    if (kind->describe) {
        (void)printf("digest: %s\nproof: %s\ndriver: ", driver->name.text, driver->proof);
        kind->describe(options);
    } else {
        (void)printf("mock: yes\ndriver: mock");
    }
    (void)putchar('\n');
    driver_destroy(&driver);
    return 0;
}

// Opens the driver. Returns 0, or a sysexits code after a complaint.
static int start_driver(restarter_t *self)
{
    char complaint[MM_ERROR_MAX];
    self->kind = drivers_choose(&self->options);
    self->driver = make_driver(self->kind, &self->options);
    if (!self->driver)
        return EX_CONFIG;
    if (driver_open(self->driver, complaint))
        return 0;
    driver_destroy(&self->driver);
    return mm_service_fail(&self->options, EX_UNAVAILABLE, "%s", complaint);
}

static mm_worker_client_t *new_client(restarter_t *self, const mm_addresses_t *addresses)
{
    mm_worker_client_config_t config = mm_worker_client_config(&self->options, addresses);
    config.worker.role = MM_ROLE_RESTARTER;
    config.worker.slots = (uint32_t)self->options.slots;
    config.worker.drain_ms -= STOP_MS;
    config.worker.one_by_one = self->kind->one_by_one;
    config.worker.driver = self->driver->name;
    config.worker.verbs = self->driver->verbs;
    config.tells_started = true;
    config.start = start_restart;
    config.stop = stop_restarts;
    config.hosts = hosts;
    config.arg = self;
    return mm_worker_client_new(self->loop, &config);
}

int main(int argc, char **argv)
{
    restarter_t self = {0};
    mm_addresses_t addresses;
    int exit_code;
    if (!mm_service_start(MM_PROGRAM_RESTARTER, argc, argv, check_driver, &self.options, &addresses,
                          &exit_code))
        return exit_code;
    exit_code = start_driver(&self);
    if (exit_code != 0)
        return mm_service_quit(&self.options, exit_code);
    if (*self.options.pay != '\0') {
        exit_code = pay_debts(&self.options, self.driver);
        driver_destroy(&self.driver);
        return mm_service_quit(&self.options, exit_code);
    }
    self.slots = (uint32_t)self.options.slots;
    self.room = room_new(self.slots);
    self.loop = mm_loop_new(turn, &self);
    self.client = new_client(&self, &addresses);
    self.driver->note = log_note;
    self.driver->note_arg = &self;
    self.driver->permit = permit_now;
    self.driver->permit_arg = &self;
    mm_loop_on_signal(self.loop, on_signal, &self);
    if (driver_descriptor(self.driver) >= 0)
        mm_loop_add_descriptor(self.loop, "driver", driver_descriptor(self.driver), ZMQ_POLLIN,
                               on_driver, &self);
    mm_log(MM_LOG_INFO, "Ready", MM_INT("slots", self.options.slots),
           MM_STRING("driver", self.kind->name(&self.options)));
    mm_loop_run(self.loop);
    bool is_lost = driver_is_lost(self.driver);
    exit_code = mm_worker_client_end(&self.client);
    mm_loop_destroy(&self.loop);
    driver_destroy(&self.driver);
    if (is_lost)
        exit_code = EX_SOFTWARE;
    return mm_service_end(&self.options, exit_code);
}
