// IP addresses as text. Independent of the C library's resolver; allocates nothing.

#ifndef MM_IP_ADDRESS_H
#define MM_IP_ADDRESS_H

#include "string_view.h"

#define MM_IPV4_TEXT 15 // bytes of "255.255.255.255"
#define MM_IPV6_TEXT 39 // bytes of eight groups of four digits

// Sets the four bytes of a canonical address: four decimal numbers without a leading zero. False,
// and untouched, for everything else ("10.1", "010.1.1.1", "10.0.0.256").
bool mm_ipv4_parse(mm_str_t text, uint8_t ret_bytes[4]);
// Sets the sixteen bytes of an address in any form of RFC 4291, 2.2, without a zone. False, and
// untouched, for everything else.
bool mm_ipv6_parse(mm_str_t text, uint8_t ret_bytes[16]);

// Writes the address without a NUL and returns how many bytes.
size_t mm_ipv4_print(const uint8_t bytes[4], char text[MM_IPV4_TEXT]);
// In the form of RFC 5952, section 4.
size_t mm_ipv6_print(const uint8_t bytes[16], char text[MM_IPV6_TEXT]);

// Whether it is one of the two.
bool mm_is_ip_address(mm_str_t text);

#endif
