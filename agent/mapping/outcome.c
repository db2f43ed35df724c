/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "mapping/internal.h"

int outcome_error(enum fieldway_outcome outcome, int error)
{
	switch (outcome) {
	case FIELDWAY_ACCEPTED:
		return 0;
	case FIELDWAY_UNKNOWN:
		return -ETIMEDOUT;
	case FIELDWAY_REFUSED:
		/* A field gateway that tried for us: its device was silent. */
		if (error == -EHOSTDOWN)
			return -ETIMEDOUT;
		/* One that knows no way to it has not tried. */
		if (error == -EHOSTUNREACH)
			return -EHOSTDOWN;
		break;
	case FIELDWAY_NOT_SENT:
		if (error == -ECANCELED)
			return -EBUSY;
		if (error == -ETIMEDOUT)
			return -EHOSTUNREACH;
		break;
	}
	switch (error) {
	case -EINVAL: /* the device calls the value illegal */
	case -ERANGE: /* inexact, or no room in the register */
	case -EILSEQ: /* accepted, but not what it shows */
	case -EBUSY:
	case -EHOSTDOWN:
	case -ETIMEDOUT:
		return error;
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -EHOSTUNREACH:
	case -ENODEV:
		return -EHOSTUNREACH;
	default:
		return -EIO;
	}
}
