/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "ctl/daemon/client.h"
#include "ctl/line/numbers.h"
#include "ctl/line/scan.h"
#include "ctl/output/document.h"
#include "ctl/output/table.h"
#include "dbus/agent1.h"

struct place {
	char *address, *facts;
};

struct reach {
	struct client *client;
	struct place *places;
	size_t n, allocated, more;
	struct progress progress;
	bool json;
	int result; /* of the call, 1 while it runs */
	uint64_t dropped;
};

static int place_new(struct reach *s, const char *address, struct place **ret)
{
	struct place *grown;

	if (s->n == s->allocated) {
		grown = reallocarray(s->places, 2 * s->allocated + 16, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		s->places = grown;
		s->allocated = 2 * s->allocated + 16;
	}
	s->places[s->n] = (struct place){ .address = strdup(address) };
	if (!s->places[s->n].address)
		return -ENOMEM;
	*ret = &s->places[s->n++];
	return 0;
}

/* What is heard again replaces what was heard before. */
static int take_place(struct reach *s, const char *address, const char *facts)
{
	struct place *place = NULL;
	int r = 0;

	for (size_t i = 0; i < s->n && !place; i++)
		if (streq(s->places[i].address, address))
			place = &s->places[i];
	if (!place && s->n == SCAN_FOUND_MAX)
		return s->more++, 0;
	if (!place)
		r = place_new(s, address, &place);
	return r < 0 ? r : str_replace(&place->facts, facts);
}

static int on_found(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const char *address, *facts;
	struct reach *s = userdata;
	int r;

	(void)error;
	if (!sd_bus_message_is_signal(m, AGENT1_BUS, "Found"))
		return 0;
	r = sd_bus_message_read(m, "ss", &address, &facts);
	if (r > 0 && take_place(s, address, facts) < 0)
		s->result = -ENOMEM;
	progress_print(&s->progress, "%zu found", s->n);
	return 1;
}

static int on_end(sd_bus_message *m, void *userdata, sd_bus_error *ret_error)
{
	const sd_bus_error *error = sd_bus_message_get_error(m);
	struct reach *s = userdata;
	uint64_t found;

	(void)ret_error;
	progress_clear(&s->progress);
	if (error) {
		s->result = client_complain(s->client, error);
	} else if (sd_bus_message_read(m, "tt", &found, &s->dropped) <= 0) {
		s->result = client_misunderstood(-EBADMSG);
	} else {
		s->result = 0;
	}
	return 1;
}

static int wait_end(struct reach *s)
{
	int r = 0;

	while (r >= 0 && s->result == 1) {
		r = sd_bus_process(s->client->bus, NULL);
		if (r == 0)
			r = sd_bus_wait(s->client->bus, UINT64_MAX);
		if (r == -EINTR)
			r = 0;
	}
	return r < 0 ? client_misunderstood(r) : s->result;
}

static json_t *document_of(const struct reach *s)
{
	json_t *found = json_array();

	for (size_t i = 0; i < s->n; i++)
		document_add(&found, json_pack("{s:s, s:s?}", "address", s->places[i].address,
					       "facts", document_text(s->places[i].facts)));
	return json_pack("{s:o, s:I, s:o}", "found", found, "more", (json_int_t)s->more, "dropped",
			 document_u64(s->dropped));
}

static int print(const struct reach *s)
{
	_cleanup_table_ struct table t = { .columns = 2 };
	int r = 0;

	for (size_t i = 0; i < s->n && r >= 0; i++)
		r = table_add(&t,
			      (const char *[]){ s->places[i].address, s->places[i].facts ?: "" });
	if (r < 0)
		return client_misunderstood(r);
	table_print(stdout, &t, &(struct table_frame){ 0 });
	fprintf(stderr, "%zu in reach", s->n);
	if (s->more > 0)
		fputs(", and more than fieldwayctl shows", stderr);
	if (s->dropped > 0)
		fprintf(stderr, "; %" PRIu64 " signs of life were too many at once", s->dropped);
	fputc('\n', stderr);
	return 0;
}

static int scan(struct reach *s, const char *path, uint64_t usec)
{
	_cleanup_(sd_bus_slot_unrefp) sd_bus_slot *filter = NULL, *call = NULL;
	_cleanup_message_ sd_bus_message *m = NULL;
	int r = client_call_new(s->client, path, AGENT1_BUS, "Scan", &m);

	if (r < 0)
		return r;
	r = sd_bus_message_append(m, "t", usec);
	if (r >= 0)
		r = sd_bus_add_filter(s->client->bus, &filter, on_found, s);
	if (r >= 0)
		r = sd_bus_call_async(s->client->bus, &call, m, on_end, s,
				      usec + CLIENT_DEADLINE_USEC);
	if (r < 0)
		return client_misunderstood(r);
	r = wait_end(s);
	return r < 0 ? r : s->json ? document_print(document_of(s)) : print(s);
}

int scan_reach(struct client *c, const char *path, const struct invocation *i, uint64_t usec)
{
	struct reach s = { .client = c, .result = 1, .json = i->json };
	int r = scan(&s, path, usec);

	for (size_t k = 0; k < s.n; k++) {
		free(s.places[k].address);
		free(s.places[k].facts);
	}
	free(s.places);
	return r;
}
