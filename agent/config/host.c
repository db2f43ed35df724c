/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/macro.h"
#include "config/map.h"
#include "config/places.h"

/* `host:`, what servers may do to this machine. */

#define SOFTWARE 9

static const char *const rights[] = { "reboot", "time", "timezone", "factory_reset", NULL };

static bool *right_of(struct config_host *h, int right)
{
	bool *const places[] = { &h->may_reboot, &h->may_set_time, &h->may_set_timezone, &h->may_factory_reset };

	return places[right];
}

static void read_right(struct loader *l, const struct yaml_node *node)
{
	bool *may;
	int right;

	if (scalar_choice(l, node, rights, &right) < 0)
		return;
	may = right_of(&l->config->host, right);
	if (*may)
		loader_error(l, node->mark, "%s stands twice", node->text);
	*may = true;
}

void host_read(struct loader *l, const struct yaml_node *node)
{
	struct host_section section = { 0 };

	if (!node || mapping_read(l, node, node->mark, &keys_host, NULL, &section) < 0)
		return;
	l->host_rows = section.lwm2m;
	l->host_create = section.create;
	if (sequence_expect(l, section.allow, "allow") < 0)
		return;
	for (size_t i = 0; i < section.allow->n; i++)
		read_right(l, section.allow->items[i]);
}

/* Object 9 is either what programs show, or `software:`. */
static void check_rows(struct loader *l, const struct config_endpoint *e)
{
	for (size_t i = 0; l->config->n_software > 0 && i < e->n_map; i++)
		if (e->map[i].path.object == SOFTWARE) {
			loader_error(l, e->mark, "object 9 is that of `software:`, which is there, too");
			return;
		}
}

void host_rows_read(struct loader *l)
{
	const struct map_target target = { .host = true };
	struct config_endpoint *e = &l->config->host_endpoint;
	struct config_map *map = NULL;

	*e = (struct config_endpoint){ .name = loader_text(l, "host"),
				       .endpoint = l->config->gateway.endpoint,
				       .device = UINT32_MAX };
	create_read(l, l->host_create, &e->create);
	if (l->host_rows)
		e->mark = l->host_rows->mark;
	if (l->host_rows && map_read(l, &target, l->host_rows, NULL, &map, &e->n_map) >= 0)
		e->map = map;
	check_rows(l, e);
}
