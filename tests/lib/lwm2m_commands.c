/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 32

struct command {
	const char *name;
	int words;	 /* behind the name, at least */
	bool identified; /* the first is an ID; ends with an event rather than ok */
	int (*run)(struct server *s, char **words, int n);
};

static int run_request(struct server *s, char **words, int n)
{
	return request_send(s, words[0], words[1], words[2], words[3], words + 4, n - 4);
}

static int run_observe(struct server *s, char **words, int n)
{
	return request_observe(s, words[0], words[1], words[2], words + 3, n - 3);
}

static int run_cancel(struct server *s, char **words, int n)
{
	return request_cancel(s, words[0], words[1], words[2]);
}

static int run_reset(struct server *s, char **words, int n)
{
	return observation_reset(s, words[0], words[1]);
}

static int run_forget(struct server *s, char **words, int n)
{
	struct client *c = client_find(s, words[0]), *b = bootstrap_find(s, words[0]);

	if (!c && !b)
		return -ENOENT;
	if (c)
		client_remove(s, c);
	else
		requests_fail(s, words[0], "gone");
	bootstrap_end(s, words[0]);
	return 0;
}

static int run_pack(struct server *s, char **words, int n)
{
	if (n == 1 && strcmp(words[0], "none") != 0)
		return -EINVAL;
	return bootstrap_pack(s, words[0], n == 1 ? NULL : words[1]);
}

static int run_profile(struct server *s, char **words, int n)
{
	if (strcmp(words[1], "none") == 0)
		return profile_forget(s, words[0]);
	return profile_add(s, words[0], words[1]);
}

static int run_step(struct server *s, char **words, int n)
{
	unsigned long seconds;
	int r = parse_number(words[0], 100000000, &seconds);

	if (r < 0)
		return r;
	clock_step(seconds);
	clients_expire(s);
	return 0;
}

static int run_hold(struct server *s, char **words, int n)
{
	clock_hold();
	return 0;
}

static int run_clients(struct server *s, char **words, int n)
{
	for (const struct client *c = s->clients; c; c = c->next)
		client_print("client", c);
	return 0;
}

static int run_fault(struct server *s, char **words, int n)
{
	const struct {
		const char *name;
		struct fault *fault;
	} all[] = {
		{ "register", &s->fault_register },
		{ "update", &s->fault_update },
		{ "deregister", &s->fault_deregister },
		{ "notify", &s->fault_notify },
		{ "send", &s->fault_send },
		{ "bootstrap", &s->fault_bootstrap },
		{ "pack", &s->fault_pack },
	};
	struct fault f = { 0 };
	size_t i = 0;
	char *rest = strstr(words[1], "-on-1.2");

	if (rest) {
		*rest = '\0';
		f.only_1_2 = true;
	}
	f.silent = strcmp(words[1], "silent") == 0;
	if (!f.silent && strcmp(words[1], "none") != 0 && parse_code(words[1], &f.code) < 0)
		return -EINVAL;
	while (i < sizeof(all) / sizeof(*all) && strcmp(words[0], all[i].name) != 0)
		i++;
	if (i == sizeof(all) / sizeof(*all) || (all[i].fault == &s->fault_notify && f.code))
		return -EINVAL;
	*all[i].fault = f;
	return 0;
}

static int run_refuse(struct server *s, char **words, int n)
{
	free(s->refused);
	s->refused = strdup(words[0]);
	return s->refused ? 0 : -ENOMEM;
}

static const struct command commands[] = {
	{ "request", 4, true,
	  run_request }, /* ID EP METHOD PATH [accept= format= payload= timeout= non] */
	{ "observe", 3, true, run_observe }, /* ID EP PATH [accept=] */
	{ "cancel", 3, true, run_cancel },   /* ID EP PATH */
	{ "reset", 2, false, run_reset },    /* EP TOKEN */
	{ "refuse", 1, false, run_refuse }, /* TEXT: Sends with that in them */
	{ "fault", 2, false, run_fault },    /* register|update|deregister|notify|send CODE[-on-1.2]|silent|none */
	{ "forget", 1, false, run_forget },  /* EP */
	{ "pack", 1, false, run_pack },	     /* FORMAT HEX|none */
	{ "profile", 2, false, run_profile }, /* ID LINKS|none */
	{ "step", 1, false, run_step }, /* SECONDS */
	{ "hold", 0, false, run_hold },
	{ "clients", 0, false, run_clients },
};

static const char *describe(int error)
{
	switch (error) {
	case -ENOENT:
		return "not-registered";
	case -ENOTCONN:
		return "unreachable";
	case -ESRCH:
		return "not-observed";
	default:
		return strerror(-error);
	}
}

static void run(struct server *s, const struct command *c, char **words, int n)
{
	int r = n < c->words ? -EINVAL : c->run(s, words, n);

	if (c->identified && n > 0 && r < 0)
		printf("failed %s %s\n", words[0], describe(r));
	else if (r < 0)
		printf("error %s\n", describe(r));
	else if (!c->identified)
		printf("ok\n");
}

void server_command(struct server *s, char *line)
{
	char *words[WORDS], *rest = NULL;
	int n = 0;

	for (char *w = strtok_r(line, " \t\r\n", &rest); w && n < WORDS;
	     w = strtok_r(NULL, " \t\r\n", &rest))
		words[n++] = w;
	if (n == 0)
		return;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, words[0]) == 0) {
			run(s, &commands[i], words + 1, n - 1);
			return;
		}
	printf("error unknown command\n");
}
