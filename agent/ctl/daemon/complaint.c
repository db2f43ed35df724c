/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/daemon/complaint.h"

#include <errno.h>
#include <systemd/sd-bus.h>

#include "base/macro.h"
#include "base/str.h"
#include "ctl/output/text.h"
#include "dbus/agent1.h"

enum kind {
	KIND_OTHER,   /* the text of the error says it all */
	KIND_NOTHING, /* so it does here: no such thing, or no good value */
	KIND_ABSENT,
	KIND_NO_BUS,
	KIND_SILENT,
	KIND_DENIED,
	KIND_FOREIGN, /* an interface that is not ours */
	KIND_UNKNOWN_OUTCOME,
	KIND_UNPLUGGED, /* errno has better words for files than for adapters */
};

static const struct {
	const char *name;
	enum kind kind;
} kinds[] = {
	{ SD_BUS_ERROR_SERVICE_UNKNOWN, KIND_ABSENT },
	{ SD_BUS_ERROR_NAME_HAS_NO_OWNER, KIND_ABSENT },
	{ "System.Error.ENOTCONN", KIND_NO_BUS },
	{ SD_BUS_ERROR_NO_REPLY, KIND_SILENT },
	{ SD_BUS_ERROR_TIMEOUT, KIND_SILENT },
	{ SD_BUS_ERROR_DISCONNECTED, KIND_SILENT },
	{ "System.Error.ECONNRESET", KIND_SILENT },
	{ SD_BUS_ERROR_ACCESS_DENIED, KIND_DENIED },
	{ SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED, KIND_DENIED },
	{ SD_BUS_ERROR_UNKNOWN_OBJECT, KIND_FOREIGN },
	{ SD_BUS_ERROR_UNKNOWN_INTERFACE, KIND_FOREIGN },
	{ SD_BUS_ERROR_UNKNOWN_METHOD, KIND_FOREIGN },
	{ SD_BUS_ERROR_UNKNOWN_PROPERTY, KIND_FOREIGN },
	{ AGENT1_ERROR_NO_ANSWER, KIND_UNKNOWN_OUTCOME },
	{ "System.Error.ENODEV", KIND_UNPLUGGED },
	{ AGENT1_ERROR_NO_SUCH_ENDPOINT, KIND_NOTHING },
	{ AGENT1_ERROR_NO_SUCH_DEVICE, KIND_NOTHING },
	{ AGENT1_ERROR_NO_SUCH_BUS, KIND_NOTHING },
	{ AGENT1_ERROR_NO_SUCH_SERVER, KIND_NOTHING },
	{ AGENT1_ERROR_NO_SUCH_PATH, KIND_NOTHING },
	{ AGENT1_ERROR_NO_VALUE, KIND_NOTHING },
	{ AGENT1_ERROR_STALE, KIND_NOTHING },
};

static enum kind kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (streq(kinds[i].name, name))
			return kinds[i].kind;
	return KIND_OTHER;
}

int complaint_error(const char *name)
{
	static const int errors[] = {
		[KIND_OTHER] = -EIO,	 [KIND_NOTHING] = -ENOENT, [KIND_ABSENT] = -EHOSTDOWN,
		[KIND_NO_BUS] = -EHOSTDOWN, [KIND_SILENT] = -EIO,  [KIND_DENIED] = -EACCES,
		[KIND_FOREIGN] = -EIO,	 [KIND_UNKNOWN_OUTCOME] = -EIO, [KIND_UNPLUGGED] = -EIO,
	};

	return errors[kind_of(name)];
}

static void print_absent(FILE *to, const struct complaint *c)
{
	if (streq(c->bus, "system")) {
		fputs("fieldwayd does not run (systemctl status fieldway)", to);
		return;
	}
	fputs("no fieldwayd on the bus ", to);
	text_print(to, c->bus);
}

static void print_text(FILE *to, const struct complaint *c)
{
	text_print(to, c->text && *c->text ? c->text : c->name);
}

static void print_reason(FILE *to, const struct complaint *c)
{
	static const char unknown[] =
		"; it may have been written or not: read it before writing again";

	switch (kind_of(c->name)) {
	case KIND_ABSENT:
		print_absent(to, c);
		return;
	case KIND_NO_BUS:
		/* Before anything was sent. */
		fputs("no answer of the bus ", to);
		text_print(to, c->bus);
		return;
	case KIND_SILENT:
		fprintf(to, "fieldwayd has not answered%s", c->write ? unknown : "");
		return;
	case KIND_DENIED:
		/* The bus, sd-bus and the daemon each have words of their own for it. */
		if ((c->write || c->privileged) && !c->root) {
			fputs("needs root or the group " AGENT1_GROUP, to);
			return;
		}
		print_text(to, c);
		return;
	case KIND_FOREIGN:
		fputs("the running fieldwayd is of another version than this fieldwayctl (", to);
		print_text(to, c);
		fputs(")", to);
		return;
	case KIND_UNKNOWN_OUTCOME:
		print_text(to, c);
		fputs(c->write ? unknown : "", to);
		return;
	case KIND_UNPLUGGED:
		fputs("no port or adapter that can be used: is it plugged in, and for Bluetooth: does "
		      "bluetoothd run (fieldwayctl ports, systemctl status bluetooth)?", to);
		return;
	case KIND_OTHER:
	case KIND_NOTHING:
		print_text(to, c);
		return;
	}
}

void complaint_print(FILE *to, const struct complaint *c)
{
	fputs("fieldwayctl: ", to);
	if (*c->about) {
		text_print(to, c->about);
		fputs(": ", to);
	}
	print_reason(to, c);
	fputc('\n', to);
}
