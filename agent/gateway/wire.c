/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/timer.h"
#include "gateway/configuration/content.h"
#include "gateway/kept/unreached.h"
#include "gateway/pauses.h"
#include "gateway/ports.h"
#include "gateway/wire_internal.h"

/* ---- up the table ---- */

static void values(void *userdata, uint32_t device, const struct fieldway_sample *samples, size_t n)
{
	struct gateway *g = userdata;

	mapping_values(g->mapping, device, samples, n);
}

static void device_state(void *userdata, uint32_t device, enum fieldbus_state state, const char *reason)
{
	struct gateway *g = userdata;

	mapping_state(g->mapping, device, state, reason);
	registry_device_changed(g->registry, device);
	status_device(g->status, device, state);
	dbus_device_changed(g->dbus, device);
}

static int local_write(void *userdata, uint32_t device, uint64_t serial, uint32_t point,
		       const struct fieldway_value *value)
{
	struct gateway *g = userdata;

	return dbus_local_write(g->dbus, device, serial, point, value);
}

static const struct fieldbus_ops fieldbus_ops = {
	.values = values, .state = device_state, .local_write = local_write
};

static void seen(void *userdata, uint32_t endpoint, bool complete)
{
	struct gateway *g = userdata;

	registry_seen(g->registry, endpoint, complete);
}

static void host_errors(void *userdata, const int64_t *codes, size_t n)
{
	struct gateway *g = userdata;

	registry_host_errors(g->registry, codes, n);
}

static const struct mapping_ops mapping_ops = { .seen = seen, .host_errors = host_errors };

/* A full disk may have room again, and nobody have anything to save. */
#define STATE_RETRY_USEC (5 * USEC_PER_MINUTE)

static void retry_state(struct timer *timer, void *userdata)
{
	struct gateway *g = userdata;

	g->state_retried = true;
	state_retry(g->state);
}

static void state_failed(unsigned n, int error, void *userdata)
{
	static struct log_budget budget;
	struct gateway *g = userdata;
	bool known = g->state_retried && g->state_error == error;

	g->state_error = error;
	g->state_retried = false;
	if (n == 0) {
		timer_disarm(&g->state_retry);
		log_notice(NULL, "%s can be written again", g->options.state_folder);
		return;
	}
	timer_arm_in(&g->state_retry, STATE_RETRY_USEC);
	/* A full disk fails each save anew, and servers decide how many there are. */
	if (!known && log_budget_take(&budget, NULL))
		log_error(LOG_ABOUT_ID(MESSAGE_STATE_NOT_WRITTEN), "%u records could not be written to %s: %s", n,
			  g->options.state_folder, strerror(-error));
}

static void counts_changed(void *userdata)
{
	struct gateway *g = userdata;
	struct registry_counts counts;

	registry_counts(g->registry, &counts);
	status_accounts(g->status, counts.accounts, counts.registered);
	trim_registered(&g->trim, counts.registered);
	dbus_counts_changed(g->dbus);
}

static void endpoint_changed(void *userdata, uint32_t endpoint)
{
	struct gateway *g = userdata;

	dbus_endpoint_changed(g->dbus, endpoint);
}

static void values_changed(void *userdata, uint32_t endpoint, const struct path *paths, size_t n)
{
	struct gateway *g = userdata;

	dbus_values_changed(g->dbus, endpoint, paths, n);
}

static void paused_changed(void *userdata, enum dbus_kind kind, uint32_t id)
{
	struct gateway *g = userdata;

	status_paused(g->status, registry_count_paused(g->registry));
	dbus_paused_changed(g->dbus, kind, id);
}

static const struct registry_watch registry_watch = {
	.counts = counts_changed,
	.endpoint = endpoint_changed,
	.values = values_changed,
	.paused = paused_changed,
};

/* ---- in order ---- */

static int find_content(void *userdata, const struct fieldbus_content *what, uint8_t **ret,
			size_t *ret_size, const char **ret_reason)
{
	struct gateway *g = userdata;
	int r = content_find(g->secrets, what, ret, ret_size);

	*ret_reason = secret_reason(g->secrets);
	return r;
}

