/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/list.h"

START_TEST(test_append)
{
	_cleanup_buf_ struct buf b = { 0 };

	ck_assert_int_eq(buf_append(&b, NULL, 0), 0);
	ck_assert_int_eq(buf_append_text(&b, "ab"), 0);
	ck_assert_int_eq(buf_append_byte(&b, 0), 0);
	ck_assert_int_eq(buf_printf(&b, "%d-%s", 12, "x"), 0);
	ck_assert_int_eq(buf_append_be(&b, 0x010203, 3), 0);
	ck_assert_int_eq(buf_append_be(&b, UINT64_MAX - 1, 8), 0);
	ck_assert_int_eq(buf_append_be(&b, 1, 0), -EINVAL);
	ck_assert_int_eq(buf_append_be(&b, 1, 9), -EINVAL);
	ck_assert_uint_eq(b.size, 18);
	ck_assert_mem_eq(b.data,
			 "ab\0"
			 "12-x"
			 "\1\2\3"
			 "\xff\xff\xff\xff\xff\xff\xff\xfe",
			 18);
}
END_TEST

START_TEST(test_grows)
{
	_cleanup_buf_ struct buf b = { 0 };

	for (unsigned i = 0; i < 100000; i++)
		ck_assert_int_eq(buf_append_byte(&b, (uint8_t)i), 0);
	ck_assert_uint_eq(b.size, 100000);
	for (unsigned i = 0; i < 100000; i++)
		ck_assert_uint_eq(b.data[i], (uint8_t)i);
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX), -ENOMEM);
	ck_assert_int_eq(buf_reserve(&b, SIZE_MAX - 1), -ENOMEM);
}
END_TEST

START_TEST(test_limit)
{
	_cleanup_buf_ struct buf b = { .limit = 100 };
	_cleanup_free_ char *text = NULL;

	for (unsigned i = 0; i < 100; i++)
		ck_assert_int_eq(buf_append_byte(&b, 'x'), 0);
	ck_assert_int_eq(buf_append_byte(&b, 'y'), -EFBIG);
	ck_assert_int_eq(buf_printf(&b, "%s", "y"), -EFBIG);
	ck_assert_int_eq(buf_append(&b, NULL, 0), 0);
	ck_assert_uint_eq(b.size, 100);
	/* The NUL is not counted. */
	text = buf_take_text(&b);
	ck_assert_uint_eq(strlen(text), 100);
	ck_assert_uint_eq(b.size, 0);
	ck_assert_uint_eq(b.limit, 100);
	buf_done(&b);
	ck_assert_uint_eq(b.limit, 100);
	ck_assert_int_eq(buf_printf(&b, "%0100d", 7), 0);
	ck_assert_int_eq(buf_printf(&b, "%d", 7), -EFBIG);
}
END_TEST

START_TEST(test_take_text)
{
	_cleanup_buf_ struct buf b = { 0 };
	_cleanup_free_ char *empty = buf_take_text(&b), *text = NULL;

	ck_assert_str_eq(empty, "");
	buf_append_text(&b, "x");
	text = buf_take_text(&b);
	ck_assert_str_eq(text, "x");
	ck_assert_ptr_null(b.data);
}
END_TEST

START_TEST(test_span)
{
	static const uint8_t bytes[] = { 1, 2, 3, 4, 5 };
	struct span s = span_of(bytes, sizeof(bytes)), part = { 0 };
	uint64_t value = 42;
	uint8_t byte = 0;

	ck_assert_int_eq(span_take_byte(&s, &byte), 0);
	ck_assert_uint_eq(byte, 1);
	ck_assert_int_eq(span_take_be(&s, 5, &value), -EBADMSG);
	ck_assert_int_eq(span_take_be(&s, 0, &value), -EINVAL);
	ck_assert_int_eq(span_take_be(&s, 9, &value), -EINVAL);
	ck_assert_uint_eq(value, 42);
	ck_assert_uint_eq(s.n, 4);
	ck_assert_int_eq(span_take_be(&s, 3, &value), 0);
	ck_assert_uint_eq(value, 0x020304);
	ck_assert_int_eq(span_take(&s, 2, &part), -EBADMSG);
	ck_assert_int_eq(span_take(&s, 1, &part), 0);
	ck_assert_uint_eq(part.p[0], 5);
	ck_assert_int_eq(span_take(&s, 0, &part), 0);
	ck_assert_int_eq(span_take_byte(&s, &byte), -EBADMSG);
	s = span_of(NULL, 0);
	ck_assert_int_eq(span_take(&s, 0, &part), 0);
	ck_assert_int_eq(span_take(&s, SIZE_MAX, &part), -EBADMSG);
}
END_TEST

START_TEST(test_arena)
{
	struct arena arena = { 0 };
	uint64_t *numbers;
	char *text;

	for (size_t size = 0; size < 300; size++) {
		char *p = arena_new(&arena, size);

		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			ck_assert_int_eq(p[i], 0);
		memset(p, 0xff, size);
	}
	numbers = arena_new(&arena, 1 << 20);
	numbers[(1 << 17) - 1] = 1;
	text = arena_text(&arena, "abcd", 3);
	ck_assert_str_eq(text, "abc");
	ck_assert_str_eq(arena_text(&arena, NULL, 0), "");
	ck_assert_ptr_null(arena_new(&arena, SIZE_MAX));
	ck_assert_ptr_null(arena_text(&arena, "x", SIZE_MAX));
	arena_done(&arena);
	ck_assert_ptr_null(arena.blocks);
	arena_done(&arena);
}
END_TEST

struct item {
	int number;
	struct list node;
};

START_TEST(test_list)
{
	struct item items[5], *item;
	struct list head;
	int sum = 0, order = 0;

	list_init(&head);
	ck_assert(list_is_empty(&head));
	list_for_each(item, &head, node)
		ck_abort_msg("an empty list has no items");
	for (int i = 0; i < 5; i++)
		items[i].number = i;
	list_append(&head, &items[1].node);
	list_append(&head, &items[2].node);
	list_prepend(&head, &items[0].node);
	list_for_each(item, &head, node)
		ck_assert_int_eq(item->number, order++);
	ck_assert_int_eq(order, 3);
	list_remove(&items[1].node);
	list_remove(&items[1].node);
	list_for_each(item, &head, node)
		sum += item->number;
	ck_assert_int_eq(sum, 2);
	ck_assert_ptr_eq(list_entry(head.next, struct item, node), &items[0]);
}
END_TEST

START_TEST(test_list_frees_while_walking)
{
	struct list head;
	struct item *item;
	unsigned n = 0;

	list_init(&head);
	for (int i = 0; i < 10; i++) {
		item = calloc(1, sizeof(*item));
		list_append(&head, &item->node);
	}
	list_for_each(item, &head, node) {
		list_remove(&item->node);
		free(item);
		n++;
	}
	ck_assert_uint_eq(n, 10);
	ck_assert(list_is_empty(&head));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("buf");
	TCase *tcase = tcase_create("buf");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, test_append);
	tcase_add_test(tcase, test_grows);
	tcase_add_test(tcase, test_limit);
	tcase_add_test(tcase, test_take_text);
	tcase_add_test(tcase, test_span);
	tcase_add_test(tcase, test_arena);
	tcase_add_test(tcase, test_list);
	tcase_add_test(tcase, test_list_frees_while_walking);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
