/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "config/names.h"
#include "config/places.h"

/* fieldway.yaml: its sections may stand in several documents, each once. */

static const struct {
	const char *name;
	size_t offset;
} section_names[] = {
	{ "gateway", offsetof(struct main_section, gateway) },
	{ "servers", offsetof(struct main_section, servers) },
	{ "stale", offsetof(struct main_section, stale) },
	{ "register", offsetof(struct main_section, registering) },
	{ "writes", offsetof(struct main_section, writes) },
	{ "limits", offsetof(struct main_section, limits) },
	{ "metrics", offsetof(struct main_section, metrics) },
	{ "host", offsetof(struct main_section, host) },
	{ "bootstrap", offsetof(struct main_section, bootstrap) },
	{ "firmware", offsetof(struct main_section, firmware) },
	{ "software", offsetof(struct main_section, software) },
	{ "history", offsetof(struct main_section, history) },
};

static const struct yaml_node **section_of(struct main_section *m, size_t i)
{
	return (const struct yaml_node **)(void *)((char *)m + section_names[i].offset);
}

static void take_document(struct loader *l, const struct yaml_node *document,
			  struct main_section *all)
{
	struct main_section one = { 0 };

	mapping_read(l, document, document->mark, &keys_main, NULL, &one);
	for (size_t i = 0; i < ARRAY_SIZE(section_names); i++) {
		const struct yaml_node *node = *section_of(&one, i), **seen = section_of(all, i);

		if (node && *seen)
			loader_error(l, node->mark, "%s stands twice, also in line %u",
				     section_names[i].name, (*seen)->mark.line);
		else if (node)
			*seen = node;
	}
}

static int no_names(struct variables *v, struct loader *l, struct yaml_mark mark)
{
	*v = (struct variables){ 0 };
	return variables_add_host(l, v, mark);
}

/* The host name where it can be a name. */
static int default_name(struct loader *l)
{
	const char *host = l->sources->host_name;

	l->config->gateway.name = loader_text(l, host && name_is_valid(host) ? host : "gateway");
	return l->config->gateway.name ? 0 : -ENOMEM;
}

/* {name} stays: it is another one for every endpoint. */
static void read_template(struct loader *l, struct yaml_mark mark, const char *text)
{
	struct config_gateway *gateway = &l->config->gateway;
	struct variables v, sample;
	const char *expanded;
	char *ignored;

	if (no_names(&v, l, mark) < 0 || no_names(&sample, l, mark) < 0 ||
	    variables_add(l, &v, mark, "name", "{name}", false) < 0 ||
	    variables_add(l, &sample, mark, "name", "name", false) < 0)
		return;
	if (!strstr(text, "{name}"))
		loader_error(l, mark,
			     "endpoint_template without {name} gives all endpoints one name");
	if (endpoint_name(l, mark, text, &sample, &ignored) < 0 ||
	    text_expand(l, mark, text, &v, &expanded) < 0)
		return;
	gateway->endpoint_template = loader_text(l, expanded);
}

static struct yaml_mark mark_of_key(const struct yaml_node *node, const char *key,
				    struct yaml_mark otherwise)
{
	const struct yaml_node *value = node ? yaml_get(node, key) : NULL;

	return value ? value->mark : otherwise;
}

static void read_modbus_objects(struct loader *l, const struct yaml_node *node, struct yaml_mark start)
{
	struct config_gateway *gateway = &l->config->gateway;
	struct modbus_objects_section section = { 0 };

	mapping_read(l, node, start, &keys_modbus_objects, NULL, &section);
	gateway->modbus_access = (enum config_modbus_access)section.access;
	patterns_read(l, section.buses, "buses", &gateway->modbus_buses, &gateway->n_modbus_buses);
}

static void read_gateway(struct loader *l, const struct yaml_node *node, struct yaml_mark start)
{
	struct gateway_section section = { 0 };
	struct config_gateway *gateway = &l->config->gateway;
	struct variables v;
	struct yaml_mark mark;

	mapping_read(l, node, start, &keys_gateway, NULL, &section);
	if (section.name && name_is_valid(section.name))
		gateway->name = section.name;
	else if (section.name)
		loader_error(l, mark_of_key(node, "name", start),
			     "the gateway's name has no placeholders");
	if (!gateway->name && default_name(l) < 0)
		return;
	mark = mark_of_key(node, "endpoint", start);
	if (section.endpoint && no_names(&v, l, mark) >= 0)
		endpoint_name(l, mark, section.endpoint, &v, &gateway->endpoint);
	if (section.endpoint_template)
		read_template(l, mark_of_key(node, "endpoint_template", start),
			      section.endpoint_template);
	read_modbus_objects(l, section.modbus_objects, start);
}

static void read_stale(struct loader *l, const struct yaml_node *node)
{
	struct stale_part part = { 0 };

	l->config->stale = (struct config_stale){ .times = 3, .read = CONFIG_STALE_ERROR };
	if (stale_read(l, node, &part) >= 0)
		stale_apply(&l->config->stale, &part);
}

static void read_register(struct loader *l, const struct yaml_node *node, struct yaml_mark start)
{
	struct register_section section = { 0 };

	mapping_read(l, node, start, &keys_register, NULL, &section);
	l->config->register_wait = (enum config_register_wait)section.wait;
	l->config->register_at_most_usec = section.at_most_usec;
}

static void read_writes(struct loader *l, const struct yaml_node *node, struct yaml_mark start)
{
	struct writes_section section = { 0 };

	mapping_read(l, node, start, &keys_writes, NULL, &section);
	l->config->writes_audit = section.audit;
	l->config->writes_allow = section.allow;
	l->config->writes_strict = section.atomic == 1;
}

static struct yaml_mark main_start(const struct loader *l)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (l->files[i].file->place == CONFIG_PLACE_MAIN)
			return (struct yaml_mark){ .file = l->files[i].yaml ?
								   l->files[i].yaml->name :
								   l->files[i].file->name,
						   .line = 1,
						   .column = 1 };
	return (struct yaml_mark){ .file = "fieldway.yaml", .line = 1, .column = 1 };
}

void gateway_read(struct loader *l)
{
	struct yaml_mark start = main_start(l);
	struct main_section section = { 0 };

	l->config->empty = true;
	for (size_t i = 0; i < l->n_documents; i++) {
		if (l->documents[i].file->place != CONFIG_PLACE_MAIN)
			continue;
		l->config->empty = false;
		take_document(l, l->documents[i].node, &section);
	}
	read_gateway(l, section.gateway, start);
	read_stale(l, section.stale);
	read_register(l, section.registering, start);
	read_writes(l, section.writes, start);
	mapping_read(l, section.limits, start, &keys_limits, NULL, &l->config->limits);
	l->limits_mark = section.limits ? section.limits->mark : start;
	metrics_read(l, section.metrics);
	host_read(l, section.host);
	firmware_read(l, section.firmware);
	software_read(l, section.software);
	history_read(l, section.history, start);
	servers_read(l, section.servers);
	bootstrap_read(l, section.bootstrap);
}
