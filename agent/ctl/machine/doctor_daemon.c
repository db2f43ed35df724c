/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "ctl/machine/doctor.h"
#include "ctl/show/tally.h"

static const char no_daemon[] = "fieldwayd does not run";

/* ---- configuration ---- */

/* What others may not read is not wrong. */
static bool is_about_rights(const struct buf *lines)
{
	const char *denied = strerror(EACCES);

	return geteuid() != 0 && memmem(lines->data, lines->size, denied, strlen(denied));
}

/* Of the running one; and of the files as they are now. */
void doctor_configuration(const struct patient *p, struct findings *f)
{
	_cleanup_buf_ struct buf lines = { 0 };
	int r = checker_run(p->invocation, config_folder(p->invocation), &lines);

	if (r == -EINVAL && is_about_rights(&lines))
		finding_add(f, HEALTH_SKIPPED, "configuration", "", "only root can check it: there are keys in it");
	else if (r == -EINVAL)
		finding_add(f, HEALTH_ERROR, "configuration",
			    "'fieldwayctl check' prints what is wrong, with file, line and column",
			    "the files are wrong");
	else if (r < 0)
		finding_add(f, HEALTH_SKIPPED, "configuration", "", "it could not be checked");
	else if (p->manager && streq(p->manager->state, "not-configured"))
		finding_add(f, HEALTH_ERROR, "configuration", "'fieldwayctl setup' writes a first one, then reload",
			    "fieldwayd runs without a configuration");
	else if (p->manager && streq(p->manager->state, "last-good"))
		finding_add(f, HEALTH_WARNING, "configuration",
			    "'systemctl reload fieldway': the files are good now",
			    "fieldwayd runs on the last good one");
	else
		finding_add(f, HEALTH_OK, "configuration", "", "accepted");
}

/* ---- servers ---- */

/* Of the first account there that has one; else what keeps one away. */
static const char *error_of(const struct inventory *i, const char *server)
{
	const char *queued = "";

	for (size_t k = 0; k < i->n_endpoints; k++)
		for (size_t a = 0; a < i->endpoints[k].n_accounts; a++) {
			const struct account_record *account = &i->endpoints[k].accounts[a];

			if (!streq(account->server, server))
				continue;
			if (*account->last_error)
				return account->last_error;
			if (streq(account->state, "queued"))
				queued = "other servers come first";
		}
	return queued;
}

static const char *server_advice(const char *error)
{
	static const struct {
		const char *word, *advice;
	} advices[] = {
		/* lwm2m/failure.c has the words. */
		{ "no key for it here", "'fieldwayctl credentials create', then export them to the server" },
		{ "key", "identity and key must be the same at the server (fieldwayctl credentials export)" },
		{ "4.0", "does the server know this endpoint client name, and may it register?" },
		{ "5.0", "the server has trouble of its own: see its log" },
		{ "no answer", "is it reachable over UDP at this port, and no firewall in between?" },
		{ "nobody listens", "is the port of uri: right, and does the server run?" },
		{ "come first", "the order is that of `priority:`, and `failure_block:` holds up those behind" },
		{ "leads there", "has this machine a way to the server's network (ip route)?" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		if (strcasestr(error, advices[i].word))
			return advices[i].advice;
	return "'fieldwayctl list' has the last error of each endpoint";
}

static void tell_server(const struct inventory *i, const struct tally *t, struct findings *f)
{
	const char *error = error_of(i, t->name);

	if (t->good == t->total)
		finding_add(f, HEALTH_OK, "servers", "", "%s: all %zu registered", t->name, t->total);
	else
		finding_add(f, t->good > 0 ? HEALTH_WARNING : HEALTH_ERROR, "servers",
			    server_advice(error), "%s: %zu of %zu registered%s%s", t->name, t->good,
			    t->total, *error ? ": " : "", error);
}

/* Endpoints that no server knows until the bootstrap server has named one. How many. */
static size_t tell_bootstrap(const struct inventory *i, struct findings *f)
{
	const char *error = "";
	size_t n = 0;

	for (size_t k = 0; k < i->n_endpoints; k++) {
		const struct endpoint_record *e = &i->endpoints[k];

		if (!streq(e->state, "bootstrapping"))
			continue;
		n++;
		if (!*error)
			error = e->last_error;
	}
	if (n > 0)
		finding_add(f, *error ? HEALTH_ERROR : HEALTH_WARNING, "servers", *error ? server_advice(error) : "it has begun only now, or hold_off: is on",
			    "bootstrap: %zu of %zu endpoints are to be told where to register%s%s", n, i->n_endpoints,
			    *error ? ": " : "", error);
	return n;
}

void doctor_servers(const struct patient *p, struct findings *f)
{
	_cleanup_tallies_ struct tallies t = { 0 };
	size_t bootstrapping;

	if (!p->inventory || tally_servers(&t, p->inventory) < 0) {
		finding_add(f, HEALTH_SKIPPED, "servers", "", no_daemon);
		return;
	}
	for (size_t i = 0; i < t.n; i++)
		tell_server(p->inventory, &t.items[i], f);
	bootstrapping = tell_bootstrap(p->inventory, f);
	if (t.n == 0 && bootstrapping == 0 && p->inventory->n_endpoints > 0)
		finding_add(f, HEALTH_WARNING, "servers", "endpoints: of a server names what registers there",
			    "nothing registers anywhere");
}

/* ---- devices ---- */

static const char another_model[] = "another model";

static const char *device_advice(const struct device_record *d)
{
	if (strstr(d->reason, "bluetoothd"))
		return "'systemctl status bluetooth' says why; 'fieldwayctl ports' prints the adapters";
	return streq(d->state, "failed") ? "'fieldwayctl bus NAME' shows its bus, 'fieldwayctl ports' who holds the port" :
					   "is it on, and are address, speed and wiring right? 'fieldwayctl scan BUS' finds who answers";
}

void doctor_devices(const struct patient *p, struct findings *f)
{
	size_t wanted = 0, good = 0;

	if (!p->inventory) {
		finding_add(f, HEALTH_SKIPPED, "devices", "", no_daemon);
		return;
	}
	for (size_t i = 0; i < p->inventory->n_devices; i++) {
		const struct device_record *d = &p->inventory->devices[i];

		wanted += d->enabled;
		good += d->enabled && streq(d->state, "online");
		if ((streq(d->state, "offline") || streq(d->state, "failed")) && d->enabled &&
		    !strstr(d->reason, another_model))
			finding_add(f, HEALTH_ERROR, "devices", device_advice(d), "%s is %s: %s",
				    d->name, d->state, device_record_reason(d));
	}
	if (good == wanted)
		finding_add(f, HEALTH_OK, "devices", "", wanted ? "all %zu answer" : "there are none",
			    wanted);
}

void doctor_models(const struct patient *p, struct findings *f)
{
	bool any = false;

	if (!p->inventory) {
		finding_add(f, HEALTH_SKIPPED, "models", "", no_daemon);
		return;
	}
	for (size_t i = 0; i < p->inventory->n_devices; i++) {
		const struct device_record *d = &p->inventory->devices[i];

		if (!strstr(d->reason, another_model))
			continue;
		any = true;
		finding_add(f, HEALTH_ERROR, "models",
			    "another profile fits it: 'fieldwayctl profile try PROFILE BUS --unit N'",
			    "%s: %s", d->name, device_record_reason(d));
	}
	if (!any)
		finding_add(f, HEALTH_OK, "models", "", "no device says that it is another one");
}
