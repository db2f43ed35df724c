/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

/*
 * loopback BYTES SOCKETS: what a datagram costs without any program around it.
 *   pair_us  sendto and recv of one datagram in one process
 *   send_us  only send, over so many connected sockets in turn, to a process that reads now and then
 *   wake_us  the same to one that waits for each, and is woken
 *   open_us  a socket, connected and in an epoll, that sends one datagram and receives one
 */

#define ROUNDS 200000u
#define BYTES_MAX 1400u
#define SOCKETS_MAX 20000u
/* So many are sent in a row, as when many endpoints have news at once. */
#define BURST 64u
#define NAP_USEC 200u
#define WAKES 5000u
#define WAKE_PAUSE_USEC 50u

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

/* An empty datagram ends it. */
static pid_t start_reader(int fd, unsigned nap_usec)
{
	uint8_t in[BYTES_MAX];
	pid_t pid = fork();

	need(pid >= 0, "fork");
	while (pid == 0) {
		ssize_t n = recv(fd, in, sizeof(in), nap_usec > 0 ? MSG_DONTWAIT : 0);

		if (n == 0)
			_exit(0);
		if (n < 0)
			usleep(nap_usec);
	}
	return pid;
}

static void pause_usec(unsigned usec)
{
	const struct timespec t = { .tv_nsec = usec * 1000 };

	nanosleep(&t, NULL);
}

/* So long that the reader has come to rest before the next one, if it is to be woken by it. */
static void measure_send(const char *name, int reader, const int *fds, unsigned n_sockets, const uint8_t *data,
			 size_t n, unsigned nap_usec, unsigned burst)
{
	unsigned rounds = burst == 1 ? WAKES : ROUNDS;
	pid_t pid = start_reader(reader, nap_usec);
	uint64_t used = 0;

	for (unsigned i = 0; i < rounds; i += burst) {
		uint64_t begin = cpu_nsec();

		for (unsigned j = i; j < i + burst; j++)
			need(send(fds[j % n_sockets], data, n, 0) == (ssize_t)n, "send");
		used += cpu_nsec() - begin;
		pause_usec(burst == 1 ? WAKE_PAUSE_USEC : NAP_USEC);
	}
	report(name, (double)used / rounds / 1000);
	send(fds[0], data, 0, 0);
	waitpid(pid, NULL, 0);
}

/* What an endpoint cannot do without to register: the answer is there at once. */
static void measure_open(int *fds, unsigned n_sockets, int reader, const struct sockaddr_in *to,
			 const uint8_t *data, size_t n)
{
	struct epoll_event event = { .events = EPOLLIN };
	int epoll_fd = epoll_create1(0);
	uint64_t begin, used = 0;
	uint8_t in[BYTES_MAX];

	for (unsigned i = 0; i < n_sockets; i++) {
		struct sockaddr_in from;
		socklen_t size = sizeof(from);

		begin = cpu_nsec();
		fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		need(fds[i] >= 0 && connect(fds[i], (const struct sockaddr *)to, sizeof(*to)) == 0 &&
			     epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fds[i], &event) == 0 &&
			     send(fds[i], data, n, 0) == (ssize_t)n,
		     "open");
		used += cpu_nsec() - begin;
		recvfrom(reader, in, sizeof(in), 0, (struct sockaddr *)&from, &size);
		sendto(reader, data, n, 0, (struct sockaddr *)&from, size);
		begin = cpu_nsec();
		need(epoll_wait(epoll_fd, &event, 1, -1) == 1 && recv(fds[i], in, sizeof(in), 0) == (ssize_t)n,
		     "answer");
		used += cpu_nsec() - begin;
	}
	report("open_us", (double)used / n_sockets / 1000);
	close(epoll_fd);
}

int main(int argc, char **argv)
{
	unsigned n = argument(argv, 1, 1, BYTES_MAX), n_sockets = argument(argv, 2, 1, SOCKETS_MAX);
	struct rlimit limit = { n_sockets + 100, n_sockets + 100 };
	int *fds = calloc(n_sockets, sizeof(*fds));
	uint8_t data[BYTES_MAX];
	struct sockaddr_in to;
	int reader = open_reader(&to);

	(void)argc;
	need(fds != NULL, "sockets");
	memset(data, 'x', sizeof(data));
	setrlimit(RLIMIT_NOFILE, &limit);
	measure_pair(reader, &to, data, n);
	measure_open(fds, n_sockets, reader, &to, data, n);
	measure_send("send_us", reader, fds, n_sockets, data, n, NAP_USEC, BURST);
	measure_send("wake_us", reader, fds, n_sockets, data, n, 0, 1);
	free(fds);
	return 0;
}
