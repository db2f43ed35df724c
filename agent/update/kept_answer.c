/* SPDX-License-Identifier: Apache-2.0 */
#include "update/kept_answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/state.h"

struct kept_answer {
	struct list list;
	struct state_commit *commit;
	delivery_done done;
	void *userdata;
};

static void answer_free(struct kept_answer *a)
{
	list_remove(&a->list);
	state_commit_cancel(a->commit);
	free(a);
}

static void tell(struct kept_answer *a, int error, const char *reason)
{
	delivery_done done = a->done;
	void *userdata = a->userdata;

	answer_free(a);
	done(userdata, error, reason);
}

/* state_done */
static void on_kept(void *userdata, int error)
{
	struct kept_answer *a = userdata;
	char reason[128];

	a->commit = NULL;
	if (error >= 0) {
		tell(a, 0, NULL);
		return;
	}
	snprintf(reason, sizeof(reason), "it is done, but cannot be kept over a restart: %s", strerror(-error));
	tell(a, -EIO, reason);
}

int kept_answer_add(struct list *answers, struct state *state, const char *name, const char *kind,
		    struct span record, delivery_done done, void *userdata)
{
	struct kept_answer *a = calloc(1, sizeof(*a));
	int r;

	if (!a)
		return -ENOMEM;
	a->done = done;
	a->userdata = userdata;
	list_append(answers, &a->list);
	r = state_commit(state, name, kind, record.p, record.n, on_kept, a, &a->commit);
	if (r < 0)
		answer_free(a);
	return r;
}

void kept_answers_end(struct list *answers, int error)
{
	while (!list_is_empty(answers))
		tell(list_entry(answers->next, struct kept_answer, list), error, NULL);
}

void kept_answers_free(struct list *answers)
{
	while (!list_is_empty(answers))
		answer_free(list_entry(answers->next, struct kept_answer, list));
}
