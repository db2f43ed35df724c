/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS 160 /* an area, an address, and the registers of one request */

struct command {
	const char *name;
	int words; /* behind the name, at least */
	int (*run)(struct simulator *s, char **words, int n, FILE *out);
};

static int parse_number(const char *text, long least, long most, long *ret)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(text, &end, 0);
	if (errno || end == text || *end || v < least || v > most)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int run_silent(struct simulator *s, char **words, int n, FILE *out)
{
	s->silent = true;
	return 0;
}

static int run_talk(struct simulator *s, char **words, int n, FILE *out)
{
	s->silent = s->garble = s->hangup = s->single = false;
	s->delay_usec = 0;
	s->exception = 0;
	s->echo = ECHO_NONE;
	s->raw_size = 0;
	s->fault = NULL;
	s->only = 0;
	s->only_address = -1;
	return s->listener < 0 && s->pty_slave < 0 ? simulator_open(s) : 0;
}

static int run_delay(struct simulator *s, char **words, int n, FILE *out)
{
	long msec;
	int r = parse_number(words[0], 0, 3600000, &msec);

	if (r < 0)
		return r;
	s->delay_usec = (uint64_t)msec * 1000;
	return 0;
}

static int run_exception(struct simulator *s, char **words, int n, FILE *out)
{
	long code;
	int r = parse_number(words[0], 0, MODBUS_EXCEPTION_MAX - 1, &code);

	if (r < 0)
		return r;
	s->exception = (unsigned)code;
	return 0;
}

static int run_identification(struct simulator *s, char **words, int n, FILE *out)
{
	long category;
	int r = parse_number(words[0], 0, 3, &category);

	if (r < 0)
		return r;
	s->identification = (unsigned)category;
	return 0;
}

static int run_garble(struct simulator *s, char **words, int n, FILE *out)
{
	s->garble = true;
	return 0;
}

static int run_raw(struct simulator *s, char **words, int n, FILE *out)
{
	for (int i = 0; i < n; i++) {
		char digits[5] = "0x";
		long byte;

		if (strlen(words[i]) != 2)
			return -EINVAL;
		memcpy(digits + 2, words[i], 3);
		if (parse_number(digits, 0, 255, &byte) < 0)
			return -EINVAL;
		s->raw[i] = (uint8_t)byte;
	}
	s->raw_size = n;
	return 0;
}

static int run_only(struct simulator *s, char **words, int n, FILE *out)
{
	long unit, address = -1;

	if (parse_number(words[0], -255, 255, &unit) < 0 ||
	    (n > 1 && parse_number(words[1], 0, 65535, &address) < 0))
		return -EINVAL;
	s->only = (int)unit;
	s->only_address = address;
	return 0;
}

static int run_fault(struct simulator *s, char **words, int n, FILE *out)
{
	const struct simulator_fault *fault = simulator_fault_find(words[0]);
	long count = 0;

	if (!fault || (n > 1 && parse_number(words[1], 1, 1000000, &count) < 0))
		return -EINVAL;
	s->fault = fault;
	s->fault_count = count;
	return 0;
}

static int run_cut(struct simulator *s, char **words, int n, FILE *out)
{
	return simulator_cut(s);
}

static int run_hangup(struct simulator *s, char **words, int n, FILE *out)
{
	s->hangup = true;
	return 0;
}

static int run_single(struct simulator *s, char **words, int n, FILE *out)
{
	simulator_single(s);
	return 0;
}

static int run_echo(struct simulator *s, char **words, int n, FILE *out)
{
	if (strcmp(words[0], "on") != 0 && strcmp(words[0], "wrong") != 0)
		return -EINVAL;
	s->echo = words[0][0] == 'o' ? ECHO_TRUE : ECHO_WRONG;
	return 0;
}

static int run_certificate(struct simulator *s, char **words, int n, FILE *out)
{
	if (!s->certificates || strlen(words[0]) >= sizeof(s->certificate))
		return -EINVAL;
	strcpy(s->certificate, words[0]);
	return simulator_cut(s);
}

static int run_unplug(struct simulator *s, char **words, int n, FILE *out)
{
	simulator_close(s);
	return 0;
}

static int run_freeze(struct simulator *s, char **words, int n, FILE *out)
{
	s->frozen = true;
	return 0;
}

static int run_move(struct simulator *s, char **words, int n, FILE *out)
{
	s->frozen = false;
	return 0;
}

static int run_trace(struct simulator *s, char **words, int n, FILE *out)
{
	s->trace = strcmp(words[0], "on") == 0;
	return s->trace || strcmp(words[0], "off") == 0 ? 0 : -EINVAL;
}

static int run_requests(struct simulator *s, char **words, int n, FILE *out)
{
	fprintf(out, " %u", s->requests);
	return 0;
}

static int run_pause(struct simulator *s, char **words, int n, FILE *out)
{
	fprintf(out, " %llu", (unsigned long long)s->pause_usec);
	s->pause_usec = 0;
	return 0;
}

static int run_connections(struct simulator *s, char **words, int n, FILE *out)
{
	fprintf(out, " %u", s->connections);
	return 0;
}

static int run_connected(struct simulator *s, char **words, int n, FILE *out)
{
	unsigned open = 0;

	for (size_t i = 0; i < SIMULATOR_CLIENTS; i++)
		open += s->clients[i].modbus != NULL;
	fprintf(out, " %u", open);
	return 0;
}

