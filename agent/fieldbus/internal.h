/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>
#include <systemd/sd-bus.h>

#include "base/arena.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/timer.h"
#include "fieldbus/fieldbus.h"
#include "link/host1.h"

struct sd_event_source;

#define FIELDBUS_REASON_MAX 384u

/* ---- process.c: a process of the host program, and the end of it ---- */

enum process_kind {
	PROCESS_NONE,
	PROCESS_CHILD,
	PROCESS_SERVICE, /* somebody else's child */
};

struct process {
	enum process_kind kind;
	pid_t pid; /* of a child, else 0 */
	/*
	 * Of a child its pidfd. Of a service the daemon's end of the link, once more:
	 * the kernel hangs it up when nobody has the other end any more.
	 */
	int fd;
};

/* By the socket if there is one, else as a child; *ret_fd: the daemon's end of its link. */
int process_launch(const struct fieldbus_config *config, struct process *ret, int *ret_fd);
/*
 * A service may be another user's: whatever the signal, it is told by the end of
 * what the daemon sends, which no host survives; its watchdog ends one that hangs.
 */
void process_signal(const struct process *p, int signal);
/* What its descriptor is polled for, beside the hang-up, to see its end. */
uint32_t process_events(const struct process *p);
/* Waits until it has ended; false when the time is over before. 0: only looks. */
bool process_wait(const struct process *p, uint64_t usec);
/*
 * The same after SIGKILL, for so long; a child, which then ends for sure and must
 * be reaped, is waited for longer on a machine that has no time for it.
 */
#define PROCESS_KILLED_USEC (10 * USEC_PER_SEC)
void process_wait_killed(const struct process *p, uint64_t usec);
/* Lets go of a process, ended or not; how: "exited with status 1", "killed by SIGKILL". */
void process_reap(struct process *p, char *ret_how, size_t size);

/* ---- launch.c, connect.c: the two launchers ---- */

/*
 * Starts `fieldway-plugin-host --fd 3 --plugins DIR` with one end of a new
 * socket as its only descriptor beside standard error, and hands out the other
 * end. It isolates nothing: same user, same view of the files. -ENOPKG: no
 * such program.
 */
int launch_child(const struct fieldbus_config *config, struct process *ret, int *ret_fd);
/* Connects, and waits for nothing. -ENOPKG: nobody listens; -EAGAIN: too many wait already. */
int launch_service(const struct fieldbus_config *config, struct process *ret, int *ret_fd);

/* ---- session.c: a host of its own for a question or two, blocking ---- */

struct session {
	struct process process;
	sd_bus *link;
	const int *stop_fd; /* fieldbus_config's */
	bool strayed; /* the host said something that nobody asked for */
	bool stopped; /* nobody wants to know any more */
};

int session_open(const struct fieldbus_config *config, struct session *ret);
void session_done(struct session *s);
int session_call_new(struct session *s, const char *member, sd_bus_message **ret);
/*
 * Takes m over, also on failure. -ECANCELED: stop_fd says so; -ETIMEDOUT at the deadline; -EPIPE: the host
 * ended; -EBADMSG: it does not keep to Host1; else the errno it answered with.
 * ret_text: NULL, or what it said about that.
 */
int session_call(struct session *s, sd_bus_message *m, uint64_t deadline_usec,
		 sd_bus_message **ret, char *ret_text, size_t text_size);

/* ---- configure.c: struct config as Host1 has it; everything lies in the arena or in config ---- */

struct device_list {
	uint32_t *items; /* indices in config.devices */
	size_t n;
	const uint32_t *ids; /* on the link; NULL: the indices */
};
/* All of a bus, or those that are enabled. */
int device_list_of_bus(const struct config *config, uint32_t bus, bool all, struct arena *arena,
		       struct device_list *ret);
/* A bus with these of its devices. -E2BIG: more than Host1 carries. */
int configuration_of_bus(const struct config *config, uint32_t bus, const struct device_list *list,
			 struct arena *arena, struct link_configuration *ret);

