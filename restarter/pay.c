// See pay.h.

#include "pay.h"
#include "array.h"
#include "attributes.h"
#include "clock.h"
#include "service.h"
#include "sqlite.h"

#include <assert.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "record_schema.h"

typedef struct {
    mm_id_t job, machine, boot;
    uint32_t attempt;
    char *host, *attributes;
} debt_row_t;

typedef struct {
    const mm_options_t *options;
    driver_t *driver;
    mm_sqlite_t *record;
    sqlite3_stmt *read, *pay;
    debt_row_t *debts;
    size_t count, capacity;
} pay_t;

// What somebody may have written into the record is not filled into a command.
static bool is_valid(const debt_row_t *debt)
{
    return !mm_host_complaint(mm_str(debt->host)) &&
           (*debt->attributes == '\0' || mm_attributes_are_valid(mm_str(debt->attributes)));
}

static void free_debt(debt_row_t *debt)
{
    free(debt->host);
    free(debt->attributes);
}

static bool read_debts(pay_t *self)
{
    mm_sqlite_status_t status = MM_SQLITE_OK;
    for (bool has_row = true; status == MM_SQLITE_OK && has_row;) {
        status = mm_sqlite_row(self->record, self->read, &has_row);
        if (status != MM_SQLITE_OK || !has_row || !sqlite3_column_int(self->read, DEBTS_IS_PAYABLE))
            continue;
        debt_row_t debt = {.job = mm_sqlite_column_id(self->read, DEBTS_JOB),
                           .machine = mm_sqlite_column_uuid(self->read, DEBTS_MACHINE_ID),
                           .boot = mm_sqlite_column_uuid(self->read, DEBTS_BOOT_BEFORE),
                           .attempt = (uint32_t)sqlite3_column_int64(self->read, DEBTS_ATTEMPT),
                           .host = mm_sqlite_column_copy(self->read, DEBTS_HOST),
                           .attributes = mm_sqlite_column_copy(self->read, DEBTS_ATTRIBUTES)};
        if (is_valid(&debt))
            *MM_ARRAY_ADD(self->debts, self->count, self->capacity) = debt;
        else
            free_debt(&debt);
    }
    return status == MM_SQLITE_OK;
}

// A restart that has succeeded, and still owes.
static void start(pay_t *self, size_t number)
{
    const debt_row_t *debt = &self->debts[number];
    int64_t now_ms = mm_clock_ms();
    mm_real_t real = {.machine = debt->machine,
                      .boot = debt->boot,
                      .first_ms = now_ms,
                      .deadline_ms = now_ms,
                      .end = MM_END_RESTARTED,
                      .owes = true,
                      .owed = true};
    driver_start(self->driver,
                 &(mm_task_t){.number = number,
                              .leg = MM_LEG_RESTART,
                              .id = debt->job,
                              .host = mm_str(debt->host),
                              .attributes = mm_str(debt->attributes),
                              .attempt = debt->attempt,
                              .real = &real},
                 now_ms);
}

static bool put_on_record(pay_t *self, const debt_row_t *debt)
{
    mm_sqlite_bind_id(self->pay, 1, &debt->job);
    (void)sqlite3_bind_int64(self->pay, 2, debt->attempt);
    mm_sqlite_status_t status = mm_sqlite_begin(self->record);
    if (status == MM_SQLITE_OK)
        status = mm_sqlite_run(self->record, self->pay);
    if (status == MM_SQLITE_OK)
        status = mm_sqlite_commit(self->record);
    return status == MM_SQLITE_OK;
}

static bool finish(pay_t *self, const mm_result_t *result)
{
    const debt_row_t *debt = &self->debts[result->number];
    bool is_paid = result->real && result->status == MM_STATUS_OK && !result->real->owes;
    mm_str_t why = result->real && result->error.size == 0 ? result->real->words : result->error;
    if (is_paid && !put_on_record(self, debt)) {
        (void)mm_service_fail(self->options, EX_IOERR, "%s", mm_sqlite_error(self->record));
        return false;
    }
    if (is_paid)
        (void)printf("%s: --after is made up for\n", debt->host);
    else
        (void)printf("%s: --after is still owed%s%.*s\n", debt->host, why.size > 0 ? ": " : "",
                     (int)why.size, why.data ? why.data : "");
    (void)fflush(stdout);
    return true;
}

static void wait_for(const driver_t *driver)
{
    int64_t due_ms = driver_deadline(driver), now_ms = mm_clock_ms();
    int64_t span_ms = due_ms == MM_NEVER ? -1 : due_ms > now_ms ? due_ms - now_ms : 0;
    struct pollfd descriptor = {.fd = driver_descriptor(driver), .events = POLLIN};
    (void)poll(&descriptor, 1, span_ms > 60000 ? 60000 : (int)span_ms);
}

static int pay_all(pay_t *self)
{
    size_t started = 0, ended = 0, slots = (size_t)self->options->slots;
    while (ended < self->count) {
        while (started < self->count && started - ended < slots)
            start(self, started++);
        mm_result_t result;
        while (driver_next_finished(self->driver, mm_clock_ms(), &result)) {
            ended++;
            if (!finish(self, &result))
                return EX_IOERR;
        }
        if (driver_is_lost(self->driver))
            return EX_SOFTWARE;
        if (ended < self->count && started - ended > 0)
            wait_for(self->driver);
        driver_step(self->driver, mm_clock_ms());
    }
    return 0;
}

int pay_debts(const mm_options_t *options, driver_t *driver)
{
    pay_t self = {.options = options, .driver = driver};
    sigset_t none;
    (void)sigemptyset(&none);
    (void)pthread_sigmask(SIG_SETMASK, &none, NULL); // a signal ends it, and the spawner the rest
    char error[MM_ERROR_MAX];
    static const char *const upgrades[] = RECORD_UPGRADES;
    mm_sqlite_config_t config = {.path = options->pay,
                                 .schema = RECORD_SCHEMA,
                                 .version = RECORD_VERSION,
                                 .upgrades = upgrades};
    int code = mm_sqlite_open(&config, &self.record, error);
    if (code == 0)
        code = mm_sqlite_prepare(self.record, RECORD_READ_DEBTS, &self.read, error);
    if (code == 0)
        code = mm_sqlite_prepare(self.record, RECORD_PAY, &self.pay, error);
    if (code != 0)
        (void)mm_service_fail(options, code, "%s", error);
    else if (!read_debts(&self))
        code = mm_service_fail(options, EX_IOERR, "%s", mm_sqlite_error(self.record));
    else
        code = pay_all(&self);
    for (size_t i = 0; i < self.count; i++)
        free_debt(&self.debts[i]);
    free(self.debts);
    mm_sqlite_close(&self.record);
    return code;
}
