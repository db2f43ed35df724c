/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct arena;

/*
 * Text of devices, servers and files, for a terminal: always on one line, and
 * nothing that could steer the terminal or turn the order of what is read.
 * Control characters come as \n, \t, \r or \xHH for each byte, and a backslash
 * as \\, so that scripts can turn it back.
 */
void text_print(FILE *to, const char *text);
/* Columns that text_print() fills: one for each character. */
size_t text_width(const char *text);
/* At most that many columns, the last three "..." when it is cut. */
void text_print_cut(FILE *to, const char *text, size_t columns);

/* 24800 -> "24,800": for people. Needs TEXT_NUMBER_MAX bytes; returns ret. */
#define TEXT_NUMBER_MAX sizeof("18,446,744,073,709,551,615")
char *text_number(uint64_t number, char ret[TEXT_NUMBER_MAX]);

/* "a,b,c" in arena memory, "" for none; NULL without memory. */
const char *text_join(struct arena *arena, const char *const *texts, size_t n);
