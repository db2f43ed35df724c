/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "gateway/registry/internal.h"

#define FOLDER "packages"

char *packages_folder(const struct registry *r)
{
	char *folder;

	return asprintf(&folder, "%s/" FOLDER, r->config.state_folder) < 0 ? NULL : folder;
}

static int make(struct registry *r, const struct config_firmware *c)
{
	_cleanup_free_ char *folder = packages_folder(r);
	const struct registry_config *from = &r->config;
	struct firmware_config config = {
		.source = &fetcher_source,
		.source_userdata = &r->fetcher,
		.event = from->event,
		.timers = from->timers,
		.state = from->state,
		.socket = from->install_socket,
		.handler = c->handler,
		.max_size = c->max_size,
	};

	if (!folder)
		return -ENOMEM;
	config.folder = folder;
	return firmware_new(&config, &r->firmware);
}

int firmware_follow(struct registry *r)
{
	const struct config_firmware *c = &r->config.config->firmware;

	if (!c->handler)
		return 0;
	r->fetcher.registry = r;
	r->fetcher.package = c;
	if (r->firmware)
		return firmware_reload(r->firmware, c->handler, c->max_size);
	r->firmware_begins = true;
	return make(r, c);
}

void firmware_settle(struct registry *r)
{
	if (r->firmware && !r->config.config->firmware.handler) {
		firmware_detach(r->firmware);
		r->firmware = firmware_free(r->firmware);
	}
	if (r->firmware && r->firmware_begins)
		firmware_start(r->firmware);
	r->firmware_begins = false;
}
