/* SPDX-License-Identifier: Apache-2.0 */
#include "simulator.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/*
 * The meter follows the register map of Eastron's SDM630 ("SDM630 Modbus
 * Protocol", input registers): 0, 2, 4 volts, 6, 8, 10 amperes, 12, 14, 16
 * watts of each phase, 52 watts in all, 70 hertz, 72 imported kilowatt-hours;
 * holding 0xFC00 serial number, 0xFC02 meter code 0x0070.
 */
#define METER_VOLTAGE 0
#define METER_CURRENT 6
#define METER_POWER 12
#define METER_TOTAL_POWER 52
#define METER_FREQUENCY 70
#define METER_ENERGY 72
#define METER_SERIAL 0xfc00
#define METER_CODE 0xfc02

/* The relay board: each contact (discrete) follows the coil of its number. */
#define RELAYS 8
#define RELAY_ACKNOWLEDGE 9       /* coil: clears the alarms */
#define RELAY_SET_POINT 100       /* holding: what was written to */
#define RELAY_SET_POINT_WRITE 2100
#define RELAY_ALARMS 120          /* holding, bits */
#define RELAY_TEMPERATURE 0       /* input, int16, tenths of a degree */
#define RELAY_PULSES 2            /* input, uint32 */

#define ADDRESSES 65536
#define INPUT_REGISTERS 512 /* behind them is exception 2 */

static void set_float(struct simulator *s, int address, double value)
{
	float single = (float)value;
	uint32_t bits;

	/* libmodbus's own helpers mean another order in each of its versions. */
	memcpy(&bits, &single, sizeof(bits));
	s->map->tab_input_registers[address] = (uint16_t)(bits >> 16);
	s->map->tab_input_registers[address + 1] = (uint16_t)bits;
}

static void meter_move(struct simulator *s, double t)
{
	double total = 0;

	for (int phase = 0; phase < 3; phase++) {
		double volts = 230 + 2 * sin(t / 7 + phase + s->phase);
		double amperes = 5 + 2 * sin(t / 11 + 2 * phase + s->phase);

		set_float(s, METER_VOLTAGE + 2 * phase, round(volts * 10) / 10);
		set_float(s, METER_CURRENT + 2 * phase, round(amperes * 100) / 100);
		set_float(s, METER_POWER + 2 * phase, round(volts * amperes));
		total += round(volts * amperes);
	}
	set_float(s, METER_TOTAL_POWER, total);
	set_float(s, METER_FREQUENCY, 50 + round(5 * sin(t / 3)) / 100);
	/* 0.01 kWh a second: fast enough to be seen moving. */
	set_float(s, METER_ENERGY, 1234.5 + 100 * s->phase + floor(t) / 100);
}

static void relay_move(struct simulator *s, double t)
{
	uint32_t pulses = (uint32_t)(t * 10);

	s->map->tab_input_registers[RELAY_TEMPERATURE] = (uint16_t)(int16_t)lround(215 + 30 * sin(t / 5));
	s->map->tab_input_registers[RELAY_PULSES] = (uint16_t)(pulses >> 16);
	s->map->tab_input_registers[RELAY_PULSES + 1] = (uint16_t)pulses;
}

void simulator_map_move(struct simulator *s)
{
	double t = (double)(simulator_now_usec() - s->start_usec) / 1e6;

	if (s->frozen)
		return;
	if (s->model == SIMULATOR_METER)
		meter_move(s, t);
	if (s->model == SIMULATOR_RELAY)
		relay_move(s, t);
}

void simulator_map_written(struct simulator *s)
{
	if (s->model != SIMULATOR_RELAY)
		return;
	for (int i = 0; i < RELAYS; i++)
		s->map->tab_input_bits[i] = s->map->tab_bits[i];
	s->map->tab_registers[RELAY_SET_POINT] = s->map->tab_registers[RELAY_SET_POINT_WRITE];
	if (s->map->tab_bits[RELAY_ACKNOWLEDGE]) {
		s->map->tab_bits[RELAY_ACKNOWLEDGE] = 0;
		s->map->tab_registers[RELAY_ALARMS] = 0;
	}
}

int simulator_map_init(struct simulator *s)
{
	s->map = modbus_mapping_new(ADDRESSES, ADDRESSES, ADDRESSES, INPUT_REGISTERS);
	if (!s->map)
		return -ENOMEM;
	s->phase = s->index;
	s->start_usec = simulator_now_usec();
	if (s->model == SIMULATOR_METER) {
		s->map->tab_registers[METER_SERIAL] = 0x0001; /* 100000 */
		s->map->tab_registers[METER_SERIAL + 1] = (uint16_t)(0x86a0 + s->index);
		s->map->tab_registers[METER_CODE] = 0x0070;
	}
	if (s->model == SIMULATOR_RELAY)
		s->map->tab_registers[RELAY_ALARMS] = 0x0008;
	simulator_map_move(s);
	return 0;
}
