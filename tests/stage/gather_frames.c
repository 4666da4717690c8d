// See gather_frames.h.

#include "gather_frames.h"

#include <assert.h>

mm_frame_t orders_frame(const gather_action_t *action)
{
    assert(action->kind == GATHER_ORDERS);
    return (mm_frame_t){.kind = MM_FRAME_ORDERS,
                        .as.orders = {.session = action->as.orders.session,
                                      .question = action->as.orders.question,
                                      .run = action->as.orders.run,
                                      .from = action->as.orders.from,
                                      .items = action->as.orders.orders,
                                      .count = action->as.orders.count}};
}
