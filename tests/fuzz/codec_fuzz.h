/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/macro.h"
#include "codec/codec.h"
#include "tests/fuzz/fuzz.h"

/*
 * Any bytes as a payload: it is refused with a reason and leaves nothing
 * behind, or what it means can be written and means the same again. The first
 * byte is the target: modulo 5 its depth below /1000/0/R/0, the rest R.
 */
int codec_fuzz(enum content_format format, const uint8_t *data, size_t size);