/* ---- contents.c: what settings lead to that are secrets or files ---- */

/* One that is not there; lives as long as its contents. */
struct missing {
	int32_t device; /* its id on the link; -1: the bus as a whole, all its devices */
	struct fieldway_settings settings; /* config's, for config_setting_mark() */
	const char *key, *reason;	   /* reason names bus, device and key */
};

struct contents {
	struct arena arena;
	struct content *items;
	struct missing *missing;
	size_t n_missing, allocated;
	bool of_bus; /* one of the missing is the bus's: nothing can be configured */
};

/* Are there such keys at all? */
bool contents_are_used(const struct config_plugin *plugin);
/* Does a bus name one, or one of its devices? */
bool contents_are_named(const struct config *config, uint32_t bus);
/*
 * Puts bytes in place of references. A device that lacks some is taken out of the
 * configuration.
 */
int contents_resolve(struct fieldbus *f, const struct config_plugin *plugin,
		     struct link_configuration *c, struct contents *contents);
/* Wipes; not before the configuration has been appended. */
void contents_done(struct contents *contents);

/*
 * A call with a configuration as its arguments; *ret may be set on failure, too.
 * contents: what is missing, or NULL. -ENOKEY: nothing is left to be configured.
 */
int configuration_call_new(struct fieldbus *f, sd_bus *link, const char *member,
			   uint64_t generation, const struct config *config, uint32_t bus,
			   const struct device_list *list, struct contents *contents,
			   sd_bus_message **ret);
/* No bus and one device without address, for samples. */
int configuration_of_type(const struct config_type *type, struct arena *arena,
			  struct link_configuration *ret);

/* ---- refuse.c: what a host holds against a configuration, in the files' terms ---- */

/* What a refusal is about: of a bus, or (bus and device NULL) of a type by itself. */
struct refused {
	const struct config *config;
	const struct config_bus *bus;
	const struct config_device *device;
	const struct config_type *type; /* NULL: the bus as a whole */
	struct yaml_mark place;		/* of the device, bus or sample */
	const struct link_refusal *refusal;
};
/* -EBADMSG: it is about something that was not asked. */
int refused_find(const struct config *config, uint32_t bus, const struct link_refusal *refusal,
		 struct refused *ret);
/* The host's text names bus, device and point; this is where they stand in the files. */
struct yaml_mark refused_mark(const struct refused *refused);

/* ---- split.c: one bus, several hosts ---- */

/*
 * For each of the devices of a bus which of its hosts serves it, from 0 without
 * gaps: those of one line share a host, and no host has more than
 * FIELDBUS_LINES_MAX lines. parts: the hosts that serve some already, of n_parts that
 * there are, NO_PART for the others, which get one here. Where lines are not
 * known it is 0 for these: that host will say what is wrong. lines: as of
 * fieldbus_lines(). Returns how many hosts there are, or -ENOMEM.
 */
#define NO_PART UINT32_MAX
int bus_split(const uint32_t *lines, const struct device_list *list, uint32_t n_parts, uint32_t *parts);

/* ---- ask.c, check.c, samples.c ---- */

struct check {
	struct fieldbus *fieldbus;
	const struct config *config;
	struct yaml_errors *errors, *warnings;
	bool contents_optional;
	const struct config_plugin *plugin;
	struct session session;
	uint64_t deadline_usec;
	struct check_line *lines; /* of all buses so far */
	size_t n_lines;
	uint32_t *line_of; /* for fieldbus_lines() */
	uint32_t n_line_of; /* numbers given so far */
};
/*
 * Calls the host; takes m over, r is how making m went. What goes wrong with
 * the host becomes an error at the mark, and the plugin's check is over.
 */
int check_call(struct check *c, int r, sd_bus_message *m, struct yaml_mark mark,
	       sd_bus_message **ret);
