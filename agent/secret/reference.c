/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/reference.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "secret/secret.h"

static const struct {
	const char *prefix;
	int kind; /* negative: not in this version */
} prefixes[] = {
	{ "psk-file:", SECRET_PSK_FILE },
	{ "file:", SECRET_FILE },
	{ "derive:", SECRET_DERIVE },
	{ "credential:", -1 },
	{ "pkcs11:", -1 },
	{ "table:", SECRET_TABLE },
};

int secret_reference_parse(const char *reference, enum secret_kind *ret_kind, const char **ret_path,
			   const char **ret_error)
{
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		if (!has_prefix(reference, prefixes[i].prefix))
			continue;
		if (prefixes[i].kind < 0) {
			*ret_error = "not in this version";
			return -EOPNOTSUPP;
		}
		if (reference[strlen(prefixes[i].prefix)] == '\0') {
			*ret_error = "the name of the file is missing";
			return -EINVAL;
		}
		*ret_kind = (enum secret_kind)prefixes[i].kind;
		*ret_path = reference + strlen(prefixes[i].prefix);
		return 0;
	}
	*ret_error =
		"expected psk-file:FILE, table:FILE, file:FILE or derive:FILE; a key is never given itself";
	return -EINVAL;
}

int secret_reference_check(const char *reference, const char **ret_error)
{
	enum secret_kind kind;
	const char *path, *ignored;

	return secret_reference_parse(reference, &kind, &path, ret_error ? ret_error : &ignored);
}
