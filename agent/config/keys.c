/* SPDX-License-Identifier: Apache-2.0 */
#include "config/keys_internal.h"

/* Places of fieldway.yaml. */

static const struct key main_keys[] = {
	SCHEMA("format version of the file"),
	{ "gateway", KEY_NODE, AT(main_section, gateway), .help = "the host itself" },
	{ "servers", KEY_NODE, AT(main_section, servers), .help = "list of LwM2M servers" },
	{ "stale", KEY_NODE, AT(main_section, stale),
	  .help = "when values are too old, and what a Read says then" },
	{ "register", KEY_NODE, AT(main_section, registering), .help = "when endpoints register" },
	{ "writes", KEY_NODE, AT(main_section, writes), .help = "what servers may write" },
	{ "limits", KEY_NODE, AT(main_section, limits), .help = "how much this gateway takes on" },
	{ "metrics", KEY_NODE, AT(main_section, metrics),
	  .help = "a page of figures for monitoring, in OpenMetrics text (none)" },
	{ "host", KEY_NODE, AT(main_section, host), .help = "this machine: what servers may do to it, and what it shows (nothing)" },
	{ "bootstrap", KEY_NODE, .reload = RELOAD_ENDPOINT, AT(main_section, bootstrap),
	  .help = "a server that tells endpoints where to register (none)" },
	{ "firmware", KEY_NODE, AT(main_section, firmware),
	  .help = "the host's object 5: servers update this machine (none)" },
	{ "software", KEY_NODE, AT(main_section, software),
	  .help = "list: the host's object 9, programs that servers install, activate and remove (none)" },
	{ "history", KEY_NODE, AT(main_section, history),
	  .help = "how much is kept of the values that profiles' history: records, until servers have them" },
};

static const char *const modes[] = { "endpoints", "gateway", "both", NULL };
static const struct key gateway_keys[] = {
	{ "name", KEY_NAME, .reload = RELOAD_ENDPOINT, AT(gateway_section, name),
	  .help = "{gateway} in other texts (host name)" },
	{ "endpoint", KEY_TEXT, .reload = RELOAD_ENDPOINT, .initial = "{gateway}",
	  AT(gateway_section, endpoint),
	  .help = "endpoint client name of the host; {gateway} {machine_id}" },
	{ "endpoint_template", KEY_TEXT, .reload = RELOAD_ENDPOINT, .initial = "{gateway}-{name}",
	  AT(gateway_section, endpoint_template),
	  .help = "of what has no `endpoint:` itself; {gateway} {machine_id} {name}" },
	{ "mode", KEY_ONLY, .choices = modes, .initial = "endpoints",
	  .help = "how devices are shown" },
	{ "modbus_objects", KEY_NODE, AT(gateway_section, modbus_objects),
	  .help = "the host's objects 10374 and 10375: Modbus buses and raw registers" },
};

static const char *const modbus_accesses[] = { "off", "read", "change", NULL };
static const struct key modbus_objects_keys[] = {
	{ "access", KEY_CHOICE, .choices = modbus_accesses, .initial = "off",
	  AT(modbus_objects_section, access),
	  .help = "what servers may do with them: read, or also write registers and switch buses off" },
	{ "buses", KEY_NODE, AT(modbus_objects_section, buses),
	  .help = "list of name patterns: which buses they show (all)" },
};

