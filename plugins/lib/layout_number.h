/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers and their bits; parts of layout.h. */

/* The double of the shortest decimal that still gives this float: 230.2, not 230.1999969. */
double float_widen(float value);

/* IEEE 754 binary16, widened likewise. */
double half_widen(uint16_t bits);
/* The nearest half, ties to even. 0, or -ERANGE when it is beyond the largest (infinities are not). */
int half_narrow(double value, uint16_t *ret_bits);

/* So many digits, the highest first in raw. False: one of them is none. */
bool bcd_decode(uint64_t raw, unsigned digits, uint64_t *ret);
/* False: it has more digits. */
bool bcd_encode(uint64_t number, unsigned digits, uint64_t *ret_raw);
