/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "base/str.h"
#include "config/places.h"

/* `metrics:`, where the page of metrics is given out. */

#define UNIX_PREFIX "unix:"

static bool is_loopback(const struct config_metrics *m)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, m->host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == IN_LOOPBACKNET;
	return inet_pton(AF_INET6, m->host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static int read_socket(struct loader *l, struct yaml_mark mark, const char *path)
{
	struct sockaddr_un address;

	if (*path != '/' || strlen(path) >= sizeof(address.sun_path)) {
		loader_error(l, mark, "\"%s\": the path of a socket is absolute, and has less than %zu bytes",
			     path, sizeof(address.sun_path));
		return -EINVAL;
	}
	l->config->metrics.path = loader_text(l, path);
	return l->config->metrics.path ? 0 : -ENOMEM;
}

/* HOST:PORT, [HOST]:PORT. */
static int read_port(struct loader *l, struct yaml_mark mark, const char *text)
{
	struct config_metrics *m = &l->config->metrics;
	char *host = loader_text(l, text), *colon;

	if (!host)
		return -ENOMEM;
	colon = strrchr(host, ':');
	if (!colon || parse_u16(colon + 1, &m->port) < 0 || m->port == 0) {
		loader_error(l, mark, "\"%s\": expected unix:PATH, or 127.0.0.1:PORT, or [::1]:PORT", text);
		return -EINVAL;
	}
	*colon = '\0';
	if (*host == '[' && colon > host + 1 && colon[-1] == ']') {
		colon[-1] = '\0';
		host++;
	}
	m->host = host;
	if (!is_loopback(m)) {
		loader_error(l, mark,
			     "\"%s\": only on loopback, such as 127.0.0.1:%u: whoever is to read it from "
			     "elsewhere comes through a server that asks who he is",
			     text, m->port);
		return -EINVAL;
	}
	return 0;
}

void metrics_read(struct loader *l, const struct yaml_node *node)
{
	struct metrics_section section = { 0 };
	struct yaml_mark mark;

	if (!node || mapping_read(l, node, node->mark, &keys_metrics, NULL, &section) < 0)
		return;
	mark = mapping_mark(node, "listen");
	if (has_prefix(section.listen, UNIX_PREFIX))
		read_socket(l, mark, section.listen + strlen(UNIX_PREFIX));
	else
		read_port(l, mark, section.listen);
}
