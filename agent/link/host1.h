/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/plugin.h"

struct sd_bus;
struct sd_bus_message;
struct sd_event;

/*
 * org.fieldway.Host1: what a daemon and a plugin host say to each other over
 * one connected socket, in sd-bus messages without a bus between them. The
 * host is the server. Messages of the other side are data from outside:
 * whatever is malformed is -EBADMSG. Texts for people name bus, device and
 * point: the other side hands them on as they are.
 */
#define LINK_PATH "/org/fieldway/Host1"
#define LINK_INTERFACE "org.fieldway.Host1"

/*
 * Called at the host:
 *   Describe(s plugin) -> LINK_TYPE_DESCRIPTION: its key table. Error
 *     ENOENT: no such plugin.
 *   Explain(LINK_TYPE_CONFIGURE) -> LINK_TYPE_REFUSALS LINK_TYPE_EXPLANATIONS
 *     LINK_TYPE_REFUSALS: what a plugin holds against the configuration, the
 *     requests that it needs, and what is allowed but looks wrong: of each type
 *     for its first device. Opens nothing, changes nothing.
 *   Configure(LINK_TYPE_CONFIGURE, t lent) -> LINK_TYPE_REFUSALS: empty when the
 *     bus is set up in this generation; otherwise nothing has changed. A device of
 *     the bus as it was that has the same id, and of which the same is said, goes
 *     on as it is: connection, state, counters, what is asked of it. What else
 *     of the bus was asked for ends. lent: for so many microseconds a bus that has not
 *     run yet is another program's, as after Release.
 *   Decode(LINK_TYPE_CONFIGURE, u device, LINK_TYPE_CELLS, LINK_TYPE_INPUTS) ->
 *     LINK_TYPE_REFUSALS LINK_TYPE_SAMPLES: what the device's points are when it
 *     has these cells or, where there are some, when these inputs come from it,
 *     as Values would have them. A bus without a name is none: for samples of
 *     a profile, whose devices have no address. Opens nothing.
 *   Write(LINK_TYPE_WRITE: generation, device, point, deadline, value) ->
 *     LINK_TYPE_OUTCOME. The deadline is on the kernel's CLOCK_MONOTONIC, which
 *     both sides see alike: a host that was stopped must not carry out what the
 *     daemon has given up meanwhile.
 *   Read(LINK_TYPE_READ: generation, device, points, deadline as Write's) ->
 *     LINK_TYPE_READING: error, text, samples in the points' units. These
 *     points are read now, ahead of polls and behind writes; what is read goes
 *     up by Values, too. Points that the device refuses are FAILED samples;
 *     error is the first that was met, with bus, device and request in its text.
 *     Samples of points that the asked ones need (scale10) may be among them.
 *     A device that speaks by itself is asked to do so, and the answer is what
 *     was heard of it last.
 *   Statistics(t generation, u device) -> LINK_TYPE_STATISTICS: of its requests
 *     as they are asked now, and of its points. Error ESTALE: no such device.
 *   Exchange(t generation, u device, u point) -> LINK_TYPE_EXCHANGE: text and
 *     period of the request that reads the point, "" for none; when it was
 *     asked last (CLOCK_BOOTTIME, 0: not yet), what was sent and received then,
 *     and whether that is cut. Error ESTALE: no such device.
 *   Raw(t generation, s bus, LINK_TYPE_SETTINGS address, ay request, t deadline,
 *     b known) -> (i error, s detail, ay answer): one request as the user gives
 *     it, ahead of polls. The address need not be configured; known asks only
 *     a host that has its line already, others answer -EXDEV.
 *   Scan(t generation, s bus, t until) -> (u found, u dropped): at the end,
 *     after that many Found. until is on the kernel's CLOCK_MONOTONIC.
 *   Release(t generation, s bus, t microseconds) -> (): when the bus has closed
 *     all that another program might want; its devices are FAILED for so long.
 *     0: takes it back.
 *   Record(t generation, s bus, h descriptor, t microseconds) -> (t pieces, t
 *     dropped): at the end; link/recording.h is what is written. Whoever closes
 *     the other end of the descriptor ends it, too.
 *   Attempt(LINK_TYPE_CONFIGURE, t deadline as Write's, b known) ->
 *     LINK_TYPE_REFUSALS LINK_TYPE_READING: all points of the one device in it,
 *     which is not configured, read once, over the line that it shares with
 *     devices of the bus of that name or one of its own. Nothing of it stays.
 *     known as Raw's, by Error EXDEV.
 *   Ping(y level) -> (): what is said at this syslog level or above is wanted.
 *   Clock(t microseconds) -> (): test builds only, moves the host's clock.
 * Called at the daemon: Values(LINK_TYPE_VALUES) -> (), at most LINK_CREDIT of
 * them unanswered; State(LINK_TYPE_STATE: generation, device, enum link_state,
 * reason, counters), not answered; Found(LINK_TYPE_FOUND: generation, bus,
 * address, facts as YAML flow text), not answered.
 */
