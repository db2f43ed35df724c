/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "ctl/files/file.h"
#include "ctl/keys/credentials.h"
#include "ctl/keys/keyring.h"
#include "ctl/keys/make.h"

static bool has(const void *ring, const char *identity)
{
	return keyring_has(ring, identity);
}

static bool always(const void *userdata, const char *identity)
{
	(void)userdata;
	(void)identity;
	return true;
}

static int create_ring(const struct target_server *s, size_t length, struct key_report *report)
{
	_cleanup_(keyring_freep) struct keyring *ring = NULL, *before = NULL;
	size_t n;
	int r = keyring_read(s->path, &ring);

	if (r >= 0)
		r = keyring_read(s->path, &before);
	if (r >= 0)
		r = credentials_fill(ring, s, length, false, &n);
	if (r >= 0 && n > 0)
		r = keyring_write(ring);
	return r < 0 ? r : key_report_add(report, s, false, "new", has, before);
}

static int create_single(const struct target_server *s, size_t length, struct key_report *report)
{
	int r = make_single(s->path, s->kind, length);
	bool there = r == -EEXIST;

	if (r < 0 && !there)
		return file_complain(s->path, r);
	return key_report_add(report, s, false, "new", there ? always : NULL, NULL);
}

static int create_all(const struct invocation *i, const struct targets *t)
{
	_cleanup_(key_report_freep) struct key_report *report = NULL;
	size_t length;
	int r = credentials_length(i, &length);

	if (r >= 0)
		r = key_report_new(&report);
	for (size_t k = 0; k < t->n && r >= 0; k++)
		r = t->servers[k].kind == SECRET_PSK_FILE ?
			    create_ring(&t->servers[k], length, report) :
			    create_single(&t->servers[k], length, report);
	if (r >= 0)
		r = key_report_print(report, i);
	if (r >= 0 && !i->json)
		puts("'fieldwayctl credentials export' prints them for the server. When it knows them,\n"
		     "'systemctl reload fieldway' has endpoints register at once.");
	return r;
}

int credentials_create(const struct invocation *i)
{
	_cleanup_configuration_ struct configuration c = { 0 };
	_cleanup_targets_ struct targets t = { 0 };
	int r = configuration_load(i, &c);

	if (r >= 0)
		r = targets_find(i, 1, &c, &t);
	return r < 0 ? r : create_all(i, &t);
}
