/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/output/document.h"
#include "ctl/output/text.h"
#include "ctl/profile/profile.h"
#include "fieldbus/fieldbus.h"

/* Those of the profile itself stay; what it extends has its own turn. */
static void keep_own_samples(struct profile_load *l)
{
	struct config *c = l->config;
	size_t n = 0;

	for (size_t i = 0; i < c->n_samples; i++)
		if (streq(c->samples[i].type->profile, l->name))
			c->samples[n++] = c->samples[i];
	c->n_samples = n;
}

static size_t count_expectations(const struct config *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_samples; i++)
		n += c->samples[i].n_expectations;
	return n;
}

static void print_result(const struct profile_load *l, unsigned failed)
{
	text_print(stdout, l->name);
	if (l->config->n_samples == 0)
		fputs(": no samples", stdout);
	else
		printf(": %zu sample%s, %zu value%s", l->config->n_samples,
		       l->config->n_samples == 1 ? "" : "s", count_expectations(l->config),
		       count_expectations(l->config) == 1 ? "" : "s");
	if (failed > 0)
		printf(", %u wrong\n", failed);
	else
		puts(l->config->n_samples == 0 ? "" : ", all as expected");
}

static json_t *result_document(const struct profile_load *l, unsigned failed)
{
	return json_pack("{s:s, s:I, s:I, s:I}", "profile", l->name, "samples",
			 (json_int_t)l->config->n_samples, "values",
			 (json_int_t)count_expectations(l->config), "wrong", (json_int_t)failed);
}

/* results: of --json, what this one adds to. */
static int test(const struct invocation *i, const char *what, json_t **results)
{
	_cleanup_profile_load_ struct profile_load l = { 0 };
	struct yaml_errors errors = { 0 }, warnings = { 0 };
	int r = profile_load(i, what, NULL, &l);

	if (r < 0)
		return r;
	keep_own_samples(&l);
	r = fieldbus_check(l.fieldbus, l.config, true, &errors, &warnings);
	profile_print_errors(&warnings, " (warning)");
	profile_print_errors(&errors, "");
	if (r < 0 && errors.n == 0)
		fprintf(stderr, "fieldwayctl: %s\n", strerror(-r));
	if (i->json)
		document_add(results, result_document(&l, errors.n));
	else
		print_result(&l, errors.n);
	yaml_errors_done(&warnings);
	yaml_errors_done(&errors);
	return r;
}

int profile_test(const struct invocation *i)
{
	json_t *results = i->json ? json_array() : NULL;
	int r = 0;

	/* All of them, so that one run shows all that is wrong. */
	for (int k = 1; k < i->n; k++)
		r = MIN(r, test(i, i->arguments[k], &results));
	if (i->json && document_print(results) < 0)
		return exit_status(-ENOMEM);
	return exit_status(r);
}
