// See profiles.h. A file may come from anywhere: all of it is checked.

#include "profiles.h"
#include "array.h"
#include "ctl.h"

#include <string.h>

#define NUMBER_MAX (INT64_MAX / (4 * MM_PROFILE_NODES)) // so that sums do not overflow

static const char *const kinds[] = {[MM_SPOT_POLL] = "poll",
                                    [MM_SPOT_RUNS] = "runs",
                                    [MM_SPOT_WAITS] = "waits",
                                    [MM_SPOT_THREAD] = "thread",
                                    [MM_SPOT_THREAD + 1] = NULL};

static int by_place(const void *a, const void *b)
{
    const profile_t *one = *(profile_t *const *)a, *other = *(profile_t *const *)b;
    mm_program_t first = MM_PROGRAMS, second = first; // unknown roles come last
    (void)mm_program_parse(mm_str(one->role), &first);
    (void)mm_program_parse(mm_str(other->role), &second);
    return first != second ? (int)first - (int)second : strverscmp(one->process, other->process);
}

// Texts are printed on a terminal, which must not obey them.
static bool is_plain(const char *text)
{
    while ((unsigned char)*text >= ' ' && *text != 0x7F)
        text++;
    return *text == '\0';
}

static int64_t limited(json_int_t number)
{
    return number < NUMBER_MAX ? number : NUMBER_MAX;
}

static bool read_node(const json_t *json, size_t index, profile_node_t *ret_node)
{
    const char *kind;
    json_int_t caller, calls, cpu_ns, wait_ns, max_ns;
    if (json_unpack((json_t *)json, "{s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I}", "name",
                    &ret_node->name, "kind", &kind, "file", &ret_node->file, "line",
                    &ret_node->line, "caller", &caller, "calls", &calls, "cpu_ns", &cpu_ns,
                    "wait_ns", &wait_ns, "max_ns", &max_ns) != 0 ||
        !is_plain(ret_node->name) || !is_plain(ret_node->file))
        return false;
    int place = ctl_find_word(&kinds[MM_SPOT_POLL], kind);
    if (place < 0 || calls < 0 || cpu_ns < -NUMBER_MAX || wait_ns < -NUMBER_MAX || caller < 0 ||
        (index > 0 ? (size_t)caller >= index : caller != 0))
        return false;
    ret_node->kind = (mm_spot_kind_t)(MM_SPOT_POLL + place);
    ret_node->caller = (size_t)caller;
    ret_node->calls = (uint64_t)limited(calls);
    ret_node->cpu_ns = ret_node->all_cpu_ns = limited(cpu_ns);
    ret_node->wait_ns = ret_node->all_wait_ns = limited(wait_ns);
    ret_node->max_ns = limited(max_ns);
    return true;
}

// ---- functions

static size_t find_function(profile_t *self, const profile_node_t *node)
{
    for (size_t i = 0; i < self->function_count; i++) {
        const profile_node_t *function = &self->functions[i];
        if (function->line == node->line && strcmp(function->name, node->name) == 0 &&
            strcmp(function->file, node->file) == 0)
            return i;
    }
    self->functions[self->function_count] = (profile_node_t){
        .name = node->name, .file = node->file, .line = node->line, .kind = node->kind};
    return self->function_count++;
}

// The time of a recursive call is in the sums of the outer call already.
static bool is_inside_itself(const profile_t *self, const profile_node_t *node)
{
    const profile_node_t *above = node;
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
        const profile_node_t *node = &self->nodes[i];
        if (node->caller == 0)
            continue; // the poller is no caller
        self->nodes[node->caller].all_cpu_ns += node->all_cpu_ns;
        self->nodes[node->caller].all_wait_ns += node->all_wait_ns;
    }
    for (size_t i = 0; i < self->node_count; i++)
        self->nodes[i].function = find_function(self, &self->nodes[i]);
    for (size_t i = 0; i < self->node_count; i++) {
        const profile_node_t *node = &self->nodes[i];
        profile_node_t *function = &self->functions[node->function];
        function->calls += node->calls;
        function->cpu_ns += node->cpu_ns;
        function->wait_ns += node->wait_ns;
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
    json_int_t wall_ms, long_ns;
    if (json_unpack(json, "{s:s, s:s, s:i, s:I, s:I, s:o}", "process", &ret_profile->process,
                    "role", &ret_profile->role, "pid", &ret_profile->pid, "wall_ms", &wall_ms,
                    "long_ns", &long_ns, "nodes", &nodes) != 0)
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
    *MM_ARRAY_ADD(self->items, self->count, self->capacity) = profile;
    return true;
}

bool profiles_add(profiles_t *self, json_t *json, char error[MM_ERROR_MAX])
{
    const char *what = ctl_text(json, "mayhem");
    json_int_t version = json_integer_value(json_object_get(json, "version"));
    bool is_list = strcmp(what, "profiles") == 0, is_good = true;
    if (!is_list && strcmp(what, "profile") != 0)
        return ctl_error(error, "it is no profile; save one with: mayhem profile -o FILE");
    if (version != 1)
        return ctl_error(error,
                         "its version is %lld, this program reads 1; use the release that saved it",
                         (long long)version);
    const json_t *list = json_object_get(json, "profiles");
    if (is_list && !json_is_array(list))
        return ctl_error(error, "there is no list of profiles in it");
    size_t count = is_list ? json_array_size(list) : 1;
    for (size_t i = 0; i < count && is_good; i++)
        is_good = add_one(self, is_list ? json_array_get(list, i) : json) ||
                  ctl_error(error, "profile %zu in it is damaged", i + 1);
    if (is_good && self->count > 0)
        qsort(self->items, self->count, sizeof *self->items, by_place);
    return is_good;
}

static bool read_file(void *arg, const char *path, char error[MM_ERROR_MAX])
{
    json_error_t cause;
    char why[MM_ERROR_MAX];
    json_t *json = json_load_file(path, JSON_REJECT_DUPLICATES, &cause);
    if (!json)
        return ctl_error(error, "cannot read %s: %s (line %d)", path, cause.text, cause.line);
    bool is_good =
        profiles_add(arg, json, why) || ctl_error(error, "cannot use %.200s: %.280s", path, why);
    json_decref(json);
    return is_good;
}

bool profiles_read(profiles_t *self, const char *path, char error[MM_ERROR_MAX])
{
    return ctl_read_files(path, ".json", "", read_file, self, error);
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
