// See input.h.

#include "input.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inherited.h"
#include "log.h"
#include "own_host.h"

struct input_own {
    const char *title; // of the sentence about it
    own_host_t *host;
    bool is_said;
};

// Once is enough.
static void see_host(void *arg, mm_str_t host, mm_str_t attributes)
{
    input_own_t *own = arg;
    if (own->is_said || !own_host_is(own->host, host, attributes))
        return;
    own->is_said = true;
    mm_log(MM_LOG_WARN, "The list has this machine itself", MM_STR("host", host));
    (void)fprintf(stderr,
                  "%s: the list has this machine itself, %.*s: its restart ends this run; the same "
                  "command goes on then\n",
                  own->title, (int)host.size, host.data);
}

input_own_t *input_own_new(const mm_options_t *options)
{
    if (*options->driver_name == '\0' || strcmp(options->driver_name, "mock") == 0)
        return NULL;
    input_own_t *own = calloc(1, sizeof *own);
    assert(own);
    own->title = options->id;
    own->host = own_host_new();
    return own;
}

void input_own_destroy(input_own_t **self_p)
{
    if (*self_p)
        own_host_destroy(&(*self_p)->host);
    free(*self_p);
    *self_p = NULL;
}

int input_open(const mm_options_t *options, input_own_t *own, const policy_groups_t *policy,
               hostset_t *groups, source_t **ret_source, char error[SOURCE_ERROR_MAX])
{
    char end_mark[4096];
    (void)snprintf(end_mark, sizeof end_mark, "%s/stdin.ended", options->dir);
    source_file_config_t config = {.path = options->input,
                                   .stream_name = options->input_name,
                                   .skips_bad_lines = options->on_bad_line == MM_ON_BAD_LINE_SKIP,
                                   .only = options->only,
                                   .limit = (uint64_t)options->limit,
                                   .allows_empty = options->allow_empty,
                                   .named_by = options->named_by,
                                   .groups = groups,
                                   .policy = policy,
                                   .end_mark = mm_inherited_has_parent() ? end_mark : NULL,
                                   .see = own ? see_host : NULL,
                                   .see_arg = own};
    bool is_list = mm_attribute_keys_parse(mm_str(options->attributes), &config.wanted);
    assert(is_list); // else the options had been refused
    return source_file_open(&config, ret_source, error);
}
