/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* What the objects that the agent backs itself ask of the rest; implemented in gateway/. All run after the answer was sent. */
struct builtin_ports {
	/* Execute /1/x/8: Update without parameters. */
	void (*update)(void *endpoint, uint16_t server_instance);
	/* Execute /1/x/4: De-register, away for /1/x/5 seconds. */
	void (*disable)(void *endpoint, uint16_t server_instance);
	/* Execute /3/0/4 without a mapping: the endpoint registers anew; it never touches device or host. */
	void (*restart)(void *endpoint);
};
