/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "line_rig.h"

/* TLS: what is wrong with certificates and peers is told. */

static const struct {
	const char *server, *client, *name, *detail;
} wrongs[] = {
	{ "expired", "client", NULL, "TLS: the device's certificate expired on 20" },
	{ "future", "client", NULL, "TLS: the device's certificate is valid from 20" },
	{ "stranger", "client", NULL, "TLS: the device's certificate is not signed by tls.ca" },
	{ "named", "client", NULL, "TLS: the device's certificate is for another name" },
	{ "gateway", "client", NULL, "TLS: the device's certificate is not one of a server" },
	{ "server", "client", "other.example", "TLS: the device's certificate is for another name" },
	{ "server", "expired-client", NULL, "TLS: the device refuses: " },
	{ "server", "stranger", NULL, "TLS: the device refuses: " },
};

static void set_own(const char *name)
{
	char file[32];

	for (size_t i = 0; i < f.bus.settings.n; i++) {
		struct fieldway_setting *s = &f.bus_settings[i];
		bool certificate = strcmp(s->key, "tls.certificate") == 0;

		if (!certificate && strcmp(s->key, "tls.key") != 0)
			continue;
		free((void *)(uintptr_t)s->value.data);
		snprintf(file, sizeof(file), "%s.%s", name, certificate ? "pem" : "key");
		*s = file_setting(s->key, file);
	}
}

START_TEST(wrong_certificates)
{
	struct fieldway_result result = { 0 };
	char command[48];

	prepare(TLS);
	set_own(wrongs[_i].client);
	if (wrongs[_i].name)
		add_setting(TEXT("tls.server_name", wrongs[_i].name));
	make_driver();
	snprintf(command, sizeof(command), "certificate %s", wrongs[_i].server);
	ask(command);
	/*
	 * TLS 1.3 tells a client that it is refused after the handshake, with the
	 * first answer; where the connection's end overtakes it, with the next.
	 */
	if (open_line(&result) == 0) {
		do
			result = read_point(HOLDING).result;
		while (result.error == -ECONNRESET);
		ck_assert_int_lt(result.error, 0);
	}
	ck_assert_msg(result.error == -ECONNREFUSED, "%d %s", result.error, result.detail);
	ck_assert_msg(strncmp(result.detail, wrongs[_i].detail, strlen(wrongs[_i].detail)) == 0, "%s",
		      result.detail);
	if (strstr(wrongs[_i].detail, " 20"))
		ck_assert_msg(strstr(result.detail, "; today is 20") != NULL, "%s", result.detail);
	stop();
}
END_TEST

START_TEST(a_name_in_the_certificate)
{
	struct fieldway_result result = { 0 };

	prepare(TLS);
	add_setting(TEXT("tls.server_name", "meter.example"));
	make_driver();
	ask("certificate named");
	ck_assert_msg(open_line(&result) == 0, "%s", result.detail);
	reads(HOLDING, 0);
	stop();
}
END_TEST

/* Listens where the device is expected; says this, if anything, to whoever comes. */
static pid_t impostor(const char *says, uint16_t *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), c;
	pid_t pid;

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, size), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	*ret_port = ntohs(a.sin_port);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid > 0) {
		close(fd);
		return pid;
	}
	while ((c = accept(fd, NULL, NULL)) >= 0)
		if (says && send(c, says, strlen(says), MSG_NOSIGNAL) < 0)
			_exit(1);
	_exit(0);
}

static const struct {
	const char *says;
	int error;
	const char *detail;
} impostors[] = {
	{ "SSH-2.0-OpenSSH_9.2p1\r\n", -ECONNREFUSED, "TLS: what the device says is not TLS" },
	{ NULL, -ETIMEDOUT, "TLS: the device does not answer the handshake" },
};

START_TEST(peers_without_tls)
{
	struct fieldway_result result = { 0 };
	uint16_t place;
	pid_t pid = impostor(impostors[_i].says, &place);

	prepare(TLS);
	f.device_settings[2] = UINT("port", place);
	make_driver();
	ck_assert_int_eq(open_line(&result), impostors[_i].error);
	ck_assert_str_eq(result.detail, impostors[_i].detail);
	kill(pid, SIGKILL);
	stop();
}
END_TEST

START_TEST(a_modbus_device_without_tls)
{
	struct fieldway_result result = { 0 };
	struct fieldway_setting *s = f.bus_settings;

	prepare(TCP);
	f.bus.settings.n = 0;
	add_setting(file_setting("tls.ca", "ca.pem"));
	add_setting(file_setting("tls.certificate", "client.pem"));
	add_setting(file_setting("tls.key", "client.key"));
	make_driver();
	ck_assert_ptr_eq(f.bus.settings.items, s);
	ck_assert_int_eq(open_line(&result), -ECONNRESET);
	ck_assert_str_eq(result.detail, "TLS: the device closed the connection in the handshake");
	stop();
}
END_TEST

static const struct {
	const char *key, *file, *text;
} contents[] = {
	{ "tls.ca", "client.key", "no certificate in PEM form" },
	{ "tls.certificate", "client.key", "no certificate in PEM form" },
	{ "tls.key", "client.pem", "no private key in PEM form" },
	{ "tls.key", "server.key", "not the key of tls.certificate" },
	{ NULL },
};

START_TEST(credentials_are_checked)
{
	struct fieldway_error error = { 0 };
	int expected = contents[_i].key ? -EINVAL : 0;

	prepare(TLS);
	for (size_t i = 0; contents[_i].key && i < f.bus.settings.n; i++) {
		if (strcmp(f.bus_settings[i].key, contents[_i].key) != 0)
			continue;
		free((void *)(uintptr_t)f.bus_settings[i].value.data);
		f.bus_settings[i] = file_setting(contents[_i].key, contents[_i].file);
	}
	ck_assert_int_eq(plugin->bus_check(&f.bus, &error), expected);
	if (expected) {
		ck_assert_str_eq(error.key, contents[_i].key);
		ck_assert_msg(strstr(error.text, contents[_i].text) != NULL, "%s", error.text);
	}
	stop();
}
END_TEST

#define ROWS(table) (int)(sizeof(table) / sizeof((table)[0]))

int main(void)
{
	Suite *s = suite_create("modbus/tls");
	TCase *t = tcase_create("tls");
	SRunner *runner;
	int failed;

	tcase_add_unchecked_fixture(t, make_certificates, remove_certificates);
	tcase_set_timeout(t, 20);
	tcase_add_loop_test(t, wrong_certificates, 0, ROWS(wrongs));
	tcase_add_test(t, a_name_in_the_certificate);
	tcase_add_loop_test(t, peers_without_tls, 0, ROWS(impostors));
	tcase_add_test(t, a_modbus_device_without_tls);
	tcase_add_loop_test(t, credentials_are_checked, 0, ROWS(contents));
	suite_add_tcase(s, t);
	runner = srunner_create(s);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
