/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "beacon.h"
#include "plugins/lib/moment.h"
#include "session.h"

/* Facts as YAML flow text: {name: "x", rssi: -60, services: ["180f"]}. */

#define FACTS_MAX 1024u

/* Only what can stand between double quotes as it is. */
static void put_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++)
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			fprintf(out, "\\x%02x", (unsigned char)*text);
		else
			fputc(*text, out);
	fputc('"', out);
}

static void put_entries(FILE *out, const struct advert *a, enum advert_kind kind, const char *name)
{
	const struct advert_entry *e;
	const uint8_t *data;
	char uuid[UUID_TEXT_SIZE];
	size_t at = 0, n = 0;

	while ((e = advert_next(a, &at, &data))) {
		if (e->kind != kind)
			continue;
		fprintf(out, n++ ? ", " : ", %s: {", name);
		uuid_text(&e->uuid, uuid);
		if (kind == ADVERT_MANUFACTURER)
			fprintf(out, "0x%04X: \"", e->company);
		else
			fprintf(out, "\"%s\": \"", uuid);
		for (size_t i = 0; i < e->size; i++)
			fprintf(out, "%02x", data[i]);
		fputc('"', out);
	}
	if (n)
		fputc('}', out);
}

static void put_services(FILE *out, const struct advert *a)
{
	char uuid[UUID_TEXT_SIZE];

	for (size_t i = 0; i < a->n_services; i++) {
		uuid_text(&a->services[i], uuid);
		fprintf(out, "%s\"%s\"", i ? ", " : ", services: [", uuid);
	}
	if (a->n_services)
		fputc(']', out);
}

/* Which `decode:` fits. */
static void put_decoders(FILE *out, const struct advert *a)
{
	const struct uuid bthome = uuid_short(BTHOME_UUID), eddystone = uuid_short(EDDYSTONE_UUID);
	const struct advert_entry *e;
	struct eddystone frame;
	struct ibeacon beacon;
	const uint8_t *data;
	size_t at = 0;
	bool encrypted;

	while ((e = advert_next(a, &at, &data))) {
		if (e->kind == ADVERT_SERVICE_DATA && uuid_equal(&e->uuid, &bthome) && e->size > 0) {
			encrypted = data[0] & 1;
			fprintf(out, ", decode: bthome, encrypted: %s", encrypted ? "true" : "false");
			return;
		}
		if (e->kind == ADVERT_SERVICE_DATA && uuid_equal(&e->uuid, &eddystone) &&
		    eddystone_parse(data, e->size, &frame) >= 0) {
			fputs(", decode: eddystone", out);
			return;
		}
		if (e->kind == ADVERT_MANUFACTURER && e->company == IBEACON_COMPANY &&
		    ibeacon_parse(data, e->size, &beacon) >= 0) {
			fputs(", decode: ibeacon", out);
			return;
		}
	}
	if (a->n > 0)
		fputs(", decode: struct", out);
	else if (a->n_services > 0)
		fputs(", decode: gatt", out);
}

static bool first_time(struct fieldway_session *s, const char *path)
{
	char **all;

	for (size_t i = 0; i < s->n_scanned; i++)
		if (strcmp(s->scanned[i], path) == 0)
			return false;
	if (s->n_scanned == SCANNED_MAX)
		return false;
	all = reallocarray(s->scanned, s->n_scanned + 1, sizeof(*all));
	if (!all)
		return false;
	s->scanned = all;
	s->scanned[s->n_scanned] = strdup(path);
	s->n_scanned += s->scanned[s->n_scanned] != NULL;
	return true;
}

void scan_seen(struct fieldway_session *s, const char *path, const char *address, const struct advert *a)
{
	char facts[FACTS_MAX];
	FILE *out;

	if (!s->scan_usec || !first_time(s, path))
		return;
	out = fmemopen(facts, sizeof(facts), "w");
	if (!out)
		return;
	fprintf(out, "{configured: %s", remote_by_mac(s, address) ? "true" : "false");
	if (*a->name) {
		fputs(", name: ", out);
		put_quoted(out, a->name);
	}
	if (a->has_rssi)
		fprintf(out, ", rssi: %d", a->rssi);
	put_decoders(out, a);
	put_services(out, a);
	put_entries(out, a, ADVERT_MANUFACTURER, "manufacturer");
	put_entries(out, a, ADVERT_SERVICE_DATA, "service_data");
	fputc('}', out);
	/* More than fits is left out altogether: half a YAML text is none. */
	if (fflush(out) == 0 && ftell(out) < (long)sizeof(facts))
		s->host->found(s->host, address, facts);
	fclose(out);
}

void scan_forget(struct fieldway_session *s)
{
	for (size_t i = 0; i < s->n_scanned; i++)
		free(s->scanned[i]);
	free(s->scanned);
	s->scanned = NULL;
	s->n_scanned = 0;
	s->scan_usec = 0;
}

int session_scan(struct fieldway_session *s, uint64_t until_usec)
{
	scan_forget(s);
	s->host->timer_set(s->timer, 0);
	if (until_usec == 0)
		return 0;
	if (s->condition != CONDITION_READY)
		return -ENODEV;
	s->scan_usec = until_usec;
	return tree_scan(s);
}

void scan_turn(struct fieldway_session *s, uint64_t now, uint64_t *next)
{
	if (!s->scan_usec)
		return;
	if (now >= s->scan_usec)
		scan_forget(s);
	else
		earliest(next, s->scan_usec);
}
