/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One file's text (letter: see fixture_case()) and all messages; "" when nothing is wrong. */
struct error_case {
	char letter;
	const char *text;
	const char *expected;
};
