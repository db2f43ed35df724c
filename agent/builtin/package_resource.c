/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin/package_resource.h"

#include <errno.h>
#include <string.h>

/* NULL: while a package came YAML has taken the object away. */
static struct delivery *delivery_of(const struct builtin *b, const struct path *path)
{
	return path->object == FIRMWARE_OBJECT ? firmware_object_delivery(b) :
						 software_object_delivery(b, path->instance);
}

static const char *refusal(const struct builtin *b, const struct path *path, int error)
{
	return path->object == FIRMWARE_OBJECT ? firmware_object_refusal(b, error) :
						 software_object_refusal(b, path->instance, error);
}

static bool is_reset(const struct path *path, const struct value *value)
{
	return path->object == FIRMWARE_OBJECT &&
	       (value->size == 0 || (value->size == 1 && value->data[0] == '\0'));
}

/* A Package in one message: its bytes are on the disk, and need not stay in memory as well. */
struct small_package {
	struct builtin *builtin;
	struct path path;
	backing_done done;
	void *userdata;
};

static void small_done(void *userdata, int error, const char *reason)
{
	struct small_package *p = userdata;
	struct value nothing = { .type = VALUE_OPAQUE };

	p->done(p->userdata, error, reason);
	if (delivery_of(p->builtin, &p->path))
		store_update_one(p->builtin->store, &p->path, &nothing);
	free(p);
}

static void package_write(void *userdata, const struct path *path, const struct value *value, backing_done done,
			  void *done_userdata)
{
	struct delivery *d = delivery_of(userdata, path);
	struct small_package *p;
	int r;

	if (is_reset(path, value)) {
		firmware_object_reset(userdata, done, done_userdata);
		return;
	}
	p = malloc(sizeof(*p));
	r = p ? delivery_push_begin(d, value->size) : -ENOMEM;
	if (r >= 0)
		r = delivery_push_take(d, value->data, value->size);
	if (r < 0) {
		free(p);
		done(done_userdata, r, refusal(userdata, path, r));
		return;
	}
	*p = (struct small_package){ userdata, *path, done, done_userdata };
	delivery_push_end(d, small_done, p);
}

static int package_begin(void *userdata, const struct path *path, uint64_t size)
{
	return delivery_push_begin(delivery_of(userdata, path), size);
}

static int package_take(void *userdata, const struct path *path, const void *data, size_t size)
{
	struct delivery *d = delivery_of(userdata, path);

	return d ? delivery_push_take(d, data, size) : -EPERM;
}

static void package_end(void *userdata, const struct path *path, backing_done done, void *done_userdata)
{
	struct delivery *d = delivery_of(userdata, path);

	if (d)
		delivery_push_end(d, done, done_userdata);
	else
		done(done_userdata, -EPERM, NULL);
}

static void package_lost(void *userdata, const struct path *path)
{
	struct delivery *d = delivery_of(userdata, path);

	if (d)
		delivery_push_lost(d);
}

const struct backing_ops package_resource_ops = {
	.write = package_write,
	.stream_begin = package_begin,
	.stream_take = package_take,
	.stream_end = package_end,
	.stream_lost = package_lost,
};

int package_resource_uri(const struct value *value, char ret[DELIVERY_URI_MAX])
{
	if (value->size >= DELIVERY_URI_MAX)
		return -ERANGE;
	memcpy(ret, value->data, value->size);
	ret[value->size] = '\0';
	return 0;
}
