/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "api/value.h"
#include "config/config.h"
#include "config/difference.h"

struct sd_event;
struct timers;

/*
 * The agent's side of the plugin hosts: launches and supervises them, hands
 * them buses and devices, receives values, states and results. It never opens
 * a field device itself. Values arrive in the point's unit: the host has
 * applied scale, offset, factor and invalid.
 */
struct fieldbus;

enum fieldbus_state {
	FIELDBUS_UNKNOWN, /* nothing heard yet, or its host is being restarted */
	FIELDBUS_ONLINE,
	FIELDBUS_OFFLINE, /* silent; probed with back-off */
	FIELDBUS_FAILED,  /* bus cannot be opened, plugin missing, configuration refused */
	FIELDBUS_PAUSED,  /* by a user: neither polled nor written, and nothing is wrong */
};
#define FIELDBUS_STATES (FIELDBUS_PAUSED + 1)
const char *fieldbus_state_name(enum fieldbus_state state);

struct fieldbus_ops {
	/*
	 * Samples of one device out of one plan cycle, boot-time stamped; value
	 * data lives during the call. Only of the current generation.
	 */
	void (*values)(void *userdata, uint32_t device, const struct fieldway_sample *samples, size_t n);
	/* A device's state changed; reason: text for people, names bus, device and request. */
	void (*state)(void *userdata, uint32_t device, enum fieldbus_state state, const char *reason);
	/*
	 * A local device (fieldbus/local.h) is to be written: 0 when its program has
	 * been told, who answers by fieldbus_complete() with the serial. -EHOSTDOWN:
	 * there is none. NULL: there never is.
	 */
	int (*local_write)(void *userdata, uint32_t device, uint64_t serial, uint32_t point,
			   const struct fieldway_value *value);
};

/*
 * End of a write, exactly once. ACCEPTED: confirmed, and verified where the
 * point says so. Otherwise error as api/plugin.h names them, also -EHOSTDOWN
 * known offline, -ETIMEDOUT deadline, -ECANCELED; -EILSEQ: verify found
 * another value. detail names bus, device, point and the request.
 */
typedef void (*fieldbus_done)(void *userdata, enum fieldway_outcome outcome, int error, const char *detail);

/* What a setting leads to whose key is FIELDWAY_KEY_SECRET or FIELDWAY_KEY_CONTENT. */
struct fieldbus_content {
	const char *reference; /* as it stands in YAML */
	unsigned flags;	       /* of the key */
	const char *owner;     /* whose it is, for `table:`: the name of the device, or else of the bus */
	const char *mac;       /* `mac:` of the device, or NULL */
};

struct fieldbus_config {
	struct sd_event *event;
	struct timers *timers;
	/*
	 * A socket whose listener starts a host for each connection, with a user,
	 * limits and devices of its own; that one knows its plugins. NULL: hosts are
	 * children of this process, of host_program.
	 */
	const char *host_socket;
	const char *host_program;  /* path of fieldway-plugin-host */
	const char *plugin_folder;
	/*
	 * Gets the bytes, in malloc()ed memory that the fieldbus wipes and frees as
	 * soon as they are on their way. Else a negative errno, with a text for people
	 * in *ret_reason that lives until the next call. userdata: fieldbus_new()'s.
	 * NULL: nothing leads anywhere.
	 */
	int (*content)(void *userdata, const struct fieldbus_content *what, uint8_t **ret,
		       size_t *ret_size, const char **ret_reason);
	/*
	 * When it is readable fieldbus_describe() and fieldbus_check() give up with
	 * -ECANCELED; outlives the last call of those. NULL: never.
	 */
	const int *stop_fd;
};

/*
 * Without event and timers it can only describe and check. ops may be NULL.
 * Callbacks come out of the loop, never out of a call to this module but
 * fieldbus_start(), fieldbus_reload(), fieldbus_enable(), fieldbus_pause(),
 * fieldbus_pause_bus() and fieldbus_free(), and must call none of these.
 */
