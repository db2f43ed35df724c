/* SPDX-License-Identifier: Apache-2.0 */
#include "update/software_record.h"

#include <errno.h>

#include "base/str.h"

#define RESULT_MAX 200 /* of /9/x/9 */

static const struct {
	const char *name;
	size_t offset, size;
} texts[] = {
#define TEXT(name) { #name, offsetof(struct software_kept, name), sizeof(((struct software_kept *)0)->name) }
	TEXT(id),	       TEXT(uri),	     TEXT(etag),	      TEXT(package_name),
	TEXT(package_version), TEXT(installed_name), TEXT(installed_version),
#undef TEXT
};

int software_record_encode(const struct software_kept *k, struct buf *ret)
{
	const struct software_status *s = &k->status;
	int r = buf_printf(ret, "state=%d\nresult=%d\nwork=%d\nin_place=%d\nactive=%d\n", s->state, s->result, s->work,
			   s->in_place, s->active);

	for (size_t i = 0; i < ARRAY_SIZE(texts) && r >= 0; i++)
		r = buf_printf(ret, "%s=%s\n", texts[i].name, (const char *)k + texts[i].offset);
	return r;
}

static bool number(struct span record, const char *name, int64_t most, int64_t *ret)
{
	char text[32];

	return install_line((const char *)record.p, record.n, name, text, sizeof(text)) &&
	       parse_i64(text, ret) >= 0 && *ret >= 0 && *ret <= most;
}

int software_record_decode(struct span record, struct software_kept *ret)
{
	struct software_kept k = { 0 };
	int64_t state, result, work, in_place, active;

	if (!number(record, "state", SOFTWARE_STATES - 1, &state) || !number(record, "result", RESULT_MAX, &result) ||
	    !number(record, "work", SOFTWARE_WORKS - 1, &work) || !number(record, "in_place", 1, &in_place) ||
	    !number(record, "active", 1, &active))
		return -EBADMSG;
	k.status = (struct software_status){
		.state = (enum software_state)state,
		.result = (enum software_result)result,
		.work = (enum software_work)work,
		.in_place = in_place,
		.active = active,
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		install_line((const char *)record.p, record.n, texts[i].name, (char *)&k + texts[i].offset, texts[i].size);
	*ret = k;
	return 0;
}
