// Frames that the shells of tests send for the consumer's core, each whole.

#ifndef GATHER_FRAMES_H
#define GATHER_FRAMES_H

#include "frame.h"
#include "gather.h"

// Of GATHER_ORDERS. Its items are those of the action.
mm_frame_t orders_frame(const gather_action_t *action);

#endif
