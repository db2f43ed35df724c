/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "api/value.h"

/*
 * The plugin contract. A plugin is a shared object that exports one symbol,
 * `fieldway_plugin`. It runs in fieldway-plugin-host, never in the daemon, and
 * knows frames and addresses of one protocol. The host owns schedule, deadlines,
 * back-off, scale, offset, invalid, deadband, verify and statistics. No globals, no exit,
 * no third-party type here. Prose: plugins/README.md.
 */

#define FIELDWAY_ABI 1u
#define FIELDWAY_EXPORT __attribute__((visibility("default")))

/* ---- configuration ---- */

enum fieldway_scope {
	FIELDWAY_SCOPE_BUS = 1 << 0,     /* keys of a bus */
	FIELDWAY_SCOPE_ADDRESS = 1 << 1, /* keys below a device's `address:` */
	FIELDWAY_SCOPE_DEVICE = 1 << 2,  /* keys of `defaults:` that hold for a device as a whole */
	FIELDWAY_SCOPE_POINT = 1 << 3,   /* keys of a point, or of `defaults:` for all points */
	FIELDWAY_SCOPE_PROFILE = 1 << 4, /* keys of a profile itself, beside `points:`; come with those of the device */
};

enum fieldway_key_flag {
	FIELDWAY_KEY_REQUIRED = 1 << 0,
	/*
	 * A reference of the configuration ("table:keys/th.keys", "file:F"): the plugin
	 * gets what it leads to as BYTES, never logged. Declared as STRING.
	 */
	FIELDWAY_KEY_SECRET = 1 << 1,
	FIELDWAY_KEY_DURATION = 1 << 2, /* "500ms" in YAML, microseconds as UINT here */
	FIELDWAY_KEY_PLACE = 1 << 3,    /* where a point lies: messages about the point name it */
	FIELDWAY_KEY_LIST = 1 << 4,     /* one value, or a list in YAML: a setting for each, in order */
	/*
	 * A path, relative to the configuration folder: the plugin, which may not see that
	 * folder, gets the file's content as BYTES. With SECRET the file is refused when
	 * other users can read it. Declared as STRING.
	 */
	FIELDWAY_KEY_CONTENT = 1 << 5,
};

/*
 * One key. A nested YAML key is written with a dot: "tcp.port", "write.address".
 * A part that is "*" stands for a name that the user chooses, and the setting
 * has that in its place: "messages.*.match" comes as "messages.weight.match".
 * As the last part it takes the YAML key as it is, dots and all: "good.*" comes
 * as "good.weight.state". Such settings come in the order of the file.
 */
struct fieldway_key {
	const char *name;
	unsigned scope; /* enum fieldway_scope, or'ed */
	unsigned flags; /* enum fieldway_key_flag, or'ed */
	enum fieldway_type type; /* BOOL INT UINT FLOAT STRING */
	double minimum, maximum; /* numbers only; both 0: no limit */
	const char *const *choices; /* NULL-terminated allowed strings, or NULL */
	const char *initial;     /* default as text, or NULL */
	const char *unit;        /* "baud", or NULL */
	const char *help;        /* one line */
};

struct fieldway_setting {
	const char *key;
	struct fieldway_value value; /* of the key's type; checked against the table, defaults filled in */
};

/* Settings live as long as the object that they were given for. */
struct fieldway_settings {
	const struct fieldway_setting *items;
	size_t n;
};

struct fieldway_point {
	const char *name;
	bool readable, writable;
	uint64_t period_usec; /* how often it is wanted; FIELDWAY_PERIOD_ONCE, FIELDWAY_PERIOD_ON_DEMAND */
	struct fieldway_settings settings;
};
#define FIELDWAY_PERIOD_ONCE UINT64_C(0)
#define FIELDWAY_PERIOD_ON_DEMAND UINT64_MAX

struct fieldway_device {
	const char *name;
	struct fieldway_settings settings; /* address and device scope */
	const struct fieldway_point *points;
	size_t n_points;
};