static const char *const protocols[] = { "auto", "1.0", "1.1", "1.2", NULL };
static const struct key server_keys[] = {
	{ "name", KEY_NAME, .required = true, .reload = RELOAD_ENDPOINT, AT(server_section, name),
	  .help = "name in messages" },
	{ "short_id", KEY_UINT, .required = true, .reload = RELOAD_ENDPOINT, .minimum = 1,
	  .maximum = 65534, AT(server_section, short_id), .help = "Short Server ID, /1/x/0" },
	{ "uri", KEY_TEXT, .required = true, .reload = RELOAD_ENDPOINT, AT(server_section, uri),
	  .help = "coap://HOST[:PORT] or coaps://HOST[:PORT]" },
	{ "protocol", KEY_CHOICE, .reload = RELOAD_ENDPOINT, .choices = protocols,
	  .initial = "auto", AT(server_section, protocol), .help = "LwM2M version" },
	{ "lifetime", KEY_SECONDS, .maximum = 4294967295.0, .initial = "1h", AT(server_section, lifetime_s),
	  .help = "of a registration, /1/x/1; 0s: for ever" },
	{ "queue_mode", KEY_BOOL, .initial = "false", .reload = RELOAD_ENDPOINT, AT(server_section, queue_mode),
	  .help = "it keeps its requests until the next Update, which comes before the lifetime ends" },
	{ "send", KEY_BOOL, .initial = "false", AT(server_section, send),
	  .help = "it wants LwM2M Send from the start, else only when it writes false to /1/x/23" },
	{ "notify", KEY_NODE, AT(server_section, notify), .help = "default notification periods" },
	{ "formats", KEY_NODE, AT(server_section, formats),
	  .help = "list: senml-cbor, senml-json, lwm2m-cbor, tlv; preference without Accept" },
	{ "profile_id", KEY_TEXT, .initial = "none", AT(server_section, profile_id),
	  .help = "none, auto, or the text of a Profile ID: sent in place of the object list, LwM2M 1.2" },
	{ "profile_list", KEY_TEXT, .initial = "none", AT(server_section, profile_list),
	  .help = "what goes with the text of a profile_id: none, all or links, \"</4/0>\"" },
	{ "liveness", KEY_DURATION, .minimum = 10, .maximum = 86400, .initial = "5m",
	  AT(server_section, liveness_usec),
	  .help = "at least one confirmed message in this time" },
	{ "security", KEY_NODE, .reload = RELOAD_ENDPOINT, AT(server_section, security),
	  .help = "how the connection is secured (none for coap)" },
	{ "endpoints", KEY_NODE, .reload = RELOAD_ENDPOINT, AT(server_section, endpoints),
	  .help = "list of name patterns: what registers there (all)" },
	{ "priority", KEY_UINT, .maximum = 4294967294.0, AT(server_section, priority),
	  .help = "place in the order of registration, the smallest first, /1/x/13 (none: at once)" },
	{ "initial_delay", KEY_SECONDS, .maximum = 4294967295.0, AT(server_section, initial_delay_s),
	  .help = "wait behind the server before it in that order, until it has registered once, /1/x/14" },
	{ "failure_block", KEY_BOOL, .initial = "false", AT(server_section, failure_block),
	  .help = "the servers behind it in that order wait until it takes the registration, /1/x/15" },
	{ "bootstrap_on_failure", KEY_BOOL, .initial = "true", AT(server_section, bootstrap_on_failure),
	  .help = "when all attempts have failed, or it rejects an endpoint, /1/x/16" },
	{ "retry", KEY_NODE, AT(server_section, retry), .help = "attempts to register" },
	{ "disable_timeout", KEY_SECONDS, .maximum = 4294967295.0, .initial = "24h",
	  AT(server_section, disable_timeout_s), .help = "away after Disable, /1/x/5" },
	{ "access", KEY_NODE, AT(server_section, access),
	  .help = "where there are several servers, /2: all or read, or by object: {3: read, other: none} (all)" },
};

static const struct key notify_keys[] = {
	{ "pmin", KEY_SECONDS, .maximum = 4294967295.0, AT(notify_section, pmin_s),
	  .help = "least time between notifications, /1/x/2" },
	{ "pmax", KEY_SECONDS, .minimum = 1, .maximum = 4294967295.0, AT(notify_section, pmax_s),
	  .help = "longest time between notifications, /1/x/3" },
	{ "storing", KEY_BOOL, .initial = "true", AT(notify_section, storing),
	  .help = "keep notifications for a server that is away, /1/x/6" },
	{ "confirmable", KEY_BOOL, .initial = "false", AT(notify_section, confirmable),
	  .help = "each waits for an acknowledgement, /1/x/26" },
};

static const struct key retry_keys[] = {
	{ "count", KEY_UINT, .minimum = 1, .maximum = 4294967294.0, AT(retry_section, count),
	  .help = "attempts of a sequence, /1/x/17 (5)" },
	{ "timer", KEY_SECONDS, .minimum = 1, .maximum = 604800, AT(retry_section, timer_s),
	  .help = "wait behind the first one, which doubles, /1/x/18 (60s)" },
	{ "sequence_delay", KEY_SECONDS, .minimum = 1, .maximum = 604800, AT(retry_section, sequence_delay_s),
	  .help = "between sequences, /1/x/19 (24h)" },
	{ "sequence_count", KEY_UINT, .minimum = 1, .maximum = 4294967294.0, AT(retry_section, sequence_count),
	  .help = "sequences until it has failed, /1/x/20 (1)" },
};

static const char *const securities[] = { "none", "psk", "rpk", "x509", "est", NULL };
static const struct key security_keys[] = {
	{ "mode", KEY_CHOICE, .required = true, .choices = securities, AT(security_section, mode),
	  .help = "none or psk; rpk, x509, est: not in this version" },
	{ "identity", KEY_TEXT, AT(security_section, identity),
	  .help = "PSK identity; {endpoint} is the endpoint client name ({endpoint})" },
	{ "key", KEY_TEXT, AT(security_section, key),
	  .help = "psk-file:FILE, file:FILE or derive:FILE" },
};

