/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>

#include "lwm2m/bootstrap/staging_internal.h"

/* Bootstrap-Discover and Bootstrap-Read (Core 6.1.7.3, 6.1.7.4). */

/* A payload is at most this large; it goes block-wise. */
#define STAGING_CONTENT_MAX (256u << 10)
#define LWM2M_VERSION_TEXT "1.2"

/* ---- Discover ---- */

struct discovery {
	struct staging *staging;
	struct link_writer writer;
};

/* Of the server account that an instance belongs to; 0: of none, or the bootstrap server's own. */
static uint16_t short_id_of(struct discovery *d, const struct path *instance)
{
	struct store *s = d->staging->store;

	if (instance->object == ACCOUNT_SECURITY)
		return account_short_id(s, instance->instance);
	if (instance->object == ACCOUNT_SERVER)
		return (uint16_t)account_number(s, ACCOUNT_SERVER, instance->instance, SERVER_SHORT_ID, 0);
	if (instance->object == ACCOUNT_ACCESS || !is_account_object(instance->object))
		return 0;
	account_for_each(id, s, ACCOUNT_SECURITY)
		if (staging_links_to(s, id, instance))
			return account_short_id(s, id);
	return 0;
}

static int add_short_id(struct discovery *d, uint16_t short_id)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", short_id);
	return link_attribute(&d->writer, "ssid", text, false);
}

static int add_uri(struct discovery *d, const struct path *instance)
{
	const struct path path = path_of_resource(ACCOUNT_SECURITY, instance->instance, SECURITY_URI);
	_cleanup_value_ struct value uri = { 0 };

	if (store_read(d->staging->store, &path, true, &uri, NULL) < 0 || uri.type != VALUE_STRING)
		return 0;
	return link_attribute(&d->writer, "uri", uri.data, true);
}

static int add_instance(void *userdata, const struct path *instance)
{
	struct discovery *d = userdata;
	uint16_t short_id = short_id_of(d, instance);
	char text[PATH_TEXT_MAX];
	int r = link_begin(&d->writer, path_format(instance, text));

	if (r >= 0 && short_id != 0)
		r = add_short_id(d, short_id);
	if (r >= 0 && instance->object == ACCOUNT_SECURITY &&
	    !account_is_bootstrap(d->staging->store, instance->instance))
		r = add_uri(d, instance);
	return r;
}

/* The object's own link says its version, or that it has no instances. */
static int add_object(void *userdata, const struct path *path)
{
	struct discovery *d = userdata;
	const struct object_definition *object = store_object(d->staging->store, path->object);
	bool is_implied = object->version == object_version_implied(path->object, LWM2M_1_2);
	char text[PATH_TEXT_MAX], version[16];
	int r = 0;

	if (!is_implied || account_next(d->staging->store, path->object, 0) == ID_NONE)
		r = link_begin(&d->writer, path_format(path, text));
	if (r >= 0 && !is_implied) {
		snprintf(version, sizeof(version), "%u.%u", object->version >> 8, object->version & 0xff);
		r = link_attribute(&d->writer, "ver", version, false);
	}
	return r < 0 ? r : store_children(d->staging->store, path, add_instance, d);
}

int staging_discover(struct staging *st, const struct path *target, struct buf *ret)
{
	struct discovery d = { .staging = st, .writer = { .out = ret } };
	int r;

	if (target->depth > PATH_OBJECT)
		return -EPERM;
	if (!store_exists(st->store, target))
		return -ENOENT;
	ret->limit = STAGING_CONTENT_MAX;
	r = link_begin(&d.writer, "/");
	if (r >= 0)
		r = link_attribute(&d.writer, "lwm2m", LWM2M_VERSION_TEXT, false);
	if (r < 0)
		return r;
	return target->depth == PATH_OBJECT ? add_object(&d, target) :
					      store_children(st->store, target, add_object, &d);
}

/* ---- Read ---- */

int staging_read(struct staging *st, const struct path *target, int32_t accept, struct buf *ret,
		 int32_t *ret_format)
{
	const struct codec *codec = codec_find(accept >= 0 ? (enum content_format)accept : FORMAT_SENML_CBOR);
	_cleanup_records_ struct records records = { 0 };
	int r;

	if ((target->depth != PATH_OBJECT && target->depth != PATH_INSTANCE) ||
	    (target->object != ACCOUNT_SERVER && target->object != ACCOUNT_ACCESS))
		return -EPERM;
	if (!store_exists(st->store, target))
		return -ENOENT;
	if (!codec || codec->single)
		return -ENOMEDIUM;
	r = store_collect(st->store, target, true, &records, NULL);
	if (r < 0)
		return r;
	ret->limit = STAGING_CONTENT_MAX;
	r = codec->encode(target, records.items, records.n, false, ret);
	if (r >= 0)
		*ret_format = codec->format;
	return r == -EINVAL ? -ENOMEDIUM : r;
}