int fieldbus_new(const struct fieldbus_config *config, const struct fieldbus_ops *ops, void *userdata,
		 struct fieldbus **ret);
/*
 * Ends hosts (SIGTERM, after half a second SIGKILL; behind a socket by the end
 * of the link, and waits for at most a second) and every pending write with
 * -ECANCELED.
 */
struct fieldbus *fieldbus_free(struct fieldbus *f);

/*
 * A plugin's key table by running `fieldway-plugin-host --describe NAME`,
 * cached; blocks for at most FIELDBUS_DESCRIBE_USEC. -ENOENT no such plugin,
 * -ENOPKG no host program, or nobody at the socket, -ETIMEDOUT, -EPIPE the host ended, -EBADMSG it does
 * not speak Host1. *ret lives as long as the fieldbus. Serves
 * config_sources.plugin.
 */
#define FIELDBUS_DESCRIBE_USEC UINT64_C(5000000)
int fieldbus_describe(struct fieldbus *f, const char *plugin, const struct config_plugin **ret);

/*
 * Everything that only plugins can judge: asks a host about each bus with its
 * devices (nothing is opened), and runs the samples of all profiles; plugins
 * that config could not ask are passed over. 0, or -EINVAL with file:line:column
 * messages in errors; what is allowed but looks wrong is in warnings. A key or
 * file that is missing is an error, or with contents_optional a warning: it costs
 * its device or bus, not the configuration. Blocks, at most FIELDBUS_CHECK_USEC
 * for each plugin.
 */
#define FIELDBUS_CHECK_USEC UINT64_C(30000000)
int fieldbus_check(struct fieldbus *f, const struct config *config, bool contents_optional,
		   struct yaml_errors *errors, struct yaml_errors *warnings);

/*
 * Which devices of the configuration that was checked last share a line: by index in
 * config.devices, a number that those of one line have in common, or FIELDBUS_NO_LINE
 * where its plugin did not say. Lives as long as the fieldbus, or until its next
 * check; NULL without any.
 */
#define FIELDBUS_NO_LINE UINT32_MAX
const uint32_t *fieldbus_lines(const struct fieldbus *f);

/* Lines (serial ports, connections) of one host; a bus with more of them has several hosts. */
#define FIELDBUS_LINES_MAX 500u
/*
 * Starts a host for each bus that has enabled devices of a configuration, which
 * must outlive the fieldbus or the next call. Hosts of the call before are
 * ended first, as in fieldbus_free(). That a host cannot start, or that a key or
 * file of a device or bus is missing, is no error: its devices are
 * FIELDBUS_FAILED, and it is tried again. lines: as of fieldbus_lines(), of this
 * configuration, for this call alone; NULL, and a bus has one host however many
 * lines it has. In a build with --enable-test-clock the hosts' clocks follow the
 * daemon's.
 */
int fieldbus_start(struct fieldbus *f, const struct config *config, const uint32_t *lines);
/*
 * Goes over to another configuration, which must outlive the fieldbus or the
 * next call; d says what it has of the one before, which is not looked at any
 * more afterwards. From here on all is numbered as in the new one.
 * Devices that are the same keep their state, values' deadbands, statistics and
 * connections, and are polled as before; writes and reads of them end as they
 * would have. Those of others end with -ECANCELED, in here; ops.state is told of
 * each device that is new or has changed. What is lent, recorded, switched off
 * or paused stays so, by name. Buses whose plugin is another one, or that are
 * gone, lose their hosts; all others are told in their running hosts.
 * lines: as in fieldbus_start(), where devices are new. 0; -ENOMEM: nothing has changed.
 */
int fieldbus_reload(struct fieldbus *f, const struct config *config, const struct config_difference *d,
		    const uint32_t *lines);

/* reason: "" or text, until the next change; ret_reason may be NULL. */
enum fieldbus_state fieldbus_device_state(const struct fieldbus *f, uint32_t device, const char **ret_reason);

