/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "lwm2m/dm/composite_read.h"
#include "lwm2m/dm/pending.h"

/* Read-Composite (Core 6.3.8): a FETCH without Observe. */

/* What is only read when somebody asks is asked for, and then answered with the rest. */
struct gathering {
	struct pending *op;
	struct observed *paths;
	unsigned n, waiting; /* waiting: and one more while it begins */
	int32_t format;
};

static void answer(const struct gathering *g)
{
	struct request q = { .client = g->op->client, .exchange = g->op->exchange };
	_cleanup_composite_content_ struct composite_content content = { .client = g->op->client };
	_cleanup_buf_ struct buf payload = { 0 };
	int r = 0;

	for (unsigned i = 0; i < g->n && r >= 0; i++)
		r = composite_content_add(&content, &g->paths[i]);
	if (r >= 0)
		r = composite_content_encode(&content, g->format, false, &payload);
	if (r < 0)
		respond_error(&q, r, r == -EIO ? "too many values" : NULL);
	else
		respond_content(&q, g->format, span_of(payload.data, payload.size));
}

/* What could not be asked for is not good, and left out. */
static void refreshed(void *userdata, int error, const char *reason)
{
	struct gathering *g = userdata;

	(void)error;
	(void)reason;
	if (--g->waiting > 0)
		return;
	if (g->op->client)
		answer(g);
	pending_free(g->op);
	free(g->paths);
	free(g);
}

static int gathering_new(struct request *q, struct gathering **ret, const char **ret_reason)
{
	struct gathering *g = calloc(1, sizeof(*g));
	int r = g ? composite_targets(q, &g->paths, &g->n, ret_reason) : -ENOMEM;

	if (r >= 0)
		r = composite_format(q->message, &g->format);
	if (r < 0) {
		if (g)
			free(g->paths);
		free(g);
		return r;
	}
	*ret = g;
	return 0;
}

void dm_read_composite(struct request *q)
{
	const char *reason = NULL;
	struct gathering *g;
	int r = gathering_new(q, &g, &reason);

	if (r < 0) {
		respond_error(q, r, reason);
		return;
	}
	g->op = pending_new(q, CODE(2, 05));
	if (!g->op) {
		free(g->paths);
		free(g);
		return;
	}
	g->waiting = 1;
	for (unsigned i = 0; i < g->n; i++) {
		if (!composite_may_read(q->client, &g->paths[i]))
			continue;
		g->waiting++;
		store_refresh(g->paths[i].store, &g->paths[i].path, refreshed, g);
	}
	refreshed(g, 0, NULL);
}
