/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "gateway/internal.h"

#define FOLDER "packages"

static int make(struct registry *r, const struct config_firmware *c)
{
	_cleanup_free_ char *folder = NULL;
	const struct registry_config *from = &r->config;
	struct firmware_config config = {
		.event = from->event,
		.timers = from->timers,
		.state = from->state,
		.socket = from->install_socket,
		.handler = c->handler,
		.max_size = c->max_size,
	};

	if (asprintf(&folder, "%s/" FOLDER, from->state_folder) < 0) {
		folder = NULL;
		return -ENOMEM;
	}
	config.folder = folder;
	return firmware_new(&config, &r->firmware);
}

int firmware_follow(struct registry *r)
{
	const struct config_firmware *c = &r->config.config->firmware;

	if (!c->handler)
		return 0;
	if (r->firmware)
		return firmware_reload(r->firmware, c->handler, c->max_size);
	r->firmware_begins = true;
	return make(r, c);
}

void firmware_settle(struct registry *r)
{
	if (!r->config.config->firmware.handler)
		r->firmware = firmware_free(r->firmware);
	if (r->firmware && r->firmware_begins)
		firmware_start(r->firmware);
	r->firmware_begins = false;
}