/* "point power (input 52)", for messages; cut where it does not fit. */
void fieldbus_point_text(const struct config_type *type, uint32_t point, char *ret, size_t size);

/* The field deadline with all retries (configuration.md "Writes"): Leshan's REST gives up after 5 s. */
#define FIELDBUS_WRITE_USEC UINT64_C(4000000)
/*
 * Writes one point, value in the point's unit. 0: done will run exactly once,
 * at the latest after FIELDBUS_WRITE_USEC, and not before this call has
 * returned. Else it does not run: -EHOSTDOWN known offline, failed, paused or disabled,
 * nothing was sent; -EBUSY FIELDBUS_WRITES_MAX of its host are not answered, or its bus is lent;
 * -EINVAL no such device or point, or text that is not UTF-8; -ENOMEM. While
 * the host is being restarted a write waits for it.
 */
#define FIELDBUS_WRITES_MAX 64u
int fieldbus_write(struct fieldbus *f, uint32_t device, uint32_t point, const struct fieldway_value *value,
		   fieldbus_done done, void *userdata);
/*
 * What a read has found: samples in their points' units, boot-time stamped;
 * FAILED ones say why the device refuses. error: the first thing that went
 * wrong, as api/plugin.h names it, or 0; also -EHOSTDOWN known offline,
 * -ETIMEDOUT deadline, -ECONNRESET its host ended, -ECANCELED, -EBUSY too much
 * is asked. What was read before is there all the same. detail: text for
 * people that names bus, device and request, or "". All live during the call.
 */
typedef void (*fieldbus_read_done)(void *userdata, int error, const char *detail,
				   const struct fieldway_sample *samples, size_t n);
/*
 * Reads some points of a device now, ahead of its polls and behind writes; the
 * values also come as any other. 0: done will run exactly once, at the latest
 * after FIELDBUS_READ_USEC, and not before this call has returned. Else it does
 * not run: -EHOSTDOWN known offline, failed or disabled, or no host runs; -EBUSY
 * FIELDBUS_INQUIRIES_MAX questions to its host are not answered; -EINVAL no such
 * device or point; -ENOMEM.
 */
#define FIELDBUS_READ_USEC UINT64_C(10000000)
#define FIELDBUS_INQUIRIES_MAX 32u
int fieldbus_read(struct fieldbus *f, uint32_t device, const uint32_t *points, size_t n,
		  fieldbus_read_done done, void *userdata);

/* A device that is not configured, on a bus that is. */
struct fieldbus_attempt {
	uint32_t bus;
	const char *name; /* for messages */
	const struct config_type *type;
	struct fieldway_settings address;
	uint64_t within_usec; /* at most FIELDBUS_ATTEMPT_USEC_MAX */
};
#define FIELDBUS_ATTEMPT_USEC_MAX UINT64_C(60000000)
/*
 * Reads all its points once, ahead of polls, over the line that it shares with
 * devices of the bus or one of its own; nothing of it stays. what has to live
 * during this call only. As fieldbus_read(), within what->within_usec; error
 * -EINVAL also when the plugin refuses the device, for the reason in detail.
 */
int fieldbus_attempt(struct fieldbus *f, const struct fieldbus_attempt *what, fieldbus_read_done done,
		     void *userdata);

/* The owner of pending dones goes away: theirs are not called any more. */
void fieldbus_forget(struct fieldbus *f, void *userdata);

/* The requests by which a device is read, as its plugin plans them. */
struct fieldbus_request {
	uint64_t period_usec; /* or CONFIG_RATE_* */
	const char *text;     /* for people */
	uint32_t wire_bytes;
	uint64_t wire_usec; /* how long it holds the line; 0: nobody can say beforehand */
};
/*
 * line: serial port or connection, NULL with an error: -EINVAL the plugin refuses
 * the device, or as of fieldbus_read(); detail says what. All live during the call.
 */
typedef void (*fieldbus_explained)(void *userdata, int error, const char *detail, const char *line,
				   const struct fieldbus_request *requests, size_t n);