struct fieldway_bus {
	const char *name;
	struct fieldway_settings settings;
	uint64_t timeout_usec; /* one request's answer */
};

/* Why something was refused: text for the user, and the point and key where it lies (-1, NULL: not there). */
struct fieldway_error {
	char text[256];
	int point;
	const char *key; /* a key of the table */
};

/* One register or coil of a profile's sample: `registers: {input: {0: [0x4366]}}` is input, 0, 0x4366. */
struct fieldway_cell {
	const char *area; /* as written */
	uint32_t address;
	uint16_t value;   /* of a coil 0 or 1 */
};

/*
 * A part of what came from a device, in a profile's sample that has no
 * registers. `bytes: "02 41"` is "bytes" and what the digits mean; of all
 * others data is the text as written: `text:` and `message:` are these names,
 * `advertisement: {service_data: {fcd2: "40"}}` is "advertisement.service_data.fcd2",
 * `gatt: {2a19: "64"}` is "gatt.2a19". A list is several of one name.
 */
struct fieldway_input {
	const char *name;
	const char *data;
	size_t size;
};

/* ---- opaque objects of the plugin ---- */

struct fieldway_driver; /* a device's configuration, compiled: addresses, types, orders; opens nothing */
struct fieldway_line;   /* an open serial port or connection */

/* One request to a device, read at once. The host makes no other use of it than to hand it back. */
struct fieldway_request {
	const uint32_t *points; /* indices that its answer holds */
	size_t n_points;
	char text[96];          /* for people: "input 0-17 (18 registers)" */
	uint32_t wire_bytes;    /* both directions, for cycle times */
	uint64_t wire_usec;     /* how long it holds the line, pauses and all; 0: nobody can say beforehand */
	uint64_t token;         /* the plugin's own */
};

struct fieldway_plan {
	struct fieldway_request *requests;
	size_t n;
	void *memory; /* the plugin's; freed by plan_free() */
};

/* ---- results ---- */

/* What became of a write. Unknown is never repeated by anybody. */
enum fieldway_outcome {
	FIELDWAY_ACCEPTED, /* the device confirmed */
	FIELDWAY_REFUSED,  /* the device said no; error tells why */
	FIELDWAY_NOT_SENT, /* nothing reached the line */
	FIELDWAY_UNKNOWN,  /* sent, and no answer that proves either */
};

/*
 * Errors of reads and writes: -ETIMEDOUT no answer, -EBADMSG garbled or foreign
 * answer, -ECONNREFUSED/-ECONNRESET/-EHOSTUNREACH/-ENODEV/-EIO the line, -EINVAL
 * device: illegal value (Modbus exception 3), -ENXIO device: illegal address
 * (2), -EOPNOTSUPP device: illegal function (1), -EBUSY device busy (5, 6),
 * -EREMOTEIO device failure (4), -EHOSTUNREACH gateway: no path (10), -EHOSTDOWN
 * gateway: target silent (11). code: of an error that is the device's own, the
 * number that its protocol has for it, or 0. detail is text for people
 * ("exception 2 (illegal data address)"), may be "".
 */
struct fieldway_result {
	int error;
	uint8_t code;
	char detail[192];
};

/* Bits of fieldway_plugin.capabilities. */
enum fieldway_capability {
	FIELDWAY_CAN_POLL = 1 << 0,   /* has the polled operations */
	FIELDWAY_CAN_WRITE = 1 << 1,
	FIELDWAY_CAN_LISTEN = 1 << 2, /* has the event-driven operations */
};

/* How a device is reached. */
enum fieldway_io {
	FIELDWAY_IO_POLLED,
	FIELDWAY_IO_EVENTS,
};

/* Which way bytes went, for recordings. */
enum fieldway_direction {
	FIELDWAY_SENT,
	FIELDWAY_RECEIVED,
};

/*
 * Where a line tells what goes over its wire, byte for byte as on the wire, in
 * order. Called from the line's thread; neither fails nor blocks.
 */
