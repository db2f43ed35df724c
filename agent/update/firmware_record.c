/* SPDX-License-Identifier: Apache-2.0 */
#include "update/firmware_record.h"

#include <inttypes.h>

#include "base/str.h"

int firmware_record_encode(const struct firmware_kept *k, struct buf *ret)
{
	const struct firmware_view *v = &k->view;

	return buf_printf(ret,
			  "state=%d\nresult=%d\nchanged=%" PRId64 "\nseverity=%u\ndefer=%u\nautomatic=%d\n"
			  "until=%" PRId64 "\nid=%s\netag=%s\nname=%s\nversion=%s\nuri=%s\n",
			  v->status.state, v->status.result, v->changed_s, v->severity, v->defer_s, v->automatic,
			  k->deferred_until_s, k->id, k->etag, v->name, v->version, v->uri);
}

static bool number(struct span record, const char *name, int64_t least, int64_t most, int64_t *ret)
{
	char text[32];

	return install_line((const char *)record.p, record.n, name, text, sizeof(text)) &&
	       parse_i64(text, ret) >= 0 && *ret >= least && *ret <= most;
}

static void text(struct span record, const char *name, char *ret, size_t size)
{
	install_line((const char *)record.p, record.n, name, ret, size);
}

int firmware_record_decode(struct span record, struct firmware_kept *ret)
{
	struct firmware_kept k = { 0 };
	int64_t state, result, severity, defer, automatic;

	if (!number(record, "state", 0, FIRMWARE_STATES - 1, &state) ||
	    !number(record, "result", 0, FIRMWARE_RESULTS - 1, &result) ||
	    !number(record, "changed", -1, INT64_MAX, &k.view.changed_s) ||
	    !number(record, "severity", 0, 2, &severity) || !number(record, "defer", 0, UINT32_MAX, &defer) ||
	    !number(record, "automatic", 0, 1, &automatic) ||
	    !number(record, "until", 0, INT64_MAX, &k.deferred_until_s))
		return -EBADMSG;
	k.view.status.state = (enum firmware_state)state;
	k.view.status.result = (enum firmware_result)result;
	k.view.severity = (uint8_t)severity;
	k.view.defer_s = (uint32_t)defer;
	k.view.automatic = automatic;
	text(record, "id", k.id, sizeof(k.id));
	text(record, "etag", k.etag, sizeof(k.etag));
	text(record, "name", k.view.name, sizeof(k.view.name));
	text(record, "version", k.view.version, sizeof(k.view.version));
	text(record, "uri", k.view.uri, sizeof(k.view.uri));
	*ret = k;
	return 0;
}
