/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "ctl/daemon/inventory.h"
#include "ctl/files/configuration.h"
#include "ctl/machine/ports.h"

/* What `fieldwayctl doctor` looks at, and what it found: the usual causes of "it does not work". */

enum health {
	HEALTH_OK,
	HEALTH_WARNING,
	HEALTH_ERROR,
	HEALTH_SKIPPED, /* cannot be seen, because of something above it */
};
const char *health_name(enum health h); /* "ok", "warning", "error", "skipped" */

struct finding {
	enum health health;
	const char *check; /* "service", "configuration", ... */
	const char *text, *advice; /* advice "": none is needed */
};

#define FINDINGS_MAX 256u
struct findings {
	struct finding items[FINDINGS_MAX];
	size_t n, left_out;
	struct arena arena;
};

/* Formats into the arena. What does not fit is counted. */
void finding_add(struct findings *f, enum health health, const char *check, const char *advice,
		 const char *format, ...) _printf_(5, 6);
void findings_done(struct findings *f);
#define _cleanup_findings_ _cleanup_(findings_done)

/* What could be learned; each NULL where it could not. */
struct patient {
	const struct invocation *invocation;
	const struct manager_record *manager;
	const struct inventory *inventory;
	const struct configuration *configuration;
	const char *root; /* in front of /etc, /run and the like: "" */
};

/* doctor_daemon.c: what it says of itself. */
void doctor_configuration(const struct patient *p, struct findings *f);
void doctor_servers(const struct patient *p, struct findings *f);
void doctor_devices(const struct patient *p, struct findings *f);
void doctor_models(const struct patient *p, struct findings *f);
/* doctor_machine.c: what this machine has. */
void doctor_names(const struct patient *p, struct findings *f);
void doctor_keys(const struct patient *p, struct findings *f);
void doctor_clock(const struct patient *p, struct findings *f);
void doctor_ports(const struct patient *p, struct findings *f);
void doctor_rights(const struct patient *p, struct findings *f);
