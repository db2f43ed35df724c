/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macro.h"
#include "base/str.h"
#include "base/yaml.h"
#include "model/definition.h"

/* The built fieldwayctl as a process: XML files in, an object file out that definitions read. */
static char folder[PATH_MAX];
static struct buf output, complaints;
static struct definitions *definitions;

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void setup(void)
{
	strcpy(folder, "/tmp/fieldway-import-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	ck_assert_int_eq(definitions_new(&definitions), 0);
}

static void teardown(void)
{
	definitions = definitions_free(definitions);
	buf_done(&output);
	buf_done(&complaints);
	nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void put_file(const char *name, const void *data, size_t size)
{
	char path[PATH_MAX + 64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, size, f), size);
	ck_assert_int_eq(fclose(f), 0);
}

static void get_file(const char *name, struct buf *ret)
{
	char path[PATH_MAX + 64], chunk[4096];
	size_t n;
	FILE *f;

	ret->size = 0;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	ck_assert_ptr_nonnull(f);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		ck_assert_int_eq(buf_append(ret, chunk, n), 0);
	fclose(f);
	ck_assert_int_eq(buf_append_byte(ret, 0), 0);
}

/* Runs it in the folder and returns its exit status. */
static int run(const char *to, char *const *arguments)
{
	const char *top = getenv("abs_top_builddir");
	posix_spawn_file_actions_t actions;
	char *argv[16], program[PATH_MAX];
	int status, n = 0;
	pid_t pid;

	snprintf(program, sizeof(program), "%s/fieldwayctl", top ? top : ".");
	argv[n++] = program;
	while (*arguments)
		argv[n++] = *arguments++;
	argv[n] = NULL;
	ck_assert_int_eq(posix_spawn_file_actions_init(&actions), 0);
	posix_spawn_file_actions_addchdir_np(&actions, folder);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, to, O_WRONLY | O_CREAT | O_TRUNC,
					 0600);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "err",
					 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_eq(posix_spawn(&pid, program, &actions, NULL, argv, (char *[]){ NULL }), 0);
	posix_spawn_file_actions_destroy(&actions);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status), "%x", status);
	get_file("err", &complaints);
	if (*to != '/')
		get_file(to, &output);
	return WEXITSTATUS(status);
}

static const char *said(void)
{
	return (const char *)complaints.data;
}

static int import(char *const *files)
{
	char *arguments[8] = { (char[]){ "import-object" } };

	for (unsigned i = 0; files[i]; i++)
		arguments[i + 1] = files[i];
	return run("out", arguments);
}

#define FILES(...)                                                                                 \
	(char *[])                                                                                 \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}

static int import_text(const char *text)
{
	put_file("o.xml", text, strlen(text));
	return import(FILES((char[]){ "o.xml" }));
}

/* What was written, as definitions read it. */
static const struct object_definition *imported(uint16_t id, uint16_t version)
{
	struct yaml_errors errors = { 0 };
	const char *text = (const char *)output.data;

	ck_assert_msg(definitions_read_text(definitions, "out", text, strlen(text), &errors) == 0,
		      "%s\n%s", errors.text.data ? (const char *)errors.text.data : "", text);
	yaml_errors_done(&errors);
	return definitions_find(definitions, id, version);
}

#define HEAD                                                                                       \
	"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<LWM2M>\n<Object ObjectType=\"MODefinition\">\n"
#define TAIL "</Object>\n</LWM2M>\n"
#define OBJECT(version)                                                                            \
	"<Name>Meter</Name><Description1>words</Description1><ObjectID>32769</ObjectID>" version   \
	"<MultipleInstances>Multiple</MultipleInstances><Mandatory>Optional</Mandatory>\n"
#define VERSION_1_1 "<ObjectVersion>1.1</ObjectVersion>"
#define ITEM(id, operations, type, more)                                                           \
	"<Item ID=\"" id "\"><Name>N</Name><Operations>" operations "</Operations>"                \
	"<MultipleInstances>Single</MultipleInstances><Mandatory>Optional</Mandatory><Type>" type  \
	"</Type>" more "</Item>\n"
