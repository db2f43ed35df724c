/* SPDX-License-Identifier: Apache-2.0 */
#include "api/plugin.h"

#include "driver.h"
#include "line.h"
#include "stream.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

#define BUS FIELDWAY_SCOPE_BUS
#define PROFILE FIELDWAY_SCOPE_PROFILE
#define POINT FIELDWAY_SCOPE_POINT

static const char *const mode_choices[] = { "stream", "request", NULL };
static const char *const encoding_choices[] = { "utf-8", "latin-1", NULL };
static const char *const order_choices[] = { "big", "little", NULL };

/* How frames are cut out of what comes, below PREFIX. */
#define FRAME_KEYS(prefix)                                                                                    \
	{ .name = prefix "frame.start", .scope = PROFILE, .type = FIELDWAY_STRING,                            \
	  .help = "bytes that a frame begins with; \\r \\n \\t \\0 \\e \\xHH are one byte" },                   \
	{ .name = prefix "frame.end", .scope = PROFILE, .type = FIELDWAY_STRING,                              \
	  .help = "bytes that it ends with" },                                                                \
	{ .name = prefix "frame.tail", .scope = PROFILE, .type = FIELDWAY_UINT, .maximum = 16,                \
	  .unit = "bytes", .help = "behind the end, such as a checksum (0)" },                                \
	{ .name = prefix "frame.length.at", .scope = PROFILE, .type = FIELDWAY_UINT, .maximum = FRAME_MAX,    \
	  .help = "offset of a length in the frame" },                                                        \
	{ .name = prefix "frame.length.size", .scope = PROFILE, .type = FIELDWAY_UINT, .minimum = 1,          \
	  .maximum = 4, .unit = "bytes", .help = "of the length: 1, 2 or 4 (1)" },                            \
	{ .name = prefix "frame.length.order", .scope = PROFILE, .type = FIELDWAY_STRING,                     \
	  .choices = order_choices, .help = "of its bytes (big)" },                                           \
	{ .name = prefix "frame.length.adds", .scope = PROFILE, .type = FIELDWAY_INT, .minimum = -65536,      \
	  .maximum = 65536, .unit = "bytes", .help = "of the whole frame that the length does not count (0)" }, \
	{ .name = prefix "frame.fixed", .scope = PROFILE, .type = FIELDWAY_UINT, .minimum = 1,                \
	  .maximum = FRAME_MAX, .unit = "bytes", .help = "of every frame" },                                  \
	{ .name = prefix "frame.idle", .scope = PROFILE, .flags = FIELDWAY_KEY_DURATION,                      \
	  .type = FIELDWAY_UINT, .help = "silence that ends a frame, or spoils half of one" },                \
	{ .name = prefix "frame.max", .scope = PROFILE, .type = FIELDWAY_UINT, .minimum = 1,                  \
	  .maximum = FRAME_MAX, .unit = "bytes", .help = "of the longest frame (" TEXT(FRAME_DEFAULT_MAX) ")" }

/* What a frame's checksum is and where, below PREFIX. */
#define CHECKSUM_KEYS(prefix)                                                                                 \
	{ .name = prefix "checksum.kind", .scope = PROFILE, .type = FIELDWAY_STRING,                          \
	  .choices = checksum_names, .help = "which checksum" },                                              \
	{ .name = prefix "checksum.first", .scope = PROFILE, .type = FIELDWAY_INT, .minimum = -65536,         \
	  .maximum = 65536, .help = "first byte that counts; negative: from the end, -1 the last (0)" },      \
	{ .name = prefix "checksum.last", .scope = PROFILE, .type = FIELDWAY_INT, .minimum = -65536,          \
	  .maximum = 65536, .help = "last byte that counts (the one before the checksum)" },                  \
	{ .name = prefix "checksum.at", .scope = PROFILE, .type = FIELDWAY_INT, .minimum = -65536,            \
	  .maximum = 65536, .help = "where it stands (at the end of the frame)" },                            \
	{ .name = prefix "checksum.format", .scope = PROFILE, .type = FIELDWAY_STRING,                        \
	  .choices = checksum_formats, .help = "bytes, or their hexadecimal digits (binary)" },               \
	{ .name = prefix "checksum.order", .scope = PROFILE, .type = FIELDWAY_STRING,                         \
	  .choices = order_choices, .help = "of its bytes (big, crc16-modbus little)" }

