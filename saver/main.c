// mayhem-saver keeps the record of all jobs: it opens a store and serves the consumer with it, or
// records one order and exits.

#include "log_messages.h"
#include "saver.h"
#include "service.h"
#include "uuid_source.h"

#include <assert.h>
#include <string.h>
#include <sysexits.h>

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

// With --order, while nothing runs.
static int record_order(const mm_options_t *options, store_t *store)
{
    mm_order_t order = {.id = id_of_order(options),
                        .name = mm_str(options->order_name),
                        .until_ms = options->order_until_ms,
                        .why = mm_str(options->order_why),
                        .actor = mm_str(options->order_actor)};
    mm_recorded_t recorded;
    char hash[MM_AUDIT_TEXT];
    bool is_action = mm_action_parse(mm_str(options->order), &order.action);
    assert(is_action); // the options were checked
    if (!store_order(store, &order, 1, &recorded))
        return mm_service_fail(options, EX_IOERR, "%s", store_error(store));
    if (recorded.error.size > 0)
        return mm_service_fail(options, EX_TEMPFAIL, "%.*s", (int)recorded.error.size,
                               recorded.error.data);
    mm_audit_head_t head = store_head(store);
    if (*options->log_file)
        mm_log(MM_LOG_INFO, MM_MESSAGE_AUDIT_HEAD, MM_INT("seq", head.seq),
               MM_STRING("hash", mm_audit_print(head.hash, hash)));
    return 0;
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
    exit_code = store_open(options.db, &store, error);
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
