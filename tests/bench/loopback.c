/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/*
 * loopback BYTES SOCKETS: what a datagram costs without any program around it.
 *   pair_us  sendto and recv of one datagram in one process
 *   send_us  only send, over so many connected sockets in turn, to another process that reads
 */

#define ROUNDS 200000u
#define BYTES_MAX 1400u
#define SOCKETS_MAX 20000u
/* So many are sent in a row, as when many endpoints have news at once. */
#define BURST 64u

static int open_reader(struct sockaddr_in *ret)
{
	socklen_t size = sizeof(*ret);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	*ret = (struct sockaddr_in){ .sin_family = AF_INET };
	ret->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	need(fd >= 0 && bind(fd, (struct sockaddr *)ret, sizeof(*ret)) == 0 &&
		     getsockname(fd, (struct sockaddr *)ret, &size) == 0,
	     "bind");
	return fd;
}

static void measure_pair(int reader, const struct sockaddr_in *to, const uint8_t *data, size_t n)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint8_t in[BYTES_MAX];
	uint64_t begin = cpu_nsec();

	for (unsigned i = 0; i < ROUNDS; i++)
		need(sendto(fd, data, n, 0, (const struct sockaddr *)to, sizeof(*to)) == (ssize_t)n &&
			     recv(reader, in, sizeof(in), 0) == (ssize_t)n,
		     "loopback");
	report("pair_us", (double)(cpu_nsec() - begin) / ROUNDS / 1000);
	close(fd);
}

static pid_t start_reader(int fd)
{
	uint8_t in[BYTES_MAX];
	pid_t pid = fork();

	need(pid >= 0, "fork");
	/* An empty datagram ends it. */
	while (pid == 0)
		if (recv(fd, in, sizeof(in), 0) == 0)
			_exit(0);
	return pid;
}

static void measure_send(int reader, const struct sockaddr_in *to, const uint8_t *data, size_t n,
			 unsigned n_sockets)
{
	const struct timespec pause = { .tv_nsec = 200000 };
	int *fds = calloc(n_sockets, sizeof(*fds));
	pid_t pid = start_reader(reader);
	uint64_t begin, used = 0;

	need(fds != NULL, "sockets");
	for (unsigned i = 0; i < n_sockets; i++) {
		fds[i] = socket(AF_INET, SOCK_DGRAM, 0);
		need(fds[i] >= 0 && connect(fds[i], (const struct sockaddr *)to, sizeof(*to)) == 0, "connect");
	}
	for (unsigned i = 0; i < ROUNDS; i += BURST) {
		begin = cpu_nsec();
		for (unsigned j = i; j < i + BURST; j++)
			need(send(fds[j % n_sockets], data, n, 0) == (ssize_t)n, "send");
		used += cpu_nsec() - begin;
		nanosleep(&pause, NULL);
	}
	report("send_us", (double)used / ROUNDS / 1000);
	send(fds[0], data, 0, 0);
	waitpid(pid, NULL, 0);
	free(fds);
}

int main(int argc, char **argv)
{
	unsigned n = argument(argv, 1, 1, BYTES_MAX), n_sockets = argument(argv, 2, 1, SOCKETS_MAX);
	struct rlimit limit = { n_sockets + 100, n_sockets + 100 };
	uint8_t data[BYTES_MAX];
	struct sockaddr_in to;
	int reader = open_reader(&to);

	(void)argc;
	memset(data, 'x', sizeof(data));
	setrlimit(RLIMIT_NOFILE, &limit);
	measure_pair(reader, &to, data, n);
	measure_send(reader, &to, data, n, n_sockets);
	return 0;
}