#define RANGE(text) "<RangeEnumeration>" text "</RangeEnumeration>"
#define UNITS(text) "<Units>" text "</Units>"
#define FILE_OF(items)                                                                             \
	HEAD OBJECT(VERSION_1_1) "<Resources>" items "</Resources><Description2/>" TAIL

START_TEST(takes_the_facts)
{
	static const char text[] = HEAD
		"<Name>\n  Smart  Meter: \"A\\B\" &amp; C&#127; </Name><Description1><![CDATA[not <this>]]></Description1>"
		"<ObjectID> 32769 </ObjectID><ObjectURN>urn:x</ObjectURN><LWM2MVersion>1.1</LWM2MVersion>" VERSION_1_1
		"<MultipleInstances>Multiple</MultipleInstances><Mandatory>Mandatory</Mandatory><Resources>"
		"<Item ID=\"3\"><Name>Mode</Name><Operations>RW</Operations><MultipleInstances>Multiple</MultipleInstances>"
		"<Mandatory>Mandatory</Mandatory><Type>Unsigned Integer</Type><RangeEnumeration>0..5</RangeEnumeration>"
		"<Units>%</Units><Description>Name: <b>none</b></Description></Item>" ITEM(
			"1", "R", "Float", UNITS("kWh")) ITEM("2", "E", "", RANGE("x") UNITS("x"))
			ITEM("7", "", "Opaque",
			     "") "<Item ID=\"8\"><Name>Yes</Name><Operations>W</Operations><Type>Corelnk</Type></Item>"
				 "</Resources><Description2>more</Description2>" TAIL;
	const struct object_definition *o;
	const struct resource_definition *r;

	ck_assert_msg(import_text(text) == 0, "%s", said());
	ck_assert_str_eq(said(), "");
	ck_assert_ptr_null(strstr((char *)output.data, "this"));
	ck_assert_ptr_null(strstr((char *)output.data, "more"));
	o = imported(32769, VERSION(1, 1));
	ck_assert_ptr_nonnull(o);
	ck_assert_str_eq(o->name, "Smart Meter: \"A\\B\" & C ");
	ck_assert(o->multiple && o->mandatory);
	ck_assert_uint_eq(o->n_resources, 5);
	r = object_resource(o, 3);
	ck_assert_str_eq(r->name, "Mode");
	ck_assert_uint_eq(r->operations, OPERATION_READ | OPERATION_WRITE);
	ck_assert_int_eq(r->type, VALUE_UNSIGNED);
	ck_assert(r->multiple && r->mandatory);
	ck_assert(r->range.minimum == 0 && r->range.maximum == 5);
	ck_assert_str_eq(r->unit, "%");
	r = object_resource(o, 1);
	ck_assert_int_eq(r->type, VALUE_FLOAT);
	ck_assert(!r->multiple && !r->mandatory && !r->range.present);
	ck_assert_str_eq(r->unit, "kWh");
	ck_assert_uint_eq(object_resource(o, 2)->operations, OPERATION_EXECUTE);
	ck_assert_uint_eq(object_resource(o, 7)->operations, 0);
	ck_assert_str_eq(object_resource(o, 8)->name, "Yes");
	ck_assert_int_eq(object_resource(o, 8)->type, VALUE_CORELNK);
}
END_TEST

