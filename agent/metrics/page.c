/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "metrics/internal.h"

/*
 * The text, family by family as OpenMetrics wants it: the samples of one stand
 * together. A row of the table says what there is a sample of, and where its figure is.
 */

struct family {
	const char *name, *type, *unit, *help;
	size_t (*count)(const struct page *p);
	/* Appends the lines of one of them. */
	int (*write)(const struct page *p, const struct family *f, size_t i, struct buf *b);
	size_t offset; /* of the figure in what write() reads; see there */
};

static int append_label(struct buf *b, char before, const char *name, const char *value)
{
	int r = buf_printf(b, "%c%s=\"", before, name);

	for (; r >= 0 && *value; value++)
		r = *value == '\\' ? buf_append_text(b, "\\\\") :
		    *value == '"'  ? buf_append_text(b, "\\\"") :
		    *value == '\n' ? buf_append_text(b, "\\n") :
				     buf_append_byte(b, (uint8_t)*value);
	return r < 0 ? r : buf_append_byte(b, '"');
}

/* The name of a sample of a family: counters end in _total, infos in _info. */
static int append_name(struct buf *b, const struct family *f)
{
	const char *end = streq(f->type, "counter") ? "_total" : streq(f->type, "info") ? "_info" : "";

	return buf_printf(b, "%s%s", f->name, end);
}

static int append_u64(struct buf *b, uint64_t value)
{
	char digits[FORMAT_U64_MAX];

	format_u64(value, digits);
	return buf_printf(b, " %s\n", digits);
}

static int append_double(struct buf *b, double value)
{
	char digits[FORMAT_DOUBLE_MAX];

	format_double(value, digits);
	return buf_printf(b, " %s\n", digits);
}

/* ---- one of each ---- */

static size_t one(const struct page *p)
{
	(void)p;
	return 1;
}

static int write_build(const struct page *p, const struct family *f, size_t i, struct buf *b)
{
	int r = append_name(b, f);

	(void)p;
	(void)i;
	if (r >= 0)
		r = append_label(b, '{', "version", PACKAGE_VERSION);
	return r < 0 ? r : buf_append_text(b, "} 1\n");
}

static int write_accepted(const struct page *p, const struct family *f, size_t i, struct buf *b)
{
	int r = append_name(b, f);

	(void)i;
	return r < 0 ? r : append_u64(b, !p->last_good);
}

static int write_endpoints(const struct page *p, const struct family *f, size_t i, struct buf *b)
{
	int r = append_name(b, f);

	(void)i;
	return r < 0 ? r : append_u64(b, p->config->empty ? 0 : p->config->n_endpoints + 1);
}

/* offset: in struct process_figures. */
static int write_process_double(const struct page *p, const struct family *f, size_t i, struct buf *b)
{
	const char *figures = (const char *)&p->process;
	int r = append_name(b, f);

	(void)i;
	return r < 0 ? r : append_double(b, *(const double *)(const void *)(figures + f->offset));
}

static int write_process_u64(const struct page *p, const struct family *f, size_t i, struct buf *b)
{
	const char *figures = (const char *)&p->process;
	int r = append_name(b, f);

	(void)i;
	return r < 0 ? r : append_u64(b, *(const uint64_t *)(const void *)(figures + f->offset));
}

/* ---- servers ---- */

static size_t servers(const struct page *p)
{
	return p->config->n_servers;
}

static int write_accounts(const struct page *p, const struct family *f, size_t i, struct buf *b)
{
	int r = 0;

	for (size_t state = 0; r >= 0 && state < ARRAY_SIZE(p->servers[i].states); state++) {
		r = append_name(b, f);
		if (r >= 0)
			r = append_label(b, '{', "server", p->config->servers[i].name);
		if (r >= 0)
			r = append_label(b, ',', "state", client_state_name((enum client_state)state));
		if (r >= 0)
			r = buf_append_byte(b, '}');
		if (r >= 0)
			r = append_u64(b, p->servers[i].states[state]);
	}
	return r;
}