/* Asks the running host of a device. As fieldbus_read(); -EHOSTDOWN also when it lacks a key. */
#define FIELDBUS_EXPLAIN_USEC UINT64_C(10000000)
int fieldbus_explain(struct fieldbus *f, uint32_t device, fieldbus_explained done, void *userdata);

/*
 * What people ask of a bus. 0: done will run exactly once, not before the call
 * has returned; error is then 0, -ETIMEDOUT, -ECONNRESET its host ended,
 * -ECANCELED, or as each says. Else it does not run: -EINVAL; -EBUSY
 * FIELDBUS_TASKS_MAX of the bus have not ended; -EHOSTDOWN it is switched off; -ENOMEM. A bus that has several
 * hosts is asked as one; one without devices gets a host for it, which stays. A
 * host that is being restarted is waited for. fieldbus_forget() holds for them.
 */
#define FIELDBUS_TASKS_MAX 16u
#define FIELDBUS_RAW_MAX 4096u /* bytes of a request, and of an answer */
#define FIELDBUS_RAW_USEC UINT64_C(60000000)      /* the longest wait for an answer */
#define FIELDBUS_SCAN_USEC UINT64_C(3600000000)   /* the longest scan */
#define FIELDBUS_LENT_USEC UINT64_C(86400000000)  /* the longest loan, and recording */

/* n: what was found, or recorded; dropped: what was too much. */
typedef void (*fieldbus_ended)(void *userdata, int error, uint64_t n, uint64_t dropped);
/*
 * Waits until a host of the bus runs, for fieldbus_attempt(), which takes none that
 * does not. -EALREADY: one does.
 */
#define FIELDBUS_WAKE_USEC UINT64_C(10000000)
int fieldbus_wake(struct fieldbus *f, uint32_t bus, fieldbus_ended done, void *userdata);

/* The answer lives during the call. error also as fieldway_plugin.raw has it, -EOPNOTSUPP, -EBUSY; detail: text. */
typedef void (*fieldbus_raw_done)(void *userdata, int error, const char *detail, const void *answer,
				  size_t size);
/*
 * One request without framing to an address, which need not be configured:
 * settings as of a device's `address:`, checked by the plugin. Ahead of polls.
 */
int fieldbus_raw(struct fieldbus *f, uint32_t bus, const struct fieldway_settings *address,
		 const void *request, size_t size, uint64_t within_usec, fieldbus_raw_done done,
		 void *userdata);

/* facts: YAML flow text, from outside as the address is. The same address may come again. */
typedef void (*fieldbus_found)(void *userdata, const char *address, const char *facts);
/* What is in reach for so long. -EOPNOTSUPP: what is polled is not found in this way. */
int fieldbus_scan(struct fieldbus *f, uint32_t bus, uint64_t usec, fieldbus_found found,
		  fieldbus_ended done, void *userdata);
/*
 * Lends the bus's port or connections to another program for so long; done:
 * they are closed. 0 takes them back. Its devices are FIELDBUS_FAILED meanwhile,
 * and writes to them -EBUSY.
 */
int fieldbus_release(struct fieldbus *f, uint32_t bus, uint64_t usec, fieldbus_ended done,
		     void *userdata);
/*
 * Whether a bus of the configuration that was started has hosts at all; it does
 * until it is switched off, and again after the next fieldbus_start(). Off, its
 * port or connections are closed, its devices are FIELDBUS_FAILED, and what is
 * asked of it -EHOSTDOWN. -EINVAL no such bus.
 */
int fieldbus_enable(struct fieldbus *f, uint32_t bus, bool on);
/*
 * A user has a device left alone: it is neither polled nor written, what is
 * asked of it -EHOSTDOWN, and its writes and reads end with -ECANCELED, in here. It is
 * FIELDBUS_PAUSED then ("paused"), which is no trouble. Holds until it is taken
 * back, over fieldbus_reload() too. -EINVAL no such device, -ENOMEM.
 */
