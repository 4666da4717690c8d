// See core_config.h.

#include "core_config.h"
#include "clock.h"
#include "epoch.h"
#include "service.h"

#include <assert.h>
#include <string.h>
#include <sys/resource.h>

#define SAVE_AFTER_MS     1000 // people look at what is in progress once a second, and nothing else
#define RESTARTERS_MAX    512  // each needs 7 to 10 kB of memory and five descriptors
#define SAVERS_MAX        16   // of a shared record; of any other one there is one
#define KILL_MS           2000 // until a command that took too long has ended, at most (A1)
#define DESCRIPTORS_EACH  5
#define DESCRIPTORS_SPARE 1024 // for the consumer itself, publishers and viewers

// A restarter needs five descriptors: two for its task socket, three for its connections. libzmq
// aborts when there are none left.
static uint32_t restarters_max(void)
{
    struct rlimit limit;
    int rc = getrlimit(RLIMIT_NOFILE, &limit);
    assert(rc == 0 && limit.rlim_cur > DESCRIPTORS_SPARE);
    rlim_t most = (limit.rlim_cur - DESCRIPTORS_SPARE) / DESCRIPTORS_EACH;
    return most < RESTARTERS_MAX ? (uint32_t)most : RESTARTERS_MAX;
}

// The clock of deadlines on record is that of this boot of this machine (H10). One that is unknown
// is taken for a new one.
static void set_control(gather_config_t *config)
{
    mm_id_t boot = {0};
    uint64_t *const parts[] = {&config->control_1, &config->control_2, &config->control_3};
    if (!mm_clock_boot(&boot))
        memcpy(boot.bytes, &config->epoch, sizeof config->epoch);
    for (unsigned i = 0; i < sizeof boot.bytes; i++)
        *parts[i / 7] |= (uint64_t)boot.bytes[i] << 8 * (6 - i % 7);
}

gather_config_t core_config(const mm_options_t *options, uint64_t epoch, bool is_leased)
{
    gather_config_t config = {.epoch = epoch,
                              .first_number = epoch_first_number(epoch),
                              .first_session = epoch_first_number(epoch),
                              .seed = mm_service_seed(options),
                              .attempts = (uint32_t)options->attempts,
                              .backoff_low_ms = options->backoff.low_ms,
                              .backoff_high_ms = options->backoff.high_ms,
                              .heartbeat_ms = options->heartbeat_ms,
                              .lost_after_ms = options->lost_after_ms,
                              .extend_every_ms = options->extend_every_ms,
                              .max_lease_ms = options->max_lease_ms,
                              .save_after_ms = SAVE_AFTER_MS,
                              .drain_ms = options->drain_timeout_ms - 1000,
                              .max_in_flight = (uint32_t)options->max_in_flight,
                              .at_once = options->at_once.is_percent ? 0 : options->at_once.value,
                              .attempt_ms = options->timeout_ms + options->verify_timeout_ms,
                              .max_dead = (uint32_t)options->max_dead,
                              .starts_end_ms = options->starts_end_ms,
                              .settled_max = 32768,
                              .nacked_max = (uint32_t)options->max_in_flight,
                              .savers_max = is_leased ? SAVERS_MAX : 1,
                              .is_leased = is_leased,
                              .open_ms = is_leased ? options->timeout_ms + KILL_MS : 0,
                              .restarters_max = restarters_max()};
    set_control(&config);
    return config;
}
