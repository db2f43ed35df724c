/* SPDX-License-Identifier: Apache-2.0 */
#include "lwm2m_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Profile IDs (Core 6.2.1) and the lists of objects that they stand for. */

#define PROFILES_MAX 64

static const char *profile_find(const struct server *s, const char *id)
{
	for (const struct profile *p = s->profiles; p; p = p->next)
		if (strcmp(p->id, id) == 0)
			return p->links;
	return NULL;
}

int profile_add(struct server *s, const char *id, const char *links)
{
	struct profile *p;
	unsigned n = 0;

	for (p = s->profiles; p; p = p->next)
		n++;
	p = n < PROFILES_MAX ? calloc(1, sizeof(*p)) : NULL;
	if (!p)
		return -ENOMEM;
	p->id = strdup(id);
	p->links = strdup(links);
	p->next = s->profiles;
	s->profiles = p;
	return 0;
}

int profile_forget(struct server *s, const char *id)
{
	struct profile **link = &s->profiles, *p;

	while ((p = *link) && strcmp(p->id, id) != 0)
		link = &p->next;
	if (!p)
		return -ENOENT;
	*link = p->next;
	free(p->id);
	free(p->links);
	free(p);
	return 0;
}

void profiles_free(struct server *s)
{
	while (s->profiles)
		profile_forget(s, s->profiles->id);
}

static int append(char **list, const char *links)
{
	size_t size = *list ? strlen(*list) + 1 : 0;
	char *grown = realloc(*list, size + strlen(links) + 1);

	if (!grown)
		return -ENOMEM;
	if (size)
		grown[size - 1] = ',';
	strcpy(grown + size, links);
	*list = grown;
	return 0;
}

/* One that is new is what the list beside it says, or nothing that helps. */
static int resolve(struct server *s, const char *id, const char *links, char **list)
{
	const char *found = profile_find(s, id);

	if (found)
		return append(list, found);
	return links ? profile_add(s, id, links) : -ENOENT;
}

int profiles_resolve(struct server *s, const char *ids, const char *links, char **ret)
{
	char *copy = strdup(ids), *list = NULL, *rest = NULL;
	int r = copy ? 0 : -ENOMEM;

	for (char *id = r < 0 ? NULL : strtok_r(copy, "\",", &rest); id && r >= 0; id = strtok_r(NULL, "\",", &rest))
		r = resolve(s, id, links, &list);
	free(copy);
	if (r < 0) {
		free(list);
		return r;
	}
	*ret = list;
	return 0;
}
