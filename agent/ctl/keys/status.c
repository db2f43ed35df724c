/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/keys/credentials.h"

static int report_all(const struct invocation *i, const struct targets *t)
{
	_cleanup_(key_report_freep) struct key_report *report = NULL;
	int r = key_report_new(&report);

	for (size_t k = 0; k < t->n && r >= 0; k++)
		r = key_report_add_state(report, &t->servers[k]);
	return r < 0 ? r : key_report_print(report, i);
}

int credentials_status(const struct invocation *i)
{
	_cleanup_configuration_ struct configuration c = { 0 };
	_cleanup_targets_ struct targets t = { 0 };
	int r = configuration_load(i, &c);

	if (r >= 0)
		r = targets_find(i, 1, &c, &t);
	return r < 0 ? r : report_all(i, &t);
}