/* r as an error at the mark, in these words or, with NULL, its own; -EINVAL then, or -ENOMEM, -ECANCELED. */
int check_failed(struct check *c, int r, struct yaml_mark mark, const char *text);
/* How reading an answer went: 0, or as check_call(). */
int check_answer(struct check *c, int r, struct yaml_mark mark);
/* Has something been said about this place? */
bool check_knows(const struct yaml_errors *errors, struct yaml_mark mark);
/* What is missing, as errors or warnings. */
void check_missing(struct check *c, const struct contents *contents);
/* check_cycle.c: numbers lines, and warns of those that cannot do all their requests. Sorts; -EBADMSG. */
int check_cycles(struct check *c, uint32_t bus, struct link_explanation *lines, size_t n);
/* check_lines.c: a line that the bus needs, its lines one after the other; 0 or -ENOMEM. */
int check_line_add(struct check *c, const char *name, uint32_t bus);
/* Warns of lines that several buses need. */
void check_lines(struct check *c);
void check_lines_done(struct check *c);
/* Refuses devices of one line of a bus that are one and the same. */
void check_line_devices(struct check *c, const struct link_explanation *lines, size_t n);
/* samples.c */
int check_sample(struct check *c, const struct config_sample *sample);

/* ---- device.c ---- */

/* Messages about all devices of a host together in 30 s; of one it is the usual 10. */
#define FIELDBUS_LOG_MAX 200u

struct local;

struct device {
	struct host *host; /* NULL: disabled, or local */
	struct local *local; /* NULL: disabled, or not */
	uint32_t id;	   /* on the link to it */
	bool paused;
	enum fieldbus_state state;
	char *reason;
	bool heard;		     /* of the host that runs now */
	bool waits;		     /* for a key or file: its host does not know it */
	struct link_counters now;    /* since its host started */
	struct link_counters before; /* of hosts before that */
	uint64_t stale_dropped;
	struct log_budget log_budget;
};

void device_enter_state(struct fieldbus *f, uint32_t device, enum fieldbus_state state,
			const char *reason);
/* Nothing has been heard of it yet: unknown, or what its bus is that is switched off. */
void device_begin(struct fieldbus *f, uint32_t device);
/* Its host has ended: what it counted stays. */
void device_carry_counters(struct device *d);

/* ---- the host of a bus, or of a part of it ---- */

enum host_state {
	HOST_DOWN,	  /* no process; the timer starts the next one */
	HOST_CONFIGURING, /* runs, Configure is not answered */
	HOST_RUNNING,
	HOST_ENDING, /* gone, or told to go: waits for its exit */
};

struct host {
	struct fieldbus *fieldbus;
	uint32_t bus;
	enum host_state state;
	struct process process;
	struct sd_event_source *exit_source;
	sd_bus *link;
	sd_bus_slot *filter, *configure, *ping, *clock;
	struct timer timer;
	unsigned ticks;	     /* in a row without an answer */
	unsigned n_told;     /* since the last tick, what needs no credit */
	uint64_t asked_usec; /* when Configure or the last Ping was sent, on a clock that no test moves */
	uint64_t generation, first_generation; /* of this process: since reloads it may have had others before */
	uint64_t clock_usec; /* of clock_steps_usec(), what it has been told */
	/* Its devices that are not paused, by id on the link, which no other has in this process. */
	uint32_t *members;
	size_t n_members, n_allocated, n_planned;
	uint32_t next_id;
	bool changed; /* it has to be told what has become of its bus */
	/* Restarts. */
	struct backoff backoff;
	bool hurried; /* the restart that does not wait has been used up */
	bool refused; /* the last one did not take its configuration */
	uint64_t running_since_usec;
	uint32_t launches;
	/* Why it goes, and what that makes of its devices until the next one runs. */
	char reason[FIELDBUS_REASON_MAX];
	enum fieldbus_state left;
	bool told;	    /* the devices know */
	struct list writes; /* in the order they were asked for */
	unsigned n_writes;
	uint64_t lent_usec;    /* its bus is lent until then */
	struct list inquiries; /* struct inquiry */
	unsigned n_inquiries;
	struct log_budget log_budget; /* of all its devices */
};