/* A question and its answer, below PREFIX. */
#define STEP_KEYS(prefix)                                                                                     \
	{ .name = prefix "send", .scope = PROFILE, .type = FIELDWAY_STRING,                                   \
	  .help = "what is sent, with {id}, {checksum} and {message.field} of an answer before" },            \
	{ .name = prefix "expect", .scope = PROFILE, .type = FIELDWAY_STRING,                                 \
	  .help = "the answer: the name of a message, or an expression" },                                    \
	{ .name = prefix "refuse", .scope = PROFILE, .type = FIELDWAY_STRING,                                 \
	  .help = "an expression: the device says no" },                                                      \
	{ .name = prefix "timeout", .scope = PROFILE, .flags = FIELDWAY_KEY_DURATION, .type = FIELDWAY_UINT,  \
	  .help = "silence that is too long (the bus's timeout)" },                                           \
	{ .name = prefix "retries", .scope = PROFILE, .type = FIELDWAY_UINT, .maximum = 10,                   \
	  .help = "how often it is sent again after silence (0)" },                                           \
	{ .name = prefix "pause", .scope = PROFILE, .flags = FIELDWAY_KEY_DURATION, .type = FIELDWAY_UINT,    \
	  .help = "rest before it is sent (0)" },                                                             \
	{ .name = prefix "bytes", .scope = PROFILE, .type = FIELDWAY_UINT, .maximum = FRAME_MAX,              \
	  .unit = "bytes", .help = "about how long the answer is, for deadlines and cycle times (32)" },      \
	{ .name = prefix "baud", .scope = PROFILE, .type = FIELDWAY_UINT, .unit = "baud",                     \
	  .help = "rate from here on (that of the bus)" },                                                    \
	{ .name = prefix "baud_from", .scope = PROFILE, .type = FIELDWAY_STRING,                              \
	  .help = "MESSAGE.FIELD that says the rate of the answer, see bauds" },                              \
	{ .name = prefix "bauds.*", .scope = PROFILE, .type = FIELDWAY_UINT, .unit = "baud",                  \
	  .help = "what such a field stands for" }

