/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m_server.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void print_text(const void *text, size_t size)
{
	const unsigned char *p = text;

	for (size_t i = 0; i < size; i++)
		printf(p[i] <= ' ' || p[i] == 0x7f || p[i] == '%' ? "%%%02X" : "%c", p[i]);
}

void print_hex(const void *data, size_t size)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < size; i++)
		printf("%02x", p[i]);
}

void print_code(unsigned code)
{
	printf("%u.%02u", code >> 5, code & 0x1f);
}

int parse_code(const char *text, unsigned *ret)
{
	if (strlen(text) != 4 || text[1] != '.' || !isdigit((unsigned char)text[0]) ||
	    !isdigit((unsigned char)text[2]) || !isdigit((unsigned char)text[3]) || text[0] > '7' ||
	    atoi(text + 2) > 31)
		return -EINVAL;
	*ret = (unsigned)(text[0] - '0') << 5 | (unsigned)atoi(text + 2);
	return 0;
}

int parse_hex(const char *text, uint8_t *ret, size_t room, size_t *ret_size)
{
	size_t size = strlen(text) / 2;

	if (strlen(text) % 2 || size > room)
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		const char digits[3] = { text[2 * i], text[2 * i + 1], '\0' };

		if (!isxdigit((unsigned char)digits[0]) || !isxdigit((unsigned char)digits[1]))
			return -EINVAL;
		ret[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	*ret_size = size;
	return 0;
}

int parse_number(const char *text, unsigned long most, unsigned long *ret)
{
	unsigned long v;
	char *end;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end || errno || v > most)
		return -EINVAL;
	*ret = v;
	return 0;
}

long option_number(const coap_pdu_t *pdu, coap_option_num_t number)
{
	coap_opt_iterator_t i;
	coap_opt_t *o = coap_check_option(pdu, number, &i);

	return o ? (long)coap_decode_var_bytes(coap_opt_value(o), coap_opt_length(o)) : -1;
}
