/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "update/delivery.h"

struct state;

/*
 * Who is answered only when the disk has what was asked for: a server that was told
 * that a package is gone would not ask again for what a power cut brings back.
 */

/*
 * Commits the record (state_commit()), and tells done: 0; -EIO: it is so, but cannot be kept.
 * answers: a list head that outlives the waiting. -ENOMEM, or errors of state_commit():
 * done is not called.
 */
int kept_answer_add(struct list *answers, struct state *state, const char *name, const char *kind,
		    struct span record, delivery_done done, void *userdata);
/* Nobody waits any more: each is told the error. */
void kept_answers_end(struct list *answers, int error);
/* None is told anything. */
void kept_answers_free(struct list *answers);
