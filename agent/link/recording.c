/* SPDX-License-Identifier: Apache-2.0 */
#include "link/recording.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"

static const char digits[] = "0123456789abcdef";

static size_t format_name(const char *name, char *ret)
{
	size_t n = 0;

	for (; *name && n < RECORDING_NAME_MAX; name++)
		ret[n++] = *name > ' ' && *name < 127 ? *name : '_';
	if (n == 0)
		ret[n++] = '_';
	return n;
}

size_t recording_format(uint64_t usec, const char *name, enum fieldway_direction direction,
			const void *bytes, size_t n, char ret[RECORDING_LINE_MAX])
{
	const uint8_t *p = bytes;
	size_t at;

	at = (size_t)snprintf(ret, RECORDING_LINE_MAX, "+%" PRIu64 ".%06" PRIu64 " ",
			      usec / USEC_PER_SEC, usec % USEC_PER_SEC);
	at += format_name(name, ret + at);
	ret[at++] = ' ';
	ret[at++] = direction == FIELDWAY_SENT ? '>' : '<';
	for (size_t i = 0; i < MIN(n, (size_t)RECORDING_BYTES_MAX); i++) {
		ret[at++] = ' ';
		ret[at++] = digits[p[i] >> 4];
		ret[at++] = digits[p[i] & 15];
	}
	ret[at++] = '\n';
	return at;
}

/* ---- and back ---- */

static int take(struct span *s, uint8_t c)
{
	if (s->n == 0 || *s->p != c)
		return -EBADMSG;
	s->p++;
	s->n--;
	return 0;
}

/* most: digits. Returns how many there were. */
static int take_decimal(struct span *s, int most, uint64_t *ret)
{
	int n = 0;

	for (*ret = 0; s->n > 0 && isdigit(*s->p) && n < most; n++, s->p++, s->n--)
		*ret = *ret * 10 + (uint64_t)(*s->p - '0');
	return n;
}

static int take_time(struct span *s, uint64_t *ret)
{
	uint64_t seconds, micro;

	if (take(s, '+') < 0 || take_decimal(s, 12, &seconds) == 0 || take(s, '.') < 0 ||
	    take_decimal(s, 6, &micro) != 6)
		return -EBADMSG;
	*ret = seconds * USEC_PER_SEC + micro;
	return take(s, ' ');
}

static int take_name(struct span *s, char *ret)
{
	size_t n = 0;

	for (; s->n > 0 && *s->p != ' ' && n < RECORDING_NAME_MAX; n++, s->p++, s->n--) {
		if (*s->p < ' ' || *s->p >= 127)
			return -EBADMSG;
		ret[n] = (char)*s->p;
	}
	ret[n] = '\0';
	return n > 0 ? take(s, ' ') : -EBADMSG;
}

static int take_direction(struct span *s, enum fieldway_direction *ret)
{
	uint8_t c;

	if (span_take_byte(s, &c) < 0 || (c != '>' && c != '<'))
		return -EBADMSG;
	*ret = c == '>' ? FIELDWAY_SENT : FIELDWAY_RECEIVED;
	return 0;
}

static int digit_of(uint8_t c)
{
	const char *p = c ? strchr(digits, tolower(c)) : NULL;

	return p ? (int)(p - digits) : -EBADMSG;
}

static int take_bytes(struct span *s, struct recording_piece *ret)
{
	int high, low;

	for (ret->n = 0; s->n > 0; ret->n++) {
		if (s->n < 3 || *s->p != ' ' || ret->n == RECORDING_BYTES_MAX)
			return -EBADMSG;
		high = digit_of(s->p[1]);
		low = digit_of(s->p[2]);
		if (high < 0 || low < 0)
			return -EBADMSG;
		ret->bytes[ret->n] = (uint8_t)(high << 4 | low);
		s->p += 3;
		s->n -= 3;
	}
	return ret->n > 0 ? 1 : -EBADMSG;
}

int recording_parse(const char *text, size_t size, struct recording_piece *ret)
{
	struct span s = span_of(text, size);
	struct recording_piece piece;
	int r;

	if (s.n > 0 && s.p[s.n - 1] == '\n')
		s.n--;
	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	if (s.n == 0 || *s.p == '#')
		return 0;
	if (take_time(&s, &piece.usec) < 0 || take_name(&s, piece.name) < 0 ||
	    take_direction(&s, &piece.direction) < 0)
		return -EBADMSG;
	r = take_bytes(&s, &piece);
	if (r > 0)
		*ret = piece;
	return r;
}
