// Fuzzing the reader of scenarios and traces, line by line into a real gather core: whatever the
// text says, neither aborts. What the trace then writes of an event reads back as the same event.

#include "fuzz.h"
#include "gather_reader.h"
#include "gather_trace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 200

typedef struct {
    gather_config_t config;
    gather_t *gather;
    gather_actions_t actions;
    gather_reader_t *reader;
    gather_reader_t *again; // reads what was written
    FILE *file;
    char written[1 << 17];
    char twice[1 << 17];
} world_t;

static const gather_config_t defaults = {.epoch = 1,
                                         .seed = 1,
                                         .attempts = 3,
                                         .backoff_low_ms = 100,
                                         .backoff_high_ms = 100,
                                         .heartbeat_ms = 500,
                                         .lost_after_ms = 1500,
                                         .extend_every_ms = 1000,
                                         .max_lease_ms = 3600000,
                                         .drain_ms = 24000,
                                         .max_in_flight = 1000,
                                         .settled_max = 1000,
                                         .nacked_max = 1000,
                                         .savers_max = 1,
                                         .restarters_max = 64};

static size_t write_step(char *text, size_t size, const gather_event_t *event,
                         const gather_actions_t *actions)
{
    FILE *file = fmemopen(text, size, "w");
    assert(file);
    gather_trace_step(file, 0, event, actions);
    long written = ftell(file);
    assert(written > 0 && (size_t)written < size);
    (void)fclose(file);
    return (size_t)written;
}

static void check_written(world_t *self, const gather_event_t *event)
{
    gather_event_t other;
    gather_actions_t none = {0};
    size_t size = write_step(self->written, sizeof self->written, event, &none);
    assert(self->written[size - 1] == '\n');
    assert(memchr(self->written, '\n', size) == &self->written[size - 1]);
    self->written[size - strlen(" ->\n")] = '\0';
    bool is_read = gather_reader_event(self->again, self->written, &other);
    assert(is_read && other.kind == event->kind);
    size_t again = write_step(self->twice, sizeof self->twice, &other, &none);
    assert(again == size && memcmp(self->twice, self->written, size - strlen(" ->\n")) == 0);
}

static void parse_config(world_t *self, const char *line)
{
    gather_config_t config = self->config;
    if (!gather_reader_config(self->reader, line, &config))
        return;
    gather_destroy(&self->gather);
    self->config = config;
    (void)gather_reader_config(self->again, line, &config);
    self->gather = gather_new(&self->config, 0);
}

static void parse_event(world_t *self, const char *line)
{
    gather_event_t event;
    if (!gather_reader_event(self->reader, line, &event)) {
        assert(*gather_reader_complaint(self->reader));
        return;
    }
    check_written(self, &event);
    gather_step(self->gather, &event, &self->actions);
    gather_reader_follow(self->reader, &self->actions);
    (void)write_step(self->written, sizeof self->written, &event, &self->actions);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static world_t self;
    self.config = defaults;
    self.reader = gather_reader_new();
    self.again = gather_reader_new();
    self.gather = gather_new(&self.config, 0);
    char *text = malloc(size + 1), *rest = text;
    assert(text);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    for (int i = 0; i < LINES_MAX && rest; i++) {
        char *line = strsep(&rest, "\n");
        if (*line == 'c')
            parse_config(&self, line);
        else
            parse_event(&self, line);
    }
    free(text);
    gather_destroy(&self.gather);
    gather_actions_clear(&self.actions);
    gather_reader_destroy(&self.reader);
    gather_reader_destroy(&self.again);
    return 0;
}
