/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/definition.h"
#include "model/record.h"
#include "store/backing.h"

/*
 * The values of one endpoint: object instances with their resources, each kept
 * here or backed. Single-threaded. Memory per idle endpoint counts: 10,000 of
 * them with three objects each share one process.
 */
struct store;

enum store_change {
	STORE_CHANGE_VALUES,    /* values or qualities at or below the paths */
	STORE_CHANGE_INSTANCES, /* the set of objects and object instances */
};

/*
 * What changed since the last call, as one change: paths (resource level;
 * for STORE_CHANGE_INSTANCES the instances and objects that came or went, and
 * objects in another version; ascending, no duplicates) of values whose content or quality really differ.
 * The root stands for changes that there was no memory to note. Runs from the event that made the change,
 * never inside store_write() before its done.
 */
typedef void (*store_watch)(void *userdata, enum store_change change, const struct path *paths, size_t n);

int store_new(const struct definitions *definitions, struct store **ret);
struct store *store_free(struct store *s); /* pending writes end with -ECANCELED */
void store_set_watch(struct store *s, store_watch watch, void *userdata);

/* ---- shape ---- */

/* Objects appear with their first instance or by this call, in one version. -EEXIST in another version. */
int store_add_object(struct store *s, const struct object_definition *definition);
int store_add_instance(struct store *s, const struct object_definition *definition, uint16_t instance);
int store_remove_instance(struct store *s, uint16_t object, uint16_t instance); /* -ENOENT */
int store_remove_object(struct store *s, uint16_t object); /* with all its instances; -ENOENT */
/*
 * Makes a resource exist in an instance, without value (STORE_NEVER when it has
 * a backing without read(), else absent until a value comes). Executables
 * exist by this call too. -ENOENT no such instance, -EINVAL not in the
 * definition, -ENOSPC too many different backings.
 */
#define STORE_BACKINGS_MAX 16384u /* of one store */
int store_add_resource(struct store *s, const struct path *resource, const struct backing *backing);
/*
 * Who stands behind a resource is followed by another, in all that it stands behind:
 * values and qualities stay. -ENOENT: it is not there, or nobody stands behind it.
 */
int store_hand_over(struct store *s, const struct path *resource, const struct backing *to);
/*
 * With what stands behind it. Requests of servers that have not reached it yet
 * fail, and leave nothing of theirs here.
 */
int store_remove_resource(struct store *s, const struct path *resource);
/* Who stands behind a resource, until the store's shape changes; NULL: nobody, or it is not there. */
const struct backing *store_backing(const struct store *s, const struct path *resource);

/*
 * The same objects as other files define them: the newest version that
 * definitions has of each. What keeps its type, unit and multiplicity keeps value
 * and backing; another resource leaves, as store_remove_resource(), and so does an
 * object that is unknown now. The former definitions are not looked at any more.
 * True: one of the objects is not defined as it was.
 */
bool store_set_definitions(struct store *s, const struct definitions *definitions);

const struct object_definition *store_object(const struct store *s, uint16_t object); /* NULL */
const struct resource_definition *store_resource(const struct store *s, const struct path *path); /* by definition; NULL */
bool store_exists(const struct store *s, const struct path *path); /* any depth; the root always does */
/* What a resource lets servers do: of its definition what whoever stands behind it allows. 0: it is not there. */
uint8_t store_operations(const struct store *s, const struct path *resource);

/* Walks what exists directly below a path (objects, instances, resources, resource instances), ascending. f returns 0 to go on; its other values end the walk and are returned. */
int store_children(const struct store *s, const struct path *path,
		   int (*f)(void *userdata, const struct path *child), void *userdata);
/* Lowest free instance id of an object, ID_NONE if full. */
uint16_t store_free_instance(const struct store *s, uint16_t object);

/* ---- values, from the side that backs them ---- */

/*
 * Sets values from their source as one change: value types are converted to
 * the definition's (-EINVAL, -ERANGE else, nothing set). Sampling times come
 * from the records. Quality becomes good. Instances of multiple resources are
 * made as needed.
 */
int store_update(struct store *s, const struct record *records, size_t n);
static inline int store_update_one(struct store *s, const struct path *path, const struct value *value)
{
	struct record record = { .path = *path, .value = *value };
	return store_update(s, &record, 1);
}
/* Removes a resource instance, or all instances of a multiple resource. */
int store_remove_value(struct store *s, const struct path *path);
int store_set_quality(struct store *s, const struct path *resource, enum store_quality quality);
enum store_quality store_quality(const struct store *s, const struct path *resource);
/* Backed, and nobody has had a value of it so far; its device may be offline. */
bool store_is_unread(const struct store *s, const struct path *resource);
/* Brackets around several of the calls above: watchers see one change at the outer end. */
void store_begin(struct store *s);
void store_end(struct store *s);