/* offset: in struct session_sums. */
static int write_server(const struct page *p, const struct family *f, size_t i, struct buf *b)
{
	const char *sums = (const char *)&p->servers[i].sums;
	int r = append_name(b, f);

	if (r >= 0)
		r = append_label(b, '{', "server", p->config->servers[i].name);
	if (r >= 0)
		r = buf_append_byte(b, '}');
	return r < 0 ? r : append_u64(b, *(const uint64_t *)(const void *)(sums + f->offset));
}

/* ---- buses ---- */

static size_t buses(const struct page *p)
{
	return p->config->n_buses;
}

static int write_restarts(const struct page *p, const struct family *f, size_t i, struct buf *b)
{
	struct fieldbus_statistics s;
	int r = append_name(b, f);

	if (r >= 0)
		r = append_label(b, '{', "bus", p->config->buses[i].name);
	if (r >= 0)
		r = buf_append_byte(b, '}');
	fieldbus_bus_statistics(p->fieldbus, (uint32_t)i, &s);
	return r < 0 ? r : append_u64(b, s.host_restarts);
}

/* ---- devices ---- */

static size_t devices(const struct page *p)
{
	return p->config->n_devices;
}

static int append_device(const struct page *p, const struct family *f, size_t i, struct buf *b)
{
	const struct config_device *device = &p->config->devices[i];
	int r = append_name(b, f);

	if (r >= 0)
		r = append_label(b, '{', "bus", p->config->buses[device->bus].name);
	if (r >= 0)
		r = append_label(b, ',', "device", device->name);
	return r < 0 ? r : buf_append_byte(b, '}');
}

/* offset: in struct fieldbus_statistics. */
static int write_device(const struct page *p, const struct family *f, size_t i, struct buf *b)
{
	struct fieldbus_statistics s;
	int r;

	if (!p->config->devices[i].enabled)
		return 0;
	fieldbus_device_statistics(p->fieldbus, (uint32_t)i, &s);
	r = append_device(p, f, i, b);
	return r < 0 ? r : append_u64(b, *(const uint64_t *)(const void *)((const char *)&s + f->offset));
}

static int write_online(const struct page *p, const struct family *f, size_t i, struct buf *b)
{
	int r;

	if (!p->config->devices[i].enabled)
		return 0;
	r = append_device(p, f, i, b);
	return r < 0 ? r :
		       append_u64(b, fieldbus_device_state(p->fieldbus, (uint32_t)i, NULL) == FIELDBUS_ONLINE);
}

/* ---- all of them ---- */

#define PROCESS(x) offsetof(struct process_figures, x)
#define SUM(x) offsetof(struct session_sums, x)
#define DEVICE(x) offsetof(struct fieldbus_statistics, x)

static const struct family families[] = {
	{ "fieldway_build", "info", "", "What runs.", one, write_build },
	{ "process_cpu_seconds", "counter", "seconds", "Processor time of the daemon, user and system.", one,
	  write_process_double, PROCESS(cpu_s) },
	{ "process_resident_memory_bytes", "gauge", "bytes", "Memory of the daemon.", one, write_process_u64,
	  PROCESS(resident_bytes) },
	{ "process_open_fds", "gauge", "", "Open files and sockets of the daemon.", one, write_process_u64,
	  PROCESS(descriptors) },
	{ "process_start_time_seconds", "gauge", "seconds", "When the daemon started, since 1970.", one,
	  write_process_double, PROCESS(start_s) },
	{ "fieldway_configuration_accepted", "gauge", "",
	  "1; 0: the files are wrong, and the last good ones run.", one, write_accepted },
	{ "fieldway_endpoints", "gauge", "", "Endpoints, the host among them.", one, write_endpoints },
	{ "fieldway_accounts", "gauge", "", "Endpoints at a server, by the state of their registration.",
	  servers, write_accounts },
	{ "fieldway_server_sent_bytes", "counter", "bytes", "Payload of datagrams to a server.", servers,
	  write_server, SUM(sent_bytes) },
	{ "fieldway_server_received_bytes", "counter", "bytes", "Payload of datagrams from a server.",
	  servers, write_server, SUM(received_bytes) },
	{ "fieldway_server_sent_messages", "counter", "", "CoAP messages to a server.", servers,
	  write_server, SUM(sent_messages) },
	{ "fieldway_server_received_messages", "counter", "", "CoAP messages from a server.", servers,
	  write_server, SUM(received_messages) },
	{ "fieldway_server_retransmissions", "counter", "", "Messages that were sent again.", servers,
	  write_server, SUM(retransmissions) },
	{ "fieldway_server_duplicates", "counter", "", "Messages that came again.", servers, write_server,
	  SUM(duplicates) },
	{ "fieldway_server_malformed", "counter", "", "Datagrams that are no message.", servers,
	  write_server, SUM(malformed) },
	{ "fieldway_server_handshakes", "counter", "", "DTLS handshakes, resumptions among them.", servers,
	  write_server, SUM(handshakes) },
	{ "fieldway_server_resumptions", "counter", "", "DTLS sessions that were resumed.", servers,
	  write_server, SUM(resumptions) },
	{ "fieldway_bus_host_restarts", "counter", "", "Plugin hosts that were started anew.", buses,
	  write_restarts },
	{ "fieldway_device_online", "gauge", "", "1: the device answers.", devices, write_online },
	{ "fieldway_device_requests", "counter", "", "Requests to a device, each try.", devices,
	  write_device, DEVICE(requests) },
	{ "fieldway_device_errors", "counter", "", "Requests that failed, exceptions among them.", devices,
	  write_device, DEVICE(errors) },
	{ "fieldway_device_timeouts", "counter", "", "Requests without any answer.", devices, write_device,
	  DEVICE(timeouts) },
	{ "fieldway_device_conflated", "counter", "",
	  "Values that a newer one replaced before the daemon took them.", devices, write_device,
	  DEVICE(conflated) },
};

