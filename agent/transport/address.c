/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"

static int parse_v6(const char *text, struct address *ret)
{
	struct address address = { .v6 = { .sin6_family = AF_INET6 } };
	const char *scope = strchr(text, '%');
	char plain[INET6_ADDRSTRLEN];
	size_t n = scope ? (size_t)(scope - text) : strlen(text);

	if (n >= sizeof(plain))
		return -EINVAL;
	memcpy(plain, text, n);
	plain[n] = '\0';
	if (inet_pton(AF_INET6, plain, &address.v6.sin6_addr) != 1)
		return -EINVAL;
	if (scope) {
		address.v6.sin6_scope_id = if_nametoindex(scope + 1);
		if (address.v6.sin6_scope_id == 0)
			return -EINVAL;
	}
	*ret = address;
	return 0;
}

int address_parse(const char *text, struct address *ret)
{
	struct address address = { .v4 = { .sin_family = AF_INET } };

	if (inet_pton(AF_INET, text, &address.v4.sin_addr) != 1)
		return parse_v6(text, ret);
	*ret = address;
	return 0;
}

socklen_t address_size(const struct address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

void address_set_port(struct address *address, uint16_t port)
{
	if (address->any.sa_family == AF_INET6)
		address->v6.sin6_port = htons(port);
	else
		address->v4.sin_port = htons(port);
}

void address_format(const struct address *address, char *ret, size_t size)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (address->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address->v6.sin6_addr, text, sizeof(text));
		snprintf(ret, size, "[%s]:%u", text, ntohs(address->v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &address->v4.sin_addr, text, sizeof(text));
		snprintf(ret, size, "%s:%u", text, ntohs(address->v4.sin_port));
	}
}