static int open_fieldbus(struct gateway *g)
{
	const struct fieldbus_config config = {
		.event = g->event,
		.timers = g->timers,
		.host_socket = g->options.host_socket,
		.host_program = g->options.host_program,
		.plugin_folder = g->options.plugin_folder,
		.content = find_content,
	};

	return fieldbus_new(&config, &fieldbus_ops, g, &g->fieldbus);
}

struct load_sources load_sources(const struct gateway *g, bool plugins_optional)
{
	return (struct load_sources){
		.config_folder = g->options.config_folder,
		.objects_folder = g->options.objects_folder,
		.host_socket = g->options.host_socket,
		.host_program = g->options.host_program,
		.plugin_folder = g->options.plugin_folder,
		.secrets = g->secrets,
		.host_name = g->identity.host_name,
		.machine_id = g->identity.machine_id,
		.plugins_optional = plugins_optional,
	};
}

static int load(struct gateway *g)
{
	struct load_sources sources = load_sources(g, true);

	sources.stop_fd = &g->options.stop_fd;
	return accepted_load(&sources, g->options.config_folder, g->options.shared_folder, g->state,
			     &g->loaded, &g->from, &g->errors);
}

/* Descriptors that are no session: files, hosts, epoll, the journal. */
#define OTHER_DESCRIPTORS 128u

void raise_descriptors(const struct config *config)
{
	rlim_t wanted = (rlim_t)config->limits.sessions + OTHER_DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = MIN(wanted, limit.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < wanted)
		log_warning(NULL, "limits: sessions: %u are allowed, but only %llu files (LimitNOFILE=)",
			    config->limits.sessions, (unsigned long long)limit.rlim_cur);
}

static void reboot(void *userdata, dbus_done done, void *done_userdata)
{
	struct gateway *g = userdata;

	dbus_reboot(g->dbus, done, done_userdata);
}

static void set_time(void *userdata, uint64_t since_1970_usec, dbus_done done, void *done_userdata)
{
	struct gateway *g = userdata;

	dbus_set_time(g->dbus, since_1970_usec, done, done_userdata);
}

static void set_timezone(void *userdata, const char *timezone, dbus_done done, void *done_userdata)
{
	struct gateway *g = userdata;

	dbus_set_timezone(g->dbus, timezone, done, done_userdata);
}

static const struct registry_system registry_system = {
	.reboot = reboot, .set_time = set_time, .set_timezone = set_timezone
};

static int open_registry(struct gateway *g)
{
	const struct registry_config config = {
		.timers = g->timers,
		.transport = g->transport,
		.definitions = g->loaded.definitions,
		.config = g->loaded.config,
		.secrets = g->secrets,
		.state = g->state,
		.system = &registry_system,
		.system_userdata = g,
		.event = g->event,
		.state_folder = g->options.state_folder,
		.install_socket = g->options.install_socket,
		.pauses = g->pauses,
		.fieldbus = g->fieldbus,
	};
	int r = registry_new(&config, &g->registry);

	if (r >= 0)
		registry_set_watch(g->registry, &registry_watch, g);
	return r;
}

static int open_mapping(struct gateway *g)
{
	const struct mapping_config config = {
		.config = g->loaded.config,
		.definitions = g->loaded.definitions,
		.fieldbus = g->fieldbus,
		.timers = g->timers,
		.state = g->state,
	};
	int r = mapping_new(&config, &mapping_ops, g, &g->mapping);

	for (uint32_t i = 0; i <= config_host(g->loaded.config) && r >= 0; i++)
		r = mapping_attach(g->mapping, i, registry_store(g->registry, i));
	return r;
}

static int open_dbus(struct gateway *g)
{
	const struct dbus_config config = {
		.event = g->event,
		.timers = g->timers,
		.address = g->options.bus,
		.config = g->loaded.config,
		.fieldbus = g->fieldbus,
		.configuration = g->from == ACCEPTED_FILES ? DBUS_ACCEPTED : DBUS_LAST_GOOD,
		.errors = span_of(g->errors.data, g->errors.size),
		.reload = &reload_ports_of_gateway,
		.reload_userdata = g,
	};

	return streq(g->options.bus, "none") ? 0 : dbus_new(&config, &ports_of_registry, g->registry, &g->dbus);
}