/* ---- host.c: what all that has to do with a host needs of it ---- */

/* From the end of its link, or SIGTERM, to SIGKILL. */
#define HOST_EXIT_USEC USEC_PER_SEC

const struct config_bus *host_bus(const struct host *h);
struct log_about host_about(const struct host *h);
/*
 * Calls the host; takes m over, also on failure, r is how making m went. The
 * call never times out by itself: its timers watch.
 */
typedef int (*host_handler)(sd_bus_message *m, void *userdata, sd_bus_error *error);
int host_call(struct host *h, int r, sd_bus_message *m, sd_bus_slot **ret_slot, host_handler handler,
	      void *userdata);
/*
 * When its timer fires next. Cannot fail: it is armed from host_new() on, and
 * its handler arms it again before anything else can take its place in the heap.
 */
void host_arm(struct host *h, uint64_t usec);
void host_enter_state(struct host *h, enum host_state state, uint64_t delay_usec);
/* Why it goes, and what that makes of its devices. */
void host_leave(struct host *h, enum fieldbus_state left, const char *why);
/* Ends the process now; another one follows. */
void host_give_up(struct host *h, const char *why);
/* The other end of its link is closed; the exit follows. */
void host_lost(struct host *h);
/* Tells it the steps that a test moved this process's clock by. */
void host_follow_clock(struct host *h);

/* ---- members.c: its devices ---- */

/* Room for so many in all. */
int host_reserve(struct host *h, size_t n);
/* There must be room. */
void host_add(struct host *h, uint32_t device);
void host_remove(struct host *h, uint32_t device);
/* A new process: ids are indices again. */
void host_number(struct host *h);
/* By id on the link; NULL: none. ret_device may be NULL. */
struct device *host_device(const struct host *h, uint32_t id, uint32_t *ret_device);
/* Was the id ever given away by this process's host? */
bool host_had_device(const struct host *h, uint32_t id);

/* ---- orders.c: what it is told to do ---- */

/* Sends Configure to a process that has just begun. */
int host_configure(struct host *h);
/* Its devices or their bus are others now: it is told so out of the loop, if it runs. */
void host_change(struct host *h);
/* Tells it. */
void host_reconfigure(struct host *h);

/* ---- supervise.c: its life ---- */

/* It took its configuration. */
void host_run(struct host *h);
/* Why it cannot start, or be told anew; r: as host_configure() and process_launch() return it. */
void host_start_text(const struct host *h, int r, char *ret, size_t size);
/* On a clock that no test moves. */
uint64_t host_real_usec(void);

/* The loop starts its first process. */
int host_new(struct fieldbus *f, uint32_t bus, struct host **ret);
/* There must be no process any more. */
struct host *host_free(struct host *h);
/* For good: asks it to end and waits for nothing. */
void host_dismiss(struct host *h);

/* Neither switched off nor paused? */
bool host_may_run(const struct host *h);
/* That has changed: it ends, or begins. */
void host_switch(struct host *h);

/* ---- leaver.c: processes of hosts that are no more ---- */

struct leaver {
	struct list list; /* fieldbus.leavers */
	struct fieldbus *fieldbus;
	struct process process;
	struct sd_event_source *exit_source;
	struct timer timer; /* SIGKILL */
	uint64_t since_usec;
};
/* Does one of them still hold what another host may want to open? After so long nobody waits for it. */
#define LEAVER_HOLDS_USEC (10 * USEC_PER_SEC)
bool leavers_hold(const struct fieldbus *f);
/* Nothing of it is heard any more. It was made before, as there is no way to fail here. */
void host_leaves(struct host *h, struct leaver *l);
int leaver_new(struct fieldbus *f, struct leaver **ret);
struct leaver *leaver_free(struct leaver *l);

