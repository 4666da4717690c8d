// Which hop or process limits the rate of a pipeline, and why. Pure.

#ifndef LIMIT_H
#define LIMIT_H

#include "snapshot.h"

// Sets limit and limit_why from the rest of the snapshot.
void limit_find(snapshot_t *snapshot);

#endif
