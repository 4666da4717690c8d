// See resources.h.

#include "resources.h"
#include "hosts.h"

#include <assert.h>

void resources_init(resources_t *self, uint32_t at_once)
{
    self->at_once.limit = at_once > 0 ? at_once : UINT32_MAX;
    self->quarantine.limit = 1;
}

resource_t *resources_of(resources_t *self, host_t *host, resource_kind_t kind)
{
    return kind == RESOURCE_HOST      ? &host->restarts
           : kind == RESOURCE_AT_ONCE ? &self->at_once
                                      : &self->quarantine;
}

void resources_occupy(resources_t *self, host_t *host)
{
    host->references++;
    for (resource_kind_t kind = 0; kind < RESOURCE_QUARANTINE; kind++)
        resources_of(self, host, kind)->busy++;
}

void resources_vacate(resources_t *self, host_t *host)
{
    for (resource_kind_t kind = 0; kind < RESOURCE_QUARANTINE; kind++) {
        assert(resources_of(self, host, kind)->busy > 0);
        resources_of(self, host, kind)->busy--;
    }
}

bool resources_are_exceeded(resources_t *self, host_t *host)
{
    for (resource_kind_t kind = 0; kind < RESOURCE_QUARANTINE; kind++)
        if (resources_of(self, host, kind)->busy > resources_of(self, host, kind)->limit)
            return true;
    return false;
}

void resources_release(resources_t *self, resource_t *resource)
{
    if (resource->waiting && resource->released.place == 0)
        mm_queue_add(&self->released, &resource->released);
}

void resources_release_all(resources_t *self, host_t *host)
{
    for (resource_kind_t kind = 0; kind < RESOURCE_QUARANTINE; kind++)
        resources_release(self, resources_of(self, host, kind));
}
