/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m/failure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "lwm2m/status.h"
#include "transport/message.h"

static const struct {
	uint8_t code;
	const char *hint;
} codes[] = {
	{ CODE(4, 00), ": its log may say what it does not take" },
	{ CODE(4, 01), ": does it know this endpoint, secured like this?" },
	{ CODE(4, 03), ": does it know this endpoint, secured like this?" },
	{ CODE(4, 04), ": is this the port of an LwM2M server?" },
	{ CODE(4, 05), ": is this the port of an LwM2M server?" },
	{ CODE(4, 12), ": see `protocol`, it speaks other versions" },
};

/* IANA's names, and what an operator should compare. */
static const struct {
	int alert;
	const char *name, *hint;
} alerts[] = {
	{ 0, "close_notify", "" },
	{ 10, "unexpected_message", "" },
	{ 20, "bad_record_mac", ": compare `key` with the one that it has" },
	{ 40, "handshake_failure", ": no cipher suite in common, or `identity` is unknown there" },
	{ 47, "illegal_parameter", "" },
	{ 48, "unknown_ca", "" },
	{ 49, "access_denied", ": does it allow this identity?" },
	{ 50, "decode_error", "" },
	{ 51, "decrypt_error", ": compare `key` with the one that it has" },
	{ 70, "protocol_version", ": it does not speak DTLS 1.2" },
	{ 71, "insufficient_security", ": no cipher suite in common" },
	{ 80, "internal_error", "" },
	{ 90, "user_canceled", "" },
	{ 115, "unknown_psk_identity", ": compare `identity` with what it knows" },
};

static const struct {
	int error;
	const char *text;
} errors[] = {
	{ -ETIMEDOUT, "no answer: is it up, is the port right, does UDP get there?" },
	{ -ECONNREFUSED, "nobody listens at its port" },
	{ -EHOSTUNREACH, "its name is unknown, or no route leads there" },
	{ -ENETUNREACH, "no network leads there" },
	{ -ENETRESET, "an address of this machine has changed" },
	{ -EACCES, "it does not know this key: compare `key` and `identity` at both ends" },
	{ -ENOKEY, "there is no key for it here" },
	{ -ECONNRESET, "it answered by RST" },
	{ -EBADMSG, "its answer makes no sense" },
	{ -ENAMETOOLONG, "the location that it gave is too long" },
	{ -EPROTO, "it does not keep to the protocol" },
};

static const char *code_hint(uint8_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (codes[i].code == code)
			return codes[i].hint;
	return "";
}

static void format_alert(int alert, char ret[FAILURE_TEXT_MAX])
{
	for (size_t i = 0; i < ARRAY_SIZE(alerts); i++) {
		if (alerts[i].alert != alert)
			continue;
		snprintf(ret, FAILURE_TEXT_MAX, "it sent TLS alert %d, %s%s", alert, alerts[i].name,
			 alerts[i].hint);
		return;
	}
	snprintf(ret, FAILURE_TEXT_MAX, "it sent TLS alert %d", alert);
}

static const char *error_text(int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].error == error)
			return errors[i].text;
	return strerror(-error);
}

const char *failure_format(const struct failure *f, char ret[FAILURE_TEXT_MAX])
{
	char code[STATUS_TEXT_MAX];

	if (f->code)
		snprintf(ret, FAILURE_TEXT_MAX, "it answered %s%s", status_format(f->code, code),
			 code_hint(f->code));
	else if (f->alert >= 0)
		format_alert(f->alert, ret);
	else
		snprintf(ret, FAILURE_TEXT_MAX, "%s", error_text(f->error));
	return ret;
}
