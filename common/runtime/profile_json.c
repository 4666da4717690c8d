// See profile_json.h.

#include "profile_json.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const kinds[] = {[MM_SPOT_POLL] = "poll",
                                    [MM_SPOT_RUNS] = "runs",
                                    [MM_SPOT_WAITS] = "waits",
                                    [MM_SPOT_THREAD] = "thread"};

// The buckets that are not empty: [[bucket, calls], ...].
static json_t *buckets_json(const uint32_t *histogram)
{
    json_t *list = json_array();
    for (size_t i = 0; i < MM_PROFILE_BUCKETS; i++)
        if (histogram[i] > 0)
            json_array_append_new(list,
                                  json_pack("[I, I]", (json_int_t)i, (json_int_t)histogram[i]));
    return list;
}

static json_t *node_json(const mm_profile_node_t *node, const mm_profile_sums_t *sums)
{
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:o}", "name", node->spot->name, "kind",
        kinds[node->spot->kind], "file", node->spot->file, "line", (int)node->spot->line, "caller",
        (int)node->caller, "calls", (json_int_t)sums->calls, "cpu_ns", (json_int_t)sums->cpu_ns,
        "wait_ns", (json_int_t)sums->wait_ns, "max_ns", (json_int_t)node->max_ns, "buckets",
        buckets_json(node->histogram));
    assert(object);
    return object;
}

json_t *mm_profile_json(const mm_profile_t *self, const mm_profile_head_t *head, uint32_t seconds,
                        int64_t now_ns)
{
    mm_profile_sums_t sums[MM_PROFILE_NODES];
    int64_t long_ns = seconds > 0 ? mm_profile_last(self, seconds, now_ns, sums)
                                  : now_ns - mm_profile_since_ns(self);
    json_t *nodes = json_array();
    for (size_t i = 0; i < mm_profile_count(self); i++) {
        mm_profile_node_t node = mm_profile_node(self, i);
        json_array_append_new(nodes, node_json(&node, seconds > 0 ? &sums[i] : &node.sums));
    }
    json_t *object =
        json_pack("{s:s, s:i, s:s, s:s, s:i, s:I, s:I, s:o}", "mayhem", "profile", "version", 1,
                  "process", head->process, "role", head->role, "pid", head->pid, "wall_ms",
                  (json_int_t)head->wall_ms, "long_ns", (json_int_t)long_ns, "nodes", nodes);
    assert(object);
    return object;
}

int mm_profile_save(const mm_profile_t *self, const mm_profile_head_t *head, int64_t now_ns,
                    const char *path)
{
    char *name = NULL;
    int length = asprintf(&name, "%s.new", path);
    assert(length > 0);
    json_t *json = mm_profile_json(self, head, 0, now_ns);
    errno = 0;
    int error = 0;
    if (json_dump_file(json, name, JSON_INDENT(1)) != 0 || rename(name, path) != 0) {
        error = errno ? errno : EIO;
        (void)unlink(name);
    }
    json_decref(json);
    free(name);
    return error;
}
