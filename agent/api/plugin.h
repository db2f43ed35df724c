/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "api/value.h"

/*
 * The plugin contract. A plugin is a shared object that exports one symbol,
 * `fieldway_plugin`. It runs in fieldway-plugin-host, never in the daemon, and
 * knows frames and addresses of one protocol. The host owns schedule, deadlines,
 * back-off, scale, offset, invalid, verify and statistics. No globals, no exit,
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
};

enum fieldway_key_flag {
	FIELDWAY_KEY_REQUIRED = 1 << 0,
	FIELDWAY_KEY_SECRET = 1 << 1,   /* bytes come over the link at need and are never logged */
	FIELDWAY_KEY_DURATION = 1 << 2, /* "500ms" in YAML, microseconds as UINT here */
	FIELDWAY_KEY_PLACE = 1 << 3,    /* where a point lies: messages about the point name it */
};

/* One key. A nested YAML key is written with a dot: "tcp.port", "write.address". */
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
	struct fieldway_settings settings;
};

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

/* ---- opaque objects of the plugin ---- */

struct fieldway_driver; /* a device's configuration, compiled: addresses, types, orders; opens nothing */
struct fieldway_line;   /* an open serial port or connection */

/* One request to a device, read at once. The host makes no other use of it than to hand it back. */
struct fieldway_request {
	const uint32_t *points; /* indices that its answer holds */
	size_t n_points;
	char text[96];          /* for people: "input 0-17 (18 registers)" */
	uint32_t wire_bytes;    /* both directions, for cycle times */
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
 * -EREMOTEIO device failure (4, 10) , -EHOSTDOWN gateway: target silent (11).
 * detail is text for people ("exception 2 (illegal data address)"), may be "".
 */
struct fieldway_result {
	int error;
	char detail[96];
};

/* Bits of fieldway_plugin.capabilities. */
enum fieldway_capability {
	FIELDWAY_CAN_POLL = 1 << 0,  /* has the polled operations */
	FIELDWAY_CAN_WRITE = 1 << 1,
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
	/* The requests that read these points, in order, neighbours merged. 0 or -ENOMEM. */
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
};

extern const struct fieldway_plugin fieldway_plugin;