static int open_metrics(struct gateway *g)
{
	const struct metrics_config config = {
		.event = g->event,
		.timers = g->timers,
		.config = g->loaded.config,
		.fieldbus = g->fieldbus,
		.last_good = g->from != ACCEPTED_FILES,
	};

	return metrics_new(&config, &metrics_ports_of_registry, g->registry, &g->metrics);
}

static void log_started(const struct gateway *g)
{
	const struct config *c = g->loaded.config;

	log_notice(LOG_ABOUT_ID(MESSAGE_STARTED), "version %s; endpoints: %zu, devices: %zu, buses: %zu, servers: %zu",
		   PACKAGE_VERSION, c->n_endpoints + 1, c->n_devices, c->n_buses, c->n_servers);
}

/* Without a fieldway.yaml nothing comes of it, which is no error (design: Boot). */
static int gateway_start(struct gateway *g)
{
	int r;

	r = open_registry(g);
	if (r >= 0)
		r = open_mapping(g);
	if (r >= 0)
		r = open_dbus(g);
	if (r >= 0)
		r = open_metrics(g);
	if (r < 0)
		return r;
	registry_start(g->registry);
	/* Nobody will ever see anything of these. */
	for (uint32_t i = 0; i < g->loaded.config->n_endpoints; i++)
		if (mapping_is_blind(g->mapping, i))
			registry_seen(g->registry, i, true);
	counts_changed(g);
	status_paused(g->status, registry_count_paused(g->registry));
	r = fieldbus_start(g->fieldbus, g->loaded.config, fieldbus_lines(g->loaded.describer));
	if (r < 0)
		return r;
	registry_pause_field(g->registry);
	status_paused(g->status, registry_count_paused(g->registry));
	registry_field_started(g->registry);
	if (g->loaded.config->empty)
		log_notice(LOG_ABOUT_ID(MESSAGE_NOT_CONFIGURED), "not configured: there is no fieldway.yaml in %s; run fieldwayctl setup",
			   g->options.config_folder);
	else
		log_started(g);
	return 0;
}

static enum status_configuration initial_status(enum accepted_from from)
{
	switch (from) {
	case ACCEPTED_FILES:
		break;
	case ACCEPTED_LAST_GOOD:
		return STATUS_WRONG;
	case ACCEPTED_FORMER:
		return STATUS_TAKEN_BACK;
	}
	return STATUS_ACCEPTED;
}

static int gateway_open(struct gateway *g)
{
	int r = state_new(g->options.state_folder, g->event, &g->state);

	if (r < 0) {
		log_error(NULL, "%s: %s", g->options.state_folder,
			  r == -EBUSY ? "in use by another process" : strerror(-r));
		return r;
	}
	state_set_handler(g->state, state_failed, g);
	r = identity_read(g->state, &g->identity);
	if (r >= 0)
		r = pauses_new(g->state, &g->pauses);
	if (r >= 0)
		r = secret_store_new(g->options.config_folder, &g->secrets);
	if (r >= 0)
		r = open_fieldbus(g);
	if (r >= 0)
		r = load(g);
	if (r < 0)
		return r;
	raise_descriptors(g->loaded.config);
	reload_init(g);
	r = status_new(g->timers, g->loaded.config, initial_status(g->from), &g->status);
	if (r >= 0)
		r = transport_new(g->event, g->timers, &g->transport);
	return r < 0 ? r : gateway_start(g);
}

int gateway_new(const struct gateway_options *options, struct sd_event *event, struct timers *timers,
		struct gateway **ret)
{
	struct gateway *g = calloc(1, sizeof(*g));
	int r;

	if (!g)
		return -ENOMEM;
	g->options = *options;
	g->event = event;
	g->timers = timers;
	trim_init(&g->trim, timers);
	timer_init(&g->reload.confirm, timers, NULL, NULL);
	timer_init(&g->state_retry, timers, retry_state, g);
	r = gateway_open(g);
	if (r < 0) {
		gateway_free(g);
		return r;
	}
	*ret = g;
	return 0;
}

