/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "download/coap_uri.h"
#include "lwm2m/dm/execute_argument.h"
#include "model/path.h"
#include "observe/attributes.h"
#include "tests/fuzz/fuzz.h"

/*
 * The small languages of requests. Byte 0 says which: attributes of
 * Write-Attributes, Observe and Discover at a path of so many ids (0 to 4), an
 * Execute's arguments (5), paths (6), URIs of servers (7) and of packages (8).
 */

static const struct fuzz_seed seeds[] = {
	{ "03", "pmin=10&pmax=60&gt=4.5&lt=1&st=0.5&edge=1&con=0&hqmax=3" },
	{ "01", "pmin=10&pmin&epmin=1&epmax=4294967295" },
	{ "04", "gt=-1e300&lt=-0.0&st=.5" },
	{ "05", "0='http://a.example/x',1,2='3'" },
	{ "05", "U" },
	{ "06", "/3/0/11/65534" },
	{ "07", "coaps://[2001:db8::1]:5684" },
	{ "07", "coap+tcp://plant.example.com" },
	{ "08", "coap://a.example:61616/a%20b/%c3%bc?x=1&y" },
};
const struct fuzz_target fuzz_target = { "request", seeds, ARRAY_SIZE(seeds), 0 };

/* ---- attributes ---- */

static unsigned split(const char *text, size_t size, struct span ret[MESSAGE_QUERIES_MAX])
{
	unsigned n = 0;

	for (size_t at = 0; at <= size && n < MESSAGE_QUERIES_MAX; n++) {
		const char *end = at < size ? memchr(text + at, '&', size - at) : NULL;
		size_t length = end ? (size_t)(end - text) - at : size - at;

		ret[n] = span_of(text + at, length);
		at += length + 1;
	}
	return n;
}

struct writing {
	struct attributes again;
	unsigned depth;
};

static int write_one(void *userdata, const char *name, const char *value)
{
	_cleanup_buf_ struct buf text = { 0 };
	struct writing *w = userdata;
	struct attributes one = { 0 };
	struct span query;

	require(buf_printf(&text, "%s=%s", name, value) == 0);
	query = span_of(text.data, text.size);
	require(attributes_apply(&one, &query, 1, w->depth) == 0);
	attributes_inherit(&w->again, &one);
	return 0;
}

/* What is taken can be told, and means the same; what is not taken changes nothing. */
static void check_attributes(const char *text, size_t size, unsigned depth)
{
	struct attributes a = { .present = ATTRIBUTE_PMIN, .pmin_s = 7 };
	const struct attributes before = a;
	struct span queries[MESSAGE_QUERIES_MAX];
	unsigned n = split(text, size, queries);
	struct writing w = { .depth = depth };

	if (attributes_apply(&a, queries, n, depth) < 0) {
		require(memcmp(&a, &before, sizeof(a)) == 0);
		return;
	}
	require(depth >= PATH_RESOURCE || !(a.present & ATTRIBUTES_OF_VALUES));
	require(attributes_each(&a, write_one, &w) == 0);
	require(w.again.present == a.present);
	require(!(a.present & ATTRIBUTE_GT) || w.again.gt == a.gt);
	require(!(a.present & ATTRIBUTE_LT) || w.again.lt == a.lt);
	require(!(a.present & ATTRIBUTE_ST) || w.again.st == a.st);
	require(!(a.present & ATTRIBUTE_PMAX) || w.again.pmax_s == a.pmax_s);
	require(!(a.present & ATTRIBUTE_HQMAX) || w.again.hqmax == a.hqmax);
}

/* ---- the others ---- */

static void check_argument(const char *text, size_t size)
{
	if (execute_argument_check(text, size) < 0)
		return;
	require(size == 0 || (text[0] >= '0' && text[0] <= '9'));
	require(!memchr(text, ' ', size));
}

static void check_path(const char *text, size_t size)
{
	struct path path, again;
	char written[PATH_TEXT_MAX];

	if (path_parse(text, size, &path) < 0)
		return;
	path_format(&path, written);
	require(path_parse(written, strlen(written), &again) == 0 && path_equal(&path, &again));
}

static void check_uri(const char *text)
{
	struct uri uri = { 0 };

	if (uri_parse(text, &uri) < 0)
		return;
	require(uri.host && uri.host[0] && uri.port > 0);
	uri_done(&uri);
}

static void check_package_uri(const char *text)
{
	struct coap_uri uri = { 0 };

	if (coap_uri_parse(text, &uri) < 0)
		return;
	require(uri.n_path <= MESSAGE_SEGMENTS_MAX && uri.n_query <= MESSAGE_QUERIES_MAX);
	for (unsigned i = 0; i < uri.n_path; i++)
		require(strlen(uri.path[i]) <= strlen(text));
	for (unsigned i = 0; i < uri.n_query; i++)
		require(strlen(uri.query[i]) <= strlen(text));
	coap_uri_done(&uri);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = NULL;

	if (size == 0)
		return 0;
	text = strndup((const char *)data + 1, size - 1);
	require(text != NULL);
	if (data[0] % 9 <= PATH_RESOURCE_INSTANCE)
		check_attributes((const char *)data + 1, size - 1, data[0] % 9);
	else if (data[0] % 9 == 5)
		check_argument((const char *)data + 1, size - 1);
	else if (data[0] % 9 == 6)
		check_path((const char *)data + 1, size - 1);
	else if (data[0] % 9 == 7)
		check_uri(text);
	else
		check_package_uri(text);
	return 0;
}
