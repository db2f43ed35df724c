/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lwm2m/client_internal.h"
#include "lwm2m/status.h"
#include "model/account.h"

/* Send (Core 6.4.6): values to the server without it asking for them, POST /dp (Transport 6.4.5). */

struct sending {
	struct list list; /* client.sendings */
	struct client *client;
	struct call *call;
	client_sent done;
	void *userdata;
};

/* ---- what goes out ---- */

/* What must not be in it: no object of servers, not there, not readable. */
static int check_path(const struct view *view, const struct path *path)
{
	const struct resource_definition *resource = view_resource(view, path);

	if (!view_exists(view, path))
		return -ENOENT;
	if (path->depth >= PATH_OBJECT && object_is_secret(path->object))
		return -EPERM;
	return resource && !(resource->operations & OPERATION_READ) ? -EPERM : 0;
}

void records_remove_secrets(struct records *records)
{
	size_t kept = 0;

	for (size_t i = 0; i < records->n; i++) {
		if (path_is_secret(&records->items[i].path))
			value_done(&records->items[i].value);
		else
			records->items[kept++] = records->items[i];
	}
	records->n = kept;
}

static int by_path(const void *a, const void *b)
{
	return path_compare(a, b);
}

/* Ascending, without those that another one contains. */
static size_t sort_paths(struct path *paths, size_t n)
{
	size_t kept = 0;

	qsort(paths, n, sizeof(*paths), by_path);
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !path_contains(&paths[kept - 1], &paths[i]))
			paths[kept++] = paths[i];
	return kept;
}

static struct path common_base(const struct path *paths, size_t n)
{
	struct path base = paths[0];

	while (!path_contains(&base, &paths[n - 1]))
		base = path_cut(&base, base.depth - 1u);
	return base;
}

static int collect(struct client *c, const struct path *paths, size_t n, struct records *ret,
		   struct client_sending *report)
{
	const struct view view = client_view(c, c->config.store);
	const struct access *access = client_access(c, c->config.store);
	unsigned left_out = 0;
	int r;

	for (size_t i = 0; i < n; i++) {
		report->at = paths[i];
		r = check_path(&view, &paths[i]);
		if (r >= 0 && !access_reads(access, c->config.store, &paths[i]))
			r = -EPERM;
		if (r >= 0)
			r = store_collect(c->config.store, &paths[i], false, ret, &left_out);
		if (r < 0)
			return r;
		report->left_out += left_out;
	}
	records_remove_secrets(ret);
	view_filter(&view, ret);
	access_filter(access, ret);
	report->at = paths[0];
	report->values = ret->n;
	return ret->n > 0 ? 0 : -ENODATA;
}

const struct codec *client_timed_codec(const struct client *c)
{
	for (size_t i = 0; i < c->config.n_formats; i++)
		if (c->config.formats[i]->timed)
			return c->config.formats[i];
	return codec_find(FORMAT_SENML_CBOR);
}

static int encode(struct client *c, struct path *paths, size_t n, struct buf *ret,
		  int32_t *ret_format, struct client_sending *report)
{
	_cleanup_records_ struct records records = { 0 };
	const struct codec *codec = client_timed_codec(c);
	struct path base;
	int r;

	n = sort_paths(paths, n);
	r = collect(c, paths, n, &records, report);
	if (r < 0)
		return r;
	base = common_base(paths, n);
	records_set_common_time(&records);
	ret->limit = CONTENT_MAX;
	*ret_format = codec->format;
	r = codec->encode(&base, records.items, records.n, true, ret);
	return r == -EMSGSIZE ? -EFBIG : r;
}

/* ---- on its way ---- */

static void sending_end(struct sending *s, int error, const char *reason)
{
	list_remove(&s->list);
	s->done(s->userdata, error, reason);
	free(s);
}

void sendings_end(struct client *c)
{
	struct sending *s;

	list_for_each(s, &c->sendings, list) {
		s->call = call_drop(s->call);
		sending_end(s, -ECANCELED, NULL);
	}
}

/* Of the server's own trouble, or of how much it is asked, and not of what was sent. */
static bool is_for_now(uint8_t code)
{
	return code_class(code) == 5 || code == CODE(4, 29);
}

