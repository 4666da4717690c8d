// mayhem-saver keeps the record of all jobs: it opens a store and serves the consumer with it, or
// records one order and exits.

#include "clock.h"
#include "log_messages.h"
#include "saver.h"
#include "service.h"
#include "uuid_source.h"

#include <assert.h>
#include <poll.h>
#include <string.h>
#include <sysexits.h>

#define ORDER_MS 30000 // for an order to be on record
#define RETRY_MS 500   // between two tries to open the record

// The order's id: one that a consumer has recorded before is not recorded twice.
static mm_id_t id_of_order(const mm_options_t *options)
{
    mm_id_t id;
    if (mm_id_parse(mm_str(options->order_id), &id))
        return id;
    for (size_t i = 0; i < sizeof id.bytes; i += sizeof(uint64_t)) {
        uint64_t drawn = mm_instance_draw();
        memcpy(id.bytes + i, &drawn, sizeof drawn);
    }
    return id;
}

// Waits until the order has ended: a database that comes back within that time answers, too.
static bool wait_for(store_t *store, const mm_recorded_t **ret_recorded)
{
    int64_t ends_ms = mm_clock_ms() + ORDER_MS;
    while (store_recorded(store, ret_recorded) == 0) {
        int64_t left_ms = ends_ms - mm_clock_ms();
        struct pollfd readable = {.fd = store_descriptor(store), .events = POLLIN};
        if (left_ms <= 0 || readable.fd < 0 || poll(&readable, 1, (int)left_ms) == 0 ||
            !store_step(store))
            return false;
    }
    return true;
}

// With --order, while nothing runs.
static int record_order(const mm_options_t *options, store_t *store)
{
    mm_order_t order = {.id = id_of_order(options),
                        .name = mm_str(options->order_name),
                        .until_ms = options->order_until_ms,
                        .why = mm_str(options->order_why),
                        .actor = mm_str(options->order_actor)};
    const mm_recorded_t *recorded;
    char hash[MM_AUDIT_TEXT];
    bool is_action = mm_action_parse(mm_str(options->order), &order.action);
    assert(is_action); // the options were checked
    if (!store_takes_orders(store))
        return mm_service_fail(options, EX_UNAVAILABLE, "this record takes no orders");
    if (!store_order(store, &order, 1))
        return mm_service_fail(options, EX_IOERR, "%s", store_error(store));
    if (!wait_for(store, &recorded))
        return mm_service_fail(options, EX_TEMPFAIL,
                               "nobody knows whether the order is on record: %s",
                               store_trouble(store));
    if (recorded->error.size > 0)
        return mm_service_fail(options, EX_TEMPFAIL, "%.*s", (int)recorded->error.size,
                               recorded->error.data);
    mm_audit_head_t head = store_head(store);
    if (*options->log_file)
        mm_log(MM_LOG_INFO, MM_MESSAGE_AUDIT_HEAD, MM_INT("seq", head.seq),
               MM_STRING("hash", mm_audit_print(head.hash, hash)));
    return 0;
}

// A saver that starts while its database is away waits for it, as one that runs does; an order is
// given by somebody who is told.
static int open_store(const mm_options_t *options, store_t **ret_store, char error[MM_ERROR_MAX])
{
    char former[MM_ERROR_MAX] = "";
    int code;
    while ((code = store_open(options->store, ret_store, error)) == EX_TEMPFAIL &&
           !*options->order) {
        if (strcmp(former, error) != 0)
            mm_log(MM_LOG_WARN, "Waiting for the record", MM_STRING("error", error));
        memcpy(former, error, sizeof former);
        (void)poll(NULL, 0, RETRY_MS); // TERM ends the process
    }
    return code;
}

int main(int argc, char **argv)
{
    mm_options_t options;
    mm_addresses_t addresses;
    store_t *store;
    char error[MM_ERROR_MAX];
    int exit_code;
    if (!mm_service_start(MM_PROGRAM_SAVER, argc, argv, NULL, &options, &addresses, &exit_code))
        return exit_code;
    exit_code = open_store(&options, &store, error);
    if (exit_code != 0)
        return mm_service_quit(&options, mm_service_fail(&options, exit_code, "%s", error));
    if (*options.order) {
        exit_code = record_order(&options, store);
        (void)store_close(&store);
        return mm_service_quit(&options, exit_code);
    }
    exit_code = saver_run(&options, &addresses, &store);
    return mm_service_end(&options, exit_code);
}