int fieldbus_pause(struct fieldbus *f, uint32_t device, bool on);
/*
 * The same of a bus with all its devices, whose port or connections close.
 * Beside fieldbus_enable(), which is not the user's: it runs when neither keeps it.
 */
int fieldbus_pause_bus(struct fieldbus *f, uint32_t bus, bool on);
bool fieldbus_is_paused(const struct fieldbus *f, uint32_t device);
bool fieldbus_bus_is_paused(const struct fieldbus *f, uint32_t bus);
/* One of its hosts did not take its configuration, and none has since. */
bool fieldbus_is_refused(const struct fieldbus *f, uint32_t bus);
/*
 * What goes over the bus's wires into the descriptor, as link/recording.h has
 * it. fd stays the caller's, and becomes non-blocking; done: at the end, which
 * is also there when nobody reads any more, or 64 MB are full.
 */
int fieldbus_record(struct fieldbus *f, uint32_t bus, int fd, uint64_t usec, fieldbus_ended done,
		    void *userdata);

/* The last time that a point was read, as its host has it. */
struct fieldbus_exchange {
	const char *text;	 /* of the request that reads it, for people; "": none does */
	uint64_t period_usec;	 /* or CONFIG_RATE_* */
	uint64_t boottime_usec; /* 0: not yet, or it speaks by itself */
	const void *sent, *received; /* as they went over the wire */
	size_t n_sent, n_received;
	bool cut; /* there was more of them */
};
/* Everything lives during the call; error as fieldbus_read_done has it, exchange NULL then. */
typedef void (*fieldbus_exchanged)(void *userdata, int error, const char *detail,
				   const struct fieldbus_exchange *exchange);
/* Asks the running host of a device; puts nothing on its wire. Returns and ends as fieldbus_read() does. */
#define FIELDBUS_EXCHANGE_USEC UINT64_C(5000000)
int fieldbus_exchange_get(struct fieldbus *f, uint32_t device, uint32_t point, fieldbus_exchanged done,
			  void *userdata);

/* For tests, statistics and the supervisor's log: pid of the host that serves a device; 0: none runs, or it is no child. */
int fieldbus_host_pid(const struct fieldbus *f, uint32_t device);

struct fieldbus_statistics {
	uint64_t requests, errors, timeouts, conflated, stale_dropped;
	uint32_t host_restarts;
};
void fieldbus_device_statistics(const struct fieldbus *f, uint32_t device, struct fieldbus_statistics *ret);
/* Of all devices of a bus. */
void fieldbus_bus_statistics(const struct fieldbus *f, uint32_t bus, struct fieldbus_statistics *ret);

/* Of one request of a device, as it is asked now, since its host started; times in microseconds. */
struct fieldbus_request_statistics {
	const char *text;     /* for people */
	uint64_t period_usec; /* or CONFIG_RATE_* */
	uint64_t effective_usec; /* from one turn to the next, smoothed; 0: there were no two */
	uint64_t requests, errors, timeouts;
	uint64_t exceptions; /* turns that ended with one */
	uint64_t last_usec, mean_usec, max_usec; /* latency of what was answered; the mean is smoothed */
};

struct fieldbus_point_statistics {
	uint32_t point;
	uint64_t good, invalid, failed;
	uint64_t unchanged; /* good ones, told as the last value because of `deadband:` */
	uint64_t conflated;
	int error;	  /* the last one, or 0 */
	const char *text; /* what it says, or "" */
};

struct fieldbus_device_details {
	struct fieldbus_request_statistics *requests;
	size_t n_requests;
	struct fieldbus_point_statistics *points;
	size_t n_points;
};
/* Everything lives during the call; on an error there are no details. */
typedef void (*fieldbus_counted)(void *userdata, int error, const char *detail,
				 const struct fieldbus_device_details *details);
/* Asks the running host of a device; returns and ends as fieldbus_read() does, a device offline too. */
#define FIELDBUS_STATISTICS_USEC UINT64_C(5000000)
int fieldbus_statistics_get(struct fieldbus *f, uint32_t device, fieldbus_counted done, void *userdata);
