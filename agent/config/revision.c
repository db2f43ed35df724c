/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "config/files.h"

/* The part of a profile's path that its name must be. */
bool is_file_of(const struct config_file *file, const char *profile)
{
	const char *slash = strrchr(file->name, '/'), *base = slash ? slash + 1 : file->name;
	size_t size = strlen(profile);

	return file->place == CONFIG_PLACE_PROFILES && strncmp(base, profile, size) == 0 &&
	       streq(base + size, ".yaml");
}

uint64_t file_revision(const struct config_file *file)
{
	struct yaml_errors ignored = { 0 };
	const struct yaml_node *node = NULL;
	struct yaml_file *yaml = NULL;
	uint64_t revision = 0;

	if (yaml_read_text(file->name, file->text, file->size, &ignored, &yaml) >= 0 && yaml->n > 0)
		node = yaml_get(yaml->documents[0], "revision");
	if (!node || node->kind != YAML_KIND_SCALAR || parse_u64(node->text, &revision) < 0)
		revision = 0;
	yaml_errors_done(&ignored);
	yaml_file_free(yaml);
	return revision;
}

/* Of one place the shared files come first, and the others win. */
int config_files_revision(const struct config_files *f, const char *profile, uint64_t *ret)
{
	for (size_t i = f->n; i-- > 0;)
		if (is_file_of(&f->items[i], profile)) {
			*ret = file_revision(&f->items[i]);
			return 0;
		}
	return -ENOENT;
}
