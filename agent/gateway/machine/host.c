/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "gateway/machine/network.h"
#include "gateway/machine/power.h"
#include "gateway/registry/internal.h"

/* What object 3 of the host asks of this machine. */

#define NETWORK_FOLDER "/sys/class/net"
#define POWER_FOLDER "/sys/class/power_supply"

/* ---- facts ---- */

static void read_storage(const char *folder, struct builtin_facts *ret)
{
	struct statvfs s;

	if (!folder || statvfs(folder, &s) < 0)
		return;
	ret->has_storage = true;
	ret->free_kb = (uint64_t)s.f_bavail * s.f_frsize / 1024;
	ret->total_kb = (uint64_t)s.f_blocks * s.f_frsize / 1024;
}

void port_facts(void *endpoint, struct builtin_facts *ret)
{
	const struct endpoint *e = endpoint;

	power_read(POWER_FOLDER, &ret->power);
	read_storage(e->registry->config.state_folder, ret);
}

/* ---- network ---- */

void port_network(void *endpoint, struct builtin_network *ret)
{
	(void)endpoint;
	network_read(NETWORK_FOLDER, ret);
}

static void network_changed(void *userdata)
{
	struct endpoint *e = userdata;

	builtin_network_changed(e->builtin);
}

void host_watch_network(struct endpoint *e, bool watch)
{
	transport_watch_network(e->registry->config.transport, watch ? network_changed : NULL, e);
}

/* ---- zone ---- */

/* /etc/localtime is a link into the zones, as timedatectl makes it (localtime(5)). */
static void read_timezone(char ret[BUILTIN_TIMEZONE_MAX])
{
	static const char folder[] = "/zoneinfo/";
	char target[512];
	ssize_t n = readlink("/etc/localtime", target, sizeof(target) - 1);
	const char *name;

	target[MAX(n, 0)] = '\0';
	name = strstr(target, folder);
	if (name && strlen(name + strlen(folder)) < BUILTIN_TIMEZONE_MAX)
		strcpy(ret, name + strlen(folder));
}

void port_zone(void *endpoint, struct builtin_clock *ret)
{
	time_t now = (time_t)(clock_realtime_usec() / USEC_PER_SEC);
	struct tm local = { 0 };
	long minutes;

	(void)endpoint;
	/* The machine's may have been changed meanwhile. */
	tzset();
	localtime_r(&now, &local);
	minutes = local.tm_gmtoff / 60;
	snprintf(ret->utc_offset, sizeof(ret->utc_offset), "%c%02u:%02u", minutes < 0 ? '-' : '+',
		 (unsigned)labs(minutes) / 60 % 100, (unsigned)labs(minutes) % 60);
	read_timezone(ret->timezone);
}

/* ---- what servers do to it ---- */

static void rebooting(void *userdata, int error, const char *reason)
{
	struct endpoint *e = userdata;

	if (error >= 0)
		return;
	log_error(&(struct log_about){ .endpoint = endpoint_client_name(e) },
		  "%s: a server wants a reboot, which failed: %s; it registers anew instead", endpoint_label(e),
		  reason ?: strerror(-error));
	port_register_anew(e);
}

void port_reboot(void *endpoint)
{
	struct endpoint *e = endpoint;
	const struct registry_config *c = &e->registry->config;

	log_notice(&(struct log_about){ .endpoint = endpoint_client_name(e) }, "%s: a server reboots this machine",
		   endpoint_label(e));
	c->system->reboot(c->system_userdata, rebooting, e);
}

void port_factory_reset(void *endpoint)
{
	host_factory_reset(endpoint);
}

void port_set_time(void *endpoint, int64_t since_1970_s, backing_done done, void *userdata)
{
	const struct registry_config *c = &((struct endpoint *)endpoint)->registry->config;

	c->system->set_time(c->system_userdata, (uint64_t)since_1970_s * USEC_PER_SEC, done, userdata);
}

void port_set_timezone(void *endpoint, const char *name, backing_done done, void *userdata)
{
	const struct registry_config *c = &((struct endpoint *)endpoint)->registry->config;

	c->system->set_timezone(c->system_userdata, name, done, userdata);
}

/* ---- what is kept of the clock ---- */

/* Lines of a word and its value, which is never empty. */
void port_keep_clock(void *endpoint, const struct builtin_clock *clock)
{
	struct endpoint *e = endpoint;
	_cleanup_buf_ struct buf text = { 0 };
	int r = buf_printf(&text, "offset %" PRId64 "\n", clock->offset_s);

	if (r >= 0 && *clock->utc_offset)
		r = buf_printf(&text, "utc_offset %s\n", clock->utc_offset);
	if (r >= 0 && *clock->timezone)
		r = buf_printf(&text, "timezone %s\n", clock->timezone);
	if (r >= 0)
		r = state_save(e->registry->config.state, endpoint_label(e), HOST_CLOCK_KIND, text.data, text.size);
	if (r < 0 && log_budget_take(&e->not_kept, NULL))
		log_error(&(struct log_about){ .endpoint = endpoint_client_name(e) },
			  "%s: cannot keep its clock over restarts: %s", endpoint_label(e), strerror(-r));
}

static void take_line(struct builtin_clock *clock, const char *line)
{
	static const char offset[] = "offset ", utc_offset[] = "utc_offset ", timezone[] = "timezone ";

	if (has_prefix(line, offset))
		parse_i64(line + strlen(offset), &clock->offset_s);
	else if (has_prefix(line, utc_offset))
		snprintf(clock->utc_offset, sizeof(clock->utc_offset), "%s", line + strlen(utc_offset));
	else if (has_prefix(line, timezone))
		snprintf(clock->timezone, sizeof(clock->timezone), "%s", line + strlen(timezone));
}

static void load_clock(struct endpoint *e, struct builtin_clock *ret)
{
	_cleanup_buf_ struct buf text = { 0 };
	int r = state_load(e->registry->config.state, endpoint_label(e), HOST_CLOCK_KIND, &text);

	if (r >= 0)
		r = buf_append(&text, "", 1);
	if (r >= 0) {
		char *rest = (char *)text.data, *line;

		while ((line = strsep(&rest, "\n")))
			take_line(ret, line);
	} else if (r != -ENOENT) {
		log_warning(&(struct log_about){ .endpoint = endpoint_client_name(e) },
			    "%s: what servers wrote to its clock is lost: %s", endpoint_label(e), strerror(-r));
	}
}

void host_values(struct endpoint *e, struct builtin_host *ret)
{
	const struct config_host *c = &e->registry->config.config->host;

	*ret = (struct builtin_host){
		.timers = e->registry->config.timers,
		.network = true,
		.may_reboot = c->may_reboot,
		.may_set_time = c->may_set_time,
		.may_set_timezone = c->may_set_timezone,
		.may_factory_reset = c->may_factory_reset,
	};
	/* Later it is in the builtin. */
	if (!e->builtin)
		load_clock(e, &ret->clock);
}