static void sent(void *userdata, int error, const struct message *response)
{
	struct sending *s = userdata;
	struct client *c = s->client;
	const struct failure f = { .error = error, .alert = c->alert };
	char text[FAILURE_TEXT_MAX], code[STATUS_TEXT_MAX];

	if (error < 0) {
		sending_end(s, error, error == -ECANCELED ? NULL : failure_format(&f, text));
	} else if (code_class(response->code) != 2) {
		/* It may have forgotten us. */
		if (response->code == CODE(4, 04))
			client_update(c);
		snprintf(text, sizeof(text), "the server answered %s", status_format(response->code, code));
		sending_end(s, is_for_now(response->code) ? -EAGAIN : -EREMOTE, text);
	} else {
		sending_end(s, 0, NULL);
	}
}

static bool is_full(const struct client *c)
{
	const struct sending *s;
	size_t n = 0;

	list_for_each(s, &c->sendings, list)
		n++;
	return n >= SENDINGS_MAX;
}

static int post(struct client *c, int32_t format, const struct buf *content, client_sent done, void *userdata)
{
	struct sending *s = calloc(1, sizeof(*s));
	struct message m;
	int r;

	if (!s)
		return -ENOMEM;
	*s = (struct sending){ .client = c, .done = done, .userdata = userdata };
	message_init(&m, MESSAGE_CON, CODE_POST);
	message_add_path(&m, "dp");
	m.content_format = format;
	m.payload = span_of(content->data, content->size);
	r = session_request(c->session, &m, CALL_NOTIFICATION, sent, s, &s->call);
	if (r < 0)
		free(s);
	else
		list_append(&c->sendings, &s->list);
	return r;
}

bool client_takes_send(const struct client *c)
{
	return c->version >= LWM2M_1_1 && client_setting(c, SERVER_MUTE_SEND, 1) == 0;
}

/* May something be sent now, and is there room for it? */
static int begin(struct client *c)
{
	if (!client_is_registered(c))
		return -EHOSTDOWN;
	if (c->version < LWM2M_1_1)
		return -EOPNOTSUPP;
	if (!client_takes_send(c))
		return -EACCES;
	/* What is sent has to be registered, instances that the server does not know yet too. */
	if (is_full(c) || (c->list_due && (c->state == CLIENT_UPDATING || client_is_leaving(c))))
		return -EBUSY;
	/* In queue mode an Update wakes first; it is a CON as this is, so they keep their order. */
	if (!client_is_awake(c) && c->state == CLIENT_REGISTERED)
		client_send_update(c);
	if (c->list_due)
		client_send_update(c);
	return client_is_registered(c) ? 0 : -EHOSTDOWN;
}

int client_send(struct client *c, const struct path *paths, size_t n, client_sent done, void *userdata,
		struct client_sending *ret)
{
	_cleanup_buf_ struct buf content = { 0 };
	struct path sorted[SEND_PATHS_MAX];
	int32_t format;
	int r;

	*ret = (struct client_sending){ .values = 0 };
	if (n == 0 || n > SEND_PATHS_MAX)
		return -EINVAL;
	r = begin(c);
	if (r < 0)
		return r;
	memcpy(sorted, paths, n * sizeof(*paths));
	r = encode(c, sorted, n, &content, &format, ret);
	return r < 0 ? r : post(c, format, &content, done, userdata);
}

/* ---- what was recorded ---- */

static void remove_forbidden(struct client *c, struct records *records)
{
	const struct view view = client_view(c, c->config.store);
	const struct access *access = client_access(c, c->config.store);
	size_t kept = 0;

	for (size_t i = 0; i < records->n; i++) {
		struct record *r = &records->items[i];

		if (check_path(&view, &r->path) >= 0 && access_reads(access, c->config.store, &r->path))
			records->items[kept++] = *r;
		else
			value_done(&r->value);
	}
	records->n = kept;
}

static struct path common_base_of(const struct records *records)
{
	struct path base = records->items[0].path;

	for (size_t i = 1; i < records->n; i++)
		while (!path_contains(&base, &records->items[i].path))
			base = path_cut(&base, base.depth - 1u);
	return base;
}

int client_send_records(struct client *c, struct records *records, client_sent done, void *userdata)
{
	const struct codec *codec = client_timed_codec(c);
	_cleanup_buf_ struct buf content = { 0 };
	struct path base;
	int r = begin(c);

	if (r < 0)
		return r;
	remove_forbidden(c, records);
	if (records->n == 0)
		return -ENODATA;
	base = common_base_of(records);
	content.limit = CONTENT_MAX;
	r = codec->encode(&base, records->items, records->n, true, &content);
	return r < 0 ? r : post(c, codec->format, &content, done, userdata);
}
