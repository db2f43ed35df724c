/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

/* Ids of the objects that accounts are made of, and of their resources (Core appendices E.1 to E.3). */

#define SECURITY_OBJECT 0
#define SERVER_OBJECT 1
#define ACCESS_OBJECT 2

enum security_resource {
	SECURITY_URI = 0,
	SECURITY_IS_BOOTSTRAP = 1,
	SECURITY_MODE = 2,
	SECURITY_IDENTITY = 3,
	SECURITY_SECRET = 5,
	SECURITY_SHORT_ID = 10,
	SECURITY_HOLD_OFF = 11,	      /* seconds */
	SECURITY_ACCOUNT_TIMEOUT = 12, /* seconds, 0: never */
	SECURITY_OSCORE = 17,
	SECURITY_MQTT = 26,
	SECURITY_COSE = 27,
};

enum security_mode {
	SECURITY_MODE_PSK = 0,
	SECURITY_MODE_RAW_KEY = 1,
	SECURITY_MODE_CERTIFICATE = 2,
	SECURITY_MODE_NONE = 3,
	SECURITY_MODE_EST = 4,
};

enum server_resource {
	SERVER_SHORT_ID = 0,
	SERVER_LIFETIME = 1,
	SERVER_PMIN = 2,
	SERVER_PMAX = 3,
	SERVER_DISABLE = 4,
	SERVER_DISABLE_TIMEOUT = 5,
	SERVER_STORING = 6, /* true where it is absent */
	SERVER_BINDING = 7,
	SERVER_UPDATE_TRIGGER = 8,
	SERVER_BOOTSTRAP_TRIGGER = 9,
	SERVER_ALERT = 11,
	SERVER_LAST_BOOTSTRAPPED = 12,
	SERVER_PRIORITY = 13,
	SERVER_INITIAL_DELAY = 14,
	SERVER_FAILURE_BLOCK = 15,
	SERVER_BOOTSTRAP_ON_FAILURE = 16,
	SERVER_RETRY_COUNT = 17,
	SERVER_RETRY_TIMER = 18,
	SERVER_SEQUENCE_DELAY = 19,
	SERVER_SEQUENCE_COUNT = 20,
	SERVER_MUTE_SEND = 23, /* 1.1: muted where it is absent */
	SERVER_VERSIONS = 25,
	SERVER_NOTIFICATION_MODE = 26, /* 1.1: 1 is confirmable by default */
	SERVER_PROFILE_HASH = 27,      /* the suite that the server prefers */
};

enum access_resource {
	ACCESS_OBJECT_ID = 0,
	ACCESS_INSTANCE_ID = 1,
	ACCESS_ACL = 2, /* resource instance: a short server id, 0 for those that have none of their own */
	ACCESS_OWNER = 3,
};

/* Bits of /2/x/2. */
enum access_right {
	ACCESS_READ = 1,
	ACCESS_WRITE = 2,
	ACCESS_EXECUTE = 4,
	ACCESS_DELETE = 8,
	ACCESS_CREATE = 16,
	ACCESS_ALL = 31,
};

/* Owner of what bootstrap, or YAML, has made; with it as instance too, who may create. */
#define ACCESS_BOOTSTRAP UINT16_C(65535)
