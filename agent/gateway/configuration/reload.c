/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/configuration/reload.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/log.h"
#include "gateway/configuration/change.h"
#include "gateway/wire_internal.h"

/* Another reading is under way when the time to confirm is over. */
#define CONFIRM_AGAIN_USEC USEC_PER_SEC

/* ---- what others see of it ---- */

static void notify_begun(enum reload_kind kind)
{
	if (kind != RELOAD_CHECK)
		sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_monotonic_usec());
}

static void notify_ended(enum reload_kind kind)
{
	if (kind != RELOAD_CHECK)
		sd_notify(0, "READY=1");
}

static enum status_configuration status_of(const struct reload *r, bool wrong)
{
	if (r->unconfirmed)
		return STATUS_UNCONFIRMED;
	if (r->taken_back)
		return STATUS_TAKEN_BACK;
	return wrong ? STATUS_WRONG : STATUS_ACCEPTED;
}

static void tell_configuration(struct gateway *g)
{
	bool wrong = g->errors.size > 0;

	status_configuration(g->status, status_of(&g->reload, wrong));
	metrics_reload(g->metrics, g->loaded.config, wrong && !g->reload.unconfirmed);
	dbus_configuration_changed(g->dbus,
				   g->reload.unconfirmed ? DBUS_UNCONFIRMED :
				   wrong		 ? DBUS_LAST_GOOD :
							   DBUS_ACCEPTED,
				   span_of(g->errors.data, g->errors.size),
				   span_of(g->warnings.data, g->warnings.size));
}

/* Said until there is another reload. */
static void keep_lines(struct buf *to, const struct yaml_errors *lines)
{
	to->size = 0;
	if (lines->text.size > 0)
		buf_append(to, lines->text.data, lines->text.size);
}

static bool servers_differ(const struct config_difference *d)
{
	for (size_t i = 0; i < d->after->n_servers; i++)
		if (!d->servers[i].same)
			return true;
	return d->before->n_servers != d->after->n_servers;
}

/* Whoever asks for a reload is told each time what servers do not reach; the log when they have changed. */
static void log_reading(const struct reading *reading)
{
	accepted_log(LOG_WARNING, &reading->warnings);
	accepted_log(LOG_ERR, &reading->errors);
	if (reading->difference && servers_differ(reading->difference))
		accepted_log(LOG_WARNING, &reading->unreached);
}

/* ---- ends ---- */

static void log_applied(const struct gateway *g, const struct config_difference *d, uint64_t usec)
{
	size_t new_endpoints = 0, changed = 0, gone = 0;

	for (size_t i = 0; i < d->after->n_endpoints; i++) {
		new_endpoints += d->endpoints[i].before == CONFIG_NONE;
		changed += d->endpoints[i].before != CONFIG_NONE && !d->endpoints[i].same;
	}
	for (size_t i = 0; i < d->before->n_endpoints; i++)
		gone += d->endpoints_after[i] == CONFIG_NONE;
	log_notice(LOG_ABOUT_ID(MESSAGE_RELOADED),
		   "configuration reloaded in %" PRIu64
		   " ms: %zu endpoints, of which %zu are new and %zu have changed; %zu are gone%s",
		   usec / USEC_PER_MSEC, g->loaded.config->n_endpoints + 1, new_endpoints, changed, gone,
		   g->reload.unconfirmed ? "; to be confirmed" : "");
}

static void end_confirmation(struct reload *r)
{
	timer_disarm(&r->confirm);
	r->unconfirmed = config_files_free(r->unconfirmed);
	r->from_nothing = false;
}

/* What runs now, and whether it is here to stay. */
static void settle_files(struct gateway *g, struct reading *reading, bool was_empty)
{
	struct reload *r = &g->reload;
	bool from_nothing = r->unconfirmed ? r->from_nothing : was_empty;

	end_confirmation(r);
	g->errors.size = 0;
	r->taken_back = false;
	if (r->confirm_usec == 0) {
		accepted_keep(g->state, reading->files, g->loaded.config);
		return;
	}
	accepted_keep_unconfirmed(g->state, reading->files);
	r->unconfirmed = TAKE_PTR(reading->files);
	r->from_nothing = from_nothing;
	r->trial_usec = r->confirm_usec;
	timer_arm_in(&r->confirm, r->trial_usec);
}

