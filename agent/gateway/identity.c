/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/identity.h"

#include <errno.h>
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

int identity_read(struct state *state, struct identity *ret)
{
	struct identity i = { .machine_id = read_machine_id() };

	i.host_name = state ? load_host_name(state) : NULL;
	if (!i.host_name) {
		i.host_name = read_host_name();
		if (i.host_name && state)
			keep_host_name(state, i.host_name);
	}
	if (!i.host_name || !i.machine_id) {
		identity_done(&i);
		return -ENOMEM;
	}
	*ret = i;
	return 0;
}

void identity_done(struct identity *i)
{
	free(i->host_name);
	free(i->machine_id);
	*i = (struct identity){ 0 };
}
