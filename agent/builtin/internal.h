/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "builtin/builtin.h"

struct builtin {
	struct store *store;
	const struct builtin_ports *ports;
	void *endpoint;
	bool bootstraps; /* there is a bootstrap server to ask */
	struct device_host *host; /* NULL: not here */
	struct modbus *modbus; /* likewise */
	struct statistics *statistics; /* likewise */
	struct firmware *firmware; /* likewise; the caller's */
	struct software_instance *software; /* of object 9, a list */
};

/* One init each; 0 also when the object has no place in this endpoint. */
int security_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);
int server_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);
int device_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);
int connectivity_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);
int statistics_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);
int modbus_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);
int firmware_object_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);
int software_object_init(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);

/* The same of what is there already. */
int security_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);
int server_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);
int device_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);
int modbus_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);
int firmware_object_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);
int software_object_reload(struct builtin *b, const struct definitions *definitions, const struct builtin_values *v);

/* firmware.c, software.c: they hear of nothing any more */
void firmware_object_leave(struct builtin *b);
void software_object_leave(struct builtin *b);

/* device_host.c */
int device_host_init(struct builtin *b, const struct builtin_host *v);
struct device_host *device_host_free(struct device_host *h);
/* /3/0/4; h may be NULL. False: that is not for servers to do here. */
bool device_host_reboot(struct device_host *h);

/* statistics.c */
struct statistics *statistics_free(struct statistics *s);

/* modbus.c */
struct modbus *modbus_free(struct modbus *m);

/* A value that the store keeps; v is consumed. */
int builtin_set(struct builtin *b, uint16_t object, uint16_t instance, uint16_t resource, struct value v);
/* Likewise text; NULL leaves the resource out. */
int builtin_set_text(struct builtin *b, uint16_t object, uint16_t instance, uint16_t resource,
		     const char *text);
/* Nobody stands behind a resource yet: now this one does. */
int builtin_back(struct builtin *b, const struct path *resource, const struct backing_ops *ops);
/* Does an instance exist? */
bool builtin_has(const struct builtin *b, uint16_t object, uint16_t instance);
/* Takes the instances of an object away that belong to no account; the object, too, where there is none. */
void builtin_keep_accounts(struct builtin *b, uint16_t object, const struct builtin_values *v);