static void settle_former(struct gateway *g)
{
	end_confirmation(&g->reload);
	g->reload.taken_back = true;
	accepted_unconfirmed_text(g->options.config_folder, &g->errors);
	log_error(LOG_ABOUT_ID(MESSAGE_TAKEN_BACK),
		  "the configuration in %s was not confirmed in time: the former one runs again",
		  g->options.config_folder);
}

/* What could not be taken back for want of something that may be there soon. */
static void take_back_later(struct reload *r)
{
	if (r->kind == RELOAD_FORMER)
		timer_arm_in(&r->confirm, CONFIRM_AGAIN_USEC);
}

static int apply(struct gateway *g, struct reading *reading)
{
	bool was_empty = g->loaded.config->empty;
	uint64_t usec = 0;
	int r = change_apply(g, reading, &usec);

	if (r < 0) {
		log_error(NULL, "the configuration stays as it was: %s", strerror(-r));
		take_back_later(&g->reload);
		return r;
	}
	if (g->reload.kind == RELOAD_FILES)
		settle_files(g, reading, was_empty);
	else
		settle_former(g);
	keep_lines(&g->warnings, &reading->warnings);
	log_applied(g, reading->difference, usec);
	return 0;
}

/* What runs is all that there is: a start has to take it, too. */
static void stay_unconfirmed(struct gateway *g)
{
	log_error(NULL, "the former configuration cannot be used any more: the one that nobody has confirmed stays");
	accepted_keep(g->state, g->reload.unconfirmed, g->loaded.config);
	end_confirmation(&g->reload);
}

static void refuse(struct gateway *g, const struct reading *reading)
{
	switch (g->reload.kind) {
	case RELOAD_CHECK:
		break;
	case RELOAD_FILES:
		log_error(LOG_ABOUT_ID(MESSAGE_RELOAD_REFUSED),
			  "the configuration in %s is wrong, the one that runs stays", g->options.config_folder);
		keep_lines(&g->errors, &reading->errors);
		break;
	case RELOAD_FORMER:
		if (reading->error == -EINVAL)
			stay_unconfirmed(g);
		else
			take_back_later(&g->reload);
		break;
	}
}

/* A signal does not say that what was taken back is accepted after all: packages send it, too. */
static bool accepts_nothing(struct gateway *g, const struct reading *reading)
{
	const struct reload *r = &g->reload;

	return r->kind == RELOAD_FILES && !r->done && r->confirm_usec == 0 && r->taken_back &&
	       accepted_is_unconfirmed(g->state, reading->files);
}

static int stay_former(struct gateway *g)
{
	int r = accepted_unconfirmed_text(g->options.config_folder, &g->errors);

	log_error(LOG_ABOUT_ID(MESSAGE_RELOAD_REFUSED),
		  "the configuration in %s was not confirmed, and a signal does not accept it: the former one stays",
		  g->options.config_folder);
	return r < 0 ? r : -EKEYREJECTED;
}

static void reload_end(struct gateway *g, int error, const struct reading *reading)
{
	struct reload *r = &g->reload;
	reload_done done = TAKE_PTR(r->done);

	notify_ended(r->kind);
	if (done)
		done(r->userdata, error, span_of(reading->errors.text.data, reading->errors.text.size),
		     span_of(reading->warnings.text.data, reading->warnings.text.size));
	if (r->again && error != -ENOTRECOVERABLE && !g->stopping) {
		r->again = false;
		reload_signalled(g);
	}
}