#define LINK_CREDIT 8u
#define LINK_TYPE_SETTINGS "a(sv)"
#define LINK_TYPE_POINT "(sudddavb(btdi)tdtyti" LINK_TYPE_SETTINGS ")"
#define LINK_TYPE_TYPE "(" LINK_TYPE_SETTINGS "a" LINK_TYPE_POINT "(iav))"
#define LINK_TYPE_DEVICE "(usu" LINK_TYPE_SETTINGS ")"
#define LINK_TYPE_BUS "(ss" LINK_TYPE_SETTINGS "tuutt)"
#define LINK_TYPE_CONFIGURE "t" LINK_TYPE_BUS "a" LINK_TYPE_TYPE "a" LINK_TYPE_DEVICE
#define LINK_TYPE_SAMPLE "(uyitv)"
#define LINK_TYPE_SAMPLES "a" LINK_TYPE_SAMPLE
#define LINK_TYPE_DEVICE_VALUES "(u(tttt)" LINK_TYPE_SAMPLES ")"
#define LINK_TYPE_VALUES "ta" LINK_TYPE_DEVICE_VALUES
#define LINK_TYPE_WRITE "tuutv"
#define LINK_TYPE_OUTCOME "yis"
#define LINK_TYPE_STATE "tuys(tttt)"
#define LINK_TYPE_READ "tuaut"
#define LINK_TYPE_READING "is" LINK_TYPE_SAMPLES
#define LINK_TYPE_STATISTICS "a(sttttttttt)a(utttttis)"
#define LINK_TYPE_EXCHANGE "sttayayb"
#define LINK_TYPE_FOUND "tsss"
#define LINK_TYPE_RAW "ts" LINK_TYPE_SETTINGS "aytb"
#define LINK_TYPE_RAW_ANSWER "isay"
#define LINK_TYPE_SCAN "tst"
#define LINK_TYPE_SCAN_ANSWER "uu"
#define LINK_TYPE_RELEASE "tst"
#define LINK_TYPE_RECORD "tsht"
#define LINK_TYPE_RECORD_ANSWER "tt"
#define LINK_TYPE_CELLS "a(suq)"
#define LINK_TYPE_INPUTS "a(say)"
#define LINK_TYPE_KEY "(suuyddassss)"
#define LINK_TYPE_DESCRIPTION "sst" "a" LINK_TYPE_KEY
#define LINK_TYPE_REFUSAL "(iiss)"
#define LINK_TYPE_REFUSALS "a" LINK_TYPE_REFUSAL
#define LINK_TYPE_EXPLANATION "(usa(tsut))"
#define LINK_TYPE_EXPLANATIONS "a" LINK_TYPE_EXPLANATION

/* Limits of one message. */
#define LINK_DEVICES_MAX 10000u
#define LINK_POINTS_MAX 10000u   /* of one type */
#define LINK_SETTINGS_MAX 1024u
#define LINK_INVALID_MAX 64u
#define LINK_CELLS_MAX 65536u
#define LINK_INPUTS_MAX 64u
#define LINK_KEYS_MAX 1024u
#define LINK_CHOICES_MAX 256u
#define LINK_REFUSALS_MAX 200u
#define LINK_SAMPLE_BYTES_MAX 4096u /* of the text or bytes that a point holds */
#define LINK_TEXT_MAX 4096u	    /* bytes of what a host says for people, and of names that it makes */

/* As fieldbus/fieldbus.h has them, for the wire. */
enum link_state {
	LINK_UNKNOWN,
	LINK_ONLINE,
	LINK_OFFLINE,
	LINK_FAILED,
};

enum link_access {
	LINK_READ = 1,
	LINK_WRITE = 2,
};
#define LINK_PERIOD_ONCE FIELDWAY_PERIOD_ONCE
#define LINK_PERIOD_ON_DEMAND FIELDWAY_PERIOD_ON_DEMAND

/* Which of the samples that come within one `sample: {every: }` counts. */
enum link_keep {
	LINK_KEEP_LAST,
	LINK_KEEP_MEAN,
	LINK_KEEP_MINIMUM,
	LINK_KEEP_MAXIMUM,
};

struct link_verify {
	bool enabled;
	uint64_t within_usec;
	double tolerance;
	int32_t point; /* of the same type, or -1: itself */
};

