/* SPDX-License-Identifier: Apache-2.0 */
#include "builtin/access_control.h"

#include <errno.h>
#include <stdlib.h>

#include "model/account.h"
#include "store/store.h"

/* Object 2, Core appendix E.3. */

#define RIGHTS_ALL (ACCESS_ALL & ~ACCESS_CREATE) /* of an instance */

/* A /2 instance, and whose it is. */
struct control {
	uint16_t object, instance;
	uint16_t id;
};

struct following {
	struct store *store;
	const struct builtin_control *config;
	bool renew;
	struct control *controls; /* those that there were, by object and instance */
	size_t n, allocated;
	struct control *kept; /* of config->kept, likewise */
	size_t n_kept;
	int error;
};

/* ---- what an instance should say ---- */

static uint8_t rights_to(const struct builtin_access *access, uint16_t object)
{
	for (size_t i = 0; access && i < access->n; i++)
		if (access->rights[i].object == object)
			return access->rights[i].rights;
	return access ? access->others : ACCESS_READ;
}

static int add_number(struct records *records, uint16_t id, uint16_t resource, int64_t number)
{
	const struct path path = path_of_resource(ACCESS_OBJECT, id, resource);
	struct value v = value_integer(number);

	return records_add(records, &path, &v, 0);
}

static int add_entry(struct records *records, uint16_t id, uint16_t server, uint8_t rights)
{
	const struct path path = path_of_resource_instance(ACCESS_OBJECT, id, ACCESS_ACL, server);
	struct value v = value_integer(rights);

	return records_add(records, &path, &v, 0);
}

/* Who may make instances: whoever may do all with them. */
static int add_makers(struct records *records, const struct builtin_control *c, const struct control *control)
{
	int r = 0;

	for (size_t i = 0; i < c->n_parties && r >= 0; i++)
		if (rights_to(c->parties[i].access, control->object) == RIGHTS_ALL)
			r = add_entry(records, control->id, c->parties[i].short_id, ACCESS_CREATE);
	return r;
}

/* All may read; an entry says where a server may do more, or less. */
static int add_entries(struct records *records, const struct builtin_control *c, const struct control *control)
{
	int r = add_entry(records, control->id, 0, ACCESS_READ);

	for (size_t i = 0; i < c->n_parties && r >= 0; i++) {
		uint8_t rights = rights_to(c->parties[i].access, control->object);

		if (rights != ACCESS_READ)
			r = add_entry(records, control->id, c->parties[i].short_id, rights);
	}
	return r;
}

static uint16_t owner_of(const struct builtin_control *c, const struct control *control)
{
	for (size_t i = 0; i < c->n_parties && control->object == SERVER_OBJECT; i++)
		if (c->parties[i].instance == control->instance)
			return c->parties[i].short_id;
	return ACCESS_BOOTSTRAP;
}

static int describe(const struct builtin_control *c, const struct control *control, struct records *ret)
{
	uint16_t owner = owner_of(c, control);
	int r = add_number(ret, control->id, ACCESS_OBJECT_ID, control->object);

	if (r >= 0)
		r = add_number(ret, control->id, ACCESS_INSTANCE_ID, control->instance);
	if (r >= 0 && control->instance == ID_NONE)
		r = add_makers(ret, c, control);
	else if (r >= 0 && owner == ACCESS_BOOTSTRAP)
		r = add_entries(ret, c, control);
	return r < 0 ? r : add_number(ret, control->id, ACCESS_OWNER, owner);
}

/* ---- what was kept ---- */

static int number_of(const struct record *r)
{
	return r->value.type == VALUE_INTEGER && r->value.integer >= 0 && r->value.integer <= UINT16_MAX ?
		       (int)r->value.integer :
		       -1;
}

/* Resources of one instance of /2 stand next to each other. */
static int instance_of(const struct records *records, size_t at)
{
	const uint16_t id = records->items[at].path.instance;

	for (size_t i = at; i < records->n && records->items[i].path.instance == id; i++)
		if (records->items[i].path.resource == ACCESS_INSTANCE_ID)
			return number_of(&records->items[i]);
	return -1;
}

static int by_target(const void *a, const void *b)
{
	const struct control *x = a, *y = b;
	const struct path one = path_of_instance(x->object, x->instance);
	const struct path other = path_of_instance(y->object, y->instance);

	return path_compare(&one, &other);
}

