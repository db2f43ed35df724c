/* SPDX-License-Identifier: Apache-2.0 */
#include "port.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/serial.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "wire.h"

static int lock(int fd, const char **ret_why)
{
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		*ret_why = "another program uses it";
		return -EBUSY;
	}
	return 0;
}

/*
 * TIOCEXCL keeps others out, but for root, and outlives a holder that crashes
 * while somebody else has the port open; the lock is what root's programs and
 * most terminal programs look at.
 */
static int make_exclusive(int fd, const char **ret_why)
{
	int r = lock(fd, ret_why);

	if (r >= 0)
		(void)ioctl(fd, TIOCEXCL);
	return r;
}

/* libmodbus leaves hardware flow control as it was: an adapter without CTS would never send. */
static int drop_flow_control(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return -errno;
	t.c_cflag &= ~(tcflag_t)CRTSCTS;
	return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

/* FTDI's adapters wait 16 ms for more bytes before they hand on what they have. Others refuse it. */
static void lower_latency(int fd)
{
	struct serial_struct s;

	if (ioctl(fd, TIOCGSERIAL, &s) < 0)
		return;
	s.flags |= ASYNC_LOW_LATENCY;
	(void)ioctl(fd, TIOCSSERIAL, &s);
}

int port_claim(int fd, const struct serial *serial, const char **ret_why)
{
	int r = make_exclusive(fd, ret_why);

	if (r < 0)
		return r;
	r = drop_flow_control(fd);
	if (r >= 0) {
		lower_latency(fd);
		(void)tcflush(fd, TCIOFLUSH);
		r = rs485_start(fd, &serial->rs485, ret_why);
	}
	if (r < 0)
		port_release(fd);
	return r;
}

void port_release(int fd)
{
	(void)ioctl(fd, TIOCNXCL);
	(void)flock(fd, LOCK_UN);
}

int port_send(int fd, const struct serial *serial, const uint8_t *bytes, size_t size,
	      uint64_t deadline_usec)
{
	int r = rs485_begin(fd, &serial->rs485), end;

	if (r < 0)
		return r;
	r = wire_write(fd, false, bytes, size, deadline_usec);
	end = rs485_end(fd, &serial->rs485, r >= 0, deadline_usec);
	return r < 0 ? r : end;
}

/* ---- the transport ---- */

static int open_failed(struct fieldway_line *line, int r, const char *why, struct fieldway_result *result)
{
	error_translate(-r, result);
	snprintf(result->detail, sizeof(result->detail), "cannot open %.120s: %.48s", line->bus.line.device,
		 why ? why : strerror(-r));
	return result->error;
}

/*
 * libmodbus changes the settings of whatever it opens, so whether somebody else
 * has the port is asked first. Returns a descriptor that has it locked.
 */
static int reserve(const char *device, const char **ret_why)
{
	int fd = open(device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC), r;

	if (fd < 0) {
		r = -errno;
		if (r == -EBUSY)
			*ret_why = "another program uses it";
		return r;
	}
	r = lock(fd, ret_why);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

static int connect_port(struct fieldway_line *line, const char **ret_why)
{
	const struct serial *serial = &line->bus.line;
	int held = reserve(serial->device, ret_why), r;

	if (held < 0)
		return held;
	errno = 0;
	r = modbus_connect(line->modbus) < 0 ? (errno ? -errno : -EIO) : 0;
	(void)flock(held, LOCK_UN);
	if (r >= 0) {
		line->fd = modbus_get_socket(line->modbus);
		r = port_claim(line->fd, serial, ret_why);
		line->claimed = r >= 0;
	}
	close(held);
	return r;
}

static int serial_open(struct fieldway_line *line, uint64_t deadline_usec, struct fieldway_result *result)
{
	const struct serial *serial = &line->bus.line;
	const char *why = NULL;
	int r;

	line->modbus = modbus_new_rtu(serial->device, (int)serial->baud, serial->parity, serial->data_bits,
				      serial->stop_bits);
	if (!line->modbus)
		return open_failed(line, -ENOMEM, NULL, result);
	r = connect_port(line, &why);
	return r < 0 ? open_failed(line, r, why, result) : 0;
}

static void serial_close(struct fieldway_line *line)
{
	/* Who else has the port keeps it to himself. */
	if (line->claimed)
		port_release(line->fd);
	line->claimed = false;
	if (line->fd >= 0)
		modbus_close(line->modbus);
	if (line->modbus)
		modbus_free(line->modbus);
	line->modbus = NULL;
}

static int serial_send(struct fieldway_line *line, const uint8_t *bytes, size_t size, uint64_t deadline_usec)
{
	int r = port_send(line->fd, &line->bus.line, bytes, size, deadline_usec);

	return r == -EIO || r == -ENXIO ? -ENODEV : r;
}

/* A port that has gone away is readable, and has nothing. */
static ssize_t serial_receive(struct fieldway_line *line, uint8_t *bytes, size_t size)
{
	ssize_t n = read(line->fd, bytes, size);

	if (n > 0)
		return n;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? -EAGAIN : -ENODEV;
}

const struct transport transport_port = {
	.open = serial_open,
	.close = serial_close,
	.send = serial_send,
	.receive = serial_receive,
};