static void reading_ended(void *userdata, struct reading *reading)
{
	struct gateway *g = userdata;
	struct reload *r = &g->reload;
	int error = reading->error;

	r->reader = reader_free(r->reader);
	if (r->kind != RELOAD_CHECK)
		log_reading(reading);
	if (reading->unreached.text.size > 0)
		buf_append(&reading->warnings.text, reading->unreached.text.data, reading->unreached.text.size);
	/* While all de-register, nobody begins. */
	if (g->stopping)
		error = -ECANCELED;
	else if (error < 0)
		refuse(g, reading);
	else if (accepts_nothing(g, reading))
		error = stay_former(g);
	else if (r->kind != RELOAD_CHECK)
		error = apply(g, reading);
	if (r->kind != RELOAD_CHECK && error != -ENOTRECOVERABLE)
		tell_configuration(g);
	reload_end(g, error, reading);
	reading_done(reading);
}

/* ---- beginnings ---- */

static int begin_reading(struct gateway *g, enum reload_kind kind)
{
	struct reader_config config = {
		.event = g->event,
		.sources = load_sources(g, true),
		.config_folder = g->options.config_folder,
		.shared_folder = g->options.shared_folder,
		.before = g->loaded.config,
		.state_folder = g->options.state_folder,
	};
	int r = 0;

	if (kind == RELOAD_FORMER)
		r = g->reload.from_nothing ? config_files_new(&config.files) :
					     accepted_files(g->state, &config.files);
	return r < 0 ? r : reader_new(&config, reading_ended, g, &g->reload.reader);
}

int reload_begin(struct gateway *g, enum reload_kind kind, uint64_t confirm_usec, reload_done done,
		 void *userdata)
{
	struct reload *r = &g->reload;
	int error;

	if (confirm_usec > RELOAD_CONFIRM_USEC_MAX)
		return -EINVAL;
	if (g->stopping)
		return -ESHUTDOWN;
	if (r->reader) {
		/* The files may have changed behind its back; a signal waits for no answer. */
		r->again = r->again || !done;
		return -EBUSY;
	}
	error = begin_reading(g, kind);
	if (error < 0)
		return error;
	r->kind = kind;
	r->confirm_usec = confirm_usec;
	r->done = done;
	r->userdata = userdata;
	notify_begun(kind);
	return 0;
}

int reload_signalled(struct gateway *g)
{
	const struct reload *r = &g->reload;

	return reload_begin(g, RELOAD_FILES, r->unconfirmed ? r->trial_usec : 0, NULL, NULL);
}

static void not_confirmed(struct timer *timer, void *userdata)
{
	struct gateway *g = userdata;
	int r;

	if (g->reload.reader) {
		timer_arm_in(timer, CONFIRM_AGAIN_USEC);
		return;
	}
	r = reload_begin(g, RELOAD_FORMER, 0, NULL, NULL);
	if (r >= 0)
		return;
	if (r == -ENOENT || r == -EBADMSG) {
		stay_unconfirmed(g);
		tell_configuration(g);
		return;
	}
	log_error(NULL, "the former configuration cannot be read, which is tried again: %s", strerror(-r));
	timer_arm_in(timer, CONFIRM_AGAIN_USEC);
}

int reload_confirm(struct gateway *g)
{
	struct reload *r = &g->reload;

	/* Too late: it is being taken back. */
	if (!r->unconfirmed || (r->reader && r->kind == RELOAD_FORMER))
		return -ENOENT;
	accepted_keep(g->state, r->unconfirmed, g->loaded.config);
	end_confirmation(r);
	log_notice(LOG_ABOUT_ID(MESSAGE_CONFIRMED), "the configuration is confirmed");
	tell_configuration(g);
	return 0;
}

void reload_init(struct gateway *g)
{
	timer_init(&g->reload.confirm, g->timers, not_confirmed, g);
	g->reload.taken_back = g->from == ACCEPTED_FORMER;
}

void reload_finish(struct gateway *g)
{
	struct reload *r = &g->reload;

	r->reader = reader_free(r->reader);
	if (r->done)
		TAKE_PTR(r->done)(r->userdata, -ECANCELED, (struct span){ 0 }, (struct span){ 0 });
	end_confirmation(r);
}
