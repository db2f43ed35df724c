/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "config/places.h"

/* `firmware:` and `software:`, who installs packages that servers send, and how large these may be. */

#define SOFTWARES_MAX 64u
#define INSTANCE_NONE UINT32_MAX

#define HANDLER_NAME_MAX 63u /* install/protocol.h */
#define SIZE_LEAST 1024u

/* As fieldway-install takes it: it is the name of a file. */
static bool is_file_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");

	return name[n] == '\0' && n <= HANDLER_NAME_MAX && n > 0 && !strchr("._-", name[0]);
}

/* Of a server as in `servers:` it has an address and security, and is one for the host alone. */
static void read_source(struct loader *l, const struct yaml_node *node, const char *name, struct config_server *ret)
{
	struct source_section section = { 0 };

	if (!node || mapping_read(l, node, node->mark, &keys_source, NULL, &section) < 0)
		return;
	ret->mark = node->mark;
	ret->name = loader_text(l, name);
	ret->uri = section.uri;
	ret->endpoints = loader_array(l, char *, 1);
	if (ret->endpoints)
		ret->endpoints[ret->n_endpoints++] = loader_text(l, "host");
	server_security_read(l, section.security, mapping_mark(node, "uri"), ret);
}

/* What both have, of a mapping that was read. */
static void take_package(struct loader *l, const struct yaml_node *node, const struct package_keys *keys,
			 const char *name, struct config_firmware *ret)
{
	read_source(l, keys->source, name, &ret->source);
	ret->mark = mapping_mark(node, "handler");
	if (!is_file_name(keys->handler))
		loader_error(l, mapping_mark(node, "handler"),
			     "\"%s\": the name of a file in /etc/fieldway/install.d has small letters, digits and ._- in it",
			     keys->handler);
	else
		ret->handler = keys->handler;
	ret->trust = keys->trust;
	ret->trust_mark = mapping_mark(node, "trust");
	if (ret->trust && *ret->trust != '/')
		loader_error(l, mapping_mark(node, "trust"), "\"%s\": the path of a file begins with /", ret->trust);
	if (!size_parse(keys->max_size, SIZE_LEAST, &ret->max_size))
		loader_error(l, mapping_mark(node, "max_size"), "\"%s\": expected a size from 1KiB to 1024GiB, such as 512MiB",
			     keys->max_size);
}

void firmware_read(struct loader *l, const struct yaml_node *node)
{
	struct package_keys keys = { 0 };

	if (node && mapping_read(l, node, node->mark, &keys_firmware, NULL, &keys) >= 0)
		take_package(l, node, &keys, "firmware", &l->config->firmware);
}

static void check_software(struct loader *l, const struct config_software *s)
{
	const struct config *c = l->config;

	for (const struct config_software *other = c->software; other < s; other++) {
		if (s->name && other->name && streq(s->name, other->name))
			loader_error(l, s->mark, "software %s: another one has this name, in line %u", s->name, other->mark.line);
		if (s->instance == other->instance)
			loader_error(l, s->mark, "software %s: %s is instance %u, too, in line %u", s->name ?: "?",
				     other->name ?: "?", s->instance, other->mark.line);
	}
}

static void read_software(struct loader *l, const struct yaml_node *node, struct config_software *s)
{
	struct software_section section = { .instance = INSTANCE_NONE };

	s->mark = node->mark;
	if (mapping_read(l, node, node->mark, &keys_software, NULL, &section) < 0)
		return;
	s->name = section.name;
	if (!is_file_name(s->name))
		loader_error(l, mapping_mark(node, "name"), "\"%s\": the name of a software has small letters, digits and ._- in it",
			     s->name);
	s->instance = (uint16_t)(section.instance == INSTANCE_NONE ? s - l->config->software : section.instance);
	take_package(l, node, &section.package, s->name, &s->package);
}

void software_read(struct loader *l, const struct yaml_node *node)
{
	struct config *c = l->config;

	if (sequence_expect(l, node, "software") < 0)
		return;
	if (node->n > SOFTWARES_MAX) {
		loader_error(l, node->items[SOFTWARES_MAX]->mark, "more than %u of them", SOFTWARES_MAX);
		return;
	}
	c->software = loader_array(l, struct config_software, node->n);
	for (size_t i = 0; c->software && i < node->n; i++) {
		if (node_is_null(node->items[i])) {
			loader_error(l, node->items[i]->mark, "a software is a mapping, written {key: value}");
			continue;
		}
		read_software(l, node->items[i], &c->software[c->n_software]);
		check_software(l, &c->software[c->n_software++]);
	}
}
