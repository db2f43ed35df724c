/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <modbus.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * Simulated Modbus devices for the demo and the tests: libmodbus slaves with
 * register maps like those of real devices, values that move, and faults on
 * command. tests/lib/simulator.md tells how to talk to the program.
 */

#define SIMULATOR_INSTANCES 32
#define SIMULATOR_CLIENTS 64 /* of one instance */

enum simulator_model {
	SIMULATOR_PLAIN, /* everything 0, nothing moves */
	SIMULATOR_METER, /* float32 input registers, as three-phase meters have them */
	SIMULATOR_RELAY, /* coils, contacts that follow them, a drive's set point */
};

/* A connection, or the serial line; modbus is NULL in free slots. */
struct simulator_client {
	modbus_t *modbus;
	int fd;
	uint8_t request[MODBUS_MAX_ADU_LENGTH];
	int size;         /* of a request that waits for its answer; 0: none */
	uint64_t due_usec;
};

struct simulator {
	enum simulator_model model;
	int unit; /* serial */
	char *place; /* HOST:PORT, or the path that a link to the pty gets */
	bool serial;
	int listener;     /* TCP, else -1 */
	int pty_slave;    /* kept open, or the master sees an error whenever a client leaves */
	uint16_t port;
	modbus_mapping_t *map;
	struct simulator_client clients[SIMULATOR_CLIENTS];
	uint64_t start_usec;
	bool frozen;      /* values do not move */
	double phase;     /* makes equal models differ */

	/* faults */
	int only;         /* of requests to this unit; 0: to any */
	long only_address; /* that begin at this address; -1: at any */
	bool silent;
	bool garble;      /* a wrong checksum, or transaction id */
	const struct simulator_fault *fault; /* of answers; NULL: none */
	long fault_count; /* so many more of them; 0: all */
	bool hangup;      /* at the next request */
	uint64_t delay_usec;
	unsigned exception;
	uint8_t raw[MODBUS_MAX_ADU_LENGTH]; /* the next answer, verbatim */
	int raw_size;

	bool trace;
	unsigned index, requests;
};

uint64_t simulator_now_usec(void);

/* model */
int simulator_map_init(struct simulator *s);
void simulator_map_move(struct simulator *s);
void simulator_map_written(struct simulator *s);

/* wire: 0 or -errno */
int simulator_open(struct simulator *s);
void simulator_close(struct simulator *s);
/* Drops all connections; a serial line is unplugged and plugged in again. */
int simulator_cut(struct simulator *s);
void simulator_accept(struct simulator *s);
void simulator_receive(struct simulator *s, struct simulator_client *c);
/* Is the client's request one that faults are for? */
bool simulator_fault_is_for(const struct simulator *s, const struct simulator_client *c);
/* Answers what is due. */
void simulator_answer(struct simulator *s, struct simulator_client *c);

/* What libmodbus answers, with the side effects of the model. */
void simulator_reply(struct simulator *s, struct simulator_client *c, int size);

/* fault: by name, NULL: no such; the answer to the client's request, spoilt. */
const struct simulator_fault *simulator_fault_find(const char *name);
void simulator_answer_spoilt(struct simulator *s, struct simulator_client *c, int size);

/* control: carries out one line for all instances that it names and answers it on out. */
void simulator_command(struct simulator *all, size_t n, char *line, FILE *out);