/* waiting.c: devices that lack a key or file */
/* Who lacks what, told as the devices' state. -ENOKEY: all of them. */
int host_find_waiting(struct host *h, const struct contents *contents);
/* Would one of them not lack it any more? *ret_device: which. */
bool host_may_go_on(struct host *h, uint32_t *ret_device);

/* restart.c: what a host's end means for its devices, and when the next one starts. */
void host_devices_leave(struct host *h);
void host_devices_refused(struct host *h, const struct link_refusal *refusals, size_t n);
void host_devices_begin(struct host *h);
uint64_t host_delay(struct host *h);

/* ---- inquiry.c: a call to a running host, answered once and in time ---- */

#define INQUIRY_TEXT_MAX 512u

struct inquiry;
struct inquiry_kind {
	const char *member;
	/* The host's answer, told to whoever asked. -EBADMSG, -ENOMEM: it was not. */
	int (*take)(struct inquiry *q, sd_bus_message *m);
	/* There is none; text names bus and device. */
	void (*fail)(struct inquiry *q, int error, const char *text);
	/* What it has beside the inquiry; may be NULL. */
	void (*release)(struct inquiry *q);
};

#define NO_DEVICE UINT32_MAX

/* The first member of what each kind has. */
struct inquiry {
	struct list list; /* host.inquiries */
	struct host *host;
	struct timer timer;
	sd_bus_slot *slot;
	const struct inquiry_kind *kind;
	uint32_t device; /* or NO_DEVICE */
	void *userdata;
	bool over; /* told; it only waits for the host's answer, so that unanswered calls stay counted */
};

/* Can it be asked? -EHOSTDOWN, -EBUSY. */
int inquiry_host_check(const struct fieldbus *f, const struct host *h);
/* What to give the host as its deadline, when the answer has to be here in so long. */
uint64_t inquiry_deadline(uint64_t usec);
/* Takes q (from malloc) and m over, also on failure, when nothing is told; r is how making m went. */
int inquiry_send(struct inquiry *q, struct host *h, int r, sd_bus_message *m, uint64_t usec);
/* LINK_TYPE_READING, told; points must be below n_points. 0, -EBADMSG, -ENOMEM. */
int inquiry_take_reading(struct sd_bus_message *m, fieldbus_read_done done, void *userdata,
			 size_t n_points);
/* All of them: the host is gone, or (canceled) the daemon does not want them any more. */
void inquiries_end(struct host *h, bool canceled);
void inquiries_forget(struct host *h, const void *userdata);
/* Of one device: the daemon does not want them any more. */
void inquiries_cancel(struct host *h, uint32_t device, const char *why);
/* As writes_renumber(). */
void inquiries_renumber(struct host *h, const uint32_t *devices_after);

/* ---- task.c: a question to all hosts of a bus, or to one after the other; services.c asks them ---- */

struct task {
	struct list list; /* fieldbus.tasks */
	struct fieldbus *fieldbus;
	uint32_t bus;
	const struct task_kind *kind;
	struct timer timer;
	struct list calls; /* that have not been answered */
	bool started;	   /* nobody is asked twice */
	struct arena arena;
	/* The question. */
	struct fieldway_settings address;
	const void *request;
	size_t size;
	uint64_t usec; /* how long, or (Raw, Scan) until when on the kernel's clock */
	int fd;	       /* ours; -1: none */
	size_t next;   /* Raw: the host that is asked after this one; beyond all: any */
	/* The answers so far. */
	int error;
	uint64_t n, dropped;
	/* One of the first two; all NULL: nobody wants to know. */
	fieldbus_raw_done raw_done;
	fieldbus_ended ended;
	fieldbus_found found;
	void *userdata;
};

/* One host's part of a task. */
struct task_call {
	struct list list; /* task.calls */
	struct task *task;
	struct host *host;
	sd_bus_slot *slot; /* NULL: not sent */
};

