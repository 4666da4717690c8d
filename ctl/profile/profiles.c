// See profiles.h. A file may come from anywhere: everything in it is checked.

#include "profiles.h"
#include "directory.h"
#include "job.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const kinds[] = {[MM_SPOT_POLL] = "poll",
                                    [MM_SPOT_RUNS] = "runs",
                                    [MM_SPOT_WAITS] = "waits",
                                    [MM_SPOT_THREAD] = "thread"};

// In the order of a job's way; behind all others: a role that is none of ours.
static mm_program_t rank_of_role(const char *role)
{
    mm_program_t program = MM_PROGRAMS;
    (void)mm_program_parse(mm_str(role), &program);
    return program;
}

static int by_place(const void *a, const void *b)
{
    const profile_t *first = *(profile_t *const *)a, *second = *(profile_t *const *)b;
    mm_program_t one = rank_of_role(first->role), other = rank_of_role(second->role);
    if (one != other)
        return one < other ? -1 : 1;
    return strverscmp(first->process, second->process);
}

static bool read_kind(const char *text, mm_spot_kind_t *ret_kind)
{
    for (size_t i = MM_SPOT_POLL; i <= MM_SPOT_THREAD; i++)
        if (strcmp(kinds[i], text) == 0) {
            *ret_kind = (mm_spot_kind_t)i;
            return true;
        }
    return false;
}

// What is in a profile is printed: nothing that a terminal might obey.
static bool is_plain(const char *text)
{
    while ((unsigned char)*text >= ' ' && *text != 0x7F)
        text++;
    return *text == '\0';
}

static bool read_node(const json_t *json, size_t index, call_node_t *ret_node)
{
    const char *kind;
    json_int_t caller, calls, cpu_ns, wait_ns, max_ns;
    json_error_t unused;
    if (json_unpack_ex((json_t *)json, &unused, 0, "{s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I}",
                       "name", &ret_node->name, "kind", &kind, "file", &ret_node->file, "line",
                       &ret_node->line, "caller", &caller, "calls", &calls, "cpu_ns", &cpu_ns,
                       "wait_ns", &wait_ns, "max_ns", &max_ns) != 0)
        return false;
    if (!is_plain(ret_node->name) || !is_plain(ret_node->file))
        return false;
    if (!read_kind(kind, &ret_node->kind) || caller < 0 || calls < 0 ||
        (index > 0 ? (size_t)caller >= index : caller != 0))
        return false;
    ret_node->caller = (size_t)caller;
    ret_node->calls = (uint64_t)calls;
    ret_node->cpu_ns = ret_node->all_cpu_ns = cpu_ns;
    ret_node->wait_ns = ret_node->all_wait_ns = wait_ns;
    ret_node->max_ns = max_ns;
    return true;
}

// ---- functions

static size_t find_function(profile_t *self, const call_node_t *node)
{
    for (size_t i = 0; i < self->function_count; i++) {
        const function_t *function = &self->functions[i];
        if (function->line == node->line && strcmp(function->name, node->name) == 0 &&
            strcmp(function->file, node->file) == 0)
            return i;
    }
    self->functions[self->function_count] = (function_t){
        .name = node->name, .file = node->file, .line = node->line, .kind = node->kind};
    return self->function_count++;
}

// A call from within itself is in its caller's sums already.
static bool is_inside_itself(const profile_t *self, const call_node_t *node)
{
    const call_node_t *above = node;
    while (above->caller != 0) {
        above = &self->nodes[above->caller];
        if (above->function == node->function)
            return true;
    }
    return false;
}

static void sum_up(profile_t *self)
{
    for (size_t i = self->node_count; i-- > 1;) {
        const call_node_t *node = &self->nodes[i];
        if (node->caller == 0)
            continue; // the poller is no caller
        self->nodes[node->caller].all_cpu_ns += node->all_cpu_ns;
        self->nodes[node->caller].all_wait_ns += node->all_wait_ns;
    }
    for (size_t i = 0; i < self->node_count; i++)
        self->nodes[i].function = find_function(self, &self->nodes[i]);
    for (size_t i = 0; i < self->node_count; i++) {
        const call_node_t *node = &self->nodes[i];
        function_t *function = &self->functions[node->function];
        function->calls += node->calls;
        function->cpu_ns += node->cpu_ns;
        function->wait_ns += node->wait_ns;
        if (node->max_ns > function->max_ns)
            function->max_ns = node->max_ns;
        if (is_inside_itself(self, node))
            continue;
        function->all_cpu_ns += node->all_cpu_ns;
        function->all_wait_ns += node->all_wait_ns;
    }
}

// ---- reading