static const char *const uses[] = { "first", "fallback", "always", NULL };
static const struct key bootstrap_keys[] = {
	{ "uri", KEY_TEXT, .required = true, .reload = RELOAD_ENDPOINT, AT(bootstrap_section, uri),
	  .help = "coap://HOST[:PORT] or coaps://HOST[:PORT]" },
	{ "security", KEY_NODE, .reload = RELOAD_ENDPOINT, AT(bootstrap_section, security),
	  .help = "as servers[].security (none for coap)" },
	{ "use", KEY_CHOICE, .choices = uses, .initial = "fallback", AT(bootstrap_section, use),
	  .help = "before anything else, once; when no server takes the endpoint; or at each start" },
	{ "pack", KEY_BOOL, .initial = "false", .reload = RELOAD_ENDPOINT, AT(bootstrap_section, pack),
	  .help = "ask for a Bootstrap-Pack first, LwM2M 1.2" },
	{ "hold_off", KEY_SECONDS, .maximum = 86400, .initial = "0s", AT(bootstrap_section, hold_off_s),
	  .help = "wait so long before the first attempt, /0/x/11" },
	{ "endpoints", KEY_NODE, .reload = RELOAD_ENDPOINT, AT(bootstrap_section, endpoints),
	  .help = "list of name patterns: what is bootstrapped (all)" },
};

static const struct key stale_keys[] = {
	{ "after", KEY_NODE, AT(stale_section, after),
	  .help = "3x the point's own interval, or a duration (3x)" },
	{ "read", KEY_NODE, AT(stale_section, read), .help = "error or last (error)" },
};

static const char *const waits[] = { "none", "first-read", "seen", NULL };
static const struct key register_keys[] = {
	{ "wait", KEY_CHOICE, .choices = waits, .initial = "first-read", AT(register_section, wait),
	  .help = "what an endpoint waits for before it registers" },
	{ "at_most", KEY_DURATION, .maximum = 86400, .initial = "30s",
	  AT(register_section, at_most_usec), .help = "but no longer than this" },
};

static const char *const atomics[] = { "undo", "strict", NULL };
static const struct key writes_keys[] = {
	{ "audit", KEY_BOOL, .initial = "true", AT(writes_section, audit),
	  .help = "a line of the journal for each write" },
	{ "allow", KEY_BOOL, .initial = "true", AT(writes_section, allow),
	  .help = "false: the gateway is read-only" },
	{ "atomic", KEY_CHOICE, .choices = atomics, .initial = "undo", AT(writes_section, atomic),
	  .help = "a Write-Composite of several points: undo what devices took when one refuses, or strict: refuse it" },
};

static const struct key limits_keys[] = {
	{ "endpoints", KEY_UINT, .minimum = 1, .maximum = 100000, .initial = "10000",
	  AT(config_limits, endpoints), .help = "endpoints, the host not counted" },
	{ "sessions", KEY_UINT, .minimum = 1, .maximum = 100000, .initial = "10100",
	  AT(config_limits, sessions), .help = "connections to servers" },
};

#define HANDLER_HELP "name of a program in /etc/fieldway/install.d, which installs packages as root"
#define MAX_SIZE "512MiB"
#define MAX_SIZE_HELP "of a package: bytes, or with KiB, MiB, GiB"
#define TRUST_HELP "PEM file of the authorities for https, from / on (those of the system)"
#define SOURCE_HELP "a coaps server that knows this machine, and is none of `servers` (none)"

static const struct key firmware_keys[] = {
	{ "handler", KEY_TEXT, .required = true, AT(package_keys, handler), .help = HANDLER_HELP },
	{ "max_size", KEY_SIZE, .initial = MAX_SIZE, AT(package_keys, max_size), .help = MAX_SIZE_HELP },
	{ "trust", KEY_TEXT, AT(package_keys, trust), .help = TRUST_HELP },
	{ "source", KEY_NODE, AT(package_keys, source), .help = SOURCE_HELP },
};

static const struct key source_keys[] = {
	{ "uri", KEY_TEXT, .required = true, AT(source_section, uri),
	  .help = "coaps://HOST, of which packages are fetched; port and path do not matter" },
	{ "security", KEY_NODE, AT(source_section, security), .help = "as servers[].security" },
};