static const struct {
	const char *text;
	bool known;
	double minimum, maximum;
	unsigned n;
	int64_t values[4];
} ranges[] = {
	{ "0..100", true, 0, 100 },
	{ " 0 .. 100 ", true, 0, 100 },
	{ "-110..-48", true, -110, -48 },
	{ "-10--5", true, -10, -5 },
	{ "1-65534", true, 1, 65534 },
	{ "10 - 20", true, 10, 20 },
	{ "[1:4]", true, 1, 4 },
	{ "1...63", true, 1, 63 },
	{ "0.000001..1.0", true, 0.000001, 1 },
	{ "-0.5...0.5", true, -0.5, 0.5 },
	{ "0..18446744073709551615", true, 0, 18446744073709551616.0 },
	{ "0..255 bytes", true, 0, 255 },
	{ "1..64 Bytes", true, 1, 64 },
	{ "5..5", true, 5, 5 },
	{ "16,32,48", true, .n = 3, .values = { 16, 32, 48 } },
	{ "16, 32", true, .n = 2, .values = { 16, 32 } },
	{ "10 or 26 Bytes", true, .n = 2, .values = { 10, 26 } },
	{ "16-32-48 bytes", true, .n = 3, .values = { 16, 32, 48 } },
	{ "32 bytes", true, .n = 1, .values = { 32 } },
	{ "1 byte", true, .n = 1, .values = { 1 } },
	/* What is not sure is left out, and said. */
	{ "100..0", false },
	{ "255", false },
	{ "8 bit", false },
	{ "0..247, 255", false },
	{ "1,2,", false },
	{ "0: off 1: on", false },
	{ "..", false },
	{ "1..", false },
	{ "1..x", false },
	{ "-", false },
	{ "ON;OFF", false },
	{ "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", false },
};

START_TEST(reads_ranges_for_people)
{
	const struct resource_definition *r;
	char text[1024];

	snprintf(text, sizeof(text), FILE_OF(ITEM("1", "R", "Integer", RANGE("%s"))),
		 ranges[_i].text);
	ck_assert_msg(import_text(text) == 0, "%s", said());
	r = object_resource(imported(32769, VERSION(1, 1)), 1);
	ck_assert_msg(r->range.present == ranges[_i].known, "%s", (char *)output.data);
	if (!ranges[_i].known) {
		ck_assert_msg(has_prefix(said(), "o.xml: resource 1: left out: range '"), "%s",
			      said());
		return;
	}
	ck_assert_str_eq(said(), "");
	ck_assert_uint_eq(r->range.n, ranges[_i].n);
	for (unsigned i = 0; i < ranges[_i].n; i++)
		ck_assert_int_eq(r->range.values[i], ranges[_i].values[i]);
	if (ranges[_i].n == 0)
		ck_assert_msg(r->range.minimum == ranges[_i].minimum &&
				      r->range.maximum == ranges[_i].maximum,
			      "%s", (char *)output.data);
}
END_TEST

static const struct {
	const char *text, *unit;
} units[] = {
	{ "Cel", "Cel" },
	{ "KB", "kB" },
	{ "Celsius", "Cel" },
	{ "/100", "/100" },
	{ "%", "%" },
	{ "furlong", NULL },
	{ "Defined by \"Units\" resource", NULL },
};

START_TEST(takes_units_that_exist)
{
	const struct resource_definition *r;
	char text[1024];

	snprintf(text, sizeof(text), FILE_OF(ITEM("1", "R", "Float", UNITS("%s"))), units[_i].text);
	ck_assert_msg(import_text(text) == 0, "%s", said());
	r = object_resource(imported(32769, VERSION(1, 1)), 1);
	if (units[_i].unit)
		ck_assert_str_eq(r->unit, units[_i].unit);
	else
		ck_assert_ptr_null(r->unit);
	ck_assert_int_eq(*said() == 0, units[_i].unit != NULL);
}
END_TEST