static bool read_profile(json_t *json, profile_t *ret_profile)
{
    json_t *nodes;
    json_error_t unused;
    json_int_t wall_ms, long_ns;
    if (json_unpack_ex(json, &unused, 0, "{s:s, s:s, s:i, s:I, s:I, s:o}", "process",
                       &ret_profile->process, "role", &ret_profile->role, "pid", &ret_profile->pid,
                       "wall_ms", &wall_ms, "long_ns", &long_ns, "nodes", &nodes) != 0)
        return false;
    ret_profile->wall_ms = wall_ms;
    ret_profile->long_ns = long_ns;
    if (!json_is_array(nodes) || json_array_size(nodes) == 0 ||
        json_array_size(nodes) > MM_PROFILE_NODES || long_ns < 0)
        return false;
    ret_profile->node_count = json_array_size(nodes);
    for (size_t i = 0; i < ret_profile->node_count; i++)
        if (!read_node(json_array_get(nodes, i), i, &ret_profile->nodes[i]))
            return false;
    sum_up(ret_profile);
    return true;
}

static bool add_one(profiles_t *self, json_t *json)
{
    profile_t *profile = calloc(1, sizeof *profile);
    assert(profile);
    if (!read_profile(json, profile)) {
        free(profile);
        return false;
    }
    profile->json = json_incref(json);
    self->items = realloc(self->items, (self->count + 1) * sizeof *self->items);
    assert(self->items);
    self->items[self->count++] = profile;
    return true;
}

bool profiles_add(profiles_t *self, json_t *json, char error[PROFILES_ERROR_MAX])
{
    const char *what = json_string_value(json_object_get(json, "mayhem"));
    json_int_t version = json_integer_value(json_object_get(json, "version"));
    bool is_list = what && strcmp(what, "profiles") == 0;
    if (!is_list && (!what || strcmp(what, "profile") != 0)) {
        (void)snprintf(error, PROFILES_ERROR_MAX,
                       "it is no profile; save one with: mayhemctl profile -o FILE");
        return false;
    }
    if (version != 1) {
        (void)snprintf(error, PROFILES_ERROR_MAX,
                       "its version is %lld, this program reads 1; use the release that saved it",
                       (long long)version);
        return false;
    }
    json_t *list =
        is_list ? json_incref(json_object_get(json, "profiles")) : json_pack("[O]", json);
    bool is_good = json_is_array(list);
    if (!is_good)
        (void)snprintf(error, PROFILES_ERROR_MAX, "there is no list of profiles in it");
    size_t index;
    json_t *item;
    json_array_foreach(list, index, item) if (is_good && !add_one(self, item))
    {
        (void)snprintf(error, PROFILES_ERROR_MAX, "profile %zu in it is damaged", index + 1);
        is_good = false;
    }
    json_decref(list);
    if (is_good && self->count > 0)
        qsort(self->items, self->count, sizeof *self->items, by_place);
    return is_good;
}

static bool read_file(profiles_t *self, const char *path, char error[PROFILES_ERROR_MAX])
{
    json_error_t cause;
    char why[PROFILES_ERROR_MAX];
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &cause);
    if (!json) {
        (void)snprintf(error, PROFILES_ERROR_MAX, "cannot read %s: %s (line %d)", path, cause.text,
                       cause.line);
        return false;
    }
    bool is_good = profiles_add(self, json, why);
    if (!is_good)
        (void)snprintf(error, PROFILES_ERROR_MAX, "cannot use %.200s: %.280s", path, why);
    json_decref(json);
    return is_good;
}

typedef struct {
    profiles_t *profiles;
    char *error;
    bool is_good;
} reading_t;

static bool read_one(void *arg, const char *file)
{
    reading_t *reading = arg;
    reading->is_good = read_file(reading->profiles, file, reading->error);
    return reading->is_good;
}

static bool read_folder(profiles_t *self, const char *path, char error[PROFILES_ERROR_MAX])
{
    reading_t reading = {self, error, false};
    int count = directory_each(path, ".json", read_one, &reading);
    if (count <= 0)
        (void)snprintf(error, PROFILES_ERROR_MAX, "cannot read %s: %s", path,
                       count < 0 ? strerror(errno) : "no *.json is in it");
    return reading.is_good;
}

bool profiles_read(profiles_t *self, const char *path, char error[PROFILES_ERROR_MAX])
{
    struct stat status;
    if (stat(path, &status) != 0) {
        (void)snprintf(error, PROFILES_ERROR_MAX, "cannot read %s: %s", path, strerror(errno));
        return false;
    }
    return S_ISDIR(status.st_mode) ? read_folder(self, path, error) : read_file(self, path, error);
}

static void destroy(profile_t *profile)
{
    json_decref(profile->json);
    free(profile);
}

void profiles_only(profiles_t *self, const char *process)
{
    size_t kept = 0;
    for (size_t i = 0; i < self->count; i++) {
        profile_t *profile = self->items[i];
        if (strcmp(profile->process, process) == 0 || strcmp(profile->role, process) == 0)
            self->items[kept++] = profile;
        else
            destroy(profile);
    }
    self->count = kept;
}

void profiles_clear(profiles_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        destroy(self->items[i]);
    free(self->items);
    *self = (profiles_t){0};
}

json_t *profiles_json(const profiles_t *self)
{
    json_t *list = json_array();
    for (size_t i = 0; i < self->count; i++)
        json_array_append(list, self->items[i]->json);
    return json_pack("{s:s, s:i, s:o}", "mayhem", "profiles", "version", 1, "profiles", list);
}
