/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/macro.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/lwm2m/account.h"

/*
 * The message layer with an account behind it: what the server of a registered
 * account sends, datagram by datagram. Each begins with two bytes: how many
 * follow, and for how many seconds the server then says nothing; CONs that come
 * meanwhile it acknowledges (even) or leaves alone (odd). Whatever it was, the
 * account still lives, or has a reason for its end.
 */
#define HEADER 2u
#define DATAGRAMS_MAX 24

static const struct fuzz_seed seeds[] = {
	/* reads, in several formats */
	{ "0b004101400101b13301300130"
	  "0f004101400201b4333330330131622d16"
	  "09005101400301b133616e"
	  "08004101400401d10428",
	  NULL },
	/* an observation, and its end */
	{ "1203410140050160543333303301310435373030"
	  "130041014006016101543333303301310435373030",
	  NULL },
	/* a body in blocks of 16 */
	{ "23004103400701b2313601300130013010d10208ff303132333435363738396162636465"
	  "66"
	  "17004103400801b2313601300130013010d10210ff72657374",
	  NULL },
	/* a large answer in blocks */
	{ "0c004101400901b1330130616e60"
	  "0d004101400a01b1330130616e6110",
	  NULL },
	/* Execute, Create, Delete */
	{ "0b014102400b01b13101300138"
	  "14024102400c01b23136122d16ff0801058300410078"
	  "0a004104400d01b231360130",
	  NULL },
	/* composites */
	{ "28004105400e01c16e516eff5b7b226e223a222f332f302f30227d2c7b226e223a222f33"
	  "333033227d5d"
	  "24004107400f01c16eff5b7b226e223a222f31362f302f302f30222c227673223a227822"
	  "7d5d",
	  NULL },
	/* an observation of several */
	{ "2804410540100160616e36706d696e3d312170ff5b7b226e223a222f333330332f312f35"
	  "373030227d5d",
	  NULL },
	/* attributes, and what they mean */
	{ "25004103401101b4333330330131043537303046706d696e3d3106706d61783d32056774"
	  "3d3230"
	  "0e004101401201b43333303301316128"
	  "1207410140130160543333303301310435373030",
	  NULL },
	/* the field: a write that waits */
	{ "14024103401401b4333330360130043538353010ff31"
	  "11004101401501b43333303601300435383530",
	  NULL },
	/* twice the same, a ping, an RST and an ACK of nothing */
	{ "0b004101401601b13301300130"
	  "0b004101401601b13301300130"
	  "040040004008" "040070004007" "040160004009",
	  NULL },
};
const struct fuzz_target fuzz_target = { "account", seeds, ARRAY_SIZE(seeds), 200 };

static void turn(void)
{
	for (int i = 0; i < 64; i++) {
		int r = sd_event_run(rig.event, 0);

		require(r >= 0);
		if (r == 0)
			return;
	}
}

/* What has come for the server; a CON is acknowledged where it is asked for. */
static void take_in(int acknowledge)
{
	uint8_t datagram[2048];
	struct message m;
	ssize_t n;

	while ((n = recv(rig.fd, datagram, sizeof(datagram), MSG_DONTWAIT)) >= 0) {
		/* All that the agent says is sound. */
		require(message_decode(datagram, (size_t)n, &m) == 0);
		if (m.type == MESSAGE_CON && acknowledge)
			peer_empty(MESSAGE_ACK, m.id);
	}
}

static void wait_seconds(unsigned n, int acknowledge)
{
	for (; n > 0; n--) {
		clock_advance(USEC_PER_SEC);
		timers_run(rig.timers);
		turn();
		take_in(acknowledge);
		turn();
	}
}

static void talk(const uint8_t *data, size_t size)
{
	for (unsigned n = 0; size >= HEADER && n < DATAGRAMS_MAX; n++) {
		size_t length = MIN((size_t)data[0], size - HEADER);
		unsigned seconds = data[1];

		peer_send_bytes(data + HEADER, length);
		turn();
		take_in(!(seconds & 1));
		wait_seconds(seconds % 8, !(seconds & 1));
		data += HEADER + length;
		size -= HEADER + length;
	}
}

/* A write that the field has kept for itself must not outlive it. */
static void settle(void)
{
	if (account.done)
		account_field(0, NULL);
	turn();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	account_set_up();
	account_register();
	talk(data, size);
	settle();
	require(client_state(account.client) <= CLIENT_DEREGISTERING);
	account.client = client_free(account.client);
	account.store = store_free(account.store);
	rig_tear_down();
	return 0;
}
