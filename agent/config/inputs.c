/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config/profile.h"

#define NAME_SIZE 256u
#define DEPTH_MAX 4u

/* Samples of what has no registers: parts with names, which the plugin knows. */
struct inputs {
	struct loader *l;
	struct config_sample *sample;
};

static int add(const struct inputs *x, const char *name, const char *data, size_t size,
	       struct yaml_mark mark)
{
	struct config_sample *s = x->sample;

	if (s->n_inputs == CONFIG_INPUTS_MAX) {
		loader_error(x->l, mark, "a sample has at most %u parts", CONFIG_INPUTS_MAX);
		return -EINVAL;
	}
	s->input_marks[s->n_inputs] = mark;
	s->inputs[s->n_inputs] = (struct fieldway_input){ .name = loader_text(x->l, name),
							  .data = data,
							  .size = size };
	return s->inputs[s->n_inputs++].name ? 0 : -ENOMEM;
}

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at && (c <= '9' || c >= 'A') ? (int)(at - digits) : -1;
}

/* Pairs of digits, with or without blanks between. */
static ssize_t decode_hex(const char *text, char *ret)
{
	size_t n = 0;

	for (; *text; text += 2) {
		text += strspn(text, " ");
		if (!*text)
			break;
		if (digit(text[0]) < 0 || digit(text[1]) < 0)
			return -EINVAL;
		ret[n++] = (char)(digit(text[0]) << 4 | digit(text[1]));
	}
	return (ssize_t)n;
}

static int add_bytes(const struct inputs *x, const char *name, const struct yaml_node *node)
{
	char *bytes = loader_new(x->l, strlen(node->text) / 2 + 1);
	ssize_t n = bytes ? decode_hex(node->text, bytes) : -ENOMEM;

	if (n == -EINVAL)
		loader_error(x->l, node->mark,
			     "bytes are pairs of hex digits, such as \"02 4F 4b\"");
	return n < 0 ? (int)n : add(x, name, bytes, (size_t)n, node->mark);
}

static int add_text(const struct inputs *x, const char *name, const struct yaml_node *node)
{
	char *text = loader_text(x->l, node->text);

	return text ? add(x, name, text, strlen(text), node->mark) : -ENOMEM;
}

typedef int (*input_adder)(const struct inputs *x, const char *name, const struct yaml_node *node);

static int read_value(const struct inputs *x, const char *name, const struct yaml_node *node,
		      input_adder adder)
{
	if (node->kind == YAML_KIND_SCALAR && (node->quoted || !node_is_null(node)))
		return adder(x, name, node);
	loader_error(x->l, node->mark, "expected text");
	return -EINVAL;
}

static int read_values(const struct inputs *x, const char *name, const struct yaml_node *node,
		       input_adder adder)
{
	int r = 0;

	if (!node || node->kind != YAML_KIND_SEQUENCE)
		return node ? read_value(x, name, node, adder) : 0;
	for (size_t i = 0; i < node->n; i++)
		r = worse(r, read_value(x, name, node->items[i], adder));
	return r;
}

/* Mappings in mappings: their names with dots between. */
static int read_tree(const struct inputs *x, const char *name, const struct yaml_node *node,
		     unsigned depth)
{
	char below[NAME_SIZE];
	int r = 0;

	if (!node || node->kind != YAML_KIND_MAPPING)
		return read_values(x, name, node, add_text);
	for (size_t i = 0; i < node->n; i++) {
		if (depth == DEPTH_MAX || snprintf(below, sizeof(below), "%s.%s", name,
						   node->keys[i]->text) >= (int)sizeof(below)) {
			loader_error(x->l, node->keys[i]->mark, "this is nested too deep");
			return -EINVAL;
		}
		r = worse(r, read_tree(x, below, node->items[i], depth + 1));
	}
	return r;
}

int inputs_read(struct loader *l, const struct sample_section *section, struct config_sample *ret)
{
	const struct inputs x = { l, ret };
	int r;

	if (!section->bytes && !section->text && !section->message && !section->advertisement &&
	    !section->gatt)
		return 0;
	ret->inputs = loader_array(l, struct fieldway_input, CONFIG_INPUTS_MAX);
	ret->input_marks = loader_array(l, struct yaml_mark, CONFIG_INPUTS_MAX);
	if (!ret->inputs || !ret->input_marks)
		return -ENOMEM;
	r = read_values(&x, "message", section->message, add_text);
	r = worse(r, read_values(&x, "bytes", section->bytes, add_bytes));
	r = worse(r, read_values(&x, "text", section->text, add_text));
	r = worse(r, read_tree(&x, "advertisement", section->advertisement, 0));
	r = worse(r, read_tree(&x, "gatt", section->gatt, 0));
	return r < 0 ? r : 1;
}
