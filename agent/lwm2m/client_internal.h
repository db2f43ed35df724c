/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared by the .c files of lwm2m/ only. */

#include "base/list.h"
#include "base/log.h"
#include "base/timer.h"
#include "codec/codec.h"
#include "lwm2m/client.h"
#include "lwm2m/dm/access.h"
#include "lwm2m/failure.h"
#include "lwm2m/registration/retry.h"
#include "lwm2m/view.h"
#include "observe/attributes.h"
#include "observe/observation.h"

/* Segments of the Location-Path of a registration: longer ones are refused as a failed Register. */
#define LOCATION_MAX 128u

/* What /1 says about notifications; each of them asks, so it is kept until /1 changes. */
struct notify_settings {
	bool known, confirmable, storing;
	int64_t pmin_s, pmax_s; /* -1: none */
};

/* What the next Register or Update with objects tries; the later ones after an error. */
enum profile_step {
	PROFILE_STEP_ID,   /* the id alone, if the server has seen it */
	PROFILE_STEP_BOTH, /* id and list */
	PROFILE_STEP_LIST,
};
/* What the one under way says of the objects. */
enum profile_says {
	PROFILE_SAYS_NOTHING,
	PROFILE_SAYS_LIST,
	PROFILE_SAYS_ID,
	PROFILE_SAYS_BOTH,
	PROFILE_SAYS_FIXED, /* text of the configuration */
};

struct client {
	struct client_config config;
	const struct client_ops *ops;
	void *userdata;

	struct session *session;
	struct call *call;	   /* Register, Update or De-register under way */
	enum client_state state;
	enum lwm2m_version version;
	int error;		   /* of the last failure */
	struct failure failure;	   /* of the last attempt; error 0: it went well, or there was none */
	int alert;		   /* that ended the connection of the call under way, -1 */
	struct log_budget failures; /* of this account: another one's storm does not hide them */
	struct log_budget refusals; /* requests of the server that were refused */
	struct timer timer;	   /* meaning by state: retry, return, refresh and liveness */
	uint64_t confirmed_usec;   /* when the last Register or Update was answered */
	struct retry retry;
	char *location;		   /* segments, each with a NUL behind it */
	uint8_t n_location;
	bool list_due;		   /* the next Update carries the object list */
	bool lifetime_due;	   /* the next Update carries lt */
	bool update_due;	   /* an Update is wanted for another reason */
	bool list_sent, lifetime_sent; /* what the Update under way carries */
	bool repeated;		   /* it is the second one: the first was not answered */
	struct {
		enum profile_step step;
		enum profile_says says;
		char *id; /* of a dynamic one, while it is under way */
	} profile;
	bool offline;		   /* the server did not get what was for it: from here on it is stored */
	bool said_queue_mode;	   /* in the last Register */
	bool waking;		   /* queue mode: it wakes by the next Update, and what is for the server waits for that */
	bool stopping, disabling;  /* what a De-register ends in */
	bool hushed;		   /* client_hush() */
	bool restarting;	   /* registers anew soon; as disabling, while still registered */

	struct notify_settings notify;
	struct access *access;	   /* see client_access() */
	bool access_known;
	struct attribute_set *attributes;
	struct observations *observations; /* NULL until there is one */
	struct list pending;  	   /* struct pending: server requests that wait for the field */
	struct list waiting;	   /* struct waiting_observe: Observes that wait for a first value */
	struct list notifications; /* struct notification: confirmable ones on their way */
	uint32_t observe_number;
	struct list sendings;	   /* struct sending: on their way */
};

/* The account's view of its own store. */
struct view client_view(const struct client *c, const struct store *store);
struct log_about client_about(const struct client *c, const char *path);

