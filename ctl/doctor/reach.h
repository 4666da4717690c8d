// Whether packets get there: names to addresses, and tcp connections that are closed again. Each
// call returns by end_ms (CLOCK_BOOTTIME).

#ifndef REACH_H
#define REACH_H

#include "job.h"

#define REACH_ADDRESS 64
#define REACH_PORTS   64 // in one call

// The first IPv4 address of a host, which libzmq would take, or the IPv6 one in brackets that it
// is. False, with the reason in error.
bool reach_resolve(const char *host, int64_t end_ms, char ret_address[REACH_ADDRESS],
                   char error[MM_ERROR_MAX]);

// Connects to these ports, at most REACH_PORTS, all at once. ret_errors: 0 connected, else an
// errno; ETIMEDOUT: no answer, as behind a firewall that drops.
void reach_ports(const char *address, const unsigned *ports, size_t count, int64_t end_ms,
                 int *ret_errors);

// The mechanism that a ZMTP 3 peer (RFC 23) names in its greeting, "CURVE" or "NULL"; "": none was
// read, so it is another kind of peer, or does not answer.
#define REACH_MECHANISM 21
void reach_mechanism(const char *address, unsigned port, int64_t end_ms,
                     char ret_mechanism[REACH_MECHANISM]);

// Up to `max` ports of low to high, evenly, the first and the last among them. Returns how many.
size_t reach_sample(unsigned low, unsigned high, size_t max, unsigned *ret_ports);

#endif
