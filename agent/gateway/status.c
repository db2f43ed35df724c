/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "base/timer.h"

struct status {
	const struct config *config;
	enum status_configuration configuration;
	uint32_t accounts, registered, n_paused;
	uint8_t *devices; /* enum fieldbus_state of each */
	uint32_t n_trouble;
	struct timer timer;
};

static const char *configuration_text(enum status_configuration c)
{
	switch (c) {
	case STATUS_ACCEPTED:
		break;
	case STATUS_WRONG:
		return "Configuration is wrong, running on the last good one; ";
	case STATUS_UNCONFIRMED:
		return "Configuration is not confirmed; ";
	case STATUS_TAKEN_BACK:
		return "Configuration was not confirmed, running on the former one; ";
	}
	return "";
}

static void tell(struct timer *timer, void *userdata)
{
	const struct status *s = userdata;
	char paused[32] = "";

	(void)timer;
	if (s->config->empty) {
		sd_notify(0, "STATUS=Not configured: run fieldwayctl setup");
		return;
	}
	if (s->n_paused > 0)
		snprintf(paused, sizeof(paused), "%u paused; ", s->n_paused);
	sd_notifyf(0, "STATUS=%s%s%u of %u endpoints registered, %u of %zu devices in trouble",
		   configuration_text(s->configuration), paused, s->registered, s->accounts, s->n_trouble,
		   s->config->n_devices);
}

static void settle(struct status *s)
{
	if (!timer_is_armed(&s->timer))
		timer_arm_in(&s->timer, STATUS_SETTLE_USEC);
}

int status_new(struct timers *timers, const struct config *config, enum status_configuration configuration,
	       struct status **ret)
{
	struct status *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->devices = calloc(config->n_devices + 1, 1);
	if (!s->devices) {
		free(s);
		return -ENOMEM;
	}
	s->config = config;
	s->configuration = configuration;
	timer_init(&s->timer, timers, tell, s);
	tell(&s->timer, s);
	*ret = s;
	return 0;
}

struct status *status_free(struct status *s)
{
	if (!s)
		return NULL;
	timer_disarm(&s->timer);
	free(s->devices);
	free(s);
	return NULL;
}

static bool is_trouble(enum fieldbus_state state)
{
	return state == FIELDBUS_OFFLINE || state == FIELDBUS_FAILED;
}

void status_device(struct status *s, uint32_t device, enum fieldbus_state state)
{
	bool was = is_trouble(s->devices[device]), is = is_trouble(state);

	if (s->devices[device] == state)
		return;
	s->devices[device] = state;
	s->n_trouble += is - was;
	if (was != is)
		settle(s);
}

void status_paused(struct status *s, uint32_t n)
{
	s->n_paused = n;
	settle(s);
}

void status_accounts(struct status *s, uint32_t accounts, uint32_t registered)
{
	s->accounts = accounts;
	s->registered = registered;
	settle(s);
}

void status_configuration(struct status *s, enum status_configuration configuration)
{
	s->configuration = configuration;
	settle(s);
}

int status_prepare(const struct config *after, struct status_change *ret)
{
	*ret = (struct status_change){ .config = after, .devices = calloc(after->n_devices + 1, 1) };
	return ret->devices ? 0 : -ENOMEM;
}

void status_commit(struct status *s, struct status_change *c)
{
	uint8_t *former = s->devices;

	s->config = c->config;
	s->devices = c->devices;
	s->n_trouble = 0;
	c->devices = former;
	settle(s);
}

void status_change_done(struct status_change *c)
{
	free(c->devices);
	c->devices = NULL;
}
