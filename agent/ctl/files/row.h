/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "ctl/files/changes.h"
#include "ctl/files/configuration.h"

/* Where a device stands in devices.d. */
struct row {
	const struct config_device *device;
	const struct config_file *file;
	struct yaml_file *yaml;		   /* of it */
	const struct yaml_node *sequence; /* `devices:` */
	size_t index;			   /* of its row there */
	const struct yaml_node *node;	   /* the row */
	size_t devices;			   /* that the row makes */
	const struct yaml_node *each;	   /* `each:` as a list, or NULL */
	size_t each_index;		   /* the one of it that makes this device */
	char *path;			   /* of the file, below the configuration's folder */
};

/* 0; -ENOENT: no such device, with "did you mean"; others; after a line on standard error. */
int row_find(const struct invocation *i, const struct configuration *c, const char *device,
	     struct row *ret);
void row_done(struct row *r);
#define _cleanup_row_ _cleanup_(row_done)

/* "devices.d/site.yaml:7: TEXT", for what only a person can do. Returns -ENOTSUP. */
int row_refuse(const struct row *r, const char *text);
/* The key of `override:` for this device (configuration: Names), yours to free. NULL without memory. */
char *row_override_key(const struct row *r);

/*
 * What the configuration would be with another text of the row's file (NULL: without
 * it), and how it differs: 0, or negative after lines on standard error.
 */
int row_try(const struct invocation *i, const struct configuration *c, const struct row *row,
	    const char *text, struct configuration *ret_after, struct changes *ret_changes);
/*
 * Tells what changes, writes the file (edit.h), tells that too. Refuses when a device
 * other than this one would change.
 */
int row_commit(const struct invocation *i, const struct configuration *c, const struct row *row,
	       char *text);
