/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "config/config.h"

/* What one run of config_read() works with; the limits of what files can make grow. */

#define CONFIG_DEVICES_MAX 10000u
#define CONFIG_ENDPOINTS_MAX 20000u
#define CONFIG_BUSES_MAX 1000u
#define CONFIG_PROFILES_MAX 2000u
#define CONFIG_POINTS_MAX 10000u /* of one profile */
#define CONFIG_TYPES_MAX 10000u
#define CONFIG_TYPE_POINTS_MAX 500000u /* of all types together */
#define CONFIG_MAP_MAX 10000u	       /* rows of one endpoint or profile */
#define CONFIG_EXPANSIONS_MAX 200000u  /* of all ranges, repeats and tables together */
#define CONFIG_VARIABLES_MAX 64u       /* that one row or repeat has */
#define CONFIG_CELLS_MAX 65536u	       /* of one sample */
#define CONFIG_INPUTS_MAX 64u 	       /* of one sample */
#define CONFIG_INVALID_MAX 64u	       /* `invalid:` of one point */
#define CONFIG_LABELS_MAX 1000u	       /* `enum:` of one point */
#define CONFIG_SETTINGS_MAX 1000u      /* that a plugin has of one bus, device, or point */
#define CONFIG_PLUGINS_MAX 32u
#define CONFIG_NAME_MAX 64u
#define CONFIG_REPORTS_MAX 1000u

/* One message and where it belongs. */
struct report {
	struct yaml_mark mark;
	size_t file; /* place of mark.file among the files */
	size_t sequence;
	char *text;
};

struct reports {
	struct report *items;
	size_t n, allocated;
	unsigned dropped;
};

/* struct config.arena */
struct config_memory {
	struct arena arena;
	char **file_names; /* that marks point to */
	size_t n_file_names;
	const struct config_device **by_name;
	size_t n_by_name;
};

struct document {
	const struct config_file *file;
	const struct yaml_node *node;
};

struct source_file {
	const struct config_file *file;
	struct yaml_file *yaml; /* NULL: a table, not to be read, or damaged */
	bool damaged;		/* no YAML, which was reported */
};

/* A plugin that was asked for; plugin NULL: there is none. */
struct known_plugin {
	const char *name;
	const struct config_plugin *plugin;
	int asked;	/* 0, or the error that there was instead */
};

struct profile;
struct bus_source;
struct type_entry;
#define TYPE_BUCKETS 4096u

struct loader {
	const struct config_sources *sources;
	struct config *config;
	struct arena *arena;  /* lives as long as the config */
	struct arena scratch; /* lives as long as the run */
	struct reports errors, warnings;
	bool no_memory;
	size_t expansions, type_points;

	struct source_file *files;
	size_t n_files;
	struct document *documents; /* in the order of the files */
	size_t n_documents;

	struct known_plugin plugins[CONFIG_PLUGINS_MAX];
	size_t n_plugins;
	struct profile **profiles; /* in the order of their names */
	size_t n_profiles;
	struct bus_source *buses;		/* beside config.buses */
	const struct profile **device_profiles; /* beside config.devices */
	uint32_t *device_order;			/* indices by name */
	size_t devices_allocated, profiles_allocated, endpoints_allocated, samples_allocated;
	struct type_entry **types; /* TYPE_BUCKETS */
	size_t types_allocated;
	const struct yaml_node **server_patterns; /* beside config.servers: `endpoints:`, or NULL */
	const struct yaml_node *bootstrap_patterns; /* likewise */
	const struct yaml_node *host_rows, *host_create; /* `host: lwm2m:` and `create:`, or NULL */
	struct yaml_mark limits_mark; /* of `limits:` or, without, of nothing (file NULL) */
};

/* Messages; they are given out in the order of the files at the end. */
void loader_error(struct loader *l, struct yaml_mark mark, const char *format, ...) _printf_(3, 4);
void loader_warning(struct loader *l, struct yaml_mark mark, const char *format, ...)
	_printf_(3, 4);
/* "key" is not known here: with "did you mean". */
void loader_unknown(struct loader *l, struct yaml_mark mark, const char *what, const char *text,
		    const char *const *candidates, size_t n);
#define NOT_IN_THIS_VERSION "not in this version"

/*
 * What a function of base/yaml.h said about one node becomes a report. Between
 * the two, errors is an ordinary struct yaml_errors.
 */
void reports_take(struct loader *l, struct yaml_mark mark, struct yaml_errors *errors);
/* The same for what was said about a whole file. */
void reports_take_lines(struct loader *l, const char *file, struct yaml_errors *errors);
/* Errors from number `from` on become one warning, the first of them with what excuses it behind. */
void loader_excuse(struct loader *l, size_t from, const char *excuse);
/* Sorts and writes out; frees. */
void reports_give(struct loader *l, struct reports *reports, struct yaml_errors *ret);

/* Zeroed memory of the configuration, or of this run; NULL sets no_memory. */
void *loader_new(struct loader *l, size_t size);
void *loader_scratch(struct loader *l, size_t size);
char *loader_text(struct loader *l, const char *text);
char *loader_scratch_text(struct loader *l, const char *text, size_t size);
#define loader_array(l, type, n) ((type *)loader_new((l), sizeof(type) * ((n) ?: 1)))
/* Room for one more in a malloc()ed array: where it lies now, or NULL and the old one stays. */
void *loader_grow(struct loader *l, void *items, size_t *allocated, size_t n, size_t size);
/* Counts n expansions against CONFIG_EXPANSIONS_MAX. -EINVAL with an error. */
int loader_expand(struct loader *l, struct yaml_mark mark, size_t n);

static inline bool node_is_null(const struct yaml_node *node)
{
	return node->kind == YAML_KIND_SCALAR && !node->quoted &&
	       (!*node->text || __builtin_strcmp(node->text, "~") == 0 ||
		__builtin_strcmp(node->text, "null") == 0);
}
