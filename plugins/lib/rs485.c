/* SPDX-License-Identifier: Apache-2.0 */
#include "rs485.h"

#include <errno.h>
#include <linux/serial.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "moment.h"
#include "settings.h"

/* How often it is looked whether all is sent: well below the pause that ends a frame. */
#define LOOK_USEC 200u

const char *const rs485_mode_names[] = { [RS485_NONE] = "none", [RS485_KERNEL] = "kernel", [RS485_RTS] = "rts", NULL };
const char *const rs485_level_names[] = { "low", "high", NULL };

/* Keys that say how RTS is used where nobody uses it are a mistake. */
int rs485_compile(const struct fieldway_settings *s, const struct rs485_section *keys, struct rs485 *ret,
		  struct fieldway_error *error)
{
	const char *const of_rts[] = { keys->rts_active, keys->rts_before, keys->rts_after };
	const struct fieldway_value *echo = setting_find(s, keys->echo);
	int mode = setting_choice(s, keys->mode, rs485_mode_names, RS485_NONE);
	int level = setting_choice(s, keys->rts_active, rs485_level_names, 1);

	if (mode < 0)
		return setting_refuse(error, keys->mode, "kernel, rts or none");
	if (level < 0)
		return setting_refuse(error, keys->rts_active, "RTS is high or low while sending");
	for (size_t i = 0; mode == RS485_NONE && i < sizeof(of_rts) / sizeof(of_rts[0]); i++)
		if (setting_has(s, of_rts[i]))
			return setting_refuse(error, of_rts[i], "it needs rs485: kernel or rs485: rts");
	*ret = (struct rs485){
		.mode = (enum rs485_mode)mode,
		.rts_high = level == 1,
		.echo = echo && echo->boolean,
		.before_usec = setting_uint(s, keys->rts_before, 0),
		.after_usec = setting_uint(s, keys->rts_after, 0),
	};
	return 0;
}

static uint32_t milliseconds(uint64_t usec)
{
	return (uint32_t)((usec + 999) / 1000);
}

static int start_driver(int fd, const struct rs485 *r, const char **ret_why)
{
	const struct serial_rs485 mode = {
		.flags = SER_RS485_ENABLED | (r->rts_high ? SER_RS485_RTS_ON_SEND : SER_RS485_RTS_AFTER_SEND) |
			 (r->echo ? SER_RS485_RX_DURING_TX : 0),
		.delay_rts_before_send = milliseconds(r->before_usec),
		.delay_rts_after_send = milliseconds(r->after_usec),
	};

	if (ioctl(fd, TIOCSRS485, &mode) == 0)
		return 0;
	*ret_why = "its driver has no RS-485 mode, use rs485: rts";
	return -ENOTTY;
}

static int set_rts(int fd, bool high)
{
	int rts = TIOCM_RTS;

	return ioctl(fd, high ? TIOCMBIS : TIOCMBIC, &rts) < 0 ? -errno : 0;
}

int rs485_start(int fd, const struct rs485 *r, const char **ret_why)
{
	int e = 0;

	switch (r->mode) {
	case RS485_NONE:
		return 0;
	case RS485_KERNEL:
		return start_driver(fd, r, ret_why);
	case RS485_RTS:
		e = set_rts(fd, !r->rts_high);
		if (e < 0)
			*ret_why = "it has no RTS line, as rs485: rts needs";
		return e;
	}
	return e;
}

static void rest(uint64_t usec)
{
	if (usec)
		moment_wait_until(moment_now_usec() + usec);
}

int rs485_begin(int fd, const struct rs485 *r)
{
	int e;

	if (r->mode != RS485_RTS)
		return 0;
	e = set_rts(fd, r->rts_high);
	if (e >= 0)
		rest(r->before_usec);
	return e;
}

/*
 * Until the last bit is out. tcdrain() knows no deadline, and an adapter may
 * stop to take bytes: it is for what only the hardware still has.
 */
static int wait_sent(int fd, uint64_t deadline_usec)
{
	int left;

	while (ioctl(fd, TIOCOUTQ, &left) == 0 && left > 0) {
		if (moment_now_usec() >= deadline_usec) {
			(void)tcflush(fd, TCOFLUSH);
			return -ETIMEDOUT;
		}
		rest(LOOK_USEC);
	}
	return tcdrain(fd) < 0 ? -errno : 0;
}

/* The bus is everybody's again as soon as the last bit is out. */
int rs485_end(int fd, const struct rs485 *r, bool all, uint64_t deadline_usec)
{
	int e = 0, back;

	if (r->mode != RS485_RTS)
		return 0;
	if (all)
		e = wait_sent(fd, deadline_usec);
	rest(r->after_usec);
	back = set_rts(fd, !r->rts_high);
	return e < 0 ? e : back;
}