struct fieldway_tap {
	void (*bytes)(const struct fieldway_tap *tap, enum fieldway_direction direction,
		      const void *bytes, size_t size);
};

/* ---- event-driven I/O ---- */

struct fieldway_session; /* an event-driven bus at work */
struct fieldway_watch;
struct fieldway_timer;
struct fieldway_ticket;	 /* a write that waits for its end */

enum fieldway_device_state {
	FIELDWAY_DEVICE_ONLINE,  /* something was heard of it */
	FIELDWAY_DEVICE_OFFLINE, /* known to be gone; the host does so too, after `silence:` */
	FIELDWAY_DEVICE_FAILED,  /* its bus cannot be used */
};

typedef void (*fieldway_watch_handler)(void *userdata, uint32_t events);
typedef void (*fieldway_timer_handler)(void *userdata);

/*
 * What the host lends to an event-driven bus. Everything runs in the host's one
 * loop: nothing may block there, neither these nor the plugin's handlers.
 * Handlers never run inside of a call of the plugin's own. Devices are the
 * indices of bus_start()'s array.
 */
struct fieldway_host {
	/* events: EPOLLIN, EPOLLOUT and so on, level-triggered. 0 or a negative errno. */
	int (*watch_new)(const struct fieldway_host *host, int fd, uint32_t events,
			 fieldway_watch_handler handler, void *userdata, struct fieldway_watch **ret);
	int (*watch_set)(struct fieldway_watch *watch, uint32_t events);
	void (*watch_free)(struct fieldway_watch *watch); /* takes NULL; does not close fd */
	/* Off at first. */
	int (*timer_new)(const struct fieldway_host *host, fieldway_timer_handler handler, void *userdata,
			 struct fieldway_timer **ret);
	void (*timer_set)(struct fieldway_timer *timer, uint64_t monotonic_usec); /* once; UINT64_MAX: off */
	void (*timer_free)(struct fieldway_timer *timer); /* takes NULL */

	/*
	 * GOOD and INVALID samples, raw as read() gives them; what they point to
	 * is copied. They mean that the device is online. A FAILED one tells that
	 * its point could not be read.
	 */
	void (*samples)(const struct fieldway_host *host, uint32_t device,
			const struct fieldway_sample *samples, size_t n);
	/* reason: text for people, without the names of bus and device. */
	void (*state)(const struct fieldway_host *host, uint32_t device, enum fieldway_device_state state,
		      const char *reason);
	/* Requests, and those of them that failed or were not answered, for the device's statistics. */
	void (*count)(const struct fieldway_host *host, uint32_t device, unsigned requests, unsigned errors,
		      unsigned timeouts);
	/* The end of a write, exactly once. */
	void (*written)(const struct fieldway_host *host, struct fieldway_ticket *ticket,
			enum fieldway_outcome outcome, const struct fieldway_result *result);
	/* While bus_scan() is under way: something that could be a device. Facts as YAML flow text. */
	void (*found)(const struct fieldway_host *host, const char *address, const char *facts);
	/* As struct fieldway_tap has it. */
	void (*bytes)(const struct fieldway_host *host, enum fieldway_direction direction, const void *bytes,
		      size_t size);
};

/* ---- the descriptor ---- */

struct fieldway_plugin {
	uint32_t struct_size; /* sizeof(struct fieldway_plugin): first, forever */
	uint32_t abi;         /* FIELDWAY_ABI */
	uint64_t capabilities;
	const char *name;     /* as in YAML `plugin:` */
	const char *version;
	const struct fieldway_key *keys;
	size_t n_keys;

	/* Pure: they open nothing, block nowhere, and may run in any thread. */