static const struct key software_keys[] = {
	{ "name", KEY_TEXT, .required = true, AT(software_section, name),
	  .help = "in messages, and for its handler; small letters, digits and ._-" },
	{ "instance", KEY_UINT, .maximum = 65534, AT(software_section, instance),
	  .help = "of object 9 (its place in the list, from 0 on)" },
	{ "handler", KEY_TEXT, .required = true, AT(software_section, package.handler), .help = HANDLER_HELP },
	{ "max_size", KEY_SIZE, .initial = MAX_SIZE, AT(software_section, package.max_size), .help = MAX_SIZE_HELP },
	{ "trust", KEY_TEXT, AT(software_section, package.trust), .help = TRUST_HELP },
	{ "source", KEY_NODE, AT(software_section, package.source), .help = SOURCE_HELP },
};

static const char *const fulls[] = { "thin", "drop-oldest", NULL };
static const struct key history_keys[] = {
	{ "memory", KEY_SIZE, .initial = "8MiB", AT(history_section, memory),
	  .help = "at most so much in memory, from 64KiB: bytes, or with KiB, MiB, GiB" },
	{ "disk", KEY_SIZE, .initial = "64MiB", AT(history_section, disk),
	  .help = "and on the disk, from 1MiB; or none: a restart loses what waits" },
	{ "keep", KEY_DURATION, .minimum = 60, .maximum = 31536000, .initial = "72h", AT(history_section, keep_usec),
	  .help = "what is older goes" },
	{ "full", KEY_CHOICE, .choices = fulls, .initial = "thin", AT(history_section, full),
	  .help = "over the bounds: each second value of the oldest goes, or all of the oldest" },
};

static const struct key metrics_keys[] = {
	{ "listen", KEY_TEXT, .required = true, AT(metrics_section, listen),
	  .help = "unix:PATH of a socket, or a port of loopback, as 127.0.0.1:9464; GET /metrics" },
};

static const struct key host_keys[] = {
	{ "allow", KEY_NODE, AT(host_section, allow),
	  .help = "list of what servers may do: reboot, time, timezone, which need a rule of polkit, too; factory_reset (nothing)" },
	{ "lwm2m", KEY_NODE, AT(host_section, lwm2m),
	  .help = "path: device.point, shown by the host beside what it has of its own" },
	{ "create", KEY_NODE, AT(host_section, create),
	  .help = "list of objects whose instances servers may make and delete, such as 19 (none)" },
};

const struct key_table keys_main = KEY_TABLE("fieldway.yaml", main_keys);
const struct key_table keys_gateway = KEY_TABLE("gateway", gateway_keys);
const struct key_table keys_modbus_objects = KEY_TABLE("gateway.modbus_objects", modbus_objects_keys);
const struct key_table keys_server = KEY_TABLE("servers[]", server_keys);
const struct key_table keys_notify = KEY_TABLE("servers[].notify", notify_keys);
const struct key_table keys_retry = KEY_TABLE("servers[].retry", retry_keys);
const struct key_table keys_security = KEY_TABLE("servers[].security", security_keys);
const struct key_table keys_bootstrap = KEY_TABLE("bootstrap", bootstrap_keys);
const struct key_table keys_stale = KEY_TABLE("stale", stale_keys);
const struct key_table keys_register = KEY_TABLE("register", register_keys);
const struct key_table keys_writes = KEY_TABLE("writes", writes_keys);
const struct key_table keys_limits = KEY_TABLE("limits", limits_keys);
const struct key_table keys_metrics = KEY_TABLE("metrics", metrics_keys);
const struct key_table keys_host = KEY_TABLE("host", host_keys);
const struct key_table keys_firmware = KEY_TABLE("firmware", firmware_keys);
const struct key_table keys_source = KEY_TABLE("firmware.source", source_keys);
const struct key_table keys_software = KEY_TABLE("software[]", software_keys);
const struct key_table keys_history = KEY_TABLE("history", history_keys);

const struct key_table *const key_tables[] = {
	&keys_main,	&keys_gateway,	&keys_server, &keys_notify,    &keys_security,
	&keys_stale,	&keys_register, &keys_writes, &keys_limits,    &keys_bus,
	&keys_offline,	&keys_devices,	&keys_device, &keys_override,
	&keys_endpoint, &keys_profile,	&keys_info,   &keys_parameter, &keys_point,
	&keys_defaults, &keys_verify,	&keys_counter, &keys_thinning, &keys_identify, &keys_attributes,
	&keys_map,	&keys_alarm,	&keys_sample,	&keys_modbus_objects, &keys_metrics, &keys_host,
	&keys_retry,	&keys_bootstrap, &keys_firmware, &keys_source, &keys_software, &keys_history, &keys_recording, NULL,
};
