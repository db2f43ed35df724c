/* SPDX-License-Identifier: Apache-2.0 */
#include "config/places.h"

/* `bootstrap:`, the server that tells endpoints where to register. */

void bootstrap_read(struct loader *l, const struct yaml_node *node)
{
	struct config_bootstrap *b = &l->config->bootstrap;
	struct bootstrap_section section = { 0 };

	if (!node || mapping_read(l, node, node->mark, &keys_bootstrap, NULL, &section) < 0)
		return;
	b->server.mark = node->mark;
	b->server.name = loader_text(l, "bootstrap");
	b->server.uri = section.uri;
	b->use = (enum config_bootstrap_use)section.use;
	b->pack = section.pack;
	b->hold_off_s = (uint32_t)section.hold_off_s;
	l->bootstrap_patterns = section.endpoints;
	patterns_read(l, section.endpoints, "endpoints", &b->server.endpoints, &b->server.n_endpoints);
	server_security_read(l, section.security, mapping_mark(node, "uri"), &b->server);
}
