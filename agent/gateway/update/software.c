/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/str.h"
#include "gateway/registry/internal.h"

/* `software:` of the configuration: object 9 of the host. */

struct host_software {
	struct host_software *next;
	struct software *software;
	struct fetcher fetcher; /* of its package */
	uint16_t instance;
	bool wanted; /* the configuration has it */
	bool begins; /* it is new, and has not gone on yet with what was interrupted */
};

static struct host_software *find(const struct registry *r, const char *name)
{
	struct host_software *h = r->softwares;

	while (h && !streq(software_name(h->software), name))
		h = h->next;
	return h;
}

static int make(struct registry *r, const struct config_software *c, struct host_software **ret)
{
	_cleanup_free_ char *folder = packages_folder(r);
	struct host_software *h = calloc(1, sizeof(*h));
	struct software_config config = {
		.source = &fetcher_source,
		.event = r->config.event,
		.timers = r->config.timers,
		.state = r->config.state,
		.folder = folder,
		.socket = r->config.install_socket,
		.name = c->name,
		.handler = c->package.handler,
		.max_size = c->package.max_size,
	};
	int error = -ENOMEM;

	if (folder && h) {
		config.source_userdata = &h->fetcher;
		error = software_new(&config, &h->software);
	}
	if (error < 0) {
		free(h);
		return error;
	}
	h->fetcher.registry = r;
	h->begins = true;
	h->next = r->softwares;
	r->softwares = h;
	*ret = h;
	return 0;
}

static int follow(struct registry *r, const struct config_software *c)
{
	struct host_software *h = find(r, c->name);
	int error = h ? software_reload(h->software, c->package.handler, c->package.max_size) : make(r, c, &h);

	/* In a reload without memory it goes on as it was. */
	if (h) {
		h->wanted = true;
		h->instance = c->instance;
		h->fetcher.package = &c->package;
	}
	return error;
}

int softwares_follow(struct registry *r)
{
	const struct config *c = r->config.config;
	int error = 0;

	for (struct host_software *h = r->softwares; h; h = h->next)
		h->wanted = false;
	for (size_t i = 0; i < c->n_software; i++) {
		int e = follow(r, &c->software[i]);

		error = error < 0 ? error : e;
	}
	return error;
}

int softwares_values(const struct registry *r, struct builtin_software **ret, size_t *ret_n)
{
	struct builtin_software *values = calloc(r->config.config->n_software ?: 1, sizeof(*values));
	size_t n = 0;

	if (!values)
		return -ENOMEM;
	for (const struct host_software *h = r->softwares; h; h = h->next)
		if (h->wanted)
			values[n++] = (struct builtin_software){ h->instance, h->software };
	*ret = values;
	*ret_n = n;
	return 0;
}

static struct host_software *host_software_free(struct host_software *h)
{
	software_free(h->software);
	free(h);
	return NULL;
}

void softwares_settle(struct registry *r)
{
	for (struct host_software **at = &r->softwares; *at;) {
		struct host_software *h = *at;

		if (h->wanted) {
			if (h->begins)
				software_start(h->software);
			h->begins = false;
			at = &h->next;
		} else {
			*at = h->next;
			software_detach(h->software);
			host_software_free(h);
		}
	}
}

void softwares_free(struct registry *r)
{
	while (r->softwares) {
		struct host_software *h = r->softwares;

		r->softwares = h->next;
		host_software_free(h);
	}
}

static void show_firmware(const struct firmware *f, struct dbus_package *ret)
{
	const struct firmware_status *status = &firmware_view(f)->status;
	const struct delivery *d = firmware_delivery(f);

	*ret = (struct dbus_package){ "firmware", "", firmware_state_name(status->state), firmware_note(f),
				      delivery_received(d), delivery_expected(d) };
}

static void show_software(const struct software *s, struct dbus_package *ret)
{
	const struct software_view v = software_view(s);
	const struct delivery *d = software_delivery(s);

	*ret = (struct dbus_package){ "software", software_name(s), software_state_name(v.status.state),
				      software_note(s), delivery_received(d), delivery_expected(d) };
}

/* In the order of the configuration. */
bool registry_package(const struct registry *r, size_t index, struct dbus_package *ret)
{
	const struct config *c = r->config.config;
	const struct host_software *h;

	if (r->firmware && index == 0) {
		show_firmware(r->firmware, ret);
		return true;
	}
	index -= r->firmware ? 1 : 0;
	h = index < c->n_software ? find(r, c->software[index].name) : NULL;
	if (h)
		show_software(h->software, ret);
	return h != NULL;
}
