/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "secret/derive.h"
#include "secret/secret.h"

static char folder[PATH_MAX];
static struct secret_store *store;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void setup(void)
{
	strcpy(folder, "/tmp/fieldway-secret-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(secret_store_new(folder, &store), 0);
}

static void teardown(void)
{
	store = secret_store_free(store);
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *path_of(const char *name)
{
	static char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

/* By rename, as people should: the inode differs even when the clock has not moved. */
static void put_bytes(const char *name, const void *data, size_t size, mode_t mode)
{
	char temporary[PATH_MAX + 64];
	int fd;

	snprintf(temporary, sizeof(temporary), "%s/new", folder);
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
	ck_assert_int_eq(rename(temporary, path_of(name)), 0);
}

static void put_file(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text), 0640);
}

static void assert_key(const char *reference, const char *identity, int expected, const char *hex)
{
	_cleanup_free_ char *text = NULL;
	uint8_t *key = NULL;
	size_t size = 0;
	int r = secret_lookup(store, reference, identity, &key, &size);

	ck_assert_msg(r == expected, "%d: %s", r, secret_reason(store));
	if (expected < 0) {
		ck_assert_ptr_null(key);
		ck_assert_str_ne(secret_reason(store), "");
		return;
	}
	text = hex_encode(key, size);
	ck_assert_str_eq(text, hex);
	key = secret_free(key, size);
	ck_assert_ptr_null(key);
}

static void assert_reason(const char *text)
{
	ck_assert_msg(strstr(secret_reason(store), text), "\"%s\" is not in \"%s\"", text,
		      secret_reason(store));
}

static const struct {
	const char *reference;
	int r;
	const char *error;
} references[] = {
	{ "psk-file:keys/plant.psk", 0, NULL },
	{ "file:k", 0, NULL },
	{ "derive:/etc/fieldway/master", 0, NULL },
	{ "credential:master", -EOPNOTSUPP, "not in this version" },
	{ "pkcs11:token=x", -EOPNOTSUPP, "not in this version" },
	{ "table:keys/bthome.keys", 0, NULL },
	{ "table:", -EINVAL, "missing" },
	{ "psk-file:", -EINVAL, "missing" },
	{ "derive:", -EINVAL, "missing" },
	{ "", -EINVAL, "expected psk-file:FILE" },
	{ "00112233445566778899aabbccddeeff", -EINVAL, "never given itself" },
	{ "PSK-FILE:x", -EINVAL, "expected" },
	{ " file:x", -EINVAL, "expected" },
};

START_TEST(test_reference)
{
	const char *error = NULL;

	ck_assert_int_eq(secret_reference_check(references[_i].reference, &error),
			 references[_i].r);
	if (references[_i].r == 0)
		ck_assert_ptr_null(error);
	else
		ck_assert_ptr_nonnull(strstr(error, references[_i].error));
	ck_assert_int_eq(secret_reference_check(references[_i].reference, NULL), references[_i].r);
	if (references[_i].r < 0)
		assert_key(references[_i].reference, "x", references[_i].r, NULL);
}
END_TEST

START_TEST(test_a_key_in_the_wrong_place_is_not_told)
{
	assert_key("00112233445566778899aabbccddeeff", "x", -EINVAL, NULL);
	ck_assert_ptr_null(strstr(secret_reason(store), "0011"));
}
END_TEST

START_TEST(test_psk_file)
{
	put_file("p", "# comment\n\n  \t\r\n"
		      "em1:00ff\r\n"
		      "urn:dev:os:32473-gw7:0123456789abcdefABCDEF\n"
		      "  with space:aa  \n"
		      "  # indented comment:zz\n"
		      "\xc3\xa4:01");
	assert_key("psk-file:p", "em1", 0, "00ff");
	assert_key("psk-file:p", "urn:dev:os:32473-gw7", 0, "0123456789abcdefabcdef");
	assert_key("psk-file:p", "with space", 0, "aa");
	assert_key("psk-file:p", "\xc3\xa4", 0, "01");
	assert_key("psk-file:p", "em", -ENOKEY, NULL);
	assert_reason("p: no key for identity \"em\"");
	assert_key("psk-file:p", "em11", -ENOKEY, NULL);
	assert_key("psk-file:p", "", -ENOKEY, NULL);
	assert_key("psk-file:p", NULL, -ENOKEY, NULL);
	ck_assert_int_eq(secret_check(store, "psk-file:p"), 0);
}
END_TEST

START_TEST(test_absolute_path)
{
	char reference[PATH_MAX + 80];

	put_file("p", "a:01\n");
	snprintf(reference, sizeof(reference), "psk-file:%s", path_of("p"));
	assert_key(reference, "a", 0, "01");
}
END_TEST

START_TEST(test_empty_psk_file)
{
	put_file("p", "");
	assert_key("psk-file:p", "a", -ENOKEY, NULL);
	put_file("p", "# nothing yet\n");
	assert_key("psk-file:p", "a", -ENOKEY, NULL);
}
END_TEST

static const struct {
	const char *text, *reason;
} malformed[] = {
	{ "a:01\nb\n", "p:2: expected identity:hex" },
	{ ":01\n", "p:1: expected identity:hex" },
	{ "a:\n", "p:1: the key is not" },
	{ "a:0\n", "p:1: the key is not" },
	{ "# x\na:0g\n", "p:2: the key is not" },
	{ "a:01:\n", "p:1: the key is not" },
	{ "a: 01\n", "p:1: the key is not" },
	{ "b:02\na:01\nc:03\na:04\n", "p:4: the identity stands in line 2 already" },
};

START_TEST(test_malformed_psk_file)
{
	put_file("p", malformed[_i].text);
	assert_key("psk-file:p", "a", -EBADMSG, NULL);
	assert_reason(malformed[_i].reason);
	ck_assert_int_eq(secret_check(store, "psk-file:p"), -EBADMSG);
}
END_TEST

START_TEST(test_binary_file)
{
	put_bytes("p", "a:01\0\n", 6, 0600);
	assert_key("psk-file:p", "a", -EBADMSG, NULL);
	assert_reason("not a text file");
}
END_TEST

START_TEST(test_longest_key)
{
	_cleanup_buf_ struct buf b = { 0 };

	buf_append_text(&b, "a:");
	for (unsigned i = 0; i < SECRET_KEY_BYTES_MAX; i++)
		buf_append_text(&b, "ab");
	put_bytes("p", b.data, b.size, 0600);
	ck_assert_int_eq(secret_check(store, "psk-file:p"), 0);
	buf_append_text(&b, "ab");
	put_bytes("q", b.data, b.size, 0600);
	ck_assert_int_eq(secret_check(store, "psk-file:q"), -EBADMSG);
}
END_TEST

START_TEST(test_hex_file)
{
	put_file("k", "# key of the plant\n0011AAff\n");
	assert_key("file:k", "whoever", 0, "0011aaff");
	assert_key("file:k", NULL, 0, "0011aaff");
	put_file("k", "00\n11\n");
	assert_key("file:k", NULL, 1, "0011aaff");
	assert_reason("k:2: expected one key only");
	put_file("empty", "\n");
	assert_key("file:empty", NULL, -EBADMSG, NULL);
	assert_reason("holds no key");
	put_file("bad", "a:00\n");
	assert_key("file:bad", NULL, -EBADMSG, NULL);
}
END_TEST

/* FIPS 180-4's "abc". */
START_TEST(test_fingerprint)
{
	char text[SECRET_FINGERPRINT_MAX];

	ck_assert_int_eq(secret_fingerprint((const uint8_t *)"abc", 3, text), 0);
	ck_assert_str_eq(text, "ba:78:16:bf:8f:01:cf:ea");
}
END_TEST

/* Bytes 0..31 as master; computed with Python's hmac as RFC 5869 says, 2.2 and 2.3. */
static const struct {
	const char *identity, *hex;
} derived[] = {
	{ "urn:dev:os:32473-gw7", "8ceb23fb6989362eb5efb5db28d7a1fd" },
	{ "em1-001", "b3cfe0062708997d3b1a194adf51d2f4" },
	{ "", "321488bfa261200d54d0ac0f41afed7c" },
};

START_TEST(test_derive)
{
	uint8_t master[100];

	for (unsigned i = 0; i < 32; i++)
		master[i] = (uint8_t)i;
	put_bytes("m", master, 32, 0600);
	for (size_t i = 0; i < ARRAY_SIZE(derived); i++)
		assert_key("derive:m", derived[i].identity, 0, derived[i].hex);
	for (unsigned i = 0; i < sizeof(master); i++)
		master[i] = (uint8_t)(255 - i);
	put_bytes("m", master, sizeof(master), 0600);
	assert_key("derive:m", "em1-001", 0, "a38be502a2188fb70894744f5a72edf7");
	put_bytes("short", master, SECRET_MASTER_BYTES_MIN - 1, 0600);
	assert_key("derive:short", "x", -EBADMSG, NULL);
	assert_reason("shorter than 32 bytes");
}
END_TEST

START_TEST(test_master_is_bounded)
{
	_cleanup_free_ uint8_t *master = calloc(1, SECRET_MASTER_BYTES_MAX + 1);

	put_bytes("m", master, SECRET_MASTER_BYTES_MAX, 0600);
	ck_assert_int_eq(secret_check(store, "derive:m"), 0);
	put_bytes("m", master, SECRET_MASTER_BYTES_MAX + 1, 0600);
	ck_assert_int_eq(secret_check(store, "derive:m"), -EFBIG);
}
END_TEST

START_TEST(test_modes)
{
	put_bytes("p", "a:01", 4, 0644);
	assert_key("psk-file:p", "a", -EPERM, NULL);
	assert_reason("p: other users can read it");
	put_bytes("p", "a:01", 4, 0602);
	assert_key("psk-file:p", "a", -EPERM, NULL);
	assert_reason("write");
	put_bytes("p", "a:01", 4, 0640);
	assert_key("psk-file:p", "a", 0, "01");
	/* Also when the keys are in memory already. */
	ck_assert_int_eq(chmod(path_of("p"), 0644), 0);
	assert_key("psk-file:p", "a", -EPERM, NULL);
	ck_assert_int_eq(chmod(path_of("p"), 0600), 0);
	assert_key("psk-file:p", "a", 0, "01");
	put_bytes("m", "0123456789abcdef0123456789abcdef", 32, 0604);
	assert_key("derive:m", "a", -EPERM, NULL);
}
END_TEST

START_TEST(test_not_a_file)
{
	assert_key("psk-file:none", "a", -ENOENT, NULL);
	assert_reason("none: No such file");
	ck_assert_int_eq(mkdir(path_of("d"), 0700), 0);
	assert_key("psk-file:d", "a", -EINVAL, NULL);
	ck_assert_int_eq(mkfifo(path_of("f"), 0600), 0);
	assert_key("file:f", "a", -EINVAL, NULL);
	assert_reason("not a regular file");
}
END_TEST

START_TEST(test_too_large)
{
	put_file("p", "");
	ck_assert_int_eq(truncate(path_of("p"), SECRET_FILE_BYTES_MAX + 1), 0);
	assert_key("psk-file:p", "a", -EFBIG, NULL);
}
END_TEST

START_TEST(test_changed_file)
{
	put_file("p", "a:01\n");
	assert_key("psk-file:p", "a", 0, "01");
	put_file("p", "a:02\nb:03\n");
	assert_key("psk-file:p", "b", 0, "03");
	assert_key("psk-file:p", "a", 0, "02");
	/* A mistake while a key is added must not lock out the others. */
	put_file("p", "a:02\nb:03\nc\n");
	assert_key("psk-file:p", "a", 1, "02");
	assert_reason("p:3: expected identity:hex");
	assert_key("psk-file:p", "a", 1, "02");
	assert_reason("p:3: expected identity:hex");
	assert_key("psk-file:p", "c", -ENOKEY, NULL);
	put_file("p", "a:04\n");
	assert_key("psk-file:p", "a", 0, "04");
	assert_key("psk-file:p", "b", -ENOKEY, NULL);
	ck_assert_int_eq(unlink(path_of("p")), 0);
	assert_key("psk-file:p", "a", -ENOENT, NULL);
}
END_TEST

static void put_large_file(const char *name, unsigned first)
{
	_cleanup_buf_ struct buf b = { 0 };

	for (unsigned i = first; b.size <= SECRET_SYNC_BYTES_MAX; i++)
		buf_printf(&b, "endpoint-%06u:%064x\n", i, i);
	put_bytes(name, b.data, b.size, 0600);
}

/* The thread ends in its own time: the former keys answer until then, and the new one must come. */
START_TEST(test_large_file_changes_in_a_thread)
{
	uint8_t *key = NULL;
	size_t size = 0;
	int r;

	put_large_file("p", 1);
	assert_key("psk-file:p", "endpoint-000001", 0,
		   "0000000000000000000000000000000000000000000000000000000000000001");
	put_large_file("p", 2);
	do {
		r = secret_lookup(store, "psk-file:p", "endpoint-000001", &key, &size);
		ck_assert(r == 0 || r == -ENOKEY);
		if (r == 0)
			key = secret_free(key, size);
	} while (r == 0);
	assert_key("psk-file:p", "endpoint-000002", 0,
		   "0000000000000000000000000000000000000000000000000000000000000002");
}
END_TEST

START_TEST(test_freed_while_a_thread_reads)
{
	put_large_file("p", 1);
	ck_assert_int_eq(secret_check(store, "psk-file:p"), 0);
	put_large_file("p", 2);
	ck_assert_int_eq(secret_check(store, "psk-file:p"), 0);
}
END_TEST

START_TEST(test_table)
{
	put_file("t", "# devices\nA4:C1:38:00:11:01:00ff\nroof:0102\n");
	assert_key("table:t", "A4:C1:38:00:11:01", 0, "00ff");
	assert_key("table:t", "roof", 0, "0102");
	assert_key("table:t", "kitchen", -ENOKEY, NULL);
	assert_reason("no key for \"kitchen\"");
	put_file("t", "roof\n");
	assert_key("table:t", "roof", 1, "0102");
	assert_reason("t:1: expected name:hex");
}
END_TEST

static void assert_content(const char *path, bool is_private, int expected, const char *reason)
{
	uint8_t *bytes = NULL;
	size_t size = 0;

	ck_assert_int_eq(secret_content(store, path, is_private, &bytes, &size), expected);
	if (expected < 0) {
		ck_assert_ptr_null(bytes);
		assert_reason(reason);
		return;
	}
	ck_assert_uint_eq(size, strlen(reason));
	ck_assert_mem_eq(bytes, reason, size);
	secret_free(bytes, size);
}

START_TEST(test_content)
{
	static char large[SECRET_CONTENT_BYTES_MAX + 2];

	put_bytes("c", "any\nthing", 9, 0644);
	assert_content("c", false, 0, "any\nthing");
	assert_content(path_of("c"), false, 0, "any\nthing");
	assert_content("c", true, -EPERM, "c: other users can read or write it");
	put_bytes("c", "", 0, 0640);
	assert_content("c", true, 0, "");
	assert_content("none", false, -ENOENT, "none: No such file");
	assert_content(".", false, -EINVAL, "not a regular file");
	memset(large, 'x', sizeof(large) - 1);
	put_bytes("c", large, SECRET_CONTENT_BYTES_MAX + 1, 0640);
	assert_content("c", false, -EFBIG, "larger than 64 KiB");
	large[SECRET_CONTENT_BYTES_MAX] = '\0';
	put_bytes("c", large, SECRET_CONTENT_BYTES_MAX, 0640);
	assert_content("c", false, 0, large);
}
END_TEST

START_TEST(test_files_are_bounded)
{
	char reference[32];

	for (unsigned i = 0; i < SECRET_FILES_MAX; i++) {
		snprintf(reference, sizeof(reference), "file:none%u", i);
		ck_assert_int_eq(secret_check(store, reference), -ENOENT);
	}
	ck_assert_int_eq(secret_check(store, "file:none0"), -ENOENT);
	ck_assert_int_eq(secret_check(store, "file:one-more"), -ENOSPC);
}
END_TEST

/* Twice unused and not named any more: its place is free, and it can be had again. */
START_TEST(test_unused_files_are_dropped)
{
	static const char *const named[] = { "file:none1", "psk-file:none0", NULL, "nonsense" };
	char reference[32];

	for (unsigned i = 0; i < SECRET_FILES_MAX; i++) {
		snprintf(reference, sizeof(reference), "file:none%u", i);
		ck_assert_int_eq(secret_check(store, reference), -ENOENT);
	}
	secret_store_retain(store, named, ARRAY_SIZE(named));
	ck_assert_int_eq(secret_check(store, "file:one-more"), -ENOSPC);
	ck_assert_int_eq(secret_check(store, "file:none2"), -ENOENT);
	secret_store_retain(store, named, ARRAY_SIZE(named));
	/* Two are there. */
	for (unsigned i = 3; i < SECRET_FILES_MAX + 1; i++) {
		snprintf(reference, sizeof(reference), "file:other%u", i);
		ck_assert_int_eq(secret_check(store, reference), -ENOENT);
	}
	ck_assert_int_eq(secret_check(store, "file:one-more"), -ENOSPC);
	ck_assert_int_eq(secret_check(store, "file:none1"), -ENOENT);
	ck_assert_int_eq(secret_check(store, "file:none2"), -ENOENT);
	ck_assert_int_eq(secret_check(store, "file:none0"), -ENOSPC);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("secret");
	TCase *tcase = tcase_create("secret");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, test_reference, 0, ARRAY_SIZE(references));
	tcase_add_test(tcase, test_a_key_in_the_wrong_place_is_not_told);
	tcase_add_test(tcase, test_psk_file);
	tcase_add_test(tcase, test_absolute_path);
	tcase_add_test(tcase, test_empty_psk_file);
	tcase_add_loop_test(tcase, test_malformed_psk_file, 0, ARRAY_SIZE(malformed));
	tcase_add_test(tcase, test_binary_file);
	tcase_add_test(tcase, test_longest_key);
	tcase_add_test(tcase, test_hex_file);
	tcase_add_test(tcase, test_derive);
	tcase_add_test(tcase, test_fingerprint);
	tcase_add_test(tcase, test_master_is_bounded);
	tcase_add_test(tcase, test_modes);
	tcase_add_test(tcase, test_not_a_file);
	tcase_add_test(tcase, test_too_large);
	tcase_add_test(tcase, test_changed_file);
	tcase_add_test(tcase, test_large_file_changes_in_a_thread);
	tcase_add_test(tcase, test_freed_while_a_thread_reads);
	tcase_add_test(tcase, test_table);
	tcase_add_test(tcase, test_content);
	tcase_add_test(tcase, test_files_are_bounded);
	tcase_add_test(tcase, test_unused_files_are_dropped);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