	/* A bus alone: do its settings fit together? 0 or -EINVAL with error. */
	int (*bus_check)(const struct fieldway_bus *bus, struct fieldway_error *error);
	/*
	 * Compiles a device. 0, -ENOMEM, or -EINVAL with error. The arguments
	 * outlive the driver. bus NULL: a device for a profile's samples; its
	 * settings have no address, and only plan_new() and what is pure
	 * beside it is called.
	 */
	int (*driver_new)(const struct fieldway_bus *bus, const struct fieldway_device *device,
			  struct fieldway_driver **ret, struct fieldway_error *error);
	void (*driver_free)(struct fieldway_driver *driver);
	/*
	 * Which line the device lies on: text such as "/dev/ttyUSB0" or
	 * "10.0.1.7:502/0". Devices with equal text share a line and its thread.
	 */
	int (*line_name)(const struct fieldway_driver *driver, char *ret, size_t size);
	/*
	 * The requests that read these points, in order, neighbours merged. 0 or
	 * -ENOMEM. They do for any driver of the same configuration, and outlive
	 * this one.
	 */
	int (*plan_new)(const struct fieldway_driver *driver, const uint32_t *points, size_t n_points,
			struct fieldway_plan *ret);
	void (*plan_free)(struct fieldway_plan *plan);
	/*
	 * Values out of a request's answer bytes (for samples and tests). bytes are
	 * what the protocol delivers for the request, as plugins/<x>/README.md
	 * says. samples has room for request->n_points; string data points into
	 * text, which has room for text_size bytes. 0 or -EBADMSG.
	 */
	int (*decode)(const struct fieldway_driver *driver, const struct fieldway_request *request,
		      const void *bytes, size_t size, struct fieldway_sample *samples, char *text,
		      size_t text_size);

	/* Polled I/O: on the line's own thread, may block, at most until the deadline (CLOCK_MONOTONIC microseconds). */

	/* The arguments go before the line does; see line_follow(). */
	int (*line_open)(const struct fieldway_bus *bus, const struct fieldway_driver *first,
			 struct fieldway_line **ret, struct fieldway_result *result);
	void (*line_close)(struct fieldway_line *line);
	/*
	 * Sends one request and decodes its answer into samples (all of
	 * request->n_points, GOOD or INVALID). After an error the line has been
	 * brought back to a clean state or says broken: *ret_broken true asks the
	 * host to close and open it again. A late answer is never taken for the
	 * next one.
	 */
	int (*read)(struct fieldway_line *line, const struct fieldway_driver *driver,
		    const struct fieldway_request *request, uint64_t deadline_usec,
		    struct fieldway_sample *samples, char *text, size_t text_size,
		    struct fieldway_result *result, bool *ret_broken);
	/* Writes one point; value is in the device's raw unit (scaling undone), of a type that fits the point. */
	enum fieldway_outcome (*write)(struct fieldway_line *line, const struct fieldway_driver *driver,
				       uint32_t point, const struct fieldway_value *value,
				       uint64_t deadline_usec, struct fieldway_result *result,
				       bool *ret_broken);
	/* Would write() be able to carry this raw value? -ERANGE, -EINVAL with error->text. Pure. */
	int (*write_check)(const struct fieldway_driver *driver, uint32_t point,
			   const struct fieldway_value *value, struct fieldway_error *error);
	/*
	 * Pure: the bytes for decode(), had a device with these cells answered the
	 * request. Returns their number; -ENODATA when a point of the request lies
	 * on a cell that is missing (holes between points are 0); -ENOBUFS. NULL:
	 * the plugin has no cells, its profiles no `registers:` samples.
	 */
	ssize_t (*answer)(const struct fieldway_driver *driver, const struct fieldway_request *request,
			  const struct fieldway_cell *cells, size_t n_cells, void *ret_bytes,
			  size_t size);

	/* All that follows may be NULL. */

	/* How this device is reached. NULL: polled if the plugin can, else by events. */
	enum fieldway_io (*driver_io)(const struct fieldway_driver *driver);
	/*
	 * What of a device's configuration is allowed but looks wrong, such as two
	 * points that overlap by half. Fills at most max, returns how many. Pure.
	 */
	size_t (*driver_notes)(const struct fieldway_driver *driver, struct fieldway_error *ret, size_t max);
	/* From now on every byte of the line is told; NULL: no more. On the line's thread. */
	void (*line_tap)(struct fieldway_line *line, const struct fieldway_tap *tap);
	/*
	 * One request as the user gives it and its answer, both without framing (Modbus:
	 * PDU). Otherwise as read(); an answer is what the device says, exceptions too;
	 * of size 0 where the request is for everybody and nobody answers.
	 */
	int (*raw)(struct fieldway_line *line, const struct fieldway_driver *driver, const void *request,
		   size_t size, uint64_t deadline_usec, void *ret_answer, size_t answer_size,
		   size_t *ret_size, struct fieldway_result *result, bool *ret_broken);