struct gateway *gateway_free(struct gateway *g)
{
	if (!g)
		return NULL;
	/* Whoever waits for a reload is still told; a reading compares with what runs. */
	reload_finish(g);
	/* The field first: its last words still find a mapping; then who stands before the stores. */
	g->fieldbus = fieldbus_free(g->fieldbus);
	g->metrics = metrics_free(g->metrics);
	g->dbus = dbus_free(g->dbus);
	g->mapping = mapping_free(g->mapping);
	g->registry = registry_free(g->registry);
	g->transport = transport_free(g->transport);
	g->status = status_free(g->status);
	trim_done(&g->trim);
	loaded_done(&g->loaded);
	buf_done(&g->errors);
	buf_done(&g->warnings);
	identity_done(&g->identity);
	g->secrets = secret_store_free(g->secrets);
	g->pauses = pauses_free(g->pauses);
	timer_disarm(&g->state_retry);
	g->state = state_free(g->state);
	free(g);
	return NULL;
}

void gateway_stop(struct gateway *g, void (*stopped)(void *userdata), void *userdata)
{
	g->stopping = true;
	if (g->registry)
		registry_stop(g->registry, stopped, userdata);
	else
		stopped(userdata);
}

void gateway_reload(struct gateway *g)
{
	int r = reload_signalled(g);

	if (r < 0 && r != -EBUSY)
		log_error(NULL, "the configuration cannot be read again: %s", strerror(-r));
}

/* ---- --check ---- */

static int read_checked(const struct gateway_options *o, struct yaml_errors *errors, struct config_files **ret)
{
	int r;

	if (!o->last_good)
		return config_files_read(o->config_folder, o->shared_folder, errors, ret);
	r = accepted_peek(o->state_folder, ret);
	if (r < 0)
		fprintf(stderr, "%s: the last configuration that was accepted: %s\n", o->state_folder,
			r == -ENOENT ? "there is none" : r == -EBADMSG ? "its record is damaged" : strerror(-r));
	return r == -EBADMSG ? -EINVAL : r;
}

/* A start on what was accepted before does without plugins and keys that are gone since. */
static int check_files(struct gateway *g, struct yaml_errors *errors, struct yaml_errors *warnings)
{
	struct load_sources sources = load_sources(g, g->options.last_good);
	struct config_files *files = NULL;
	int r = read_checked(&g->options, errors, &files);

	sources.keys_optional = g->options.last_good;
	if (r >= 0)
		r = load_files(&sources, files, errors, warnings, &g->loaded);
	if (r >= 0)
		r = unreached_tell(g->options.state_folder, g->loaded.config, NULL, NULL, warnings);
	config_files_free(files);
	return r;
}

/* The daemon starts without a configuration; whoever asks for a check means a folder that exists. */
static int check_folder(const char *folder)
{
	int r = access(folder, F_OK) < 0 ? -errno : 0;

	if (r < 0)
		fprintf(stderr, "%s: %s\n", folder, strerror(-r));
	return r;
}

static void print_error(void *userdata, const char *line, size_t size)
{
	(void)userdata;
	fprintf(stderr, "%.*s\n", (int)size, line);
}

static void print_warning(void *userdata, const char *line, size_t size)
{
	(void)userdata;
	fprintf(stderr, "%.*s (warning)\n", (int)size, line);
}

int gateway_check(const struct gateway_options *options, struct sd_event *event, struct timers *timers)
{
	struct gateway g = { .options = *options, .event = event, .timers = timers };
	struct yaml_errors errors = { 0 }, warnings = { 0 };
	int r = check_folder(options->config_folder);

	if (r >= 0)
		r = identity_read(NULL, &g.identity);
	if (r >= 0)
		r = secret_store_new(options->config_folder, &g.secrets);
	if (r >= 0)
		r = check_files(&g, &errors, &warnings);
	yaml_errors_each(&warnings, print_warning, NULL);
	yaml_errors_each(&errors, print_error, NULL);
	if (r >= 0 && g.loaded.config->empty)
		fprintf(stderr, "%s: not configured: fieldway.yaml is missing or empty\n",
			options->config_folder);
	yaml_errors_done(&errors);
	yaml_errors_done(&warnings);
	loaded_done(&g.loaded);
	g.secrets = secret_store_free(g.secrets);
	identity_done(&g.identity);
	return r;
}
