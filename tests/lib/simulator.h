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

enum simulator_framing {
	SIMULATOR_MBAP,
	SIMULATOR_RTU,
	SIMULATOR_ASCII,
};

#define SIMULATOR_FRAME_MAX 600 /* an ASCII frame, and some noise */

struct simulator_tls; /* a session of a connection */

/*
 * A connection, or the serial line; modbus is NULL in free slots. Whatever the
 * framing, request is as libmodbus has it over TCP.
 */
struct simulator_client {
	modbus_t *modbus;
	int fd;
	unsigned number; /* of connections, when it came */
	struct simulator_tls *tls;
	uint8_t input[2 * SIMULATOR_FRAME_MAX];
	size_t n_input;
	uint8_t request[MODBUS_MAX_ADU_LENGTH];
	int size;         /* of a request that waits for its answer; 0: none */
	uint64_t due_usec;
	uint8_t rest[SIMULATOR_FRAME_MAX]; /* of an answer that comes in two pieces */
	size_t n_rest;
	uint64_t rest_due_usec;
};

struct simulator {
	enum simulator_model model;
	int unit; /* serial; 0: every one */
	char *place; /* HOST:PORT, or the path that a link to the pty gets */
	const char *kind; /* by which the place was given */
	bool serial;
	enum simulator_framing framing;
	const char *certificates; /* TLS: folder with ca.pem, server.pem, server.key */
	char certificate[32];     /* TLS: name of the files in place of "server" */
	int listener;     /* TCP, else -1 */
	int pty_slave;    /* kept open, or the master sees an error whenever a client leaves */
	uint16_t port;
	modbus_mapping_t *map;
	struct simulator_client clients[SIMULATOR_CLIENTS];
	uint64_t start_usec;
	bool frozen;      /* values do not move */
	double phase;     /* makes equal models differ */

	/* faults */
	int only;         /* of requests to this unit; 0: to any; -N: to all but N */
	long only_address; /* that begin at this address; -1: at any */
	bool silent;
	bool garble;      /* a wrong checksum, or transaction id */
	const struct simulator_fault *fault; /* of answers; NULL: none */
	long fault_count; /* so many more of them; 0: all */
	bool hangup;      /* at the next request */
	bool single;      /* one connection, others are dropped as they come */
	uint64_t delay_usec;
	unsigned exception;
	enum { ECHO_NONE, ECHO_TRUE, ECHO_WRONG } echo; /* of requests, as some RS-485 adapters do */
	unsigned identification; /* category that function 43 knows; 0: there is no such function */
	uint8_t raw[MODBUS_MAX_ADU_LENGTH]; /* the next answer, verbatim */
	int raw_size;

	bool trace;
	unsigned index, requests, connections;
	uint64_t answered_usec; /* the last time; 0: never */
	uint64_t pause_usec;    /* the shortest one between an answer and the next request */
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
/* From now on one connection at a time: of those that there are the newest. */
void simulator_single(struct simulator *s);
void simulator_accept(struct simulator *s);
void simulator_receive(struct simulator *s, struct simulator_client *c);
/* Is the client's request one that faults are for? */
bool simulator_fault_is_for(const struct simulator *s, const struct simulator_client *c);
/* Answers what is due, or sends the second piece of it. */
void simulator_answer(struct simulator *s, struct simulator_client *c);
void simulator_send_rest(struct simulator *s, struct simulator_client *c);
int simulator_write(struct simulator_client *c, const uint8_t *bytes, size_t size);

/* What libmodbus answers, with the side effects of the model; as over TCP. Its size or -errno. */
int simulator_reply(struct simulator *s, struct simulator_client *c, int size, uint8_t *ret);

/* identification: the PDU of the answer to a request of function 43, or minus an exception. */
#define FUNCTION_IDENTIFY 43
int simulator_identify(const struct simulator *s, const uint8_t *request, uint8_t *ret_pdu);

/*
 * frame: the first request in the input: its bytes, 0: more are needed, -EBADMSG:
 * it is none. ret has the form of MBAP.
 */
int simulator_frame_take(enum simulator_framing framing, const uint8_t *input, size_t n, uint8_t *ret,
			 int *ret_size);
/* An answer in the form of MBAP as it goes out; its size. */
size_t simulator_frame_make(enum simulator_framing framing, const uint8_t *answer, int size, uint8_t *ret);

/* tls: a new connection; data as read() and write() have it, -EAGAIN; the handshake is a part of both */
int simulator_tls_new(const struct simulator *s, int fd, struct simulator_tls **ret);
void simulator_tls_free(struct simulator_tls *t);
ssize_t simulator_tls_read(struct simulator_tls *t, uint8_t *bytes, size_t size);
ssize_t simulator_tls_write(struct simulator_tls *t, const uint8_t *bytes, size_t size);

/* fault: by name, NULL: no such; sends this answer to the client's request, spoilt. */
const struct simulator_fault *simulator_fault_find(const char *name);
void simulator_answer_spoilt(struct simulator *s, struct simulator_client *c,
			     const struct simulator_fault *fault, const uint8_t *answer, int size);

/* control: carries out one line for all instances that it names and answers it on out. */
void simulator_command(struct simulator *all, size_t n, char *line, FILE *out);