static int list_kept(struct following *f)
{
	const struct records *kept = f->config->kept;

	if (!kept || kept->n == 0)
		return 0;
	f->kept = calloc(kept->n, sizeof(*f->kept));
	if (!f->kept)
		return -ENOMEM;
	for (size_t i = 0; i < kept->n; i++) {
		const struct path *path = &kept->items[i].path;
		bool is_first = path->depth == PATH_RESOURCE && path->resource == ACCESS_OBJECT_ID;
		int object = is_first ? number_of(&kept->items[i]) : -1, of = is_first ? instance_of(kept, i) : -1;

		if (object >= 0 && of >= 0)
			f->kept[f->n_kept++] = (struct control){ (uint16_t)object, (uint16_t)of, path->instance };
	}
	if (f->n_kept > 0)
		qsort(f->kept, f->n_kept, sizeof(*f->kept), by_target);
	return 0;
}

static const struct control *find_in(const struct control *controls, size_t n, const struct control *wanted)
{
	return n == 0 ? NULL : bsearch(wanted, controls, n, sizeof(*wanted), by_target);
}

/* Its id there, or ID_NONE. */
static uint16_t find_kept(const struct following *f, const struct control *control)
{
	const struct control *kept = find_in(f->kept, f->n_kept, control);

	return kept ? kept->id : ID_NONE;
}

static int copy_kept(const struct builtin_control *c, uint16_t kept, uint16_t id, struct records *ret)
{
	int r = 0;

	for (size_t i = 0; i < c->kept->n && r >= 0; i++) {
		struct path path = c->kept->items[i].path;

		if (path.instance != kept || path.depth < PATH_RESOURCE)
			continue;
		path.instance = id;
		r = records_add_copy(ret, &path, &c->kept->items[i].value, 0);
	}
	return r;
}

/* ---- what there is ---- */

static bool is_same(const struct records *a, const struct records *b)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct record *other = records_find(b, &a->items[i].path);

		if (!other || !value_equal(&a->items[i].value, &other->value))
			return false;
	}
	return a->n == b->n;
}

static int put(struct following *f, const struct control *control, const struct records *wanted)
{
	const struct path path = path_of_instance(ACCESS_OBJECT, control->id);
	const struct path entries = path_child(&path, ACCESS_ACL);
	_cleanup_records_ struct records present = { 0 };
	int r = store_exists(f->store, &path) ? store_collect(f->store, &path, true, &present, NULL) : 0;

	if (r < 0 || is_same(&present, wanted))
		return r;
	store_remove_resource(f->store, &entries);
	r = store_add_instance(f->store, definitions_newest(f->config->definitions, ACCESS_OBJECT), control->id);
	return r < 0 ? r : store_update(f->store, wanted->items, wanted->n);
}

static void note(struct following *f, int error)
{
	if (error < 0 && f->error >= 0)
		f->error = error;
}

/* The one that it had, where nobody else has it by now. */
static uint16_t choose_id(const struct following *f, uint16_t kept)
{
	const struct path path = path_of_instance(ACCESS_OBJECT, kept);

	return kept != ID_NONE && !store_exists(f->store, &path) ? kept : store_free_instance(f->store, ACCESS_OBJECT);
}

/* An instance that exists, or ID_NONE for those to be made, has its control. */
static int cover(struct following *f, uint16_t object, uint16_t instance)
{
	struct control control = { .object = object, .instance = instance };
	const struct control *there = find_in(f->controls, f->n, &control);
	_cleanup_records_ struct records wanted = { 0 };
	uint16_t kept = find_kept(f, &control);
	int r;

	if ((there && (!f->renew || kept != ID_NONE)) || (f->config->bare && kept == ID_NONE))
		return 0;
	control.id = there ? there->id : choose_id(f, kept);
	if (control.id == ID_NONE)
		return -ENOSPC;
	if (kept != ID_NONE)
		r = copy_kept(f->config, kept, control.id, &wanted);
	else
		r = describe(f->config, &control, &wanted);
	return r < 0 ? r : put(f, &control, &wanted);
}

static int cover_below(void *userdata, const struct path *path)
{
	struct following *f = userdata;

	if (path_is_secret(path) || (path->depth >= PATH_OBJECT && path->object == ACCESS_OBJECT))
		return 0;
	if (path->depth < PATH_INSTANCE)
		return store_children(f->store, path, cover_below, f);
	note(f, cover(f, path->object, path->instance));
	return 0;
}

static int read_number(struct store *s, const struct path *instance, uint16_t resource)
{
	const struct path path = path_child(instance, resource);
	_cleanup_value_ struct value v = { 0 };

	if (store_read(s, &path, true, &v, NULL) < 0 || v.type != VALUE_INTEGER || v.integer < 0 ||
	    v.integer > UINT16_MAX)
		return -1;
	return (int)v.integer;
}

static bool is_controlled_by(struct store *s, const struct path *path, const struct path *control)
{
	return control->depth == PATH_INSTANCE && control->object == ACCESS_OBJECT &&
	       read_number(s, control, ACCESS_OBJECT_ID) == path->object &&
	       read_number(s, control, ACCESS_INSTANCE_ID) == path->instance;
}

