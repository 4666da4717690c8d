// See temp_endpoint.h.

#include "temp_endpoint.h"

char temp_endpoint[96];
zmq_msg_t temp_message;

int make_temp_endpoint(void **state)
{
    (void)state;
    make_temp_folder();
    (void)snprintf(temp_endpoint, sizeof temp_endpoint, "ipc://%s/s", folder);
    return zmq_msg_init(&temp_message);
}

int remove_temp_endpoint(void **state)
{
    (void)zmq_msg_close(&temp_message);
    return remove_temp_folder(state);
}