/* clang-format off */
static const struct fieldway_key keys[] = {
	{ .name = "serial.device", .scope = BUS, .type = FIELDWAY_STRING,
	  .help = "serial port, best by its name in /dev/serial/by-id" },
	{ .name = "serial.baud", .scope = BUS, .type = FIELDWAY_UINT, .minimum = 300, .maximum = 921600,
	  .unit = "baud", .help = "baud rate (" TEXT(DEFAULT_BAUD) ")" },
	{ .name = "serial.format", .scope = BUS, .type = FIELDWAY_STRING,
	  .help = "data bits, parity, stop bits, in quotes (" DEFAULT_FORMAT ")" },
	RS485_KEYS("serial"),
	{ .name = "serial.dtr", .scope = BUS, .type = FIELDWAY_STRING, .choices = level_names,
	  .help = "the DTR line, which some adapters and loops are fed by (as the driver sets it)" },
	{ .name = "serial.rts", .scope = BUS, .type = FIELDWAY_STRING, .choices = level_names,
	  .help = "the RTS line (as the driver sets it)" },
	{ .name = "tcp.host", .scope = BUS, .type = FIELDWAY_STRING,
	  .help = "name or address of a serial device server that hands bytes on" },
	{ .name = "tcp.port", .scope = BUS, .type = FIELDWAY_UINT, .minimum = 1, .maximum = 65535,
	  .help = "its port" },
	{ .name = "id", .scope = FIELDWAY_SCOPE_ADDRESS, .type = FIELDWAY_STRING,
	  .help = "what {id} is in templates and expressions, where several devices share a line" },

	{ .name = "mode", .scope = PROFILE, .type = FIELDWAY_STRING, .choices = mode_choices,
	  .initial = "stream", .help = "the device speaks by itself (stream), or when asked (request)" },
	{ .name = "encoding", .scope = PROFILE, .type = FIELDWAY_STRING, .choices = encoding_choices,
	  .initial = "utf-8", .help = "of texts" },
	{ .name = "hello", .scope = PROFILE, .type = FIELDWAY_STRING,
	  .help = "what is sent when the port has been opened" },
	FRAME_KEYS(""),
	CHECKSUM_KEYS(""),
	{ .name = "messages.*.match", .scope = PROFILE, .type = FIELDWAY_STRING,
	  .help = "an expression (PCRE2) that such a frame matches; its named groups are fields" },
	{ .name = "messages.*.columns.separator", .scope = PROFILE, .type = FIELDWAY_STRING,
	  .help = "what is between the fields (,); blanks count as one" },
	{ .name = "messages.*.columns.names", .scope = PROFILE, .flags = FIELDWAY_KEY_LIST,
	  .type = FIELDWAY_STRING, .help = "of the columns, from the first on" },
	{ .name = "messages.*.records", .scope = PROFILE, .type = FIELDWAY_STRING,
	  .help = "what is between records that are matched one by one: groups key, value, unit" },
	{ .name = "messages.*.size", .scope = PROFILE, .type = FIELDWAY_UINT, .minimum = 1,
	  .maximum = FRAME_MAX, .unit = "bytes", .help = "of the content; others are no such message" },
	CHECKSUM_KEYS("messages.*."),
	STEP_KEYS("requests.*."),
	FRAME_KEYS("requests.*."),
	CHECKSUM_KEYS("requests.*."),
	STEP_KEYS("requests.*.steps.*."),
	FRAME_KEYS("requests.*.steps.*."),
	CHECKSUM_KEYS("requests.*.steps.*."),

	{ .name = "from", .scope = POINT, .flags = FIELDWAY_KEY_LIST | FIELDWAY_KEY_PLACE,
	  .type = FIELDWAY_STRING, .help = "MESSAGE.FIELD, or several that make one value together" },
	{ .name = "column", .scope = POINT, .flags = FIELDWAY_KEY_PLACE, .type = FIELDWAY_UINT, .minimum = 1,
	  .maximum = MESSAGE_FIELDS_MAX, .help = "of a message without names, 1 is the first" },
	{ .name = "at", .scope = POINT, .flags = FIELDWAY_KEY_PLACE, .type = FIELDWAY_UINT,
	  .maximum = FRAME_MAX, .help = "offset of bytes in the message, 0 is the first" },
	{ .name = "type", .scope = POINT, .type = FIELDWAY_STRING,
	  .help = "of a text float, int, uint, bool, string (float); of bytes those of fieldway-profile(5) (uint8)" },
	{ .name = "order", .scope = POINT, .type = FIELDWAY_STRING, .choices = layout_order_names,
	  .help = "of bytes: A is the highest; big (default), little" },
	{ .name = "bit", .scope = POINT, .type = FIELDWAY_UINT, .maximum = 63,
	  .help = "of bytes: one bit of the value, 0 is the lowest" },
	{ .name = "mask", .scope = POINT, .type = FIELDWAY_UINT, .help = "of bytes: the bits that count, shifted down" },
	{ .name = "length", .scope = POINT, .type = FIELDWAY_UINT, .minimum = 1, .maximum = 256,
	  .unit = "bytes", .help = "of a string that lies at a place (all that is left)" },
	{ .name = "format", .scope = POINT, .type = FIELDWAY_STRING, .choices = text_format_names,
	  .help = "of a number: decimal, comma (12,5), hex, degrees (ddmm.mmmm and hemisphere), time (decimal)" },
	{ .name = "pattern", .scope = POINT, .type = FIELDWAY_STRING,
	  .help = "of a time, as of strptime: %d%m%y%H%M%S" },
	{ .name = "truth", .scope = POINT, .flags = FIELDWAY_KEY_LIST, .type = FIELDWAY_STRING,
	  .help = "texts that are true (1, and 0 is false)" },
	{ .name = "codes.*", .scope = POINT, .type = FIELDWAY_INT, .help = "the number that a text stands for" },
	{ .name = "good.*", .scope = POINT, .flags = FIELDWAY_KEY_LIST, .type = FIELDWAY_STRING,
	  .help = "MESSAGE.FIELD: texts with which the value counts" },
	{ .name = "unit", .scope = POINT, .type = FIELDWAY_STRING, .help = "of the value, as everywhere" },
	{ .name = "unit.from", .scope = POINT, .type = FIELDWAY_STRING,
	  .help = "MESSAGE.FIELD that says the unit" },
	{ .name = "unit.to", .scope = POINT, .type = FIELDWAY_STRING, .help = "the unit into which it is turned" },
	{ .name = "units.*", .scope = POINT, .type = FIELDWAY_STRING,
	  .help = "what the device calls a unit: its usual name" },
	{ .name = "send", .scope = POINT, .type = FIELDWAY_STRING,
	  .help = "what writes it, with {value} or {value:06.2f}" },
	{ .name = "expect", .scope = POINT, .type = FIELDWAY_STRING,
	  .help = "the answer that confirms (nothing answers: what was sent counts as done)" },
	{ .name = "refuse", .scope = POINT, .type = FIELDWAY_STRING, .help = "the answer that refuses" },
	{ .name = "timeout", .scope = POINT, .flags = FIELDWAY_KEY_DURATION, .type = FIELDWAY_UINT,
	  .help = "silence that is too long (the bus's timeout)" },
	{ .name = "retries", .scope = POINT, .type = FIELDWAY_UINT, .maximum = 10,
	  .help = "how often it is sent again after silence, where twice does no harm (0)" },
};
/* clang-format on */

FIELDWAY_EXPORT const struct fieldway_plugin fieldway_plugin = {
	.struct_size = sizeof(fieldway_plugin),
	.abi = FIELDWAY_ABI,
	.capabilities = FIELDWAY_CAN_POLL | FIELDWAY_CAN_WRITE | FIELDWAY_CAN_LISTEN,
	.name = "serial",
	.version = PACKAGE_VERSION,
	.keys = keys,
	.n_keys = sizeof(keys) / sizeof(keys[0]),
	.bus_check = driver_bus_check,
	.driver_new = driver_new,
	.driver_free = driver_free,
	.line_name = driver_line_name,
	.plan_new = driver_plan,
	.plan_free = driver_plan_free,
	.decode = driver_decode,
	.line_open = line_open,
	.line_close = line_close,
	.read = line_read,
	.write = line_write,
	.write_check = driver_write_check,
	.driver_io = driver_io,
	.line_tap = line_tap,
	.raw = line_raw,
	.bus_start = stream_start,
	.bus_stop = stream_stop,
	.bus_write = stream_write,
	.bus_release = stream_release,
	.bus_change = stream_change,
	.sample = driver_sample,
};
