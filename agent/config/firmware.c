/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "config/places.h"

/* `firmware:`, who installs packages that servers send, and how large these may be. */

#define HANDLER_NAME_MAX 63u /* install/protocol.h */
#define SIZE_LEAST 1024u
#define SIZE_MOST (UINT64_C(1) << 40)

/* As fieldway-install takes it: it is the name of a file. */
static bool is_handler_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");

	return name[n] == '\0' && n <= HANDLER_NAME_MAX && n > 0 && !strchr("._-", name[0]);
}

static const struct {
	const char *name;
	unsigned shift;
} units[] = { { "", 0 }, { "KiB", 10 }, { "MiB", 20 }, { "GiB", 30 } };

/* Whether it is a size within the bounds. */
static bool parse_size(const char *text, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	char number[FORMAT_U64_MAX];
	uint64_t value;

	if (digits == 0 || digits >= sizeof(number))
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';
	if (parse_u64(number, &value) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!streq(text + digits, units[i].name))
			continue;
		if (value > SIZE_MOST >> units[i].shift)
			return false;
		*ret = value << units[i].shift;
		return *ret >= SIZE_LEAST;
	}
	return false;
}

void firmware_read(struct loader *l, const struct yaml_node *node)
{
	struct config_firmware *f = &l->config->firmware;
	struct firmware_section section = { 0 };

	if (!node || mapping_read(l, node, node->mark, &keys_firmware, NULL, &section) < 0)
		return;
	if (!is_handler_name(section.handler))
		loader_error(l, mapping_mark(node, "handler"),
			     "\"%s\": the name of a file in /etc/fieldway/install.d has small letters, digits and ._- in it",
			     section.handler);
	else
		f->handler = section.handler;
	f->trust = section.trust;
	if (f->trust && *f->trust != '/')
		loader_error(l, mapping_mark(node, "trust"), "\"%s\": the path of a file begins with /", f->trust);
	if (!parse_size(section.max_size, &f->max_size))
		loader_error(l, mapping_mark(node, "max_size"), "\"%s\": expected a size from 1KiB to 1024GiB, such as 512MiB",
			     section.max_size);
}
