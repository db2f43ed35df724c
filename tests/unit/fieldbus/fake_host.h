/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What fake_host and the tests have to agree on. */
#define FAKE_HELD_MAX 128
#define FAKE_REASON_SIZE 1000000u
#define FAKE_SECONDS_MAX 50
