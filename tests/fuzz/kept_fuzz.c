/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/macro.h"
#include "base/str.h"
#include "install/protocol.h"
#include "link/recording.h"
#include "observe/attributes.h"
#include "state/journal.h"
#include "state/record.h"
#include "state/state.h"
#include "tests/fuzz/fuzz.h"
#include "update/firmware_record.h"

/*
 * What comes back from the disk, and what programs of this machine say to each
 * other in lines. Byte 0 says what the rest is: a record (0), kept attributes
 * (1), kept firmware (2), a request to fieldway-install (3) and its answer (4),
 * a recording (5), records that are written together (6).
 */

static const struct fuzz_seed seeds[] = {
	{ "004657535400010000000000026f52d8cc6162", NULL },
	{ "01", "/3/0 pmin=10&st=0.5\n/3303/0/5700 gt=1&lt=-2\n" },
	{ "01", "/3303/0/5700 gt=1e222&lt=-22223232222232e222\n" },
	{ "02", "state=2\nresult=0\nuri=coap://a.example/f\nname=x\nversion=1\nid=a1\netag=00ff\n" },
	{ "03", "action=install\nhandler=debian\nid=7f\nseverity=1\ndefer=30\n" },
	{ "04", "end=exited\ncode=0\nname=x\nversion=1.2\nreason=all is well\n" },
	{ "05", "+12.345678 /dev/ttyUSB0 > 01 03 00 00 00 02 c4 0b\n" },
	{ "05", "# 3 pieces were dropped\n" },
	{ "06" "03612e6b" "01" "00000003" "6e6577" "03622e6b" "00", NULL },
};
const struct fuzz_target fuzz_target = { "kept", seeds, ARRAY_SIZE(seeds), 0 };

static void check_record(struct span file)
{
	uint8_t header[STATE_RECORD_HEADER_BYTES];
	struct span content;
	int r = state_record_parse(file, &content);

	require(r == 0 || r == -EBADMSG || r == -EPROTO);
	if (r < 0)
		return;
	state_record_header(content.p, content.n, header);
	require(content.n + sizeof(header) == file.n && memcmp(header, file.p, sizeof(header)) == 0);
}

/* Unreadable lines are passed over; what was read is written, and read again as the same. */
static void check_attributes(struct span text)
{
	_cleanup_buf_ struct buf first = { 0 }, second = { 0 };
	struct attribute_set *a = NULL, *b = NULL;
	int r;

	require(attribute_set_new(&a) == 0 && attribute_set_new(&b) == 0);
	r = attribute_set_parse(a, text);
	require(r == 0 || r == -ENOSPC);
	require(attribute_set_format(a, &first) == 0);
	require(attribute_set_parse(b, span_of(first.data, first.size)) == 0);
	require(attribute_set_format(b, &second) == 0);
	require(first.size == second.size &&
		(first.size == 0 || memcmp(first.data, second.data, first.size) == 0));
	attribute_set_free(a);
	attribute_set_free(b);
}

static int take_change(void *userdata, const struct state_change *change)
{
	require(change->file[0] && !strchr(change->file, '/') && strlen(change->file) <= STATE_FILE_NAME_MAX);
	return state_journal_format(change, 1, userdata);
}

static void check_journal(struct span content)
{
	_cleanup_buf_ struct buf again = { 0 };
	int r = state_journal_parse(content, take_change, &again);

	require(r == 0 || r == -EBADMSG);
	require(r < 0 || (again.size == content.n &&
			  (content.n == 0 || memcmp(again.data, content.p, content.n) == 0)));
}

static void check_firmware(struct span record)
{
	_cleanup_buf_ struct buf first = { 0 }, second = { 0 };
	struct firmware_kept kept = { 0 }, again = { 0 };

	if (firmware_record_decode(record, &kept) < 0)
		return;
	require(firmware_record_encode(&kept, &first) == 0);
	require(firmware_record_decode(span_of(first.data, first.size), &again) == 0);
	require(firmware_record_encode(&again, &second) == 0);
	require(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
}

static void check_request(const char *message, size_t size)
{
	struct install_request request, again;
	char text[INSTALL_MESSAGE_MAX];
	int n;

	if (install_request_decode(message, size, &request) < 0)
		return;
	require(install_name_is_valid(request.handler) && install_name_is_valid(request.id));
	n = install_request_encode(&request, text, sizeof(text));
	require(n > 0 && install_request_decode(text, (size_t)n, &again) == 0);
	require(request.action == again.action && streq(request.handler, again.handler) &&
		streq(request.id, again.id) && request.severity == again.severity &&
		request.defer_s == again.defer_s);
}

static void check_answer(const char *message, size_t size)
{
	struct install_answer answer, again;
	char text[INSTALL_MESSAGE_MAX];
	int n;

	if (install_answer_decode(message, size, &answer) < 0)
		return;
	n = install_answer_encode(&answer, text, sizeof(text));
	require(n > 0 && install_answer_decode(text, (size_t)n, &again) == 0);
	require(answer.end == again.end && answer.code == again.code && streq(answer.name, again.name) &&
		streq(answer.version, again.version) && streq(answer.reason, again.reason));
}

static void check_recording(const char *text, size_t size)
{
	struct recording_piece piece, again;
	char line[RECORDING_LINE_MAX];
	size_t n;

	if (recording_parse(text, size, &piece) <= 0)
		return;
	require(piece.n <= RECORDING_BYTES_MAX);
	n = recording_format(piece.usec, piece.name, piece.direction, piece.bytes, piece.n, line);
	require(n <= sizeof(line) && recording_parse(line, n, &again) == 1);
	require(piece.usec == again.usec && piece.direction == again.direction && piece.n == again.n &&
		memcmp(piece.bytes, again.bytes, piece.n) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	switch (data[0] % 7) {
	case 0:
		check_record(span_of(data + 1, size - 1));
		break;
	case 1:
		check_attributes(span_of(data + 1, size - 1));
		break;
	case 2:
		check_firmware(span_of(data + 1, size - 1));
		break;
	case 3:
		check_request(text, size - 1);
		break;
	case 4:
		check_answer(text, size - 1);
		break;
	case 5:
		check_recording(text, size - 1);
		break;
	case 6:
		check_journal(span_of(data + 1, size - 1));
		break;
	}
	return 0;
}
