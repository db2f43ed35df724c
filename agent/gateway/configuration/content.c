/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/configuration/content.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "secret/secret.h"

static int find_converted(struct secret_store *s, const struct fieldbus_content *what,
			  int (*convert)(int), uint8_t **ret, size_t *ret_size)
{
	_cleanup_free_ char *mac = strdup(what->mac);

	if (!mac)
		return -ENOMEM;
	for (char *p = mac; *p; p++)
		*p = (char)convert((unsigned char)*p);
	return secret_lookup(s, what->reference, mac, ret, ret_size);
}

static int find_in_table(struct secret_store *s, const struct fieldbus_content *what, uint8_t **ret,
			 size_t *ret_size)
{
	int r = secret_lookup(s, what->reference, what->owner, ret, ret_size);

	if (r == -ENOKEY && what->mac)
		r = find_converted(s, what, tolower, ret, ret_size);
	/* Last what it says is missing. */
	if (r == -ENOKEY && what->mac)
		r = find_converted(s, what, toupper, ret, ret_size);
	return r;
}

int content_find(struct secret_store *s, const struct fieldbus_content *what, uint8_t **ret,
		 size_t *ret_size)
{
	int r;

	if (what->flags & FIELDWAY_KEY_CONTENT)
		return secret_content(s, what->reference, what->flags & FIELDWAY_KEY_SECRET, ret,
				      ret_size);
	if (has_prefix(what->reference, "table:"))
		r = find_in_table(s, what, ret, ret_size);
	else
		r = secret_lookup(s, what->reference, NULL, ret, ret_size);
	return MIN(r, 0);
}