/* The table of an area: its bytes, or its registers. */
static int find_area(struct simulator *s, const char *name, uint8_t **ret_bits, uint16_t **ret_registers,
		     long *ret_size)
{
	*ret_bits = NULL;
	*ret_registers = NULL;
	*ret_size = 65536;
	if (strcmp(name, "coil") == 0)
		*ret_bits = s->map->tab_bits;
	else if (strcmp(name, "discrete") == 0)
		*ret_bits = s->map->tab_input_bits;
	else if (strcmp(name, "holding") == 0)
		*ret_registers = s->map->tab_registers;
	else if (strcmp(name, "input") == 0)
		*ret_registers = s->map->tab_input_registers;
	else
		return -EINVAL;
	if (*ret_registers == s->map->tab_input_registers)
		*ret_size = s->map->nb_input_registers;
	return 0;
}

static int run_set(struct simulator *s, char **words, int n, FILE *out)
{
	uint16_t *registers;
	uint8_t *bits;
	long size, address, value;

	if (find_area(s, words[0], &bits, &registers, &size) < 0 ||
	    parse_number(words[1], 0, size - (n - 2), &address) < 0)
		return -EINVAL;
	for (int i = 2; i < n; i++) {
		if (parse_number(words[i], 0, bits ? 1 : 65535, &value) < 0)
			return -EINVAL;
		if (bits)
			bits[address + i - 2] = (uint8_t)value;
		else
			registers[address + i - 2] = (uint16_t)value;
	}
	return 0;
}

static int run_get(struct simulator *s, char **words, int n, FILE *out)
{
	uint16_t *registers;
	uint8_t *bits;
	long size, address, count = 1;

	if (find_area(s, words[0], &bits, &registers, &size) < 0 ||
	    parse_number(words[1], 0, size - 1, &address) < 0 ||
	    (n > 2 && parse_number(words[2], 1, size - address, &count) < 0))
		return -EINVAL;
	simulator_map_move(s);
	for (long i = address; i < address + count; i++)
		fprintf(out, " %d", bits ? bits[i] : registers[i]);
	return 0;
}

static const struct command commands[] = {
	{ "silent", 0, run_silent },	 /* takes requests and says nothing */
	{ "talk", 0, run_talk },	 /* ends every fault */
	{ "delay", 1, run_delay },	 /* MS before each answer */
	{ "exception", 1, run_exception }, /* N in answer to everything */
	{ "identification", 1, run_identification }, /* CATEGORY that function 43 knows; 0: none */
	{ "garble", 0, run_garble },	 /* wrong checksums; over TCP wrong transaction ids */
	{ "only", 1, run_only },	 /* UNIT [ADDRESS], or all but -UNIT: what goes wrong does so for these */
	{ "fault", 1, run_fault },	 /* NAME [COUNT]: answers that are wrong */
	{ "echo", 1, run_echo },	 /* on, wrong: requests come back before their answers */
	{ "certificate", 1, run_certificate }, /* NAME: of the files that a TLS server uses from now on */
	{ "raw", 1, run_raw },		 /* BYTES in hex: the next answer */
	{ "cut", 0, run_cut },		 /* drops connections; unplugs and plugs in a serial line */
	{ "hangup", 0, run_hangup },	 /* drops the connection that sends the next request */
	{ "unplug", 0, run_unplug },	 /* stops listening, until talk */
	{ "single", 0, run_single },	 /* keeps the newest connection, drops others as they come */
	{ "freeze", 0, run_freeze },
	{ "move", 0, run_move },
	{ "trace", 1, run_trace },	 /* on, off */
	{ "connections", 0, run_connections }, /* how many have been made */
	{ "pause", 0, run_pause }, /* the shortest one between an answer and the next request, in microseconds */
	{ "connected", 0, run_connected }, /* how many there are */
	{ "requests", 0, run_requests }, /* how many have come */
	{ "set", 3, run_set },		 /* AREA ADDRESS VALUES */
	{ "get", 2, run_get },		 /* AREA ADDRESS [COUNT] */
};

static int run(struct simulator *s, char **words, int n, FILE *out)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (n && strcmp(commands[i].name, words[0]) == 0)
			return n - 1 < commands[i].words ? -EINVAL : commands[i].run(s, words + 1, n - 1, out);
	return -EOPNOTSUPP;
}

void simulator_command(struct simulator *all, size_t n, char *line, FILE *out)
{
	char *words[WORDS], *rest = NULL, answer[1024] = "";
	int n_words = 0, first = 0, r = 0;
	FILE *text = fmemopen(answer, sizeof(answer), "w");
	long from = 0, to = 0;

	if (!text)
		return;
	for (char *w = strtok_r(line, " \t\r\n", &rest); w && n_words < WORDS; w = strtok_r(NULL, " \t\r\n", &rest))
		words[n_words++] = w;
	if (n_words == WORDS)
		r = -E2BIG;
	if (n_words && strcmp(words[0], "*") == 0) {
		to = (long)n - 1;
		first = 1;
	} else if (n_words && parse_number(words[0], 0, (long)n - 1, &from) >= 0) {
		to = from;
		first = 1;
	}
	for (long i = from; i <= to && r >= 0; i++)
		r = run(&all[i], words + first, n_words - first, text);
	fclose(text);
	if (r < 0)
		fprintf(out, "error %s\n", strerror(-r));
	else
		fprintf(out, "ok%s\n", answer);
	fflush(out);
}
