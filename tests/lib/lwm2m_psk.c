/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int psk_add(struct server *s, const char *text)
{
	const char *colon = strrchr(text, ':');
	struct psk *p;

	if (!colon || colon == text)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->key.s = p->bytes;
	p->identity = strndup(text, (size_t)(colon - text));
	if (!p->identity || parse_hex(colon + 1, p->bytes, sizeof(p->bytes), &p->key.length) < 0 ||
	    p->key.length == 0) {
		free(p->identity);
		free(p);
		return -EINVAL;
	}
	p->next = s->keys;
	s->keys = p;
	return 0;
}

int psk_read(struct server *s, const char *file)
{
	FILE *f = fopen(file, "re");
	char *line = NULL;
	size_t room = 0;
	int r = 0;

	if (!f)
		return -errno;
	while (r >= 0 && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (line[0] && line[0] != '#')
			r = psk_add(s, line);
	}
	free(line);
	fclose(f);
	return r;
}

const struct psk *psk_find(const struct server *s, const char *identity, size_t size)
{
	for (const struct psk *p = s->keys; p; p = p->next)
		if (strlen(p->identity) == size && memcmp(p->identity, identity, size) == 0)
			return p;
	return NULL;
}

static const coap_bin_const_t *find_key(coap_bin_const_t *identity, coap_session_t *session,
					void *arg)
{
	const struct psk *p = psk_find(arg, (const char *)identity->s, identity->length);

	if (!p) {
		printf("unknown-identity ");
		print_text(identity->s, identity->length);
		printf("\n");
	}
	return p ? &p->key : NULL;
}

int psk_install(struct server *s)
{
	coap_dtls_spsk_t setup = {
		.version = COAP_DTLS_SPSK_SETUP_VERSION,
		.validate_id_call_back = find_key,
		.id_call_back_arg = s,
		/* One that nobody is asked for: find_key() decides. */
		.psk_info = { .hint = { .length = 0, .s = (const uint8_t *)"" },
			      .key = { .length = 1, .s = (const uint8_t *)"-" } },
	};

	return coap_context_set_psk2(s->context, &setup) ? 0 : -EIO;
}

void psk_free(struct server *s)
{
	while (s->keys) {
		struct psk *p = s->keys;

		s->keys = p->next;
		free(p->identity);
		free(p);
	}
}
