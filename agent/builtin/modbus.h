/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by the .c files of the Modbus objects only. */

#include "base/clock.h"
#include "base/list.h"
#include "base/timer.h"
#include "builtin/internal.h"
#include "builtin/modbus_pdu.h"

#define CONNECTION_OBJECT 10374
#define CLUSTER_OBJECT 10375

enum {
	CLUSTER_CONNECTION = 0,
	CLUSTER_TYPE = 1,
	CLUSTER_UNIT = 2,
	CLUSTER_START = 3,
	CLUSTER_QUANTITY = 4,
	CLUSTER_VALUES = 5,
	CLUSTER_MINIMUM = 6,
	CLUSTER_MAXIMUM = 7,
	CLUSTER_RESET = 8,
};

/* Instances of /10375 that servers may have. */
#define CLUSTERS_MAX 64u
/* Requests that are at work, and wait for their turn. */
#define OPERATIONS_MAX 256u
#define OPERATIONS_AT_ONCE 8u
/* Observed clusters are read so often. */
#define OBSERVED_USEC (10 * USEC_PER_SEC)
#define REASON_MAX 160u

struct connection {
	uint16_t id;
	bool serial, shared;
};

/* What is known of an instance beside its values. */
struct kept_cluster {
	uint16_t instance;
	struct cluster cluster; /* that its Values are of */
	char reason[REASON_MAX]; /* why they could not be read, or "" */
	struct extremes *extremes; /* NULL: nothing has been read */
};

struct modbus {
	struct builtin *builtin;
	bool change;
	struct connection *connections;
	size_t n_connections;
	struct kept_cluster clusters[CLUSTERS_MAX];
	size_t n_clusters;
	struct store_keeper keeper;
	struct list operations; /* struct modbus_operation */
	unsigned n_operations, n_running;
	bool starting;
	struct timer timer; /* OBSERVED_USEC, where there are clusters */
};

const struct connection *connection_find(const struct modbus *m, uint16_t id);

/* modbus_connection.c */
int connections_init(struct modbus *m, const struct definitions *definitions, const struct builtin_modbus *v);
/* m->connections are those of v already. */
int connections_reload(struct modbus *m, const struct definitions *definitions, const struct builtin_modbus *v);

/* modbus_cluster.c */
int clusters_init(struct modbus *m, const struct definitions *definitions);
int clusters_adopt(struct modbus *m);
/* Connections have come, gone, or are others. */
int clusters_reload(struct modbus *m, const struct definitions *definitions);
struct kept_cluster *cluster_find(struct modbus *m, uint16_t instance);
/* What was read, or why it was not. */
void cluster_take(struct modbus *m, uint16_t instance, const struct cluster *cluster, const uint16_t *values);
void cluster_fail(struct modbus *m, uint16_t instance, const char *reason);
/* Instances 0 to n - 1 of a resource. */
int cluster_put(struct store *store, uint16_t instance, uint16_t resource, const uint16_t *values, size_t n);

/* modbus_extremes.c: nothing is known of them; values as of cluster_take(). 0 or -ENOMEM. */
int extremes_clear(struct modbus *m, struct kept_cluster *k);
int extremes_take(struct modbus *m, struct kept_cluster *k, const uint16_t *values);

/* modbus_operation.c: done as of backing.h, may be NULL; it may run at once. */
void operation_read(struct modbus *m, uint16_t instance, const struct cluster *cluster,
		    backing_done done, void *userdata);
/* records: of Values, at least one; copied. */
void operation_write(struct modbus *m, uint16_t instance, const struct cluster *cluster,
		     const struct record *records, size_t n, backing_done done, void *userdata);
bool operation_exists(const struct modbus *m, uint16_t instance);
void operations_free(struct modbus *m);