/* ---- reading ---- */

/*
 * Brings what is at and below a path up to date, where somebody backs it who can
 * (backing.h). done runs exactly once, at once where there is nothing to do; its
 * error is the first one. done may be NULL.
 */
void store_refresh(struct store *s, const struct path *path, backing_done done, void *userdata);
/* Asks for a sample of what is at and below a path and is not sampled that often by itself. */
void store_sample(struct store *s, const struct path *path, uint64_t period_usec);
/*
 * One resource or resource instance. The value is a copy. -ENOENT; -EPERM not
 * readable is NOT checked here; -ENODATA -ESTALE -EHOSTDOWN by quality (with
 * last_known true a stale or offline value is returned with 0 all the same).
 */
int store_read(struct store *s, const struct path *path, bool last_known, struct value *ret,
	       uint64_t *ret_boottime_usec);
/*
 * Everything readable at or below the path as records, ascending; resources
 * that are not good are left out unless last_known; *ret_left_out (may be
 * NULL) counts them. -ENOENT.
 */
int store_collect(struct store *s, const struct path *path, bool last_known, struct records *ret,
		  unsigned *ret_left_out);
/* Payload for a 5.03: device, age, reason. */
void store_explain(struct store *s, const struct path *path, char *ret, size_t size);

/* ---- writing, from the server side ---- */

/* What servers may make grow by writing; whoever backs values is not bound. */
#define STORE_INSTANCES_MAX 1024u	   /* of an object */
#define STORE_RESOURCE_INSTANCES_MAX 1024u /* of a resource */
#define STORE_BYTES_MAX (4u << 20)	   /* of texts and opaque values, old and new ones together */

enum store_write_mode {
	STORE_REPLACE, /* Write (Replace): Core 6.3.3 */
	STORE_UPDATE,  /* Write (Partial Update) */
	STORE_CREATE,  /* Create: target instance is made first */
	STORE_BOOTSTRAP, /* ignores operations; makes what is missing */
	STORE_PATCH, /* Write-Composite: Core 6.3.9 */
};

/*
 * A whole Write: checks everything (types, ranges, operations, Objlnk targets,
 * backing check()), applies memory values together and backed ones in order,
 * stopping at the first failure. done runs exactly once; watches run after it.
 * target: instance, resource or resource instance. Records lie at or below it;
 * they are copied. Unknown resources in an instance's records are skipped.
 * done's error as in backing.h, or -EPERM (4.05), -ENOENT (4.04), -EINVAL and
 * -ERANGE (4.00), -EEXIST, -ENOSPC over a limit; -EREMOTEIO: some were accepted, then one failed, and
 * the reason says which.
 *
 * STORE_PATCH: target is the root, records are resources and resource instances
 * anywhere; VALUE_NONE at a resource instance removes it, there or not. All or
 * nothing: where a backing refuses, those before it get their old values again.
 * Then -EREMOTEIO, or -ENOTRECOVERABLE when one did not take it back; the reason
 * names all of them. -EHOSTDOWN: one is known to be offline, and none was asked;
 * -EPERM also when one that is_strict() would not be the only one. While it is under
 * way nobody else writes the backed ones of its resources, and it none of theirs: -EBUSY.
 */
void store_write(struct store *s, const struct path *target, enum store_write_mode mode,
		 const struct record *records, size_t n, backing_done done, void *userdata);

/*
 * Who watches over the instances of one object that servers make and write, as
 * wholes. All may be NULL.
 */
struct store_keeper_ops {
	/*
	 * Whether the values of a request, each of them good by itself, go
	 * together with each other and with what is there. As backing.h's check().
	 */
	int (*check)(void *userdata, const struct path *target, enum store_write_mode mode,
		     const struct record *records, size_t n, char **ret_reason);
	/* A mandatory writable resource that a Create leaves out, as it is not the server's to give. */
	bool (*supplies)(void *userdata, uint16_t resource);
	/* A request was accepted and answered. */
	void (*written)(void *userdata, const struct path *instance, enum store_write_mode mode);
};
struct store_keeper {
	uint16_t object;
	const struct store_keeper_ops *ops;
	void *userdata;
};
/* One of a store; outlives its requests. */
void store_set_keeper(struct store *s, const struct store_keeper *keeper);

/* -EPERM not executable, -ENOENT; argument may be "". */
void store_execute(struct store *s, const struct path *resource, const char *argument,
		   backing_done done, void *userdata);
/* Delete from the server side: -EPERM when the object forbids it is the caller's to decide. */
int store_delete(struct store *s, const struct path *path);