/* client_settings.c: what /1 says of the account. */
/* /1/x/resource as an integer, or initial. */
int64_t client_setting(const struct client *c, uint16_t resource, int64_t initial);
/* `lt` of a registration, in seconds. */
uint32_t client_lifetime(const struct client *c);
/* Is that the path, or below it? */
bool client_has_lifetime_in(const struct client *c, const struct path *path);
/* How long /1/x/4 (Disable) keeps it away. */
uint64_t client_absence_usec(const struct client *c);
struct retry_settings client_retry_settings(const struct client *c);
/* /1/x/16 */
bool client_bootstraps_on_failure(const struct client *c);
/* /1/x/11: the last alert of the server (Core E.2); -1: none came. */
void client_note_alert(struct client *c, int alert);

/* client.c */
/* The only door between states: what a state needs is set up here. */
void client_enter_state(struct client *c, enum client_state state, int error);
/* Registers anew where the last Register said another queue mode than is in force. */
void client_say_queue_mode(struct client *c);
/* An attempt to register failed: CLIENT_WAITING for the next one. code: of the server's answer, 0: none. */
void client_wait(struct client *c, int error, uint8_t code);
/* Whether a failure may be logged now, and how many like it were not; suppressed may be "". */
#define SUPPRESSED_MAX 40u
bool client_may_log(struct client *c, const struct failure *f, char suppressed[SUPPRESSED_MAX]);
/* The registration has ended, or never was. */
void client_left(struct client *c);
/* Registered, but not for long: a server has ordered its end. */
bool client_is_leaving(const struct client *c);
/* What a server ordered waits for its answer to arrive: servers drop what is open with who leaves or registers anew. */
#define ANSWER_USEC (1 * USEC_PER_SEC)
/*
 * Queue mode: may something be sent now that the server does not expect? If not,
 * an Update goes first, and behind its answer notifications are looked at again.
 */
bool client_is_awake(struct client *c);

/* dm/client_access.c */
/* What the server may do in a store, kept until /2 changes. */
const struct access *client_access(struct client *c, const struct store *store);
void client_access_forget(struct client *c);
/* What the store's watch said. */
void client_access_changed(struct client *c, const struct path *paths, size_t n);

/* registration/client_register.c */
void client_register(struct client *c);
void client_send_update(struct client *c);
void client_deregister(struct client *c);
/* CLIENT_REGISTERED: arms the timer for the next Update, or for what ends the registration. */
void client_look_ahead(struct client *c);
/* That timer fired: an Update if one is due. */
void client_refresh(struct client *c);

/* registration/client_profile.c */
struct registration_query;
/* Object list, Profile ID or both into a Register or Update; list keeps the payload. */
int client_say_objects(struct client *c, struct message *m, struct registration_query *query,
		       struct buf *list, bool update);
/* It was answered by 2.xx. */
void client_profile_taken(struct client *c);
/* By something else: true when it is to be said once more, now in another way. */
bool client_profile_retry(struct client *c, uint8_t code);
void client_profile_reset(struct client *c);

/* Requests before the answer to Register are dropped (Core 6.3), and those while a bootstrap goes on. */
static inline bool client_serves(const struct client *c)
{
	return client_is_registered(c) && !c->hushed;
}

/* dm/requests.c: session_ops.request */
void requests_handle(void *userdata, struct exchange *exchange, const struct message *request);
/* The client goes away: answers that are still to come lead nowhere. */
void pending_forget(struct client *c);

/* One request of the server on its way through dm. */
struct request {
	struct client *client;
	struct exchange *exchange;
	const struct message *message;
	struct target target;
	struct view view;
};

/* Target and view, with all the errors that a request has before its operation is looked at. */
int request_resolve(struct request *q);
/* May the server make what is not there? As resolver.may_make. */
bool request_may_make(const struct request *q, const struct path *path);

/* A Corelnk that leads somewhere, or any other value. */
bool request_links_are_good(const struct request *q, const struct value *value);

/* Has the server the right to do this to the target, which exists? (dm/client_access.c) */
bool request_is_allowed(const struct request *q);

