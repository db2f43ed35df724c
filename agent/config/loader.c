/* SPDX-License-Identifier: Apache-2.0 */
#include "config/loader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* What expands to many items is wrong once. */
static bool is_known(const struct reports *reports, struct yaml_mark mark, const char *text)
{
	for (size_t i = reports->n; i-- > 0;) {
		const struct report *report = &reports->items[i];

		if (report->mark.file == mark.file && report->mark.line == mark.line &&
		    report->mark.column == mark.column && streq(report->text, text))
			return true;
	}
	return false;
}

static void add(struct loader *l, struct reports *reports, struct yaml_mark mark, char *text)
{
	struct report *grown = NULL;

	if (text && is_known(reports, mark, text)) {
		free(text);
		return;
	}
	if (text && reports->n < CONFIG_REPORTS_MAX)
		grown = loader_grow(l, reports->items, &reports->allocated, reports->n,
				    sizeof(*grown));
	if (!grown) {
		l->no_memory = l->no_memory || !text;
		reports->dropped++;
		free(text);
		return;
	}
	reports->items = grown;
	grown[reports->n] = (struct report){ .mark = mark, .sequence = reports->n, .text = text };
	reports->n++;
}

static void add_formatted(struct loader *l, struct reports *reports, struct yaml_mark mark,
			  const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	add(l, reports, mark, text);
}

void loader_error(struct loader *l, struct yaml_mark mark, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_formatted(l, &l->errors, mark, format, args);
	va_end(args);
}

void loader_warning(struct loader *l, struct yaml_mark mark, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_formatted(l, &l->warnings, mark, format, args);
	va_end(args);
}

void loader_excuse(struct loader *l, size_t from, const char *excuse)
{
	struct report *first = l->errors.items + from;

	if (l->errors.n == from)
		return;
	loader_warning(l, first->mark, "%s: %s", first->text, excuse);
	for (size_t i = from; i < l->errors.n; i++)
		free(l->errors.items[i].text);
	l->errors.n = from;
}

void loader_unknown(struct loader *l, struct yaml_mark mark, const char *what, const char *text,
		    const char *const *candidates, size_t n)
{
	const char *near = str_nearest(text, candidates, n);

	if (near)
		loader_error(l, mark, "unknown %s \"%s\", did you mean \"%s\"?", what, text, near);
	else
		loader_error(l, mark, "unknown %s \"%s\"", what, text);
}

/* Cuts "file:line:column: " off, which the mark says as well. */
static const char *message_of(struct yaml_mark mark, const char *text)
{
	char prefix[32];

	snprintf(prefix, sizeof(prefix), ":%u:%u: ", mark.line, mark.column);
	if (!has_prefix(text, mark.file) || !has_prefix(text + strlen(mark.file), prefix))
		return text;
	return text + strlen(mark.file) + strlen(prefix);
}

void reports_take(struct loader *l, struct yaml_mark mark, struct yaml_errors *errors)
{
	_cleanup_free_ char *text = NULL;

	if (errors->n == 0)
		return;
	if (errors->text.size > 0 && errors->text.data[errors->text.size - 1] == '\n')
		errors->text.size--;
	text = buf_take_text(&errors->text);
	if (text)
		loader_error(l, mark, "%s", message_of(mark, text));
	else
		l->no_memory = true;
	yaml_errors_done(errors);
}

void reports_take_lines(struct loader *l, const char *file, struct yaml_errors *errors)
{
	_cleanup_free_ char *text = NULL;
	struct yaml_mark mark = { .file = file };
	char *rest, *line;
	int size;

	if (errors->n > YAML_ERRORS_MAX)
		l->errors.dropped += errors->n - YAML_ERRORS_MAX;
	text = buf_take_text(&errors->text);
	l->no_memory = l->no_memory || !text;
	rest = text;
	while (rest && (line = strsep(&rest, "\n"))) {
		/* Keys may hold line ends: what does not start as a message is the rest of one. */
		if (!has_prefix(line, file))
			continue;
		line += strlen(file);
		if (sscanf(line, ":%u:%u: %n", &mark.line, &mark.column, &size) == 2)
			loader_error(l, mark, "%s", line + size);
	}
	yaml_errors_done(errors);
}

static size_t file_order(const struct loader *l, const char *name)
{
	for (size_t i = 0; i < l->n_files; i++)
		if (l->files[i].file->name == name ||
		    (l->files[i].yaml && l->files[i].yaml->name == name))
			return i;
	return SIZE_MAX;
}

static int by_place(const void *a, const void *b)
{
	const struct report *x = a, *y = b;

	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->mark.line != y->mark.line)
		return x->mark.line < y->mark.line ? -1 : 1;
	if (x->mark.column != y->mark.column)
		return x->mark.column < y->mark.column ? -1 : 1;
	return x->sequence < y->sequence ? -1 : 1;
}

/* A message is one line, whatever stood in the file. */
static void flatten(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void reports_give(struct loader *l, struct reports *reports, struct yaml_errors *ret)
{
	struct report *items = reports->items;

	for (size_t i = 0; i < reports->n; i++) {
		items[i].file = file_order(l, items[i].mark.file);
		flatten(items[i].text);
	}
	if (reports->n > 1)
		qsort(items, reports->n, sizeof(*items), by_place);
	for (size_t i = 0; i < reports->n; i++)
		if (ret)
			yaml_error(ret, items[i].mark, "%s", items[i].text);
	if (ret)
		ret->n += reports->dropped;
	for (size_t i = 0; i < reports->n; i++)
		free(items[i].text);
	free(items);
	*reports = (struct reports){ 0 };
}

void *loader_new(struct loader *l, size_t size)
{
	void *p = arena_new(l->arena, size);

	if (!p)
		l->no_memory = true;
	return p;
}

void *loader_scratch(struct loader *l, size_t size)
{
	void *p = arena_new(&l->scratch, size);

	if (!p)
		l->no_memory = true;
	return p;
}

char *loader_text(struct loader *l, const char *text)
{
	char *copy = arena_text(l->arena, text, strlen(text));

	if (!copy)
		l->no_memory = true;
	return copy;
}

char *loader_scratch_text(struct loader *l, const char *text, size_t size)
{
	char *copy = arena_text(&l->scratch, text, size);

	if (!copy)
		l->no_memory = true;
	return copy;
}

void *loader_grow(struct loader *l, void *items, size_t *allocated, size_t n, size_t size)
{
	size_t wanted = *allocated > 0 ? 2 * *allocated : 16;
	char *grown;

	if (n < *allocated)
		return items;
	grown = reallocarray(items, wanted, size);
	if (!grown) {
		l->no_memory = true;
		return NULL;
	}
	memset(grown + *allocated * size, 0, (wanted - *allocated) * size);
	*allocated = wanted;
	return grown;
}

int loader_expand(struct loader *l, struct yaml_mark mark, size_t n)
{
	if (n > CONFIG_EXPANSIONS_MAX - l->expansions) {
		loader_error(l, mark, "ranges, tables and repeats make more than %u items",
			     CONFIG_EXPANSIONS_MAX);
		return -EINVAL;
	}
	l->expansions += n;
	return 0;
}
