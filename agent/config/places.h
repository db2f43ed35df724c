/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "config/levels.h"

/* documents.c: is there a file of the place, or the file of this profile, that is no YAML? */
bool documents_are_damaged(const struct loader *l, enum config_place place, const char *profile);
/* The steps of config_read(), in this order; each reports what is wrong and goes on. */
void documents_read(struct loader *l); /* documents.c: files to trees */
void documents_done(struct loader *l);
void gateway_read(struct loader *l); /* gateway.c: fieldway.yaml */
void servers_read(struct loader *l, const struct yaml_node *node);
/* servers.c: a list of name patterns; NULL is the one that all names fit. */
void patterns_read(struct loader *l, const struct yaml_node *node, const char *what, char ***ret,
		   size_t *ret_n);
/* access.c: NULL is `all`. */
void access_read(struct loader *l, const struct yaml_node *node, struct config_server *server);
void host_read(struct loader *l, const struct yaml_node *node);	   /* host.c */
void host_rows_read(struct loader *l); /* when all devices are there */
void bootstrap_read(struct loader *l, const struct yaml_node *node); /* bootstrap.c */
/* servers.c: `security:` of a server that has its uri by now, and whether they go together */
void server_security_read(struct loader *l, const struct yaml_node *security, struct yaml_mark uri,
			  struct config_server *server);
void metrics_read(struct loader *l, const struct yaml_node *node); /* metrics.c */
void history_read(struct loader *l, const struct yaml_node *node, struct yaml_mark at); /* history.c */
void firmware_read(struct loader *l, const struct yaml_node *node); /* firmware.c */
void software_read(struct loader *l, const struct yaml_node *node); /* firmware.c */
void buses_read(struct loader *l);
void profiles_read(struct loader *l);
void devices_read(struct loader *l);
void endpoints_read(struct loader *l);
void endpoints_check(struct loader *l);
void unmapped_check(struct loader *l); /* unmapped.c: warnings */

/* Beside config_bus, for what is merged into types. */
struct bus_source {
	struct rates rates;
	struct stale_part stale;
	const struct known_plugin *plugin;
};

/* Index of a bus, or -ENOENT. */
int bus_find(const struct loader *l, const char *name);
