// See hosts_now.h.

#include "hosts_now.h"
#include "ctl.h"
#include "duration.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void hosts_now_clear(hosts_now_t *self)
{
    json_decref(self->consumer);
    json_decref(self->restarters);
    *self = (hosts_now_t){0};
}

void hosts_now_add(hosts_now_t *self, json_t *reply)
{
    if (json_is_object(json_object_get(reply, "restarters"))) {
        json_decref(self->consumer);
        self->consumer = json_incref(reply);
    } else if (json_is_array(json_object_get(reply, "hosts")) && *ctl_text(reply, "process")) {
        if (!self->restarters)
            self->restarters = json_object();
        json_object_set(self->restarters, ctl_text(reply, "process"), reply);
    }
}

bool hosts_now_is_complete(const hosts_now_t *self)
{
    const char *name;
    json_t *count;
    if (!self->consumer)
        return false;
    json_object_foreach(json_object_get(self->consumer, "restarters"), name,
                        count) if (!json_object_get(self->restarters, name)) return false;
    return true;
}

// ---- all of it

static int64_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static int compare(const void *a, const void *b)
{
    const json_t *const *x = a, *const *y = b;
    int64_t x_ms = number(*x, "since_ms"), y_ms = number(*y, "since_ms");
    if (x_ms != y_ms)
        return x_ms < y_ms ? -1 : 1;
    return strcmp(ctl_text(*x, "host"), ctl_text(*y, "host"));
}

// Those of all restarters, with the name of each.
static json_t *merge(const hosts_now_t *self, int64_t *ret_left_out)
{
    const char *name;
    json_t *reply, *host, *all = json_array();
    size_t i;
    *ret_left_out = 0;
    json_object_foreach(self->restarters, name, reply)
    {
        *ret_left_out += number(reply, "left_out");
        json_array_foreach(json_object_get(reply, "hosts"), i, host)
        {
            json_object_set_new(host, "worker", json_string(name));
            json_array_append(all, host);
        }
    }
    return all;
}

static json_t *sorted(json_t *all)
{
    size_t count = json_array_size(all);
    json_t **items = calloc(count + 1, sizeof *items), *list = json_array();
    for (size_t i = 0; items && i < count; i++)
        items[i] = json_array_get(all, i);
    if (items)
        qsort(items, count, sizeof *items, compare);
    for (size_t i = 0; items && i < count; i++)
        json_array_append(list, items[i]);
    free(items);
    json_decref(all);
    return list;
}

// At restarters that have not replied.
static int64_t count_silent(const hosts_now_t *self)
{
    const char *name;
    json_t *count;
    int64_t silent = 0;
    json_object_foreach(json_object_get(self->consumer, "restarters"), name,
                        count) if (!json_object_get(self->restarters, name)) silent +=
        json_integer_value(count);
    return silent;
}

json_t *hosts_now_json(const hosts_now_t *self)
{
    int64_t left_out;
    json_t *hosts = sorted(merge(self, &left_out));
    json_t *waiting = json_object_get(self->consumer, "waiting");
    return json_pack("{s:o, s:O?, s:I}", "hosts", hosts, "waiting", waiting, "unknown",
                     (json_int_t)(left_out + count_silent(self)));
}

// ---- for people

static void print_waiting(const json_t *waiting, FILE *file)
{
    const char *reason;
    json_t *count;
    int64_t total = 0;
    bool is_first = true;
    json_object_foreach((json_t *)(uintptr_t)waiting, reason, count) total +=
        json_integer_value(count);
    if (total == 0)
        return;
    (void)fprintf(file, ", %" PRId64 " wait: ", total);
    json_object_foreach((json_t *)(uintptr_t)waiting, reason, count)
    {
        (void)fprintf(file, "%s%s %" JSON_INTEGER_FORMAT, is_first ? "" : ", ", reason,
                      json_integer_value(count));
        is_first = false;
    }
}

static void print_host(const json_t *host, int64_t now_ms, FILE *file)
{
    char since[MM_DURATION_TEXT], doing[32];
    (void)mm_duration_show((now_ms - number(host, "since_ms")) / 1000, since);
    (void)snprintf(doing, sizeof doing, "%s", ctl_text(host, "doing"));
    if (strcmp(doing, "command") == 0 && number(host, "command") > 1)
        (void)snprintf(doing, sizeof doing, "command %" PRId64, number(host, "command"));
    (void)fprintf(file, "%-24s %7s  %7" PRId64 "  %-9s  %-14s %s\n", ctl_text(host, "host"), since,
                  number(host, "attempt"), doing, ctl_text(host, "worker"),
                  ctl_text(host, "words"));
}

void hosts_now_print(const hosts_now_t *self, int64_t now_ms, FILE *file)
{
    json_t *all = hosts_now_json(self), *list = json_object_get(all, "hosts"), *host;
    int64_t unknown = number(all, "unknown");
    int64_t count = (int64_t)json_array_size(list) + unknown;
    size_t i;
    (void)fprintf(file, "%" PRId64 " host%s being restarted", count, count == 1 ? " is" : "s are");
    print_waiting(json_object_get(all, "waiting"), file);
    (void)fputc('\n', file);
    if (json_array_size(list) > 0)
        (void)fprintf(file, "\n%-24s %7s  %7s  %-9s  %-14s %s\n", "HOST", "SINCE", "ATTEMPT",
                      "DOING", "WORKER", "LAST WORDS");
    json_array_foreach(list, i, host) print_host(host, now_ms, file);
    if (unknown > 0)
        (void)fprintf(file, "and %" PRId64 " more, of which nothing was heard\n", unknown);
    json_decref(all);
}
