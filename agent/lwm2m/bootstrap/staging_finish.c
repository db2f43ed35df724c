/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/clock.h"
#include "lwm2m/bootstrap/consistency.h"
#include "lwm2m/bootstrap/staging_internal.h"
#include "lwm2m/bootstrap/unbootstrap.h"

/* What has to be when a bootstrap ends (Core 6.1.3.3, 6.1.7.5; lwm2m.md "Bootstrap"). */

static bool is_touched(const struct staging *st, uint16_t object, uint16_t instance)
{
	const struct path path = path_of_instance(object, instance);

	return staging_touched(st, &path) != NULL;
}

/* A new account of a bootstrap server beside the one that nobody wrote to replaces it (Core 6.1.3.3). */
static void replace_account(struct staging *st)
{
	static const uint16_t objects[] = { ACCOUNT_OSCORE, ACCOUNT_COSE, ACCOUNT_MQTT };
	uint16_t former = staging_account(st);
	bool replaced = false;

	account_for_each(id, st->store, ACCOUNT_SECURITY)
		replaced |= id != former && account_is_bootstrap(st->store, id);
	if (former == ID_NONE || !replaced || is_touched(st, ACCOUNT_SECURITY, former))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		account_for_each(id, st->store, objects[i]) {
			const struct path path = path_of_instance(objects[i], id);

			if (staging_links_to(st->store, former, &path) && !is_touched(st, objects[i], id))
				store_remove_instance(st->store, objects[i], id);
		}
	store_remove_instance(st->store, ACCOUNT_SECURITY, former);
}

static bool may_delete(void *userdata, const struct path *instance)
{
	struct staging *st = userdata;

	return !is_account_object(instance->object) && !staging_is_the_agents(st, instance);
}

/* Of an account whose /0 is gone, unless what is left of it is the bootstrap server's own word. */
static int remove_along(struct staging *st)
{
	const struct unbootstrap_terms terms = { .may_delete = may_delete, .userdata = st };
	struct store *live = st->config.live;
	int r = 0;

	account_for_each(id, live, ACCOUNT_SECURITY) {
		uint16_t short_id = account_short_id(live, id);
		uint16_t server = short_id == 0 ? ID_NONE : account_server_of(st->store, short_id);

		if (short_id == 0 || account_security_of(st->store, short_id) != ID_NONE ||
		    (server != ID_NONE && is_touched(st, ACCOUNT_SERVER, server)))
			continue;
		r = unbootstrap(st->store, short_id, &terms);
		if (r < 0)
			break;
	}
	return r;
}

/* /1/x/12 (Core E.2); not before the time is known. */
static int set_last_bootstrapped(struct staging *st)
{
	const struct value now = value_time((int64_t)(clock_realtime_usec() / USEC_PER_SEC));
	int r = 0;

	if (!clock_realtime_is_plausible())
		return 0;
	account_for_each(id, st->store, ACCOUNT_SERVER) {
		const struct path path = path_of_resource(ACCOUNT_SERVER, id, SERVER_LAST_BOOTSTRAPPED);

		if (store_resource(st->store, &path))
			r = store_update_one(st->store, &path, &now);
		if (r < 0)
			break;
	}
	return r;
}

static bool key_is_elsewhere(void *userdata, uint16_t security)
{
	return staging_key_is_elsewhere(userdata, security);
}

static int check(struct staging *st, char *reason)
{
	const struct consistency_keys keys = { .elsewhere = key_is_elsewhere, .userdata = st };

	_Static_assert(CONSISTENCY_REASON_MAX <= STAGING_REASON_MAX, "room for what is wrong");
	return consistency_check(st->store, &keys, reason);
}

int staging_finish(struct staging *st, char ret_reason[STAGING_REASON_MAX])
{
	struct store *former = st->store, *copy;
	int r = staging_copy(st, &copy);

	if (r < 0)
		return r;
	st->store = copy;
	replace_account(st);
	r = remove_along(st);
	if (r >= 0)
		r = check(st, ret_reason);
	if (r >= 0)
		r = set_last_bootstrapped(st);
	if (r < 0)
		SWAP(st->store, former);
	store_free(former);
	return r;
}
