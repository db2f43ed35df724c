/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "plugins/lib/lookup.h"

#define KEEPALIVE_IDLE_SEC 20
#define KEEPALIVE_INTERVAL_SEC 5
#define KEEPALIVE_PROBES 4

static const struct {
	uint32_t baud;
	speed_t speed;
} speeds[] = {
	{ 300, B300 },	     { 600, B600 },	  { 1200, B1200 },     { 2400, B2400 },
	{ 4800, B4800 },     { 9600, B9600 },	  { 19200, B19200 },   { 38400, B38400 },
	{ 57600, B57600 },   { 115200, B115200 }, { 230400, B230400 }, { 460800, B460800 },
	{ 500000, B500000 }, { 921600, B921600 },
};

int port_speed(uint32_t baud)
{
	for (size_t i = 0; i < sizeof(speeds) / sizeof(speeds[0]); i++)
		if (speeds[i].baud == baud)
			return (int)speeds[i].speed;
	return -EINVAL;
}

void port_format(const struct bus *b, struct termios *t)
{
	cfmakeraw(t);
	t->c_cflag &= ~(tcflag_t)(CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS);
	t->c_cflag |= CLOCAL | CREAD | (tcflag_t)(b->data_bits == 7 ? CS7 : CS8);
	if (b->parity != 'N')
		t->c_cflag |= PARENB;
	if (b->parity == 'O')
		t->c_cflag |= PARODD;
	if (b->stop_bits == 2)
		t->c_cflag |= CSTOPB;
	/* A byte with the wrong parity comes as NUL, which no text has, instead of as another one. */
	t->c_iflag = b->parity != 'N' ? INPCK : 0;
	t->c_cc[VMIN] = 1;
	t->c_cc[VTIME] = 0;
}

static int configure(const struct bus *b, int fd)
{
	int speed = port_speed(b->baud);
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return -errno;
	port_format(b, &t);
	if (cfsetispeed(&t, (speed_t)speed) < 0 || cfsetospeed(&t, (speed_t)speed) < 0)
		return -EINVAL;
	return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

static int set_lines(const struct bus *b, int fd)
{
	int dtr = TIOCM_DTR, rts = TIOCM_RTS;

	if (b->dtr != LEVEL_LEFT && ioctl(fd, b->dtr == LEVEL_HIGH ? TIOCMBIS : TIOCMBIC, &dtr) < 0)
		return -errno;
	if (b->rts != LEVEL_LEFT && ioctl(fd, b->rts == LEVEL_HIGH ? TIOCMBIS : TIOCMBIC, &rts) < 0)
		return -errno;
	return 0;
}

static int claim(const struct bus *b, int fd, const char **ret_why)
{
	int r;

	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		*ret_why = "another program uses it";
		return -EBUSY;
	}
	(void)ioctl(fd, TIOCEXCL);
	r = configure(b, fd);
	if (r < 0)
		return r;
	r = rs485_start(fd, &b->rs485, ret_why);
	if (r < 0)
		return r;
	r = set_lines(b, fd);
	if (r < 0) {
		*ret_why = "its DTR or RTS cannot be set";
		return r;
	}
	(void)tcflush(fd, TCIOFLUSH);
	return 0;
}

static int open_serial(const struct bus *b, const char **ret_why)
{
	int fd = open(b->name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), r;

	if (fd < 0) {
		*ret_why = errno == EBUSY ? "another program uses it" : NULL;
		return -errno;
	}
	r = claim(b, fd, ret_why);
	if (r < 0) {
		port_close(fd);
		return r;
	}
	return fd;
}

/* A server that loses its power says no goodbye, and who only listens would never find that out. */
static void keep_alive(int fd)
{
	int on = 1, idle = KEEPALIVE_IDLE_SEC, interval = KEEPALIVE_INTERVAL_SEC, probes = KEEPALIVE_PROBES;

	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

static int connect_to(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, a->ai_protocol), on = 1, r;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	keep_alive(fd);
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static const struct addrinfo *pick(const struct addrinfo *all, unsigned attempt)
{
	const struct addrinfo *a = all;
	unsigned n = 0;

	for (; a; a = a->ai_next)
		n++;
	a = all;
	for (unsigned i = 0; a && i < attempt % n; i++)
		a = a->ai_next;
	return a;
}

static int open_tcp(struct lookup *lookup, unsigned attempt, uint64_t deadline_usec, const char **ret_why)
{
	struct addrinfo *addresses;
	int r = lookup_wait(lookup, deadline_usec, &addresses, ret_why);

	if (r < 0)
		return r == -ETIMEDOUT ? -EINPROGRESS : r;
	r = addresses ? connect_to(pick(addresses, attempt)) : -EHOSTUNREACH;
	freeaddrinfo(addresses);
	return r;
}

int port_open(const struct bus *bus, struct lookup *lookup, unsigned attempt, uint64_t deadline_usec,
	      const char **ret_why)
{
	*ret_why = NULL;
	return bus->tcp ? open_tcp(lookup, attempt, deadline_usec, ret_why) : open_serial(bus, ret_why);
}

int port_connected(const struct bus *bus, int fd)
{
	socklen_t size = sizeof(int);
	int error = 0;

	if (!bus->tcp)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return -error;
}

int port_set_baud(const struct bus *bus, int fd, uint32_t baud)
{
	int speed = port_speed(baud);
	struct termios t;

	if (bus->tcp)
		return 0;
	if (speed < 0)
		return speed;
	if (tcgetattr(fd, &t) < 0)
		return -errno;
	if (cfsetispeed(&t, (speed_t)speed) < 0 || cfsetospeed(&t, (speed_t)speed) < 0)
		return -EINVAL;
	return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

int port_pending(const struct bus *bus, int fd)
{
	int n = 0;

	if (bus->tcp)
		return 0;
	return ioctl(fd, TIOCOUTQ, &n) < 0 ? -errno : n;
}

void port_close(int fd)
{
	if (fd < 0)
		return;
	/* Else a port that sends nothing any more keeps its closer for half a minute (closing_wait in setserial(8)). */
	(void)tcflush(fd, TCIOFLUSH);
	close(fd);
}