static const struct {
	const char *text, *error;
} broken[] = {
	{ "", "o.xml:1:1: " },
	{ "hello", "o.xml:1:1: " },
	{ HEAD OBJECT(VERSION_1_1) "<Resources>", "o.xml:5:12: no element found" },
	{ HEAD "</LWM2M>", "o.xml:4:3: mismatched tag" },
	{ "<LWM2M/>", "o.xml:1:9: no Object in this file" },
	{ HEAD TAIL, "o.xml: no name, or no object id" },
	{ HEAD "<Name/><ObjectID/>" TAIL, "o.xml: no name, or no object id" },
	{ HEAD "<Name>A</Name><ObjectID>70000</ObjectID>" TAIL,
	  "o.xml: no name, or no object id '70000'" },
	{ HEAD "<Name>A</Name><ObjectID>65535</ObjectID>" TAIL,
	  "as object file:3:14: an id is a number" },
	{ HEAD OBJECT("<ObjectVersion>1</ObjectVersion>") TAIL, "o.xml: no version '1'" },
	{ HEAD OBJECT("<ObjectVersion>1.0\", x: \"</ObjectVersion>") TAIL,
	  "o.xml: no version '1.0\", x: \"'" },
	{ HEAD OBJECT(VERSION_1_1) TAIL HEAD, "o.xml:" },
	{ "<L><Object/><Object/></L>", "o.xml:1:13: a second Object in one file" },
	{ FILE_OF("<Item><Name>N</Name></Item>"), "o.xml:5:12: Item without ID" },
	{ FILE_OF(ITEM("x", "R", "Float", "")), "o.xml: resource x: no id 'x'" },
	{ FILE_OF(ITEM("65535", "R", "Float", "")), "o.xml: resource 65535: no id" },
	{ FILE_OF(ITEM("1", "RWE", "Float", "")),
	  "o.xml: resource 1: no name, or unknown operations 'RWE'" },
	{ FILE_OF(ITEM("1", "R", "Double", "")), "o.xml: resource 1: unknown type 'Double'" },
	{ FILE_OF(ITEM("1", "R", "", "")), "o.xml: resource 1: unknown type ''" },
	{ FILE_OF(ITEM("1", "R", "Float", "") ITEM("1", "R", "Float", "")),
	  "as object file:6:3: " },
	{ FILE_OF(ITEM("1", "R", "Integer", RANGE("1,99999999999999999999"))),
	  "as object file:5:" },
	/* Entities: bombs, files, and the subset of somebody else. */
	{ "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;\">]>"
	  "<LWM2M><Object><Name>&c;</Name></Object></LWM2M>",
	  "o.xml:1:" },
	{ "<!DOCTYPE l [<!ENTITY x SYSTEM \"/etc/hostname\">]><LWM2M><Object><Name>&x;</Name></Object></LWM2M>",
	  "o.xml:1:" },
	{ "<!DOCTYPE l [<!ENTITY % p SYSTEM \"file:///etc/hostname\"> %p;]><LWM2M><Object/></LWM2M>",
	  "o.xml:1:" },
	{ "<!DOCTYPE l SYSTEM \"outside.dtd\"><LWM2M><Object><Name>&x;</Name></Object></LWM2M>",
	  "o.xml:1:" },
	{ "<LWM2M><Object><Name>&x;</Name></Object></LWM2M>", "o.xml:1:22: undefined entity" },
};

START_TEST(refuses_what_is_broken)
{
	ck_assert_int_eq(import_text(broken[_i].text), 1);
	ck_assert_msg(has_prefix(said(), broken[_i].error), "wanted '%s', got '%s'",
		      broken[_i].error, said());
	ck_assert_msg(!strstr(broken[_i].text, "DOCTYPE") ||
			      strstr(said(), "document types and entities are refused"),
		      "%s", said());
	/* Nothing half. */
	ck_assert_str_eq((char *)output.data, "");
}
END_TEST

START_TEST(complains_about_everything_at_once)
{
	ck_assert_int_eq(
		import_text(FILE_OF(ITEM("1", "RWE", "Float", "") ITEM("2", "R", "Double", ""))),
		1);
	ck_assert_ptr_nonnull(strstr(said(), "resource 1: "));
	ck_assert_ptr_nonnull(strstr(said(), "resource 2: "));
}
END_TEST

/* ---- versions ---- */

static void put_version(const char *name, const char *version, const char *units_of_it)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 HEAD OBJECT("%s") "<Resources>" ITEM("1", "R", "Float",
						      UNITS("%s")) "</Resources>" TAIL,
		 version, units_of_it);
	put_file(name, text, strlen(text));
}

