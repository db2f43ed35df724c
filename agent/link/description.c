/* SPDX-License-Identifier: Apache-2.0 */
#include "link/internal.h"

#include <errno.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/str.h"

#define KEY_CONTENTS "suuyddassss"

/* ---- to a message ---- */

static int append_choices(sd_bus_message *m, const char *const *choices)
{
	int r = sd_bus_message_open_container(m, 'a', "s");

	for (; r >= 0 && choices && *choices; choices++)
		r = link_append_text(m, *choices);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_key(sd_bus_message *m, const struct fieldway_key *k)
{
	int r = sd_bus_message_open_container(m, 'r', KEY_CONTENTS);

	if (r >= 0)
		r = link_append_text(m, k->name);
	if (r >= 0)
		r = sd_bus_message_append(m, "uuydd", k->scope, k->flags, (uint8_t)k->type,
					  k->minimum, k->maximum);
	if (r >= 0)
		r = append_choices(m, k->choices);
	if (r >= 0)
		r = link_append_text(m, k->initial);
	if (r >= 0)
		r = link_append_text(m, k->unit);
	if (r >= 0)
		r = link_append_text(m, k->help);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

int link_append_description(struct sd_bus_message *m, const struct link_description *d)
{
	int r = link_append_text(m, d->name);

	if (r >= 0)
		r = link_append_text(m, d->version);
	if (r >= 0)
		r = sd_bus_message_append(m, "t", d->capabilities);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', LINK_TYPE_KEY);
	for (size_t i = 0; r >= 0 && i < d->n_keys; i++)
		r = append_key(m, &d->keys[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

/* ---- and back ---- */

static int read_text(sd_bus_message *m, struct arena *arena, const char **ret)
{
	const char *text;
	int r = sd_bus_message_read_basic(m, 's', &text);

	if (r <= 0)
		return link_malformed(r);
	*ret = arena_text(arena, text, strlen(text));
	return *ret ? 0 : -ENOMEM;
}

/* As append_key() wrote NULL. */
static int read_text_or_null(sd_bus_message *m, struct arena *arena, const char **ret)
{
	int r = read_text(m, arena, ret);

	if (r >= 0 && !**ret)
		*ret = NULL;
	return r;
}

static int read_choice_list(sd_bus_message *m, struct arena *arena, const char **choices,
			    size_t *ret_n)
{
	size_t n = 0;
	int r;

	while ((r = sd_bus_message_at_end(m, 0)) == 0) {
		if (n >= LINK_CHOICES_MAX)
			return -EBADMSG;
		r = read_text(m, arena, &choices[n]);
		if (r < 0)
			return r;
		n++;
	}
	*ret_n = n;
	return r;
}

static int read_choices(sd_bus_message *m, struct arena *arena, const char *const **ret)
{
	const char *choices[LINK_CHOICES_MAX], **copy;
	size_t n = 0;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "s");
	if (r > 0)
		r = read_choice_list(m, arena, choices, &n);
	if (r > 0)
		r = sd_bus_message_exit_container(m);
	if (r <= 0)
		return link_malformed(r);
	if (n == 0)
		return 0;
	copy = arena_new(arena, (n + 1) * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, choices, n * sizeof(*copy));
	*ret = copy;
	return 0;
}

static bool key_type_is_known(uint8_t type)
{
	return type >= FIELDWAY_BOOL && type <= FIELDWAY_STRING;
}

static int read_key_start(sd_bus_message *m, struct arena *arena, struct fieldway_key *k)
{
	uint8_t type;
	int r;

	r = read_text(m, arena, &k->name);
	if (r < 0)
		return r;
	r = sd_bus_message_read(m, "uuydd", &k->scope, &k->flags, &type, &k->minimum, &k->maximum);
	if (r <= 0)
		return link_malformed(r);
	if (!*k->name || !key_type_is_known(type))
		return -EBADMSG;
	k->type = type;
	return 0;
}

static int read_key(sd_bus_message *m, struct arena *arena, void *item)
{
	struct fieldway_key *k = item;
	int r;

	r = read_key_start(m, arena, k);
	if (r >= 0)
		r = read_choices(m, arena, &k->choices);
	if (r >= 0)
		r = read_text_or_null(m, arena, &k->initial);
	if (r >= 0)
		r = read_text_or_null(m, arena, &k->unit);
	return r < 0 ? r : read_text(m, arena, &k->help);
}

int link_read_description(struct sd_bus_message *m, struct arena *arena,
			  struct link_description *ret)
{
	struct link_description d = { 0 };
	int r;

	r = read_text(m, arena, &d.name);
	if (r >= 0)
		r = read_text(m, arena, &d.version);
	if (r < 0)
		return r;
	r = sd_bus_message_read(m, "t", &d.capabilities);
	if (r <= 0)
		return link_malformed(r);
	r = link_read_array(m, 'r', KEY_CONTENTS, sizeof(*d.keys), LINK_KEYS_MAX, read_key, arena,
			    &d.keys, &d.n_keys);
	if (r < 0)
		return r;
	*ret = d;
	return 0;
}
