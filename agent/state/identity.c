/* SPDX-License-Identifier: Apache-2.0 */
#include "state/identity.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/str.h"
#include "state/state.h"

#define STATE_NAME "gateway"
#define STATE_KIND "host-name"
#define HOST_NAME_BYTES 256

static char *read_host_name(void)
{
	char name[HOST_NAME_BYTES] = "";

	if (gethostname(name, sizeof(name) - 1) < 0 || !*name)
		return strdup("localhost");
	return strdup(name);
}

static char *read_machine_id(void)
{
	char text[SD_ID128_STRING_MAX];
	sd_id128_t id;

	return sd_id128_get_machine(&id) < 0 ? strdup("") : strdup(sd_id128_to_string(id, text));
}

/* What was kept, or NULL. */
static char *load_host_name(struct state *state)
{
	_cleanup_buf_ struct buf record = { 0 };

	if (state_load(state, STATE_NAME, STATE_KIND, &record) < 0 || record.size == 0)
		return NULL;
	return buf_take_text(&record);
}

static void keep_host_name(struct state *state, const char *name)
{
	int r = state_save(state, STATE_NAME, STATE_KIND, name, strlen(name));

	if (r < 0)
		log_warning(NULL, "the name %s of this gateway cannot be kept: %s", name, strerror(-r));
}

static int fill(struct identity *i, char *kept, struct identity *ret)
{
	i->host_name = kept ?: read_host_name();
	i->machine_id = read_machine_id();
	if (!i->host_name || !i->machine_id) {
		identity_done(i);
		return -ENOMEM;
	}
	*ret = *i;
	return 0;
}

int identity_peek(const char *folder, struct identity *ret)
{
	_cleanup_buf_ struct buf record = { 0 };
	struct identity i = { 0 };
	bool kept = state_peek(folder, STATE_NAME, STATE_KIND, &record) >= 0 && record.size > 0;

	return fill(&i, kept ? buf_take_text(&record) : NULL, ret);
}

int identity_read(struct state *state, struct identity *ret)
{
	char *kept = state ? load_host_name(state) : NULL;
	struct identity i = { 0 };
	int r = fill(&i, kept, ret);

	if (r >= 0 && state && !kept)
		keep_host_name(state, ret->host_name);
	return r;
}

void identity_done(struct identity *i)
{
	free(i->host_name);
	free(i->machine_id);
	*i = (struct identity){ 0 };
}
