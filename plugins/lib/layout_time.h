/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * Clock times that devices pack into bytes, highest first here. They know no
 * zone: the seconds since 1970 are those of the same digits in UTC.
 */

/*
 * IEC 60870-5-4, binary time 2a of seven octets, the last octet first: year
 * 0-99, month, weekday and day, hour, minute, milliseconds. In four registers
 * (an octet 0 before it) it is the DATETIME of Schneider Electric's iEM3000 and
 * PM5000 meters and, the last register first, the clock of Siemens SICAM FCM
 * (manual E50417-H8940-C580-A4, tables B-12 to B-14). A set invalid bit makes it
 * no time; summer time's is not looked at. Fractions of a second are dropped.
 */
#define CP56_BYTES 7u
bool cp56_decode(const uint8_t *bytes, int64_t *ret_seconds);
bool cp56_encode(int64_t seconds, uint8_t *ret_bytes); /* false: not in 2000 to 2099 */

/*
 * Year since 2000, month, day, hour, minute, second: a byte each. Binary: ABB A43
 * and A44 meters (manual 2CMC48001M0201 C, 9.5 "Date and time format"), EPEVER
 * solar controllers (registers 0x9013 to 0x9015, seconds first: order CDAB). BCD:
 * the 12 digits of an M-Bus meter's clock, seconds first (the same manual, 10.5.25:
 * order little).
 */
#define YMDHMS_BYTES 6u
bool ymdhms_decode(const uint8_t *bytes, bool bcd, int64_t *ret_seconds);
bool ymdhms_encode(int64_t seconds, bool bcd, uint8_t *ret_bytes); /* false: not in 2000 to 2099 */

/*
 * The same with 16 bits each (Accuenergy Acuvim II, registers 0x1040 to 0x1045);
 * a year below 100 counts from 2000. Encoded in full.
 */
#define YMDHMS16_BYTES 12u
bool ymdhms16_decode(const uint8_t *bytes, int64_t *ret_seconds);
bool ymdhms16_encode(int64_t seconds, uint8_t *ret_bytes); /* false: not in 1970 to 9999 */
