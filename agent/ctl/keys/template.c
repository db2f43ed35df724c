/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/keys/template.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"

enum field {
	FIELD_SERVER,
	FIELD_URI,
	FIELD_ENDPOINT,
	FIELD_NAME,
	FIELD_IDENTITY,
	FIELD_KEY,
	FIELD_KEY_BASE64,
};

static const char *const fields[] = {
	[FIELD_SERVER] = "server",     [FIELD_URI] = "uri",   [FIELD_ENDPOINT] = "endpoint",
	[FIELD_NAME] = "name",	       [FIELD_IDENTITY] = "identity",
	[FIELD_KEY] = "key",	       [FIELD_KEY_BASE64] = "key_base64",
};

enum form {
	FORM_PLAIN,
	FORM_JSON,
	FORM_CSV,
};

static const char *const forms[] = {
	[FORM_PLAIN] = "", [FORM_JSON] = ":json", [FORM_CSV] = ":csv",
};

struct placeholder {
	enum field field;
	enum form form;
	size_t size; /* with its braces */
};

static const struct {
	const char *name;
	struct template template;
} templates[] = {
	/* Leshan's server demo takes one of these in a PUT of /api/security/clients. */
	{ "leshan",
	  { "", "{\"endpoint\":{endpoint:json},\"tls\":{\"mode\":\"psk\",\"details\":"
		"{\"identity\":{identity:json},\"key\":{key:json}}}}\n" } },
	{ "csv",
	  { "server,endpoint,identity,key\r\n",
	    "{server:csv},{endpoint:csv},{identity:csv},{key}\r\n" } },
};

const struct template *template_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(templates); i++)
		if (streq(templates[i].name, name))
			return &templates[i].template;
	return NULL;
}

/* ---- placeholders ---- */

static int parse_inner(const char *text, size_t size, struct placeholder *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		for (size_t k = 0; k < ARRAY_SIZE(forms); k++) {
			size_t n = strlen(fields[i]);

			if (size != n + strlen(forms[k]) || strncmp(text, fields[i], n) != 0 ||
			    strncmp(text + n, forms[k], size - n) != 0)
				continue;
			*ret = (struct placeholder){ (enum field)i, (enum form)k, size + 2 };
			return 0;
		}
	return -EINVAL;
}

/* At a '{': 1: a placeholder; 0: only a brace; -EINVAL: a word that is none, of *ret_size. */
static int parse(const char *at, struct placeholder *ret, size_t *ret_size)
{
	size_t size = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz_:0123456789");

	if (size == 0 || at[1 + size] != '}')
		return 0;
	*ret_size = size + 2;
	return parse_inner(at + 1, size, ret) < 0 ? -EINVAL : 1;
}

int template_check(const char *text, const char **ret_wrong, size_t *ret_size)
{
	struct placeholder p;
	size_t size;

	for (const char *at = strchr(text, '{'); at; at = strchr(at + 1, '{'))
		if (parse(at, &p, &size) < 0) {
			*ret_wrong = at;
			*ret_size = size;
			return -EINVAL;
		}
	return 0;
}

/* ---- values ---- */

static char *text_of(enum field field, const struct template_values *v)
{
	char *text = NULL;

	switch (field) {
	case FIELD_SERVER:
		return strdup(v->server);
	case FIELD_URI:
		return strdup(v->uri);
	case FIELD_ENDPOINT:
		return strdup(v->endpoint);
	case FIELD_NAME:
		return strdup(v->name);
	case FIELD_IDENTITY:
		return strdup(v->identity);
	case FIELD_KEY:
		return hex_encode(v->key, v->size);
	case FIELD_KEY_BASE64:
		return base64_encode(v->key, v->size, &text) < 0 ? NULL : text;
	}
	return NULL;
}

static int append_json(struct buf *to, const char *text)
{
	json_t *string = json_string(text);
	char *dumped = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
	int r = dumped ? buf_append_text(to, dumped) : -ENOMEM;

	if (dumped)
		explicit_bzero(dumped, strlen(dumped));
	free(dumped);
	json_decref(string);
	return r;
}

/* RFC 4180, 2.5 to 2.7. */
static int append_csv(struct buf *to, const char *text)
{
	int r;

	if (!strpbrk(text, ",\"\r\n"))
		return buf_append_text(to, text);
	r = buf_append_byte(to, '"');
	for (; *text && r >= 0; text++) {
		if (*text == '"')
			r = buf_append_byte(to, '"');
		r = r < 0 ? r : buf_append_byte(to, (uint8_t)*text);
	}
	return r < 0 ? r : buf_append_byte(to, '"');
}

static int append_value(struct buf *to, const struct placeholder *p,
			const struct template_values *values)
{
	char *text = text_of(p->field, values);
	int r = -ENOMEM;

	if (!text)
		return r;
	switch (p->form) {
	case FORM_PLAIN:
		r = buf_append_text(to, text);
		break;
	case FORM_JSON:
		r = append_json(to, text);
		break;
	case FORM_CSV:
		r = append_csv(to, text);
		break;
	}
	explicit_bzero(text, strlen(text));
	free(text);
	return r;
}

int template_expand(const char *text, const struct template_values *values, struct buf *to)
{
	struct placeholder p;
	size_t size;
	int r = 0;

	while (*text && r >= 0) {
		if (*text == '{' && parse(text, &p, &size) > 0) {
			r = append_value(to, &p, values);
			text += p.size;
		} else {
			r = buf_append_byte(to, (uint8_t)*text++);
		}
	}
	return r;
}
