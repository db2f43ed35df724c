/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "download/coap_uri.h"
#include "download/internal.h"
#include "transport/transport.h"

/* CoAP, block by block (RFC 7959 2.4): each is asked for with a GET of its own, so none but it is ever held. */

#define BLOCK_SIZE 1024u
/* A block that the queue to the disk has no room for is offered again. */
#define PAUSE_USEC UINT64_C(20000)

struct coap {
	struct download *download;
	struct coap_uri uri;
	struct governor *governor;
	struct session *session;
	struct timer timer;  /* a pause */
	uint64_t offset;     /* of the block that is asked for */
	uint16_t size;	     /* of blocks, as the server has it */
	bool begun;
	/* The block that waits for the disk. */
	uint8_t block[BLOCK_SIZE];
	size_t block_size;
	bool more;
};

static void coap_stop(struct download *d)
{
	struct coap *c = d->attempt;

	d->attempt = NULL;
	timer_disarm(&c->timer);
	session_free(c->session);
	governor_free(c->governor);
	coap_uri_done(&c->uri);
	free(c);
}

static void end(struct coap *c, int error)
{
	struct download *d = c->download;

	coap_stop(d);
	attempt_end(d, error);
}

/* ---- blocks ---- */

static void on_response(void *userdata, int error, const struct message *response);

static void ask(struct coap *c)
{
	struct message m;
	int r = 0;

	message_init(&m, MESSAGE_CON, CODE_GET);
	for (unsigned i = 0; i < c->uri.n_path && r >= 0; i++)
		r = message_add_path(&m, c->uri.path[i]);
	for (unsigned i = 0; i < c->uri.n_query && r >= 0; i++)
		r = message_add_query(&m, c->uri.query[i]);
	m.block2 = (struct message_block){
		.present = true,
		.number = (uint32_t)(c->offset / c->size),
		.size = c->size,
	};
	if (r >= 0)
		r = session_request(c->session, &m, CALL_UPDATE, on_response, c, NULL);
	if (r < 0)
		end(c, r == -ENOMEM ? r : -EINVAL);
}

static void take(struct coap *c)
{
	int r = attempt_take(c->download, c->block, c->block_size);

	if (r == -EBUSY) {
		timer_arm_in(&c->timer, PAUSE_USEC);
		return;
	}
	if (r < 0 || !c->more) {
		end(c, r);
		return;
	}
	c->offset += c->block_size;
	ask(c);
}

static void on_pause_over(struct timer *timer, void *userdata)
{
	(void)timer;
	take(userdata);
}

/* As text, for it is kept: hexadecimal. */
static void etag_text(const struct message *m, char ret[DOWNLOAD_ETAG_MAX])
{
	for (size_t i = 0; i < m->etag.n && i < 8; i++)
		snprintf(ret + 2 * i, 3, "%02x", m->etag.p[i]);
	ret[2 * MIN(m->etag.n, (size_t)8)] = '\0';
}

/* The first block of an attempt says whether what is there belongs to it. */
static int begin(struct coap *c, const struct message *m, const char *etag)
{
	struct download *d = c->download;

	if (c->offset > 0 && (*etag == '\0' || !streq(etag, d->etag))) {
		attempt_anew(d);
		return -EAGAIN;
	}
	c->begun = true;
	return attempt_begin(d, c->offset, m->size2 > 0 ? (uint64_t)m->size2 : 0, etag);
}

static int take_content(struct coap *c, const struct message *m)
{
	struct download *d = c->download;
	struct message_block block = m->block2;
	char etag[DOWNLOAD_ETAG_MAX];
	int r = 0;

	if (!block.present)
		block = (struct message_block){ .size = BLOCK_SIZE };
	etag_text(m, etag);
	if ((uint64_t)block.number * block.size != c->offset || m->payload.n > sizeof(c->block) ||
	    (block.more && m->payload.n != block.size))
		return -EAGAIN;
	if (!c->begun)
		r = begin(c, m, etag);
	else if (!streq(etag, d->etag)) {
		/* Another file has come in between. */
		attempt_anew(d);
		r = -EAGAIN;
	}
	if (r < 0)
		return r;
	c->size = block.size;
	c->more = block.more;
	c->block_size = m->payload.n;
	if (m->payload.n > 0)
		memcpy(c->block, m->payload.p, m->payload.n);
	return 0;
}

