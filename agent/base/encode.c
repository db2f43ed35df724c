/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"

static const char hex_lower[] = "0123456789abcdef";
static const char hex_upper[] = "0123456789ABCDEF";
static const char base64_standard[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int hex_decode(const char *text, uint8_t **ret, size_t *ret_size)
{
	_cleanup_free_ uint8_t *data = NULL;
	size_t n = strlen(text);
	int high, low;

	if (n % 2 != 0)
		return -EINVAL;
	data = malloc(n / 2 + 1);
	if (!data)
		return -ENOMEM;
	for (size_t i = 0; i < n / 2; i++) {
		high = hex_value(text[2 * i]);
		low = hex_value(text[2 * i + 1]);
		if (high < 0 || low < 0)
			return -EINVAL;
		data[i] = (uint8_t)(high << 4 | low);
	}
	*ret = TAKE_PTR(data);
	*ret_size = n / 2;
	return 0;
}

char *hex_encode(const void *data, size_t size)
{
	const uint8_t *bytes = data;
	char *text;

	if (size > (SIZE_MAX - 1) / 2)
		return NULL;
	text = malloc(2 * size + 1);
	if (!text)
		return NULL;
	for (size_t i = 0; i < size; i++) {
		text[2 * i] = hex_lower[bytes[i] >> 4];
		text[2 * i + 1] = hex_lower[bytes[i] & 15];
	}
	text[2 * size] = '\0';
	return text;
}

static char *encode_group(const char *alphabet, const uint8_t *bytes, size_t n, char *at)
{
	uint32_t bits = (uint32_t)bytes[0] << 16;

	if (n > 1)
		bits |= (uint32_t)bytes[1] << 8;
	if (n > 2)
		bits |= bytes[2];
	for (size_t i = 0; i <= n; i++)
		*at++ = alphabet[bits >> (18 - 6 * i) & 63];
	return at;
}

static int encode_base64(const char *alphabet, bool padded, const void *data, size_t size,
			 char **ret)
{
	const uint8_t *bytes = data;
	char *text, *at;

	if (size > SIZE_MAX / 2)
		return -ENOMEM;
	text = at = malloc((size + 2) / 3 * 4 + 1);
	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < size; i += 3)
		at = encode_group(alphabet, bytes + i, MIN(size - i, (size_t)3), at);
	while (padded && (at - text) % 4 != 0)
		*at++ = '=';
	*at = '\0';
	*ret = text;
	return 0;
}

int base64_encode(const void *data, size_t size, char **ret)
{
	return encode_base64(base64_standard, true, data, size, ret);
}

int base64url_encode(const void *data, size_t size, char **ret)
{
	return encode_base64(base64_url, false, data, size, ret);
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

/* Takes the padding off: the number of digits, or -EINVAL when no text has that length. */
static ssize_t base64_digits(const char *text, size_t size)
{
	size_t padding = 0;

	while (padding < 2 && padding < size && text[size - 1 - padding] == '=')
		padding++;
	if (padding > 0 && size % 4 != 0)
		return -EINVAL;
	size -= padding;
	return size % 4 == 1 ? -EINVAL : (ssize_t)size;
}

int base64_decode(const char *text, size_t size, uint8_t **ret, size_t *ret_size)
{
	_cleanup_free_ uint8_t *data = NULL;
	ssize_t digits = base64_digits(text, size);
	uint32_t bits = 0;
	unsigned n_bits = 0;
	size_t n = 0;
	int value;

	if (digits < 0)
		return (int)digits;
	data = malloc(size / 4 * 3 + 3);
	if (!data)
		return -ENOMEM;
	for (ssize_t i = 0; i < digits; i++) {
		value = base64_value(text[i]);
		if (value < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)value;
		n_bits += 6;
		if (n_bits >= 8) {
			n_bits -= 8;
			data[n++] = (uint8_t)(bits >> n_bits);
		}
	}
	/* One text for each byte string (RFC 4648 section 3.5). */
	if (bits & ((1u << n_bits) - 1))
		return -EINVAL;
	*ret = TAKE_PTR(data);
	*ret_size = n;
	return 0;
}

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '-' || c == '~';
}

char *percent_encode(const char *text)
{
	char *encoded, *at;

	encoded = at = malloc(3 * strlen(text) + 1);
	if (!encoded)
		return NULL;
	for (; *text; text++) {
		if (is_unreserved(*text)) {
			*at++ = *text;
		} else {
			*at++ = '%';
			*at++ = hex_upper[(unsigned char)*text >> 4];
			*at++ = hex_upper[(unsigned char)*text & 15];
		}
	}
	*at = '\0';
	return encoded;
}

int percent_decode(const char *text, char **ret)
{
	_cleanup_free_ char *decoded = malloc(strlen(text) + 1);
	char *at = decoded;

	if (!decoded)
		return -ENOMEM;
	for (; *text; text++) {
		int high, low;

		if (*text != '%') {
			*at++ = *text;
			continue;
		}
		high = hex_value(text[1]);
		low = high < 0 ? -1 : hex_value(text[2]);
		if (low < 0 || high + low == 0)
			return -EINVAL;
		*at++ = (char)(high << 4 | low);
		text += 2;
	}
	*at = '\0';
	*ret = TAKE_PTR(decoded);
	return 0;
}
