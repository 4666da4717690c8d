// Which stage or process limits the rate of a pipeline, and why. Pure.

#ifndef BOTTLENECK_H
#define BOTTLENECK_H

#include "snapshot.h"

// Sets limit and bottleneck_why from the rest of the snapshot.
void bottleneck_find(snapshot_t *snapshot);

#endif
