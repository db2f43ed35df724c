/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "ctl/ctl.h"
#include "ctl/files/configuration.h"
#include "ctl/output/document.h"

static int print(const struct invocation *i, const char *folder, const struct buf *lines, int r)
{
	if (!i->json) {
		checker_print(lines);
		return r;
	}
	if (document_print(json_pack("{s:o, s:b, s:o}", "folder", document_any_text(folder),
				     "accepted", r >= 0, "messages", checker_document(lines))) < 0)
		return -ENOMEM;
	return r;
}

static int run(const struct invocation *i)
{
	const char *folder = i->n > 0 ? i->arguments[0] : SYSCONFDIR "/fieldway";
	_cleanup_buf_ struct buf lines = { 0 };
	int r = checker_run(i, folder, &lines);

	return exit_status(r < 0 && r != -EINVAL ? r : print(i, folder, &lines, r));
}

static const struct command_option options[] = { CHECKER_OPTIONS, STATE_OPTION, { 0 } };

const struct command command_check = {
	.name = "check",
	.arguments = "[DIR]",
	.help = "reads a configuration and prints what is wrong with it, as fieldwayd --check",
	.details = "DIR is " SYSCONFDIR
		   "/fieldway unless it is said. What is wrong is said as\n"
		   "file:line:column: text; so is, as a warning, which servers do not reach endpoints\n"
		   "any more, because a bootstrap server has told them where to register, or because\n"
		   "servers wrote to /1 or /2 what the files then said otherwise.\n",
	.most = 1,
	.options = options,
	.completes = "file",
	.run = run,
};
