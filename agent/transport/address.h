/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

/* An IPv4 or IPv6 address; the port comes from the URI. */
struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};
};

/* A numeric address, IPv6 with an optional %scope. 0 or -EINVAL. */
int address_parse(const char *text, struct address *ret);
socklen_t address_size(const struct address *address);
void address_set_port(struct address *address, uint16_t port);
/* "192.0.2.1:5683", "[2001:db8::1]:5683"; at most size - 1 characters. */
#define ADDRESS_TEXT_MAX 64
void address_format(const struct address *address, char *ret, size_t size);
