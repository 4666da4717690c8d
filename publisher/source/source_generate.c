// See source.h: the article's cattle, cattle-xxxx.example.net. Hosts and gaps are drawn from two
// states of the seed, so that a resumed run goes on with the hosts that it would have had.

#include "source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define GAP_MS_MAX 1000 // the article's random.random() of a second
#define HOST_FORM  "cattle-xxxx.example.net"
#define DRAW_STEP  UINT64_C(0x9e3779b97f4a7c15)

typedef struct {
    source_t base;
    source_generate_config_t config;
    uint64_t host_state; // splitmix64: its state is the seed plus DRAW_STEP per draw
    uint64_t gap_state;
    uint64_t given;
    bool is_done;
    int64_t due_ms; // of the next job
    char host[sizeof HOST_FORM];
} generate_t;

// splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += DRAW_STEP;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void make_host(generate_t *self)
{
    static const char choices[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    memcpy(self->host, HOST_FORM, sizeof HOST_FORM);
    uint64_t random = draw(&self->host_state);
    char *place = strstr(self->host, "xxxx");
    for (size_t i = 0; i < 4; i++) {
        place[i] = choices[random % (sizeof choices - 1)];
        random /= sizeof choices - 1;
    }
}

static bool is_over(const generate_t *self)
{
    return self->is_done || (self->config.jobs > 0 && self->given >= self->config.jobs);
}

static source_status_t generate_next(source_t *base, int64_t now_ms, source_item_t *ret_item)
{
    generate_t *self = (generate_t *)base;
    if (is_over(self))
        return SOURCE_END;
    if (now_ms < self->due_ms) {
        ret_item->until_ms = self->due_ms;
        return SOURCE_WAIT;
    }
    make_host(self);
    self->given++;
    if (self->config.pace == SOURCE_PACE_RANDOM)
        self->due_ms = now_ms + (int64_t)(draw(&self->gap_state) % (GAP_MS_MAX + 1));
    ret_item->host = (mm_str_t){self->host, sizeof self->host - 1};
    ret_item->attributes = (mm_str_t){0};
    return SOURCE_ITEM;
}

static void generate_resume(source_t *base, const source_progress_t *recorded)
{
    generate_t *self = (generate_t *)base;
    assert(self->given == 0);
    self->given = recorded->position;
    self->host_state += recorded->position * DRAW_STEP;
    self->is_done = recorded->done;
}

static void generate_progress(const source_t *base, source_progress_t *ret_progress)
{
    const generate_t *self = (const generate_t *)base;
    *ret_progress = (source_progress_t){
        .position = self->given, .total = self->config.jobs, .done = is_over(self)};
}

static void generate_destroy(source_t *base)
{
    free(base);
}

source_t *source_generate_new(const source_generate_config_t *config)
{
    static const source_methods_t methods = {.next = generate_next,
                                             .resume = generate_resume,
                                             .progress = generate_progress,
                                             .destroy = generate_destroy};
    generate_t *self = calloc(1, sizeof *self);
    assert(self != NULL);
    self->base.methods = &methods;
    self->config = *config;
    self->host_state = config->seed;
    self->gap_state = ~config->seed;
    return &self->base;
}