static int error_of_call(int error)
{
	/* A key that is not right does not become so. */
	return error == -ENOMEM || error == -EACCES ? error : error == -ENOKEY ? -EACCES : -EAGAIN;
}

/* A block behind the end: what is there now is shorter. */
static int refused(struct coap *c, uint8_t code)
{
	struct download *d = c->download;

	if (code_class(code) != 4)
		return -EAGAIN;
	if (c->begun || c->offset == 0)
		return -EINVAL;
	attempt_anew(d);
	return -EAGAIN;
}

static void on_response(void *userdata, int error, const struct message *response)
{
	struct coap *c = userdata;
	int r = error < 0 ? error_of_call(error) : 0;

	/* coap_stop(), which has let go of it already. */
	if (error == -ECANCELED)
		return;
	if (r == 0 && response->code == CODE(2, 05))
		r = take_content(c, response);
	else if (r == 0)
		r = refused(c, response->code);
	if (error < 0)
		attempt_trouble(c->download, "%s", strerror(-error));
	else if (response->code != CODE(2, 05))
		attempt_trouble(c->download, "the server answered %u.%02u", code_class(response->code),
				response->code & 0x1fu);
	if (r < 0)
		end(c, r);
	else
		take(c);
}

/* ---- the session ---- */

/* Nobody has anything to ask here. */
static void on_request(void *userdata, struct exchange *exchange, const struct message *request)
{
	(void)userdata;
	(void)request;
	exchange_ignore(exchange);
}

static const struct session_ops session_ops = { .request = on_request };

static int psk(void *userdata, uint8_t **ret_key, size_t *ret_size)
{
	const struct coap *c = userdata;
	const struct download_config *config = &c->download->config;

	return config->credentials->key(config->credentials_userdata, c->uri.server.host, ret_key, ret_size);
}

static int open_session(struct coap *c)
{
	const struct download_config *from = &c->download->config;
	struct session_config config = {
		.transport = from->transport,
		.governor = c->governor,
		.uri = &c->uri.server,
		.security = SESSION_SECURITY_NONE,
		.label = "download",
	};
	int r = 0;

	if (c->uri.server.scheme == URI_COAPS) {
		config.security = SESSION_SECURITY_PSK;
		config.psk = psk;
		r = from->credentials ? from->credentials->identity(from->credentials_userdata, c->uri.server.host,
								     &config.psk_identity) :
					-ENOKEY;
	}
	if (r == -ENOKEY) {
		attempt_trouble(c->download, "there is no key for this server: it is neither one of servers nor that of source");
		return -EACCES;
	}
	return r < 0 ? r : session_new(&config, &session_ops, c, &c->session);
}

static int coap_start(struct download *d)
{
	struct coap *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return -ENOMEM;
	c->download = d;
	c->size = BLOCK_SIZE;
	c->offset = d->offset / BLOCK_SIZE * BLOCK_SIZE;
	timer_init(&c->timer, d->config.timers, on_pause_over, c);
	d->attempt = c;
	r = coap_uri_parse(d->uri, &c->uri);
	if (r >= 0)
		r = governor_new(d->config.transport, c->uri.server.host, &c->governor);
	if (r >= 0)
		r = open_session(c);
	if (r < 0) {
		coap_stop(d);
		return r == -ENOBUFS ? -EINVAL : r;
	}
	ask(c);
	return 0;
}

static const char *const schemes[] = { "coap", "coaps", NULL };

const struct attempt_kind attempt_coap = { schemes, coap_start, coap_stop };