struct link_point {
	const char *name;
	unsigned access; /* enum link_access, or'ed */
	double scale, offset, factor;
	struct fieldway_value *invalid;
	size_t n_invalid;
	bool inexact_reject;
	struct link_verify verify;
	uint64_t period_usec;
	double deadband;	 /* a value no further than this from the last told one is told as that; 0: none */
	uint64_t sample_usec;	 /* of what comes by itself at most one sample in so long; 0: all */
	enum link_keep sample_keep;
	uint64_t silence_usec;	 /* of what comes by itself: so long without a word is too long; 0: never */
	int32_t scale10;	 /* the point whose value is a power of ten on top of scale, or -1 */
	struct fieldway_settings settings;
};

/* Another model at the address is an error: the point must have one of these values. */
struct link_identify {
	int32_t point;
	struct fieldway_value *values;
	size_t n_values; /* 0: nothing is checked */
};

struct link_type {
	struct fieldway_settings settings; /* device and profile scope */
	struct link_point *points;
	size_t n_points;
	struct link_identify identify;
};

struct link_device {
	uint32_t id; /* the daemon's index */
	const char *name;
	uint32_t type;
	struct fieldway_settings address;
};

/* One bus with its devices. */
struct link_configuration {
	uint64_t generation;
	const char *plugin;
	struct fieldway_bus bus;
	uint32_t retries, offline_after;
	uint64_t offline_first_usec, offline_last_usec;
	struct link_type *types;
	size_t n_types;
	struct link_device *devices;
	size_t n_devices;
	/* What link_read_configuration() made it of. */
	void *arena;
	struct sd_bus_message *message;
};

/*
 * Counters of a device since its host started; they travel with its values and
 * states. requests: tries; errors: those that failed, exceptions too;
 * timeouts: errors without any answer; conflated: samples that a newer one has
 * replaced before they could be sent.
 */
struct link_counters {
	uint64_t requests, errors, timeouts, conflated;
};

/* What has become of one request of a device since its bus was configured; times in microseconds. */
struct link_request_statistics {
	const char *text;
	uint64_t period_usec;	 /* as link_point has it */
	uint64_t effective_usec; /* from one turn to the next, smoothed; 0: there were no two */
	uint64_t requests, errors, timeouts;
	uint64_t exceptions; /* turns that ended with one */
	uint64_t last_usec, mean_usec, max_usec; /* latency of what was answered; the mean is smoothed */
};

struct link_point_statistics {
	uint32_t point;
	uint64_t good, invalid, failed;
	uint64_t unchanged; /* good ones, told as their deadband's last value */
	uint64_t conflated; /* as in link_counters */
	int32_t error;	    /* the last one, or 0 */
	const char *text;   /* what it says, or "" */
};

/* Where a configuration is refused. */
struct link_refusal {
	int32_t device;	  /* its id, or -1: the bus as a whole */
	int32_t point;	  /* of the device's type, or -1 */
	const char *key;  /* of the plugin's table, or "" */
	const char *text; /* for people */
};

/* One device's requests: those of a period together read all points of that period. */
struct link_request {
	uint64_t period_usec; /* as link_point has it */
	const char *text;
	uint32_t wire_bytes;
	uint64_t wire_usec; /* as struct fieldway_request has it */
};

struct link_explanation {
	uint32_t device;
	const char *line; /* its name */
	struct link_request *requests;
	size_t n_requests;
};

/* A plugin's descriptor as the daemon sees it. */
struct link_description {
	const char *name, *version;
	uint64_t capabilities;
	struct fieldway_key *keys; /* initial and unit are NULL where the plugin has none or "" */
	size_t n_keys;
};

/*
 * A link on a connected socket, attached to the loop (event may be NULL: then
 * only blocking calls). Takes fd over, also on failure. The host says nothing
 * before it was called: sd-bus leaves a message that comes together with the
 * end of the authentication lying until the next one.
 */
int link_new(struct sd_event *event, int fd, bool is_host, struct sd_bus **ret);
struct sd_bus *link_free(struct sd_bus *bus);

/*
 * "point power (input 52)": the name, and what the keys say that are flagged
 * FIELDWAY_KEY_PLACE, so that messages lead to a register. Fits into
 * LINK_POINT_TEXT_MAX bytes, cut where it does not.
 */
#define LINK_POINT_TEXT_MAX 256u
void link_point_text(const struct fieldway_key *keys, size_t n_keys, const struct fieldway_settings *settings,
		     const char *name, char *ret, size_t size);

/* A call to the other side, without arguments yet. */
int link_call_new(struct sd_bus *bus, const char *member, struct sd_bus_message **ret);