/* ---- in pieces ---- */

static void add_account(struct server_figures *s, const struct client *client)
{
	const struct session_counters *c = client_counters(client);
	struct session_sums *sums = &s->sums;

	s->states[client_state(client)]++;
	sums->sent_bytes += c->sent_bytes;
	sums->received_bytes += c->received_bytes;
	sums->sent_messages += c->sent_messages;
	sums->received_messages += c->received_messages;
	sums->retransmissions += c->retransmissions;
	sums->duplicates += c->duplicates;
	sums->malformed += c->malformed;
	sums->handshakes += c->handshakes;
	sums->resumptions += c->resumptions;
}

int page_init(struct page *p, const struct metrics_config *config, const struct metrics_ports *ports,
	      void *userdata)
{
	const struct client *client;
	uint32_t server;

	*p = (struct page){ .config = config->config,
			    .fieldbus = config->fieldbus,
			    .last_good = config->last_good };
	p->servers = calloc(config->config->n_servers + 1, sizeof(*p->servers));
	if (!p->servers)
		return -ENOMEM;
	for (uint32_t endpoint = 0; endpoint <= p->config->n_endpoints; endpoint++)
		for (unsigned i = 0; ports->account(userdata, endpoint, i, &server, &client); i++)
			if (server != CONFIG_NONE)
				add_account(&p->servers[server], client);
	process_figures_read(&p->process);
	return 0;
}

void page_done(struct page *p)
{
	free(p->servers);
	p->servers = NULL;
}

static int append_head(const struct family *f, struct buf *b)
{
	int r = buf_printf(b, "# TYPE %s %s\n", f->name, f->type);

	if (r >= 0 && *f->unit)
		r = buf_printf(b, "# UNIT %s %s\n", f->name, f->unit);
	return r < 0 ? r : buf_printf(b, "# HELP %s %s\n", f->name, f->help);
}

/* The next sample, behind its family's head; or the end of the family. */
static int append_next(struct page *p, struct buf *b)
{
	const struct family *f = &families[p->family];
	int r = p->sample == 0 ? append_head(f, b) : 0;

	if (r < 0)
		return r;
	if (p->sample < f->count(p))
		return f->write(p, f, p->sample++, b);
	p->family++;
	p->sample = 0;
	return 0;
}

int page_continue(struct page *p, struct buf *b, size_t size)
{
	size_t end = b->size + size;
	int r = 0;

	while (r >= 0 && b->size < end && p->family < ARRAY_SIZE(families))
		r = append_next(p, b);
	if (r < 0)
		return r;
	return p->family < ARRAY_SIZE(families) ? 1 : buf_append_text(b, "# EOF\n");
}