START_TEST(several_files_are_versions)
{
	put_version("c.xml", "<ObjectVersion>1.10</ObjectVersion>", "V");
	put_version("a.xml", "<ObjectVersion>1.9</ObjectVersion>", "odd");
	put_version("b.xml", "", "V");
	ck_assert_msg(
		import(FILES((char[]){ "c.xml" }, (char[]){ "a.xml" }, (char[]){ "b.xml" })) == 0,
		"%s", said());
	/* A complaint names the file it is about. */
	ck_assert_str_eq(said(), "a.xml: resource 1: left out: unknown unit 'odd'\n");
	ck_assert_ptr_nonnull(imported(32769, VERSION(1, 0)));
	ck_assert_ptr_nonnull(definitions_find(definitions, 32769, VERSION(1, 9)));
	ck_assert_ptr_nonnull(definitions_find(definitions, 32769, VERSION(1, 10)));
	/* Oldest first, as objects/README.md says. */
	ck_assert(strstr((char *)output.data, "\"1.0\"") < strstr((char *)output.data, "\"1.9\""));
	ck_assert(strstr((char *)output.data, "\"1.9\"") < strstr((char *)output.data, "\"1.10\""));
}
END_TEST

START_TEST(one_version_comes_once)
{
	put_version("a.xml", "", "V");
	put_version("b.xml", "<ObjectVersion>1.0</ObjectVersion>", "A");
	ck_assert_int_eq(import(FILES((char[]){ "a.xml" }, (char[]){ "b.xml" })), 1);
	ck_assert_ptr_nonnull(strstr(said(), "the same object and version as in"));
	ck_assert_str_eq((char *)output.data, "");
}
END_TEST

START_TEST(one_bad_file_spoils_all)
{
	put_version("a.xml", "", "V");
	/* 3: there is no such thing. */
	ck_assert_int_eq(import(FILES((char[]){ "a.xml" }, (char[]){ "none.xml" })), 3);
	ck_assert_str_eq(said(), "none.xml: No such file or directory\n");
	ck_assert_str_eq((char *)output.data, "");
	ck_assert_int_eq(import(FILES((char[]){ "." })), 1);
	ck_assert_ptr_nonnull(strstr(said(), "cannot be read"));
}
END_TEST

/* ---- limits ---- */

START_TEST(bounds_what_a_file_may_hold)
{
	_cleanup_buf_ struct buf text = { 0 };

	buf_printf(&text, "%s", HEAD OBJECT(VERSION_1_1) "<Resources>");
	for (unsigned i = 0; i < 2048; i++)
		buf_printf(&text, "<Item ID=\"%u\"><Name>N</Name><Operations>E</Operations></Item>",
			   i);
	buf_printf(&text, "%s", "</Resources>" TAIL);
	put_file("o.xml", text.data, text.size);
	ck_assert_msg(import(FILES((char[]){ "o.xml" })) == 0, "%s", said());
	ck_assert_uint_eq(imported(32769, VERSION(1, 1))->n_resources, 2048);
	text.size -= strlen("</Resources>" TAIL);
	buf_printf(&text, "<Item ID=\"5000\"/></Resources>" TAIL);
	put_file("o.xml", text.data, text.size);
	ck_assert_int_eq(import(FILES((char[]){ "o.xml" })), 1);
	ck_assert_ptr_nonnull(strstr(said(), "too many resources"));
}
END_TEST

