/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/str.h"
#include "ctl/keys/credentials.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "ctl/output/text.h"

struct key_report {
	struct arena arena;
	struct table table;
};

static const char *const titles[] = { "SERVER", "ENDPOINT", "IDENTITY", "FINGERPRINT", "STATE" };

static int complain(const char *text, int error)
{
	fputs("fieldwayctl: ", stderr);
	text_print(stderr, text);
	fputc('\n', stderr);
	return error;
}

static const char *prefix_of(enum secret_kind kind)
{
	switch (kind) {
	case SECRET_PSK_FILE:
		return "psk-file:";
	case SECRET_FILE:
		return "file:";
	case SECRET_DERIVE:
		return "derive:";
	case SECRET_TABLE:
		return "table:";
	}
	return "";
}

int credentials_look_up(struct secret_store *store, const struct target_server *s, bool pending,
			const char *identity, uint8_t **ret, size_t *ret_size)
{
	_cleanup_free_ char *path = pending ? target_pending(s) : strdup(s->path), *reference = NULL;
	int r;

	if (!path || asprintf(&reference, "%s%s", prefix_of(s->kind), path) < 0) {
		reference = NULL;
		return complain("out of memory", -ENOMEM);
	}
	r = secret_lookup(store, reference, identity, ret, ret_size);
	return r >= 0 || r == -ENOKEY ? MIN(r, 0) : complain(secret_reason(store), r);
}

int key_report_new(struct key_report **ret)
{
	_cleanup_(key_report_freep) struct key_report *report = calloc(1, sizeof(*report));

	if (!report)
		return complain("out of memory", -ENOMEM);
	report->table = (struct table){ .columns = ARRAY_SIZE(titles) };
	if (table_add(&report->table, titles) < 0)
		return complain("out of memory", -ENOMEM);
	*ret = TAKE_PTR(report);
	return 0;
}

struct key_report *key_report_free(struct key_report *report)
{
	if (report) {
		table_done(&report->table);
		arena_done(&report->arena);
	}
	free(report);
	return NULL;
}

static const char *keep(struct key_report *report, const char *text)
{
	return arena_text(&report->arena, text, strlen(text));
}

static int add(struct key_report *report, const struct target_key *key, const char *fingerprint,
	       const char *state)
{
	const char *cells[] = { keep(report, key->server->name), keep(report, key->name),
				keep(report, key->identity), keep(report, fingerprint),
				keep(report, state) };

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		if (!cells[i])
			return complain("out of memory", -ENOMEM);
	return table_add(&report->table, cells) < 0 ? complain("out of memory", -ENOMEM) : 0;
}

/* -ENOKEY without a word. */
static int add_key(struct key_report *report, struct secret_store *store,
		   const struct target_server *s, const struct target_key *key, bool pending,
		   const char *state)
{
	char fingerprint[SECRET_FINGERPRINT_MAX];
	uint8_t *bytes = NULL;
	size_t size;
	int r = credentials_look_up(store, s, pending, key->identity, &bytes, &size);

	if (r < 0)
		return r;
	r = secret_fingerprint(bytes, size, fingerprint);
	secret_free(bytes, size);
	return r < 0 ? complain("GnuTLS makes no fingerprint", r) :
		       add(report, key, fingerprint, state);
}

int key_report_add(struct key_report *report, const struct target_server *s, bool pending,
		   const char *state, bool (*was_there)(const void *userdata, const char *identity),
		   const void *userdata)
{
	_cleanup_(secret_store_freep) struct secret_store *store = NULL;
	int r = secret_store_new("/", &store);

	if (r < 0)
		return complain(strerror(-r), r);
	for (size_t i = 0; i < s->n && r >= 0; i++) {
		const struct target_key *key = &s->keys[i];
		bool kept = was_there && was_there(userdata, key->identity);

		r = add_key(report, store, s, key, pending, kept ? "kept" : state);
		r = r == -ENOKEY ? 0 : r;
	}
	return r;
}

int key_report_add_state(struct key_report *report, const struct target_server *s)
{
	_cleanup_(secret_store_freep) struct secret_store *store = NULL;
	_cleanup_free_ char *fresh = target_pending(s);
	bool there = access(s->path, F_OK) == 0 || errno != ENOENT;
	bool pending = fresh && access(fresh, F_OK) == 0;
	int r = fresh ? secret_store_new("/", &store) : -ENOMEM;

	if (r < 0)
		return complain(strerror(-r), r);
	for (size_t i = 0; i < s->n && r >= 0; i++) {
		const struct target_key *key = &s->keys[i];

		r = there ? add_key(report, store, s, key, false, "in use") : -ENOKEY;
		if (r == -ENOKEY)
			r = add(report, key, "", "missing");
		if (r >= 0 && pending)
			r = add_key(report, store, s, key, true, "pending");
		r = r == -ENOKEY ? 0 : r;
	}
	return r;
}

int key_report_print(const struct key_report *report, const struct invocation *i)
{
	static const char *const keys[] = { "server", "endpoint", "identity", "fingerprint",
					    "state" };

	if (i->json)
		return document_print(
			json_pack("{s:o}", "credentials", document_rows(&report->table, keys)));
	table_print(stdout, &report->table, &(struct table_frame){ 0 });
	return 0;
}
