/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/value/target.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/daemon/find.h"
#include "ctl/output/text.h"

static int refuse(const char *argument, const char *why)
{
	fputs("fieldwayctl: ", stderr);
	text_print(stderr, argument);
	fprintf(stderr, ": %s\n", why);
	return EXIT_USAGE;
}

int target_take(const struct invocation *i, struct target *ret)
{
	struct target t = { .endpoint = i->arguments[0] };
	const char *path = i->arguments[1];

	/* D-Bus carries nothing else. */
	if (!*t.endpoint || !utf8_is_valid(t.endpoint, strlen(t.endpoint)))
		return refuse(t.endpoint, "no name of an endpoint");
	if (!*path || path_parse(path, strlen(path), &t.path) < 0)
		return refuse(
			path,
			"no path: /OBJECT, /OBJECT/INSTANCE, /OBJECT/INSTANCE/RESOURCE or deeper");
	path_format(&t.path, t.path_text);
	if (asprintf(&t.about, "%s %s", t.endpoint, t.path_text) < 0) {
		fputs("fieldwayctl: out of memory\n", stderr);
		return EXIT_FAILURE;
	}
	*ret = t;
	return EXIT_SUCCESS;
}

void target_done(struct target *t)
{
	free(t->about);
	*t = (struct target){ 0 };
}

int target_ask(const struct invocation *i, int (*ask)(struct client *c, const struct target *t,
						      const char *object, bool json))
{
	_cleanup_target_ struct target target = { 0 };
	_cleanup_client_ struct client c = { 0 };
	_cleanup_free_ char *object = NULL;
	int r = target_take(i, &target);

	if (r != EXIT_SUCCESS)
		return r;
	r = client_open(i->bus, &c);
	if (r < 0)
		return exit_status(r);
	c.about = target.about;
	r = find_endpoint(&c, target.endpoint, &object);
	return exit_status(r < 0 ? r : ask(&c, &target, object, i->json));
}
