/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/files/file.h"
#include "ctl/keys/credentials.h"
#include "ctl/keys/template.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"

#define OUTPUT_BYTES_MAX (256u << 20)

/* Where keys go: text by a template, or a document. */
struct output {
	const struct template *template;
	struct template own; /* of a file */
	char *text;
	struct buf buf;
	json_t *document;
	size_t n, missing;
	const char *first; /* that is missing */
};

static void output_done(struct output *o)
{
	if (o->buf.data)
		explicit_bzero(o->buf.data, o->buf.allocated);
	buf_done(&o->buf);
	json_decref(o->document);
	free(o->text);
}

/* ---- the template ---- */

static int refuse(const char *path, const char *at, size_t size, const char *text)
{
	_cleanup_free_ char *word = strndup(at, size);

	fputs("fieldwayctl: ", stderr);
	text_print(stderr, path);
	fputs(": ", stderr);
	text_print(stderr, word ?: "");
	fprintf(stderr, "%s\n", text);
	return -EINVAL;
}

static int read_template(struct output *o, const char *path)
{
	const char *wrong;
	size_t size;
	int r = file_read(path, TEMPLATE_BYTES_MAX, &o->text, &size);

	if (r < 0)
		return file_complain(path, r);
	if (!utf8_is_valid(o->text, size) || strlen(o->text) != size)
		return refuse(path, "", 0, "no UTF-8 text");
	r = template_check(o->text, &wrong, &size);
	if (r < 0)
		return refuse(path, wrong, size,
			      ": not a placeholder ({server} {uri} {endpoint} {name} {identity} {key} {key_base64})");
	o->own = (struct template){ "", o->text };
	o->template = &o->own;
	return 0;
}

static int prepare(struct output *o, const struct invocation *i)
{
	const char *name = option_find(i, "template") ?: "csv";
	int r = 0;

	o->buf.limit = OUTPUT_BYTES_MAX;
	if (i->json) {
		o->document = json_array();
		return o->document ? 0 : -ENOMEM;
	}
	o->template = template_find(name);
	if (!o->template)
		r = read_template(o, name);
	return r < 0 ? r : buf_append_text(&o->buf, o->template->begin);
}

/* ---- keys ---- */

static json_t *key_document(const struct template_values *v)
{
	_cleanup_free_ char *hex = hex_encode(v->key, v->size);
	char fingerprint[SECRET_FINGERPRINT_MAX];
	json_t *document;

	if (!hex || secret_fingerprint(v->key, v->size, fingerprint) < 0)
		return NULL;
	document = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "server", v->server, "uri",
			     v->uri, "endpoint", v->name, "client_name", v->endpoint, "identity",
			     v->identity, "key", hex, "fingerprint", fingerprint);
	explicit_bzero(hex, strlen(hex));
	return document;
}

static int put(struct output *o, const struct target_key *key, const uint8_t *bytes, size_t size)
{
	const struct template_values values = {
		.server = key->server->name,
		.uri = key->server->uri,
		.endpoint = key->client,
		.name = key->name,
		.identity = key->identity,
		.key = bytes,
		.size = size,
	};

	o->n++;
	if (!o->document)
		return template_expand(o->template->each, &values, &o->buf);
	document_add(&o->document, key_document(&values));
	return o->document ? 0 : -ENOMEM;
}

static int put_server(struct output *o, const struct target_server *s, bool pending)
{
	_cleanup_(secret_store_freep) struct secret_store *store = NULL;
	uint8_t *bytes;
	size_t size;
	int r = secret_store_new("/", &store);

	for (size_t i = 0; i < s->n && r >= 0; i++) {
		r = credentials_look_up(store, s, pending, s->keys[i].identity, &bytes, &size);
		if (r == -ENOKEY) {
			o->first = o->first ?: s->keys[i].identity;
			o->missing++;
			r = 0;
			continue;
		}
		if (r < 0)
			return r;
		r = put(o, &s->keys[i], bytes, size);
		secret_free(bytes, size);
	}
	return r;
}

/* ---- the file ---- */

/* Half an export must not be taken for a whole one. */
static int tell_missing(const struct output *o, bool pending)
{
	if (o->missing == 0 || (pending && o->n > 0))
		return 0;
	fprintf(stderr, "fieldwayctl: %zu identities have no key%s, the first is ", o->missing,
		pending ? " that waits" : "");
	text_print(stderr, o->first);
	fputs(pending ? "\n" : " (fieldwayctl credentials create)\n", stderr);
	return -ENOENT;
}

static const struct file_rights rights_own = { .mode = 0600, .is_secret = true };

static int deliver_text(const struct output *o, const char *path)
{
	int r;

	if (!path)
		return fwrite(o->buf.data, 1, o->buf.size, stdout), 0;
	r = file_replace(path, o->buf.data, o->buf.size, &rights_own, true);
	return r < 0 ? file_complain(path, r) : 0;
}

static int deliver(struct output *o, const struct invocation *i)
{
	if (o->document)
		return document_print(json_pack("{s:O}", "credentials", o->document));
	return deliver_text(o, option_find(i, "output"));
}

static int export_all(struct output *o, const struct invocation *i, const struct targets *t)
{
	bool pending = option_find(i, "pending");
	int r = prepare(o, i);

	for (size_t k = 0; k < t->n && r >= 0; k++)
		r = put_server(o, &t->servers[k], pending);
	if (r >= 0)
		r = tell_missing(o, pending);
	return r < 0 ? r : deliver(o, i);
}

int credentials_export(const struct invocation *i)
{
	_cleanup_configuration_ struct configuration c = { 0 };
	_cleanup_targets_ struct targets t = { 0 };
	struct output o = { 0 };
	int r;

	if (i->json && option_find(i, "output")) {
		fputs("fieldwayctl: --json goes to standard output, not with --output\n", stderr);
		return -EDOM;
	}
	r = configuration_load(i, &c);
	if (r >= 0)
		r = targets_find(i, 1, &c, &t);
	if (r >= 0)
		r = export_all(&o, i, &t);
	if (r == -ENOMEM)
		fputs("fieldwayctl: out of memory\n", stderr);
	output_done(&o);
	return r;
}