struct task_kind {
	const char *member; /* NULL: nothing, it ends when its host runs */
	bool one_by_one; /* else all hosts at once */
	/* Adds its arguments behind generation and bus. */
	int (*append)(struct task_call *c, sd_bus_message *m);
	/*
	 * m: an answer that is no error. Adds it to the task; 1: it was the end
	 * (raw_done has run). -EBADMSG.
	 */
	int (*take)(struct task_call *c, sd_bus_message *m);
};

/* 0 and the task, which has a timer and no call yet; -EINVAL, -EBUSY, -ENOMEM. */
int task_new(struct fieldbus *f, uint32_t bus, const struct task_kind *kind, uint64_t within_usec,
	     void *userdata, struct task **ret);
void task_free(struct task *t);
/* Asks the hosts of its bus, or the next one of them. */
int task_start(struct task *t);
/* Tells whoever asked; with calls open or not. */
void task_end(struct task *t, int error);
/* The host runs: what waits for it is sent. */
void tasks_send(struct host *h);
/* The host is gone. */
void tasks_lost(struct host *h);
/* All of them, or of one bus: the daemon does not want them any more. */
void tasks_cancel(struct fieldbus *f);
void tasks_cancel_bus(struct fieldbus *f, uint32_t bus);
/* As writes_renumber(), of buses. */
void tasks_renumber(struct fieldbus *f, const uint32_t *buses_after);
/* A Found of the host: its error, or 0. */
int tasks_found(struct host *h, sd_bus_message *m);
/* For how long the host's bus is still lent; 0: it is not. */
uint64_t host_loan(const struct host *h);
bool host_is_lent(const struct host *h);

/* fieldbus.c: the hosts of a bus, with one that is made for it where there is none. */
int bus_need_host(struct fieldbus *f, uint32_t bus);
/* pause.c: is it switched off, or paused? */
bool bus_is_off(const struct fieldbus *f, uint32_t bus);
/* What that makes of its devices, and why. */
enum fieldbus_state bus_off_state(const struct fieldbus *f, uint32_t bus);
void bus_off_text(const struct fieldbus *f, uint32_t bus, char *ret, size_t size);

/* receive.c: what the host says unasked. */
int host_receive(sd_bus_message *m, void *userdata, sd_bus_error *error);

/* write.c */
/* With its data, which a NUL follows; *ret_data, if there is any, is freed by the caller. 0, -ENOMEM. */
int write_copy_value(const struct fieldway_value *value, struct fieldway_value *ret, void **ret_data);
void writes_send(struct host *h);
/* All of them: the host is gone, or (canceled) the daemon does not want them any more. */
void writes_end(struct host *h, bool canceled, const char *why);
/* Of one device: the daemon does not want them any more. */
void writes_cancel_device(struct host *h, uint32_t device, const char *why);
/* Indices become those of another configuration; what is of devices that go has ended. */
void writes_renumber(struct host *h, const uint32_t *devices_after);

struct plugin {
	struct list list;
	struct config_plugin plugin;
	struct arena arena;
};

struct bus_switch {
	bool off;    /* fieldbus_enable() */
	bool paused; /* fieldbus_pause_bus() */
};

struct fieldbus {
	struct sd_event *event;
	struct timers *timers;
	char *host_socket; /* NULL: none */
	char *host_program, *plugin_folder;
	const int *stop_fd;
	uint32_t *lines; /* fieldbus_lines() */
	struct fieldbus_ops ops;
	int (*content)(void *userdata, const struct fieldbus_content *what, uint8_t **ret,
		       size_t *ret_size, const char **ret_reason);
	void *userdata;
	struct sd_event_source *clock_source;
	struct list plugins; /* described so far */
	const struct config *config;
	struct device *devices;
	struct bus_switch *switches; /* by bus */
	struct host **hosts;
	size_t n_hosts, n_hosts_max;
	struct list leavers;
	struct list tasks;
	uint64_t generation;
	bool stopping;
	/* Of all local devices. */
	uint64_t local_serial;
	struct log_budget local_log_budget;
};

struct fieldbus_config fieldbus_launcher(const struct fieldbus *f);
void plugins_free(struct fieldbus *f);
