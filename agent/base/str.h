/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

static inline bool streq(const char *a, const char *b)
{
	return __builtin_strcmp(a, b) == 0;
}
bool streq_null(const char *a, const char *b); /* NULL equals NULL only */
bool has_prefix(const char *text, const char *prefix);

/* Frees *p and puts a copy of text there (NULL clears). 0 or -ENOMEM. */
int str_replace(char **p, const char *text);

/*
 * Whole-string number parsers, base 10 or 0x; no leading space, no sign for the
 * unsigned one. -EINVAL on other text, -ERANGE when it does not fit.
 */
int parse_u64(const char *text, uint64_t *ret);
int parse_i64(const char *text, int64_t *ret);
int parse_u16(const char *text, uint16_t *ret); /* decimal only, no leading zero unless "0" */
int parse_double(const char *text, double *ret); /* locale independent, finite decimal notation, "nan" and "inf" refused */
int parse_usec(const char *text, uint64_t *ret); /* "500ms" "5s" "2m" "1h" "3d"; a bare number is an error; -EINVAL, -ERANGE */

/* Decimal digits and a NUL; returns where that is. */
#define FORMAT_U64_MAX 21
char *format_u64(uint64_t value, char *ret);
/* Shortest decimal text that reads back as the same double, without exponent. Needs FORMAT_DOUBLE_MAX bytes. */
#define FORMAT_DOUBLE_MAX 352
char *format_double(double value, char *ret);
/* The double of the shortest decimal of a float: 230.2f -> 230.2. */
double double_from_float(float value);
/* "5s", "1m", "1h 30m", "20ms": for people. Needs FORMAT_USEC_MAX bytes. */
#define FORMAT_USEC_MAX 64
char *format_usec(uint64_t usec, char *ret);
/* The same, rounded to its two largest units: "1m 13s", "3d 4h". For what people only want to know roughly. */
char *format_usec_rough(uint64_t usec, char *ret);

int hex_decode(const char *text, uint8_t **ret, size_t *ret_size); /* -EINVAL on odd length or other digits */
char *hex_encode(const void *data, size_t size);                   /* lower case; NULL without memory */
int base64_encode(const void *data, size_t size, char **ret);        /* RFC 4648 section 4, with padding */
int base64url_encode(const void *data, size_t size, char **ret);     /* section 5, no padding */
int base64_decode(const char *text, size_t size, uint8_t **ret, size_t *ret_size); /* both alphabets, padding optional */

bool utf8_is_valid(const char *text, size_t size);
/* Bytes before the first malformed sequence; size when there is none. */
size_t utf8_valid_prefix(const char *text, size_t size);
/* fnmatch-like globs with * and ? only. */
bool glob_match(const char *pattern, const char *text);
/*
 * Names with dots between their parts: "*" in the pattern stands for any one part,
 * as its last for all that follow. None of them is empty.
 */
bool dotted_match(const char *pattern, const char *name);
/* Percent-encodes all but A-Z a-z 0-9 . _ - ~. NULL without memory. */
char *percent_encode(const char *text);
/* What that made, as text again: -EINVAL on a % without two digits, or of a NUL; -ENOMEM. */
int percent_decode(const char *text, char **ret);
/* Levenshtein nearest of n candidates within distance 2 (for "did you mean"), or NULL. */
const char *str_nearest(const char *text, const char *const *candidates, size_t n);
