// An ipc endpoint in a folder of its own, and a message to receive into, for each test.

#ifndef TEMP_ENDPOINT_H
#define TEMP_ENDPOINT_H

#include "temp_folder.h"

#include <zmq.h>

extern char temp_endpoint[96];
extern zmq_msg_t temp_message;

// For the begin and the end of a test.
int make_temp_endpoint(void **state);
int remove_temp_endpoint(void **state);

#endif
