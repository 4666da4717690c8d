// See pg_lease.h. Nothing is sent twice: one whose fate is unknown is answered so, and its asker
// finds out by asking again (A9).

#include "pg_lease.h"

#include <assert.h>
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "pg_answers.h"
#include "pg_commands.h"
#include "pg_link.h"
#include "pg_params.h"
#include "span.h"

#define DEADLINE_MS 3000 // of an ask: half of the shortest lease
#define WAITS_MS    1000 // for the connection, at most
#define ASKS_MAX    16   // that wait; of more the first one is dropped

typedef struct {
    store_lease_ask_t ask;
    int64_t came_ms;
} waiting_t;

struct pg_lease {
    mm_pg_link_t *link;
    waiting_t waiting[ASKS_MAX]; // in order of arrival
    size_t waiting_count;
    store_lease_ask_t sent;
    bool is_sent; // it is under way
    pg_params_t params;
    store_lease_t *answers;
    size_t answer_count;
    size_t answer_capacity;
};

static void drop(pg_lease_t *self, size_t index)
{
    self->waiting_count--;
    for (size_t i = index; i < self->waiting_count; i++)
        self->waiting[i] = self->waiting[i + 1];
}

static void drop_late(pg_lease_t *self)
{
    int64_t now_ms = mm_clock_ms();
    while (self->waiting_count > 0 && now_ms - self->waiting[0].came_ms >= WAITS_MS)
        drop(self, 0);
}

static void send_next(pg_lease_t *self)
{
    if (!mm_pg_is_ready(self->link))
        return;
    drop_late(self);
    if (self->waiting_count == 0)
        return;
    MM_SPAN("ask for the lease");
    self->sent = self->waiting[0].ask;
    self->is_sent = true;
    drop(self, 0);
    const char *command = pg_lease_command(&self->params, &self->sent.ask);
    mm_pg_send(self->link, command, self->params.count, self->params.values, self->params.sizes);
}

static void answer(pg_lease_t *self, const mm_pg_answer_t *ended)
{
    store_lease_t *lease = MM_ARRAY_ADD(self->answers, self->answer_count, self->answer_capacity);
    *lease = (store_lease_t){.from = self->sent.from,
                             .answer = {.asker = self->sent.ask.asker,
                                        .verb = self->sent.ask.verb,
                                        .stamp_ms = self->sent.ask.stamp_ms,
                                        .verdict = MM_LEASE_UNKNOWN}};
    if (ended->outcome == MM_PG_DONE)
        pg_answers_lease(ended->result, &lease->answer);
    self->is_sent = false;
}

void pg_lease_step(pg_lease_t *self)
{
    mm_pg_answer_t ended;
    while (mm_pg_step(self->link, &ended)) {
        answer(self, &ended);
        send_next(self);
    }
    send_next(self);
}

void pg_lease_ask(pg_lease_t *self, const store_lease_ask_t *ask)
{
    for (size_t i = 0; i < self->waiting_count; i++)
        if (self->waiting[i].ask.ask.asker == ask->ask.asker) {
            drop(self, i);
            break;
        }
    if (self->waiting_count == ASKS_MAX)
        drop(self, 0);
    self->waiting[self->waiting_count++] = (waiting_t){*ask, mm_clock_ms()};
    send_next(self);
}

size_t pg_lease_answers(pg_lease_t *self, const store_lease_t **ret_answers)
{
    size_t count = self->answer_count;
    self->answer_count = 0;
    *ret_answers = self->answers;
    return count;
}

int pg_lease_descriptor(const pg_lease_t *self)
{
    return mm_pg_descriptor(self->link);
}

const char *pg_lease_trouble(const pg_lease_t *self)
{
    return mm_pg_trouble(self->link);
}

int pg_lease_open(const char *uri, const char *name, pg_lease_t **ret_self,
                  char error[MM_ERROR_MAX])
{
    mm_pg_config_t config = {
        .uri = uri, .name = name, .deadline_ms = DEADLINE_MS, .prepares = pg_lease_commands};
    mm_pg_link_t *link;
    int code = mm_pg_open(&config, &link, error);
    if (code != 0)
        return code;
    pg_lease_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    self->link = link;
    *ret_self = self;
    return 0;
}

void pg_lease_close(pg_lease_t **self_p)
{
    pg_lease_t *self = *self_p;
    if (self == NULL)
        return;
    *self_p = NULL;
    mm_pg_close(&self->link);
    pg_params_clear(&self->params);
    free(self->answers);
    free(self);
}
