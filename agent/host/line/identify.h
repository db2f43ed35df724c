/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "host/device/parts.h"

/*
 * Before anything else of a device that comes online its identify point is
 * read. What is not the expected model is FAILED, and nothing of it is polled
 * or written: it is looked at again after the longest back-off.
 */

/* Must it be asked that next? */
bool identify_is_due(const struct device *d);
/* The line's job was that and has come back. asked: in place of its turn. */
void identify_done(struct line *l, bool asked);
/* False: what was read shows that it is another model by now, and it is rejected. */
bool identify_still(struct line *l);
/* The device is gone: what comes back may be another one. */
void identify_forget(struct device *d);
