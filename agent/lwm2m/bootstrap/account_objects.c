/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/bootstrap/account_objects.h"

#include "base/macro.h"

bool is_account_object(uint16_t object)
{
	static const uint16_t objects[] = { ACCOUNT_SECURITY, ACCOUNT_SERVER, ACCOUNT_ACCESS,
					    ACCOUNT_OSCORE,   ACCOUNT_COSE,   ACCOUNT_MQTT };

	for (size_t i = 0; i < ARRAY_SIZE(objects); i++)
		if (objects[i] == object)
			return true;
	return false;
}

struct next {
	uint32_t from;
	uint16_t found;
};

static int find_next(void *userdata, const struct path *path)
{
	struct next *next = userdata;

	if (path->instance < next->from)
		return 0;
	next->found = path->instance;
	return 1;
}

uint16_t account_next(const struct store *s, uint16_t object, uint32_t from)
{
	const struct path path = path_of_object(object);
	struct next next = { .from = from, .found = ID_NONE };

	store_children(s, &path, find_next, &next);
	return next.found;
}

int64_t account_number(struct store *s, uint16_t object, uint16_t instance, uint16_t resource, int64_t missing)
{
	const struct path path = path_of_resource(object, instance, resource);
	_cleanup_value_ struct value v = { 0 }, integer = { 0 };

	if (store_read(s, &path, true, &v, NULL) < 0)
		return missing;
	if (v.type == VALUE_BOOLEAN)
		return v.boolean;
	return value_convert(&v, VALUE_INTEGER, &integer) < 0 ? missing : integer.integer;
}

bool account_has(const struct store *s, uint16_t object, uint16_t instance, uint16_t resource)
{
	const struct path path = path_of_resource(object, instance, resource);

	return store_exists(s, &path);
}

bool account_has_bytes(struct store *s, uint16_t object, uint16_t instance, uint16_t resource)
{
	const struct path path = path_of_resource(object, instance, resource);
	_cleanup_value_ struct value v = { 0 };

	return store_read(s, &path, true, &v, NULL) >= 0 && v.size > 0;
}

bool account_is_bootstrap(struct store *s, uint16_t security)
{
	return account_number(s, ACCOUNT_SECURITY, security, SECURITY_IS_BOOTSTRAP, false) != 0;
}

uint16_t account_short_id(struct store *s, uint16_t security)
{
	int64_t id = account_number(s, ACCOUNT_SECURITY, security, SECURITY_SHORT_ID, 0);

	/* Of a bootstrap server it means nothing (Core E.1). */
	return id < 0 || id >= ID_NONE || account_is_bootstrap(s, security) ? 0 : (uint16_t)id;
}

uint16_t account_security_of(struct store *s, uint16_t short_id)
{
	account_for_each(i, s, ACCOUNT_SECURITY)
		if (short_id != 0 && account_short_id(s, i) == short_id)
			return i;
	return ID_NONE;
}

uint16_t account_server_of(struct store *s, uint16_t short_id)
{
	account_for_each(i, s, ACCOUNT_SERVER)
		if (account_number(s, ACCOUNT_SERVER, i, SERVER_SHORT_ID, 0) == short_id)
			return i;
	return ID_NONE;
}
