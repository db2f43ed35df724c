/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/files/registry_xml.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <expat.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/str.h"

static const char *const elements[FIELDS] = {
	[FIELD_NAME] = "Name",		     [FIELD_ID] = "ObjectID",
	[FIELD_VERSION] = "ObjectVersion",   [FIELD_MULTIPLE] = "MultipleInstances",
	[FIELD_MANDATORY] = "Mandatory",     [FIELD_OPERATIONS] = "Operations",
	[FIELD_TYPE] = "Type",		     [FIELD_RANGE] = "RangeEnumeration",
	[FIELD_UNITS] = "Units",
};

struct reader {
	XML_Parser parser;
	const char *file;
	struct registry_object *object;
	struct registry_item *item; /* the object or the resource that is open; NULL outside */
	int field;		    /* whose text is being gathered, -1: none */
	unsigned depth, item_depth; /* of the open item's element */
	unsigned objects;
	struct buf text;
	int error;
};

static void fail(struct reader *r, int error, const char *text)
{
	if (r->error < 0)
		return;
	fprintf(stderr, "%s:%lu:%lu: %s\n", r->file, (unsigned long)XML_GetCurrentLineNumber(r->parser),
		(unsigned long)XML_GetCurrentColumnNumber(r->parser) + 1, text);
	r->error = error;
	XML_StopParser(r->parser, XML_FALSE);
}

static const char *attribute(const char **attributes, const char *name)
{
	for (; *attributes; attributes += 2)
		if (streq(attributes[0], name))
			return attributes[1];
	return NULL;
}

static void open_resource(struct reader *r, const char **attributes)
{
	struct registry_object *o = r->object;
	const char *id = attribute(attributes, "ID");
	struct registry_item *grown;

	if (o->n == REGISTRY_RESOURCES_MAX || !id) {
		fail(r, -EINVAL, id ? "too many resources" : "Item without ID");
		return;
	}
	grown = reallocarray(o->resources, o->n + 1, sizeof(*grown));
	if (!grown) {
		fail(r, -ENOMEM, "out of memory");
		return;
	}
	o->resources = grown;
	r->item = &grown[o->n++];
	*r->item = (struct registry_item){ .fields = { [FIELD_ID] = strdup(id) } };
	r->item_depth = r->depth;
}

static int field_of(const char *name)
{
	for (int i = 0; i < FIELDS; i++)
		if (streq(elements[i], name))
			return i;
	return -1;
}

static void start_element(void *userdata, const char *name, const char **attributes)
{
	struct reader *r = userdata;

	r->depth++;
	r->field = -1;
	if (streq(name, "Object")) {
		if (r->objects++ > 0)
			fail(r, -EINVAL, "a second Object in one file");
		r->item = &r->object->object;
		r->item_depth = r->depth;
	} else if (streq(name, "Item") && r->objects > 0) {
		open_resource(r, attributes);
	} else if (r->item && r->depth == r->item_depth + 1) {
		r->field = field_of(name);
		r->text.size = 0;
	}
}

/* Without white space at the ends, and with single spaces inside. */
static char *trimmed(const struct buf *text)
{
	const char *p = (const char *)text->data, *end;
	char *out, *q;

	if (text->size == 0)
		return strdup("");
	out = q = malloc(text->size + 1);
	for (end = p + text->size; out && p < end; p++) {
		if (!isspace((unsigned char)*p))
			*q++ = *p;
		else if (q > out && q[-1] != ' ')
			*q++ = ' ';
	}
	if (!out)
		return NULL;
	if (q > out && q[-1] == ' ')
		q--;
	*q = 0;
	return out;
}

static void end_element(void *userdata, const char *name)
{
	struct reader *r = userdata;

	if (r->item && r->field >= 0 && r->depth == r->item_depth + 1) {
		free(r->item->fields[r->field]);
		r->item->fields[r->field] = trimmed(&r->text);
	}
	r->field = -1;
	/* Behind a resource come others; the object's own fields are over by then. */
	if (r->item && r->depth == r->item_depth && streq(name, "Item"))
		r->item = NULL;
	r->depth--;
}

static void character_data(void *userdata, const char *text, int size)
{
	struct reader *r = userdata;

	if (r->field < 0)
		return;
	if (r->text.size + size > REGISTRY_TEXT_MAX)
		fail(r, -EINVAL, "text too long");
	else if (buf_append(&r->text, text, size) < 0)
		fail(r, -ENOMEM, "out of memory");
}

/* Registry files have none: entities, inside or outside the file, are an attack or a mistake. */
static void doctype(void *userdata, const char *name, const char *system, const char *public,
		    int has_subset)
{
	(void)name, (void)system, (void)public, (void)has_subset;
	fail(userdata, -EINVAL, "document types and entities are refused");
}

static int parse(struct reader *r, FILE *file)
{
	char chunk[16384];
	size_t total = 0, n;

	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, start_element, end_element);
	XML_SetCharacterDataHandler(r->parser, character_data);
	XML_SetStartDoctypeDeclHandler(r->parser, doctype);
	do {
		n = fread(chunk, 1, sizeof(chunk), file);
		total += n;
		if (ferror(file))
			fail(r, -EIO, "cannot be read");
		else if (total > REGISTRY_FILE_MAX)
			fail(r, -EFBIG, "file too large");
		else if (XML_Parse(r->parser, chunk, n, n == 0) == XML_STATUS_ERROR)
			fail(r, -EINVAL, XML_ErrorString(XML_GetErrorCode(r->parser)));
	} while (n > 0 && r->error == 0);
	if (r->error == 0 && r->objects == 0)
		fail(r, -EINVAL, "no Object in this file");
	return r->error;
}

int registry_read(const char *file, struct registry_object *ret)
{
	struct registry_object object = { 0 };
	struct reader r = { .file = file, .object = &object, .field = -1 };
	FILE *f = fopen(file, "re");

	if (!f) {
		int error = -errno;

		fprintf(stderr, "%s: %s\n", file, strerror(-error));
		return error;
	}
	r.parser = XML_ParserCreate(NULL);
	r.error = r.parser ? 0 : -ENOMEM;
	if (r.parser)
		parse(&r, f);
	XML_ParserFree(r.parser);
	fclose(f);
	buf_done(&r.text);
	if (r.error < 0)
		registry_object_done(&object);
	else
		*ret = object;
	return r.error;
}

static void item_done(struct registry_item *item)
{
	for (int i = 0; i < FIELDS; i++)
		free(item->fields[i]);
}

void registry_object_done(struct registry_object *o)
{
	item_done(&o->object);
	for (size_t i = 0; i < o->n; i++)
		item_done(&o->resources[i]);
	free(o->resources);
}
