/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/bootstrap/consistency.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "lwm2m/bootstrap/account_objects.h"
#include "transport/uri.h"

struct check {
	struct store *store;
	const struct consistency_keys *keys;
	char *reason;
};

static int _printf_(2, 3) refuse(struct check *c, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(c->reason, CONSISTENCY_REASON_MAX, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* ---- /0 ---- */

static int parse_uri(struct check *c, uint16_t id, enum uri_scheme *ret)
{
	const struct path path = path_of_resource(ACCOUNT_SECURITY, id, SECURITY_URI);
	_cleanup_value_ struct value v = { 0 };
	struct uri uri;

	if (store_read(c->store, &path, true, &v, NULL) < 0 || v.size == 0)
		return refuse(c, "/0/%u: no URI (resource 0)", id);
	if (uri_parse(v.data, &uri) < 0)
		return refuse(c, "/0/%u: its URI is none of a server: coap(s)://host[:port]", id);
	*ret = uri.scheme;
	uri_done(&uri);
	return 0;
}

static int check_key(struct check *c, uint16_t id)
{
	const struct consistency_keys *keys = c->keys;

	if (!account_has_bytes(c->store, ACCOUNT_SECURITY, id, SECURITY_IDENTITY))
		return refuse(c, "/0/%u: mode 0, and no identity (resource 3)", id);
	if (account_has_bytes(c->store, ACCOUNT_SECURITY, id, SECURITY_SECRET) ||
	    (keys && keys->elsewhere && keys->elsewhere(keys->userdata, id)))
		return 0;
	return refuse(c, "/0/%u: mode 0, and no key (resource 5)", id);
}

/* What this client speaks: UDP, with a shared key or nothing. */
static int check_mode(struct check *c, uint16_t id, enum uri_scheme scheme)
{
	int64_t mode = account_number(c->store, ACCOUNT_SECURITY, id, SECURITY_MODE, -1);

	if (mode < 0)
		return refuse(c, "/0/%u: no security mode (resource 2)", id);
	if (mode != SECURITY_MODE_PSK && mode != SECURITY_MODE_NONE)
		return refuse(c, "/0/%u: security mode %d is not spoken here", id, (int)mode);
	if (scheme != URI_COAP && scheme != URI_COAPS)
		return refuse(c, "/0/%u: only UDP is spoken here, coap:// and coaps://", id);
	if ((scheme == URI_COAPS) != (mode == SECURITY_MODE_PSK))
		return refuse(c, "/0/%u: mode %d does not go with its URI's scheme", id, (int)mode);
	return mode == SECURITY_MODE_PSK ? check_key(c, id) : 0;
}

static int check_link_value(struct check *c, uint16_t id, uint16_t resource, uint16_t object, const struct value *v)
{
	const struct path path = path_of_instance(v->link.object, v->link.instance);

	if (v->link.object == ID_NONE && v->link.instance == ID_NONE)
		return 0;
	if (v->link.object != object || !store_exists(c->store, &path))
		return refuse(c, "/0/%u/%u links to no instance of /%u", id, resource, object);
	/* To register without what the server asks for would be less than it wants. */
	return object == ACCOUNT_OSCORE ? refuse(c, "/0/%u/%u: OSCORE is not spoken here", id, resource) : 0;
}

struct link_walk {
	struct check *check;
	uint16_t object;
};

static int check_link(void *userdata, const struct path *path)
{
	struct link_walk *walk = userdata;
	_cleanup_value_ struct value v = { 0 };

	if (store_read(walk->check->store, path, true, &v, NULL) < 0 || v.type != VALUE_OBJLNK)
		return 0;
	return check_link_value(walk->check, path->instance, path->resource, walk->object, &v);
}

static int check_links(struct check *c, uint16_t id)
{
	static const struct {
		uint16_t resource, object;
	} links[] = {
		{ SECURITY_OSCORE, ACCOUNT_OSCORE },
		{ SECURITY_MQTT, ACCOUNT_MQTT },
		{ SECURITY_COSE, ACCOUNT_COSE },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(links) && r == 0; i++) {
		const struct path path = path_of_resource(ACCOUNT_SECURITY, id, links[i].resource);
		struct link_walk walk = { .check = c, .object = links[i].object };

		r = check_link(&walk, &path);
		if (r == 0)
			r = store_children(c->store, &path, check_link, &walk);
	}
	return r;
}

static int check_security(struct check *c, uint16_t id)
{
	enum uri_scheme scheme = URI_COAP;
	int r = parse_uri(c, id, &scheme);

	if (r >= 0 && !account_has(c->store, ACCOUNT_SECURITY, id, SECURITY_IS_BOOTSTRAP))
		return refuse(c, "/0/%u: of a server, or of a bootstrap server (resource 1)?", id);
	if (r >= 0)
		r = check_mode(c, id, scheme);
	return r < 0 ? r : check_links(c, id);
}

/* ---- /0 and /1 as accounts ---- */

static int check_pair(struct check *c, uint16_t id)
{
	uint16_t short_id = account_short_id(c->store, id);

	if (short_id == 0)
		return refuse(c, "/0/%u: no short server id of 1 to 65534 (resource 10)", id);
	if (account_security_of(c->store, short_id) != id)
		return refuse(c, "short server id %u in two instances of /0", short_id);
	if (account_server_of(c->store, short_id) == ID_NONE)
		return refuse(c, "server %u of /0/%u has no /1", short_id, id);
	return 0;
}

static int check_securities(struct check *c)
{
	unsigned servers = 0, bootstrap = 0;

	account_for_each(id, c->store, ACCOUNT_SECURITY) {
		bool is_bootstrap = account_is_bootstrap(c->store, id);
		int r = check_security(c, id);

		if (r >= 0 && !is_bootstrap)
			r = check_pair(c, id);
		if (r < 0)
			return r;
		servers += !is_bootstrap;
		bootstrap += is_bootstrap;
	}
	if (servers == 0)
		return refuse(c, "no account of a server in /0");
	return bootstrap > 1 ? refuse(c, "more than one account of a bootstrap server in /0") : 0;
}

/* ---- /1 ---- */

static int check_server(struct check *c, uint16_t id)
{
	static const uint16_t mandatory[] = { SERVER_SHORT_ID, SERVER_LIFETIME, SERVER_STORING, SERVER_BINDING };
	int64_t short_id = account_number(c->store, ACCOUNT_SERVER, id, SERVER_SHORT_ID, 0);

	for (size_t i = 0; i < ARRAY_SIZE(mandatory); i++)
		if (!account_has(c->store, ACCOUNT_SERVER, id, mandatory[i]))
			return refuse(c, "/1/%u: resource %u is missing", id, mandatory[i]);
	if (account_number(c->store, ACCOUNT_SERVER, id, SERVER_LIFETIME, -1) < 0)
		return refuse(c, "/1/%u: a lifetime below 0", id);
	if (short_id <= 0 || short_id >= ID_NONE || account_security_of(c->store, (uint16_t)short_id) == ID_NONE)
		return refuse(c, "/1/%u: its short server id is that of no account in /0", id);
	if (account_server_of(c->store, (uint16_t)short_id) != id)
		return refuse(c, "short server id %d in two instances of /1", (int)short_id);
	return 0;
}

static int check_servers(struct check *c)
{
	account_for_each(id, c->store, ACCOUNT_SERVER) {
		int r = check_server(c, id);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- /2 ---- */

static int check_right(void *userdata, const struct path *path)
{
	struct check *c = userdata;

	if (path->resource_instance == 0 || account_security_of(c->store, path->resource_instance) != ID_NONE)
		return 0;
	return refuse(c, "/2/%u: rights for server %u, which has no account", path->instance,
		      path->resource_instance);
}

static int check_access(struct check *c, uint16_t id)
{
	static const uint16_t mandatory[] = { ACCESS_OBJECT_ID, ACCESS_INSTANCE_ID, ACCESS_OWNER };
	const struct path rights = path_of_resource(ACCOUNT_ACCESS, id, ACCESS_ACL);
	int64_t owner = account_number(c->store, ACCOUNT_ACCESS, id, ACCESS_OWNER, -1);

	for (size_t i = 0; i < ARRAY_SIZE(mandatory); i++)
		if (!account_has(c->store, ACCOUNT_ACCESS, id, mandatory[i]))
			return refuse(c, "/2/%u: resource %u is missing", id, mandatory[i]);
	/* 65535: whoever bootstraps. */
	if (owner != ACCESS_BOOTSTRAP &&
	    (owner <= 0 || owner > ID_NONE || account_security_of(c->store, (uint16_t)owner) == ID_NONE))
		return refuse(c, "/2/%u: its owner, server %d, has no account", id, (int)owner);
	return store_children(c->store, &rights, check_right, c);
}

static int check_accesses(struct check *c)
{
	account_for_each(id, c->store, ACCOUNT_ACCESS) {
		int r = check_access(c, id);

		if (r < 0)
			return r;
	}
	return 0;
}

int consistency_check(struct store *s, const struct consistency_keys *keys, char ret_reason[CONSISTENCY_REASON_MAX])
{
	struct check c = { .store = s, .keys = keys, .reason = ret_reason };
	int r = check_securities(&c);

	ret_reason[r < 0 ? CONSISTENCY_REASON_MAX - 1 : 0] = '\0';
	if (r >= 0)
		r = check_servers(&c);
	return r < 0 ? r : check_accesses(&c);
}