static bool is_complete(struct store *s, const struct path *path, const struct path *paths, size_t n)
{
	if (path->depth != PATH_INSTANCE || !store_exists(s, path))
		return false;
	if (path->object == ACCESS_OBJECT || path_is_secret(path))
		return true;
	for (size_t i = 0; i < n; i++)
		if (is_controlled_by(s, path, &paths[i]))
			return true;
	return false;
}

bool builtin_control_is_complete(struct store *s, const struct path *paths, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (n > BUILTIN_CONTROL_LOOK_MAX || !is_complete(s, &paths[i], paths, n))
			return false;
	return true;
}

static int list_one(void *userdata, const struct path *instance)
{
	struct following *f = userdata;
	int object = read_number(f->store, instance, ACCESS_OBJECT_ID);
	int of = read_number(f->store, instance, ACCESS_INSTANCE_ID);

	if (f->n == f->allocated) {
		size_t n = f->allocated ? 2 * f->allocated : 16;
		struct control *grown = reallocarray(f->controls, n, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		f->controls = grown;
		f->allocated = n;
	}
	/* A half one is of nothing. */
	f->controls[f->n++] = (struct control){ .object = object < 0 || of < 0 ? ID_NONE : (uint16_t)object,
						.instance = (uint16_t)of,
						.id = instance->instance };
	return 0;
}

static int list_controls(struct following *f)
{
	const struct path object = path_of_object(ACCESS_OBJECT);
	int r = store_children(f->store, &object, list_one, f);

	if (f->n > 0)
		qsort(f->controls, f->n, sizeof(*f->controls), by_target);
	return r;
}

/* Of an instance that has gone; who may make some stays as long as the object is there. */
static void drop_dangling(struct following *f)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct control *control = &f->controls[i];
		struct path path = path_of_instance(control->object, control->instance);

		if (control->instance == ID_NONE)
			path.depth = PATH_OBJECT;
		if (!store_exists(f->store, &path))
			store_remove_instance(f->store, ACCESS_OBJECT, control->id);
	}
}

static int follow(struct following *f)
{
	const struct object_definition *object = definitions_newest(f->config->definitions, ACCESS_OBJECT);
	const struct path root = { .depth = PATH_ROOT };
	int r = object ? store_add_object(f->store, object) : -ENOENT;

	if (r >= 0)
		r = list_controls(f);
	if (r >= 0)
		r = list_kept(f);
	if (r < 0)
		return r;
	drop_dangling(f);
	store_children(f->store, &root, cover_below, f);
	for (size_t i = 0; i < f->config->n_makes; i++) {
		const struct path path = path_of_object(f->config->makes[i]);

		if (store_exists(f->store, &path))
			note(f, cover(f, path.object, ID_NONE));
	}
	return f->error;
}

static bool wants_object(const struct store *s, const struct builtin_control *c)
{
	const struct path path = path_of_object(ACCESS_OBJECT);

	return c->n_parties > 1 || (c->bare && (store_exists(s, &path) || (c->kept && c->kept->n > 0)));
}

static int is_there(void *userdata, const struct path *path)
{
	return 1;
}

/* With one server nobody asks for it. */
static void drop_empty(struct store *s)
{
	const struct path path = path_of_object(ACCESS_OBJECT);

	if (store_children(s, &path, is_there, NULL) == 0)
		store_remove_object(s, ACCESS_OBJECT);
}

int builtin_control_follow(struct store *s, const struct builtin_control *c, bool renew)
{
	struct following f = { .store = s, .config = c, .renew = renew };
	int r = 0;

	store_begin(s);
	if (wants_object(s, c))
		r = follow(&f);
	else
		store_remove_object(s, ACCESS_OBJECT);
	if (c->n_parties <= 1)
		drop_empty(s);
	store_end(s);
	free(f.controls);
	free(f.kept);
	return r;
}

static int add_changed(struct following *f, const struct control *control, struct records *ret)
{
	const struct path path = path_of_instance(ACCESS_OBJECT, control->id);
	_cleanup_records_ struct records present = { 0 }, factory = { 0 };
	int r = store_collect(f->store, &path, true, &present, NULL);

	if (r >= 0 && !f->config->bare)
		r = describe(f->config, control, &factory);
	if (r < 0 || is_same(&present, &factory))
		return r;
	for (size_t i = 0; i < present.n && r >= 0; i++)
		r = records_add_copy(ret, &present.items[i].path, &present.items[i].value, 0);
	return r;
}

int builtin_control_changed(struct store *s, const struct builtin_control *c, struct records *ret)
{
	struct following f = { .store = s, .config = c };
	int r = list_controls(&f);

	for (size_t i = 0; i < f.n && r >= 0; i++)
		r = add_changed(&f, &f.controls[i], ret);
	free(f.controls);
	return r;
}
