/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

struct sd_event;
struct timers;

/* Builds the agent's modules in order, joins them, and takes them down again. */
struct gateway;

struct gateway_options {
	const char *config_folder;  /* /etc/fieldway */
	const char *shared_folder;  /* /usr/share/fieldway: profiles.d */
	const char *objects_folder; /* the shipped object definitions */
	const char *state_folder;   /* /var/lib/fieldway */
	const char *host_socket;    /* NULL: hosts are children */
	const char *host_program;   /* fieldway-plugin-host */
	const char *plugin_folder;
	const char *install_socket; /* of fieldway-install */
	const char *bus;	    /* "none", or as dbus_config.address */
	bool last_good;		    /* what gateway_check() looks at: not the files */
	int stop_fd;		    /* when it is readable the start gives up; -1: never */
};

/*
 * Reads the configuration and starts everything. -EBADMSG: the files are wrong
 * and no last-good ones are kept (exit code 78); -EBUSY: another process has
 * the state folder; errno of what could not be set up. All are logged. -ECANCELED:
 * stop_fd was readable.
 */
int gateway_new(const struct gateway_options *options, struct sd_event *event, struct timers *timers,
		struct gateway **ret);
struct gateway *gateway_free(struct gateway *g);
/*
 * Reads the configuration again and goes over to it, in the background; wrong
 * files change nothing. While one is under way another one follows it.
 */
void gateway_reload(struct gateway *g);
/* De-registers all endpoints, then calls stopped once. */
void gateway_stop(struct gateway *g, void (*stopped)(void *userdata), void *userdata);

/*
 * Reads the configuration and prints what is wrong with it to standard error,
 * a line each. 0: good, with or without warnings; -EINVAL. Starts no bus, keeps
 * nothing; of the state folder the last configuration that was accepted is read,
 * if at all.
 */
int gateway_check(const struct gateway_options *options, struct sd_event *event, struct timers *timers);
