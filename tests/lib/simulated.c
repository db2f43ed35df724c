/* SPDX-License-Identifier: Apache-2.0 */
#include "simulated.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Tests run in the build folder. */
#define PROGRAM "tests/lib/modbus_simulator"
#define ARGUMENTS 32

static void run_program(int in, int out, const char *const *arguments)
{
	char *argv[ARGUMENTS + 2] = { (char[]){ "modbus_simulator" } };

	for (int i = 0; i < ARGUMENTS && arguments[i]; i++)
		argv[i + 1] = strdup(arguments[i]);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	execv(PROGRAM, argv);
	perror(PROGRAM);
	_exit(127);
}

static int parse_place(struct simulated *s, const char *line)
{
	const char *colon = strrchr(line, ':');
	unsigned index;

	if (sscanf(line, "%u", &index) != 1 || index >= 16 ||
	    sscanf(line, "%*u %*s %127s", s->place[index]) != 1)
		return -EPROTO;
	if (s->place[index][0] != '/' && colon)
		s->port[index] = (uint16_t)atoi(colon + 1);
	s->n = index + 1;
	return 0;
}

static int wait_ready(struct simulated *s)
{
	char line[256];

	while (fgets(line, sizeof(line), s->out)) {
		if (strcmp(line, "ready\n") == 0)
			return 0;
		if (parse_place(s, line) < 0)
			return -EPROTO;
	}
	return -EPROTO;
}

int simulated_start(struct simulated *s, const char *const *arguments)
{
	int in[2], out[2], r;

	*s = (struct simulated){ 0 };
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	s->pid = fork();
	if (s->pid < 0)
		return -errno;
	if (s->pid == 0)
		run_program(in[0], out[1], arguments);
	close(in[0]);
	close(out[1]);
	s->in = fdopen(in[1], "w");
	s->out = fdopen(out[0], "r");
	r = wait_ready(s);
	if (r < 0)
		simulated_stop(s);
	return r;
}

void simulated_stop(struct simulated *s)
{
	if (s->pid <= 0)
		return;
	fclose(s->in);
	fclose(s->out);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
}

const char *simulated_ask(struct simulated *s, const char *command)
{
	static char line[2048];

	fprintf(s->in, "%s\n", command);
	fflush(s->in);
	while (fgets(line, sizeof(line), s->out)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "ok", 2) == 0)
			return line[2] ? line + 3 : line + 2;
		fprintf(stderr, "%s\n", line);
		if (strncmp(line, "error", 5) == 0)
			return NULL;
	}
	return NULL;
}
