// All processes below the calling one, wherever they have put themselves. The caller is a subreaper
// (prctl), so that an orphan among them becomes its own child. Shares nothing with the product.
#ifndef FLEET_DESCENDANTS_OF_H
#define FLEET_DESCENDANTS_OF_H

#include <stdbool.h>

// Kills them and waits for their ends. False when some are left after `limit_ms` ms.
bool kill_descendants(int limit_ms);

// Stops them where they are (SIGSTOP); they keep their connections.
void stop_descendants(void);

#endif