START_TEST(bounds_texts_but_not_descriptions)
{
	_cleanup_buf_ struct buf text = { 0 };
	char words[5000];

	memset(words, 'w', sizeof(words) - 1);
	words[sizeof(words) - 1] = 0;
	buf_printf(&text, "%s<Description1>%s</Description1>%s%s", HEAD, words, OBJECT(VERSION_1_1),
		   TAIL);
	put_file("o.xml", text.data, text.size);
	ck_assert_msg(import(FILES((char[]){ "o.xml" })) == 0, "%s", said());
	text.size = 0;
	buf_printf(&text, "%s<Name>%s</Name>%s", HEAD, words, TAIL);
	put_file("o.xml", text.data, text.size);
	ck_assert_int_eq(import(FILES((char[]){ "o.xml" })), 1);
	ck_assert_ptr_nonnull(strstr(said(), "text too long"));
}
END_TEST

START_TEST(bounds_the_file)
{
	char *text = malloc(5u << 20);

	ck_assert_ptr_nonnull(text);
	memset(text, ' ', 5u << 20);
	memcpy(text, "<LWM2M>", 7);
	put_file("o.xml", text, 5u << 20);
	free(text);
	ck_assert_int_eq(import(FILES((char[]){ "o.xml" })), 1);
	ck_assert_ptr_nonnull(strstr(said(), "file too large"));
}
END_TEST

/* ---- the program ---- */

static const struct {
	char arguments[2][32];
	int status;
	const char *out, *error;
} usages[] = {
	{ { "" }, 2, "", "Usage: fieldwayctl COMMAND" },
	{ { "--help" }, 0, "Usage: fieldwayctl COMMAND", "" },
	{ { "help" }, 0, "Usage: fieldwayctl COMMAND", "" },
	{ { "--version" }, 0, "fieldwayctl ", "" },
	{ { "import-object" }, 2, "", "Usage: fieldwayctl import-object FILE.xml" },
	{ { "import-objekt" },
	  2,
	  "",
	  "fieldwayctl: unknown command 'import-objekt', did you mean 'import-object'?" },
	{ { "frobnicate" }, 2, "", "fieldwayctl: unknown command 'frobnicate'\nTry 'fieldwayctl --help'.\n" },
};

START_TEST(tells_how_it_is_used)
{
	char *arguments[3] = { NULL };

	for (unsigned i = 0; i < 2 && *usages[_i].arguments[i]; i++) {
		arguments[i] = strdup(usages[_i].arguments[i]);
		ck_assert_ptr_nonnull(arguments[i]);
	}
	ck_assert_int_eq(run("out", arguments), usages[_i].status);
	ck_assert(has_prefix((char *)output.data, usages[_i].out));
	ck_assert_msg(has_prefix(said(), usages[_i].error), "%s", said());
	ck_assert_int_eq(*said() == 0, *usages[_i].error == 0);
	free(arguments[0]);
	free(arguments[1]);
}
END_TEST

START_TEST(a_full_disk_is_no_success)
{
	char *arguments[] = { (char[]){ "import-object" }, (char[]){ "a.xml" }, NULL };

	put_version("a.xml", "", "V");
	ck_assert_int_eq(run("/dev/full", arguments), 1);
	ck_assert_str_eq(said(), "fieldwayctl: standard output: No space left on device\n");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("import-object");
	TCase *tcase = tcase_create("import-object");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, takes_the_facts);
	tcase_add_loop_test(tcase, reads_ranges_for_people, 0, ARRAY_SIZE(ranges));
	tcase_add_loop_test(tcase, takes_units_that_exist, 0, ARRAY_SIZE(units));
	tcase_add_loop_test(tcase, refuses_what_is_broken, 0, ARRAY_SIZE(broken));
	tcase_add_test(tcase, complains_about_everything_at_once);
	tcase_add_test(tcase, several_files_are_versions);
	tcase_add_test(tcase, one_version_comes_once);
	tcase_add_test(tcase, one_bad_file_spoils_all);
	tcase_add_test(tcase, bounds_what_a_file_may_hold);
	tcase_add_test(tcase, bounds_texts_but_not_descriptions);
	tcase_add_test(tcase, bounds_the_file);
	tcase_add_loop_test(tcase, tells_how_it_is_used, 0, ARRAY_SIZE(usages));
	tcase_add_test(tcase, a_full_disk_is_no_success);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
