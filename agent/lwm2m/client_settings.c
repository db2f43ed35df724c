/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "lwm2m/client_internal.h"
#include "model/account.h"

/* Resources of /1 (Server) that steer the account; what a server writes there is bounded here. */
#define DEFAULT_LIFETIME_S 86400
#define DEFAULT_DISABLE_S 86400
/* `lt=0`, for ever, is understood from 1.2 on; earlier servers take it for expired (Leshan does). */
#define LIFETIME_LONG_S INT32_MAX

int64_t client_setting(const struct client *c, uint16_t resource, int64_t initial)
{
	struct path path = path_of_resource(1, c->config.server_instance, resource);
	_cleanup_value_ struct value value = { 0 }, integer = { 0 };

	/* Not by way of a double: it rounds what a server wrote out of int64_t's range. */
	if (store_read(c->config.store, &path, true, &value, NULL) < 0)
		return initial;
	if (value.type == VALUE_BOOLEAN)
		return value.boolean;
	if (value_convert(&value, VALUE_INTEGER, &integer) < 0)
		return initial;
	return integer.integer;
}

uint32_t client_lifetime(const struct client *c)
{
	int64_t lifetime = client_setting(c, SERVER_LIFETIME, DEFAULT_LIFETIME_S);

	if (lifetime == 0 && c->version < LWM2M_1_2)
		return LIFETIME_LONG_S;
	return lifetime < 0 || lifetime >= UINT32_MAX ? DEFAULT_LIFETIME_S : lifetime;
}

bool client_has_lifetime_in(const struct client *c, const struct path *path)
{
	const struct path lifetime = path_of_resource(1, c->config.server_instance, SERVER_LIFETIME);

	return path_contains(path, &lifetime);
}

uint64_t client_absence_usec(const struct client *c)
{
	int64_t absence = client_setting(c, SERVER_DISABLE_TIMEOUT, DEFAULT_DISABLE_S);

	return (absence < 0 || absence > UINT32_MAX ? DEFAULT_DISABLE_S : absence) * USEC_PER_SEC;
}

bool client_bootstraps_on_failure(const struct client *c)
{
	return client_setting(c, SERVER_BOOTSTRAP_ON_FAILURE, true);
}

static uint32_t bounded(int64_t value)
{
	return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

void client_order_settings(const struct client *c, struct order_account *ret)
{
	int64_t priority = client_setting(c, SERVER_PRIORITY, -1);
	int64_t delay = client_setting(c, SERVER_INITIAL_DELAY, 0);

	ret->has_priority = priority >= 0;
	ret->priority = bounded(priority);
	ret->delay_usec = bounded(delay) * USEC_PER_SEC;
	ret->blocks = client_setting(c, SERVER_FAILURE_BLOCK, false);
	ret->bootstraps = client_bootstraps_on_failure(c);
}

struct retry_settings client_retry_settings(const struct client *c)
{
	const struct retry_settings initial = RETRY_DEFAULTS;

	return (struct retry_settings){
		.attempts = MAX(client_setting(c, SERVER_RETRY_COUNT, initial.attempts), INT64_C(1)),
		.first_wait_s = client_setting(c, SERVER_RETRY_TIMER, initial.first_wait_s),
		.sequence_wait_s = client_setting(c, SERVER_SEQUENCE_DELAY, initial.sequence_wait_s),
		.sequences = MAX(client_setting(c, SERVER_SEQUENCE_COUNT, initial.sequences), INT64_C(1)),
	};
}

void client_note_alert(struct client *c, int alert)
{
	const struct path path = path_of_resource(1, c->config.server_instance, SERVER_ALERT);
	const struct value value = value_unsigned(alert);

	if (alert >= 0)
		store_update_one(c->config.store, &path, &value);
}