/* What a registration of this version knows, as enum attribute. */
unsigned attributes_known(enum lwm2m_version version);
/* Applies the request's queries to attributes at its path; -EINVAL, and nothing changes. */
int request_attributes(const struct request *q, struct attributes *attributes);

/* dm/respond.c */
void respond_code(struct request *q, uint8_t code);
/* status_code(error), with reason as payload when there is one. */
void respond_error(struct request *q, int error, const char *reason);
void respond_content(struct request *q, int32_t format, struct span payload);

/* A payload is at most this large; it goes block-wise. */
#define CONTENT_MAX (256u << 10)
/*
 * What is sent together was so when the newest of it was sampled. Servers take
 * records of other times for history: Leshan shows those of one time only.
 */
void records_set_common_time(struct records *records);
/* Reads a target as a payload: the format of Accept (FORMAT_NONE: the client's choice). 0, or errno for status_code(); ret_reason becomes the text of a 5.03. */
#define REASON_MAX 160u
int read_content(struct client *c, const struct target *target, int32_t accept, bool times,
		 struct buf *ret, int32_t *ret_format, char ret_reason[REASON_MAX]);
/* The errors that it would have whatever the values: existence, operation, format. */
int read_check(const struct client *c, const struct target *target, int32_t accept);

/* A file of dm/ or reporting/ for each family of operations; each ends with an answer, now or later. */
void dm_read(struct request *q);
void dm_write(struct request *q, enum store_write_mode mode);
void dm_write_attributes(struct request *q);
void dm_execute(struct request *q);
void dm_create(struct request *q);
void dm_delete(struct request *q);
void dm_write_composite(struct request *q);
void dm_read_composite(struct request *q);
void dm_discover(struct request *q);
void dm_observe(struct request *q);
void dm_cancel(struct request *q);
void dm_observe_composite(struct request *q);
void dm_cancel_composite(struct request *q);

/* dm/stream.c: session_ops.body, and the request whose body went there */
uint8_t stream_open(void *userdata, const struct message *first, struct body_sink **ret);
void stream_handle(struct request *q);

/* reporting/send.c: the server's choice of those that carry times */
const struct codec *client_timed_codec(const struct client *c);
/* Objects of servers are nobody's to read. */
void records_remove_secrets(struct records *records);
/* Those on their way end with -ECANCELED. */
void sendings_end(struct client *c);

/* What an Observe asks for, beside its paths. */
struct wish {
	int32_t accept;
	uint8_t token[TOKEN_MAX];
	uint8_t token_size;
	bool has_attributes;
	struct attributes attributes;
};

/* reporting/observe.c */
/* Observes that wait for a first value: one may have come; or their registration goes. */
void waiting_look(struct client *c);
void waiting_drop(struct client *c);
/* -EINVAL: parameters that are wrong, or of another level. */
int wish_read(const struct request *q, struct wish *ret);
/* reporting/notify.c */
/* An observation that is being answered: its options go into the answer. -ENOSPC: it is a plain Read, -ENOMEM. */
int notify_start(struct client *c, const struct observed *paths, unsigned n, bool composite,
		 const struct wish *wish, int32_t format, struct message *answer);
int notify_new(struct client *c);
void notify_done(struct client *c);
void notify_changed(struct client *c, enum store_change change, const struct path *paths, size_t n);
void notify_reset(void *userdata, const uint8_t *token, uint8_t token_size);
void notify_repeat(void *userdata, struct call *call);
/* pmin and pmax of /1. */
struct attributes client_default_attributes(struct client *c);
/*
 * The registration ends, and its observations with it (lwm2m.md "Update answered
 * 4.04"). comes_back: what they store goes on (/1/x/6), until the server observes
 * the same again.
 */
void notify_drop(struct client *c, bool comes_back);
/* The server has answered a Register or an Update. */
void notify_online(struct client *c);