	/*
	 * Event-driven I/O, in the host's loop. All devices of a bus that
	 * driver_io() says EVENTS of are started together; none where a bus is
	 * only to be scanned. A bus that cannot be used
	 * now (no adapter, no port) is no failure: its devices are FIELDWAY_DEVICE_FAILED,
	 * and the plugin goes on trying. 0 or -ENOMEM.
	 */
	int (*bus_start)(const struct fieldway_bus *bus, const struct fieldway_driver *const *drivers,
			 size_t n_drivers, const struct fieldway_host *host, struct fieldway_session **ret);
	/* Frees everything; tickets that are still out end first, as NOT_SENT or UNKNOWN. */
	void (*bus_stop)(struct fieldway_session *session);
	/*
	 * As write(), without waiting: host->written() ends it, also from within this
	 * call. deadline_usec is CLOCK_MONOTONIC.
	 */
	void (*bus_write)(struct fieldway_session *session, uint32_t device, uint32_t point,
			  const struct fieldway_value *value, uint64_t deadline_usec,
			  struct fieldway_ticket *ticket);
	/* These points are wanted now (on demand, after a write, of a device that is back): samples follow. */
	void (*bus_read)(struct fieldway_session *session, uint32_t device, const uint32_t *points, size_t n);
	/* Tells host->found() what is in reach until the time, and again from the start. 0: ends it. */
	int (*bus_scan)(struct fieldway_session *session, uint64_t until_usec);
	/* Gives the port or adapter away and takes it back, its devices FIELDWAY_DEVICE_FAILED meanwhile. */
	void (*bus_release)(struct fieldway_session *session, bool released);

	/*
	 * Pure: the raw samples that these make, for `samples:`. samples has room for
	 * each point of the device once; of one that comes more than once the last
	 * counts. text as in decode(). 0, -ENOMEM, or -EINVAL with error, whose key is
	 * the name of an input. NULL: the plugin's profiles have no such samples.
	 */
	int (*sample)(const struct fieldway_driver *driver, const struct fieldway_input *inputs,
		      size_t n_inputs, struct fieldway_sample *samples, size_t *ret_n, char *text,
		      size_t text_size, struct fieldway_error *error);

	/*
	 * The line's thread has nothing else to do: upkeep that no request asks for,
	 * such as closing an idle connection. Does not block. Returns when it wants to
	 * be called again if no request comes (CLOCK_MONOTONIC); UINT64_MAX: not.
	 */
	uint64_t (*line_rest)(struct fieldway_line *line);

	/*
	 * Another configuration in which this line stays: from now on these stand for
	 * those of line_open(), which say the same of it and go now. On the line's
	 * thread. NULL: the line keeps nothing of what it was opened with.
	 */
	void (*line_follow)(struct fieldway_line *line, const struct fieldway_bus *bus,
			    const struct fieldway_driver *first);
	/*
	 * The same for an event-driven bus, with all its devices: i is from now on what
	 * before[i] was, in another driver that says the same, or (UINT32_MAX) a new
	 * one. Those that are not named are gone; their tickets end first, as
	 * bus_stop() has it. What was given to bus_start() goes after the call. 0; -ENOMEM:
	 * nothing has changed. NULL: the host stops the bus and starts it again.
	 */
	int (*bus_change)(struct fieldway_session *session, const struct fieldway_bus *bus,
			  const struct fieldway_driver *const *drivers, size_t n_drivers,
			  const uint32_t *before);
};

extern const struct fieldway_plugin fieldway_plugin;
