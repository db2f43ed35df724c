/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/daemon/record.h"
#include "ctl/output/document.h"

static json_t *names_document(const char *const *names, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		document_add(&array, json_string(names[i]));
	return array;
}

static json_t *accounts_document(const struct endpoint_record *e)
{
	json_t *array = json_array();

	for (size_t i = 0; i < e->n_accounts; i++)
		document_add(&array,
			     json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?}", "name", e->accounts[i].server,
				       "uri", e->accounts[i].uri, "state", e->accounts[i].state,
				       "security", e->accounts[i].security, "source", e->accounts[i].source,
				       "version", document_text(e->accounts[i].version), "last_error",
				       document_text(e->accounts[i].last_error)));
	return array;
}

static json_t *statistics_document(const struct statistic_record *statistics, size_t n)
{
	json_t *object = json_object();

	for (size_t i = 0; i < n && object; i++) {
		if (json_object_set_new(object, statistics[i].name,
					document_u64(statistics[i].count)) >= 0)
			continue;
		json_decref(object);
		object = NULL;
	}
	return object;
}

json_t *endpoint_record_document(const struct endpoint_record *e)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:s?}", "name", e->name, "client_name",
			 e->client_name, "state", e->state, "paused", e->paused, "servers", accounts_document(e),
			 "devices", names_document(e->devices, e->n_devices), "last_error",
			 document_text(e->last_error));
}

json_t *device_record_document(const struct device_record *d)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:b, s:s, s:s?, s:o}", "name", d->name, "bus", d->bus,
			 "profile", d->profile, "enabled", d->enabled, "paused", d->paused, "state", d->state, "reason",
			 document_text(device_record_reason(d)), "statistics",
			 statistics_document(d->statistics, d->n_statistics));
}

json_t *bus_record_document(const struct bus_record *b)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:I, s:I, s:o}", "name", b->name, "plugin", b->plugin,
			 "state", b->state, "paused", b->paused, "devices", (json_int_t)b->devices, "online",
			 (json_int_t)b->online, "statistics",
			 statistics_document(b->statistics, b->n_statistics));
}

json_t *place_records_document(const struct place_record *places, size_t n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n; i++)
		document_add(&array, json_pack("{s:s?, s:I, s:I, s:s}", "file", document_text(places[i].file), "line",
					       (json_int_t)places[i].line, "column", (json_int_t)places[i].column,
					       "text", places[i].text));
	return array;
}
