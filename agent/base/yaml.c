/* SPDX-License-Identifier: Apache-2.0 */
#include "base/yaml.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/str.h"

/* A node with what is known about the tree below it. */
struct node {
	struct yaml_node public;
	uint32_t total;	 /* nodes including this one, aliases expanded */
	uint32_t height; /* 1 for a scalar */
};

struct anchor {
	const char *name;
	struct node *node;
	bool open; /* its own content is being read */
};

struct reader {
	yaml_parser_t parser;
	const char *text;
	struct yaml_file *file;
	struct arena *arena;
	struct yaml_errors *errors;
	struct anchor *anchors;
	size_t n_anchors, anchors_allocated;
	struct node **stack; /* children of the nodes that are open */
	size_t n_stack, stack_allocated;
	uint32_t total;
	yaml_mark_t end; /* of the collection that was read last */
	bool failed; /* errors that do not keep the rest from being read */
};

static struct yaml_mark mark_of(const struct reader *r, yaml_mark_t mark)
{
	return (struct yaml_mark){
		.file = r->file->name,
		.line = (unsigned)mark.line + 1,
		.column = (unsigned)mark.column + 1,
	};
}

/* Counts characters, as libyaml's marks do. */
static struct yaml_mark mark_at(const char *name, const char *text, size_t offset)
{
	struct yaml_mark mark = { .file = name, .line = 1, .column = 1 };

	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			mark.line++;
			mark.column = 1;
		} else if (((unsigned char)text[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

static int refuse(struct reader *r, yaml_mark_t mark, const char *message, const char *detail)
{
	yaml_error(r->errors, mark_of(r, mark), "%s%s", message, detail);
	return -EINVAL;
}

/* What people do to bring libyaml to these; at_context: that is the place to look at. */
static const struct {
	const char *problem, *hint;
	bool at_context;
} hints[] = {
	{ "could not find expected ':'", "\": \" between key and value is missing", true },
	{ "mapping values are not allowed in this context",
	  "is it indented as its neighbours, or a text with \": \" in it, without quotes?", false },
	{ "did not find expected '-' indicator", "not indented as the list it stands in", false },
	{ "did not find expected key", "not indented as its neighbours", false },
	{ "found unexpected end of stream", "a quote is not closed", true },
	{ "found unknown escape character", "a text with \\ is written in single quotes", false },
	{ "did not find expected ',' or '}'", "a comma, a } or a quote is missing before it", false },
	{ "did not find expected ',' or ']'", "a comma, a ] or a quote is missing before it", false },
};

static char char_at(const struct reader *r, yaml_mark_t mark)
{
	const char *p = r->text;

	for (size_t i = 0; *p && i < mark.index; p++)
		i += (p[1] & 0xc0) != 0x80;
	return *p;
}

/* YAML 1.1, 5.1 and 6.1: no tab in indentation, and some characters begin no plain text. */
static const char *hint_of_character(char c)
{
	if (c == '\t')
		return "a tab; lines are indented by spaces";
	return strchr("@`%", c) && c ? "text that begins with it is written in quotes" : NULL;
}

static const char *find_hint(const struct reader *r, bool *ret_at_context)
{
	const yaml_parser_t *p = &r->parser;

	for (size_t i = 0; p->problem && i < ARRAY_SIZE(hints); i++) {
		if (!streq(p->problem, hints[i].problem))
			continue;
		*ret_at_context = p->context && hints[i].at_context;
		return hints[i].hint;
	}
	if (p->problem && streq(p->problem, "found character that cannot start any token"))
		return hint_of_character(char_at(r, p->problem_mark));
	return NULL;
}

static int parser_failed(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	bool at_context = false;
	const char *hint = find_hint(r, &at_context);
	struct yaml_mark mark = mark_of(r, at_context ? p->context_mark : p->problem_mark);
	char from[32] = "";

	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (p->error == YAML_READER_ERROR)
		mark = mark_at(r->file->name, r->text, p->problem_offset);
	else if (p->context && !at_context && p->context_mark.line < p->problem_mark.line)
		snprintf(from, sizeof(from), " from line %zu", p->context_mark.line + 1);
	yaml_error(r->errors, mark, "%s%s%s%s%s%s", p->context ? p->context : "", from,
		   p->context ? ", " : "", p->problem ? p->problem : "unreadable",
		   hint ? ": " : "", hint ? hint : "");
	return -EINVAL;
}

static int grow(void **items, size_t *allocated, size_t n, size_t size)
{
	size_t wanted = MAX((size_t)32, *allocated);
	void *grown;

	if (n < *allocated)
		return 0;
	while (wanted <= n)
		wanted *= 2;
	grown = reallocarray(*items, wanted, size);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	*allocated = wanted;
	return 0;
}

static int push(struct reader *r, struct node *node)
{
	int q = grow((void **)&r->stack, &r->stack_allocated, r->n_stack, sizeof(*r->stack));

	if (q >= 0)
		r->stack[r->n_stack++] = node;
	return q;
}

static int node_new(struct reader *r, const yaml_event_t *event, enum yaml_kind kind,
		    struct node **ret)
{
	struct node *node;

	if (++r->total > YAML_NODES_MAX)
		return refuse(r, event->start_mark, "too many nodes", "");
	node = arena_new(r->arena, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->public.kind = kind;
	node->public.mark = mark_of(r, event->start_mark);
	node->public.end = mark_of(r, event->end_mark);
	node->total = node->height = 1;
	*ret = node;
	return 0;
}

/* A later anchor of the same name hides an earlier one (YAML 1.1, 3.2.2.2), so the last is looked up. */
static struct anchor *anchor_find(struct reader *r, const char *name)
{
	for (size_t i = r->n_anchors; i > 0; i--)
		if (streq(r->anchors[i - 1].name, name))
			return &r->anchors[i - 1];
	return NULL;
}

static int anchor_add(struct reader *r, const yaml_event_t *event, const yaml_char_t *name,
		      struct node *node)
{
	struct anchor *anchor;
	const char *copy;
	int q;

	if (!name)
		return 0;
	if (r->n_anchors >= YAML_ANCHORS_MAX)
		return refuse(r, event->start_mark, "too many anchors", "");
	copy = arena_text(r->arena, name, strlen((const char *)name));
	q = grow((void **)&r->anchors, &r->anchors_allocated, r->n_anchors, sizeof(*r->anchors));
	if (q < 0 || !copy)
		return -ENOMEM;
	anchor = &r->anchors[r->n_anchors++];
	*anchor = (struct anchor){ .name = copy, .node = node, .open = true };
	return 0;
}

static void anchor_close(struct reader *r, const struct node *node)
{
	for (size_t i = r->n_anchors; i > 0; i--)
		if (r->anchors[i - 1].node == node)
			r->anchors[i - 1].open = false;
}

static int read_alias(struct reader *r, const yaml_event_t *event, unsigned depth,
		      struct node **ret)
{
	const char *name = (const char *)event->data.alias.anchor;
	const struct anchor *anchor = anchor_find(r, name);

	if (!anchor)
		return refuse(r, event->start_mark, "unknown anchor *", name);
	if (anchor->open)
		return refuse(r, event->start_mark, "an alias inside its own anchor: *", name);
	if (depth + anchor->node->height - 1 > YAML_DEPTH_MAX)
		return refuse(r, event->start_mark, "nested too deeply, by *", name);
	r->total += anchor->node->total;
	if (r->total > YAML_NODES_MAX)
		return refuse(r, event->start_mark, "too many nodes, by *", name);
	*ret = anchor->node;
	return 0;
}

/* Of the tags only "this is a string" has a meaning here. */
static int check_tag(struct reader *r, const yaml_event_t *event, const yaml_char_t *tag,
		     const char *allowed)
{
	const char *text = (const char *)tag;

	if (!text || streq(text, "!") || streq(text, allowed))
		return 0;
	return refuse(r, event->start_mark, "unknown tag ", text);
}

static int read_scalar(struct reader *r, const yaml_event_t *event, struct node **ret)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t size = event->data.scalar.length;
	struct node *node;
	int q;

	q = check_tag(r, event, event->data.scalar.tag, YAML_STR_TAG);
	if (q < 0)
		return q;
	if (memchr(text, '\0', size))
		return refuse(r, event->start_mark, "a NUL inside a string", "");
	q = node_new(r, event, YAML_KIND_SCALAR, &node);
	if (q < 0)
		return q;
	node->public.quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE ||
			      event->data.scalar.tag;
	node->public.text = arena_text(r->arena, text, size);
	if (!node->public.text)
		return -ENOMEM;
	q = anchor_add(r, event, event->data.scalar.anchor, node);
	if (q < 0)
		return q;
	if (event->data.scalar.anchor)
		anchor_close(r, node);
	*ret = node;
	return 0;
}

static int key_compare(const void *a, const void *b)
{
	const struct yaml_node *const *left = a, *const *right = b;
	int order = strcmp((*left)->text, (*right)->text);

	if (order != 0)
		return order;
	if ((*left)->mark.line != (*right)->mark.line)
		return (*left)->mark.line < (*right)->mark.line ? -1 : 1;
	return (*left)->mark.column < (*right)->mark.column ? -1 : 1;
}

/* By sorting: a mapping may have as many keys as a file has nodes. */
static int check_duplicates(struct reader *r, const struct yaml_node *mapping)
{
	_cleanup_free_ struct yaml_node **sorted = NULL;

	if (mapping->n < 2)
		return 0;
	sorted = malloc(mapping->n * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, mapping->keys, mapping->n * sizeof(*sorted));
	qsort(sorted, mapping->n, sizeof(*sorted), key_compare);
	for (size_t i = 1; i < mapping->n; i++) {
		if (!streq(sorted[i - 1]->text, sorted[i]->text))
			continue;
		yaml_error(r->errors, sorted[i]->mark, "duplicate key \"%s\", also in line %u",
			   sorted[i]->text, sorted[i - 1]->mark.line);
		r->failed = true;
	}
	return 0;
}

static int split_pairs(struct reader *r, struct node *node, struct node **children)
{
	struct yaml_node *public = &node->public;

	public->keys = arena_new(r->arena, public->n * sizeof(*public->keys));
	if (!public->keys)
		return -ENOMEM;
	for (size_t i = 0; i < public->n; i++) {
		public->keys[i] = &children[2 * i]->public;
		public->items[i] = &children[2 * i + 1]->public;
		if (public->keys[i]->kind != YAML_KIND_SCALAR) {
			yaml_error(r->errors, public->keys[i]->mark, "a key must be a scalar");
			return -EINVAL;
		}
	}
	return check_duplicates(r, public);
}

/* Moves the children above `base` from the stack into the node. */
static int node_close(struct reader *r, struct node *node, size_t base)
{
	size_t n = r->n_stack - base;
	struct node **children = n > 0 ? r->stack + base : NULL;
	bool mapping = node->public.kind == YAML_KIND_MAPPING;

	r->n_stack = base;
	node->public.n = mapping ? n / 2 : n;
	node->public.items = arena_new(r->arena, node->public.n * sizeof(*node->public.items));
	if (!node->public.items)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		node->total += children[i]->total;
		node->height = MAX(node->height, children[i]->height + 1);
	}
	if (mapping)
		return split_pairs(r, node, children);
	for (size_t i = 0; i < n; i++)
		node->public.items[i] = &children[i]->public;
	return 0;
}

static int read_node(struct reader *r, const yaml_event_t *event, unsigned depth,
		     struct node **ret);

static int read_children(struct reader *r, yaml_event_type_t end, unsigned depth)
{
	yaml_event_t event;
	struct node *child = NULL;
	bool done;
	int q = 0;

	do {
		if (!yaml_parser_parse(&r->parser, &event))
			return parser_failed(r);
		done = event.type == end;
		r->end = event.end_mark;
		if (!done)
			q = read_node(r, &event, depth, &child);
		yaml_event_delete(&event);
		if (q < 0)
			return q;
		if (!done)
			q = push(r, child);
	} while (!done && q >= 0);
	return q;
}

/* libyaml ends a block where the next thing begins, behind blank lines and comments. */
static void set_end(const struct reader *r, struct node *node, const yaml_event_t *event)
{
	struct yaml_node *public = &node->public;

	public->flow = event->type == YAML_MAPPING_START_EVENT ?
			       event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE :
			       event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
	if (public->flow)
		public->end = mark_of(r, r->end);
	else if (public->n > 0)
		public->end = public->items[public->n - 1]->end;
}

static int read_collection(struct reader *r, const yaml_event_t *event, unsigned depth,
			   struct node **ret)
{
	bool mapping = event->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *anchor = mapping ? event->data.mapping_start.anchor :
					      event->data.sequence_start.anchor;
	size_t base = r->n_stack;
	struct node *node;
	int q;

	if (depth >= YAML_DEPTH_MAX)
		return refuse(r, event->start_mark, "nested too deeply", "");
	q = mapping ? check_tag(r, event, event->data.mapping_start.tag, YAML_MAP_TAG) :
		      check_tag(r, event, event->data.sequence_start.tag, YAML_SEQ_TAG);
	if (q < 0)
		return q;
	q = node_new(r, event, mapping ? YAML_KIND_MAPPING : YAML_KIND_SEQUENCE, &node);
	if (q < 0)
		return q;
	q = anchor_add(r, event, anchor, node);
	if (q < 0)
		return q;
	q = read_children(r, mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, depth + 1);
	if (q < 0)
		return q;
	q = node_close(r, node, base);
	if (q < 0)
		return q;
	set_end(r, node, event);
	if (anchor)
		anchor_close(r, node);
	*ret = node;
	return 0;
}

static int read_node(struct reader *r, const yaml_event_t *event, unsigned depth, struct node **ret)
{
	if (event->type == YAML_SCALAR_EVENT)
		return read_scalar(r, event, ret);
	if (event->type == YAML_ALIAS_EVENT)
		return read_alias(r, event, depth, ret);
	return read_collection(r, event, depth, ret);
}

static int read_document(struct reader *r)
{
	struct yaml_file *file = r->file;
	struct yaml_node **grown;
	int q;

	r->n_anchors = 0;
	q = read_children(r, YAML_DOCUMENT_END_EVENT, 1);
	if (q < 0)
		return q;
	grown = reallocarray(file->documents, file->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	file->documents = grown;
	file->documents[file->n++] = &r->stack[--r->n_stack]->public;
	return 0;
}

static int read_stream(struct reader *r)
{
	yaml_event_type_t type;
	yaml_event_t event;
	int q = 0;

	do {
		if (!yaml_parser_parse(&r->parser, &event))
			return parser_failed(r);
		type = event.type;
		yaml_event_delete(&event);
		if (type == YAML_DOCUMENT_START_EVENT)
			q = read_document(r);
	} while (q >= 0 && type != YAML_STREAM_END_EVENT);
	if (q >= 0 && r->failed)
		return -EINVAL;
	return q;
}

static void reader_done(struct reader *r)
{
	yaml_parser_delete(&r->parser);
	free(r->anchors);
	free(r->stack);
}

static int check_bytes(const char *name, const char *text, size_t size, struct yaml_errors *errors)
{
	struct yaml_mark start = { .file = name, .line = 1, .column = 1 };
	const char *nul;
	size_t valid;

	if (size > YAML_BYTES_MAX) {
		yaml_error(errors, start, "larger than %u bytes", YAML_BYTES_MAX);
		return -EINVAL;
	}
	valid = utf8_valid_prefix(text, size);
	nul = size > 0 ? memchr(text, '\0', size) : NULL;
	if (nul && (size_t)(nul - text) < valid)
		valid = (size_t)(nul - text);
	if (valid == size)
		return 0;
	yaml_error(errors, mark_at(name, text, valid),
		   text[valid] == '\0' ? "a NUL byte" : "not valid UTF-8");
	return -EINVAL;
}

static int file_new(const char *name, struct yaml_file **ret)
{
	struct yaml_file *file = calloc(1, sizeof(*file));

	if (!file)
		return -ENOMEM;
	file->name = strdup(name);
	file->arena = calloc(1, sizeof(struct arena));
	if (!file->name || !file->arena) {
		yaml_file_free(file);
		return -ENOMEM;
	}
	*ret = file;
	return 0;
}

DEFINE_FREEP(struct yaml_file *, yaml_file_free)

int yaml_read_text(const char *name, const char *text, size_t size, struct yaml_errors *errors,
		   struct yaml_file **ret)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	_cleanup_(yaml_file_freep) struct yaml_file *file = NULL;
	_cleanup_(reader_done) struct reader r = { .errors = errors };
	int q;

	if (size == 0)
		text = ""; /* libyaml asserts that there is a pointer */
	q = check_bytes(name, text, size, errors);
	if (q < 0)
		return q;
	if (size >= 3 && memcmp(text, byte_order_mark, 3) == 0) {
		text += 3;
		size -= 3;
	}
	q = file_new(name, &file);
	if (q < 0)
		return q;
	r.file = file;
	r.arena = file->arena;
	r.text = text;
	if (!yaml_parser_initialize(&r.parser))
		return -ENOMEM;
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
	q = read_stream(&r);
	if (q < 0)
		return q;
	*ret = TAKE_PTR(file);
	return 0;
}

struct yaml_file *yaml_file_free(struct yaml_file *file)
{
	if (!file)
		return NULL;
	if (file->arena)
		arena_done(file->arena);
	free(file->arena);
	free(file->documents);
	free(file->name);
	free(file);
	return NULL;
}
