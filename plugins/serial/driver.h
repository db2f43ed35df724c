/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "api/plugin.h"
#include "bus.h"
#include "message.h"
#include "point.h"
#include "template.h"

#define REQUESTS_MAX 32u
#define STEPS_MAX 8u /* of one request */

/* One question and its answer, or only one of them. */
struct step {
	struct slice name;
	const char *prefix_of;	   /* a setting's key whose first prefix_size bytes all of the step's have */
	size_t prefix_size;
	struct template *send;	   /* NULL: only listens */
	struct message *expect;	   /* NULL: nothing answers */
	struct pattern *refuse;	   /* the device says no */
	struct frame_spec frame;
	struct checksum checksum;
	uint64_t timeout_usec;	   /* silence that is too long; 0: the bus's */
	uint64_t pause_usec;	   /* before sending */
	uint32_t retries;	   /* sendings after a silence */
	uint32_t bytes;		   /* about as long is the answer */
	uint32_t baud;		   /* from here on; 0: as it is */
	struct slice switch_message, switch_field; /* which rate the answer comes with, see `bauds.*` */
};

struct request {
	struct slice name;
	size_t n_steps;
	struct step steps[STEPS_MAX];
};

/* Where a point's value comes from. */
struct route {
	const struct message *message; /* NULL: it is not read */
	uint32_t request;	       /* REQUESTS_MAX: it comes by itself */
};

/* A device's configuration, compiled; never changes afterwards, so any thread may read it. */
struct fieldway_driver {
	struct bus bus;
	struct lookup *lookup; /* TCP; the only thing in here that changes, under a mutex of its own */
	const struct fieldway_settings *settings; /* of the device */
	bool stream; /* the device speaks by itself */
	bool latin1; /* texts are ISO 8859-1, else UTF-8 */
	struct slice id;
	struct frame_spec frame;
	struct checksum checksum;
	struct template *hello; /* sent when the port has been opened; NULL: nothing */
	struct message **messages;
	size_t n_messages;
	struct request *requests;
	size_t n_requests;
	struct point *points;
	struct route *routes; /* of each point */
	struct step *writes;  /* of each point */
	size_t n_points;
};

/* The operations of the contract (api/plugin.h) that need no line. */
int driver_bus_check(const struct fieldway_bus *bus, struct fieldway_error *error);
int driver_new(const struct fieldway_bus *bus, const struct fieldway_device *device,
	       struct fieldway_driver **ret, struct fieldway_error *error);
void driver_free(struct fieldway_driver *driver);
int driver_line_name(const struct fieldway_driver *driver, char *ret, size_t size);
enum fieldway_io driver_io(const struct fieldway_driver *driver);
int driver_plan(const struct fieldway_driver *driver, const uint32_t *points, size_t n_points,
		struct fieldway_plan *ret);
void driver_plan_free(struct fieldway_plan *plan);
int driver_decode(const struct fieldway_driver *driver, const struct fieldway_request *request,
		  const void *bytes, size_t size, struct fieldway_sample *samples, char *text,
		  size_t text_size);
int driver_sample(const struct fieldway_driver *driver, const struct fieldway_input *inputs, size_t n_inputs,
		  struct fieldway_sample *samples, size_t *ret_n, char *text, size_t text_size,
		  struct fieldway_error *error);
int driver_write_check(const struct fieldway_driver *driver, uint32_t point,
		       const struct fieldway_value *value, struct fieldway_error *error);

/* ---- for the files that make one up ---- */

/* What templates find by name: {id}. userdata is the driver. */
struct slice driver_text(const void *driver, struct slice name);
/* The point's value in a message, if it comes from it; boottime as the parse has it. */
bool driver_take(const struct fieldway_driver *d, uint32_t point, const struct parse *parse,
		 struct fieldway_sample *ret, char *text, size_t text_size, size_t *used);

/* Reads `messages:`. */
int messages_compile(struct fieldway_driver *d, struct fieldway_error *error);
/* The message of that name; NULL: there is none. */
struct message *messages_find(const struct fieldway_driver *d, struct slice name);
/* Another one that is an expression only. Its name may be empty. */
int messages_add(struct fieldway_driver *d, struct slice name, struct slice expression, const char *key,
		 struct message **ret, struct fieldway_error *error);
/* An expression with the device's address put in. */
int expression_compile(const struct fieldway_driver *d, struct slice text, const char *key, struct pattern **ret,
		       struct fieldway_error *error);

/* Reads `requests:`; messages come first. */
int requests_compile(struct fieldway_driver *d, struct fieldway_error *error);
/* The step that writes a point. */
int write_compile(struct fieldway_driver *d, const struct point *p, struct step *ret, struct fieldway_error *error);
void step_done(struct step *s);
/* The rate that the answer's text stands for; 0: not known. */
uint32_t step_baud(const struct fieldway_driver *d, const struct step *s, struct slice text);
