/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include "base/log.h"
#include "base/timer.h"
#include "gateway/options.h"
#include "gateway/wire.h"

/* The daemon: signals, notifications to systemd, exit codes. */

struct daemon {
	struct gateway *gateway;
	bool stopping;
};

static void stopped(void *userdata)
{
	sd_event_exit(userdata, 0);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	sd_event *event = sd_event_source_get_event(source);
	struct daemon *daemon = userdata;

	(void)info;
	/* De-registering is a courtesy: a second signal ends it. */
	if (daemon->stopping)
		return sd_event_exit(event, 0);
	daemon->stopping = true;
	sd_notify(0, "STOPPING=1\nSTATUS=De-registering");
	gateway_stop(daemon->gateway, stopped, event);
	return 0;
}

static int on_hangup(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata)
{
	struct daemon *daemon = userdata;

	(void)source;
	(void)info;
	if (!daemon->stopping)
		gateway_reload(daemon->gateway);
	return 0;
}

/* Blocked before any thread starts, so that the loop alone sees them. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* A broken pipe is an error of its write. */
	signal(SIGPIPE, SIG_IGN);
}

/* The start blocks: it looks here whether it is still wanted. The loop takes the signal itself, from its own. */
static int watch_stop(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int start(const struct gateway_options *o, sd_event *event, struct timers *timers, struct gateway **ret)
{
	struct gateway_options options = *o;
	int r;

	options.stop_fd = watch_stop();
	r = gateway_new(&options, event, timers, ret);
	closep(&options.stop_fd);
	return r;
}

static int run(const struct gateway_options *o, sd_event *event, struct timers *timers)
{
	struct daemon daemon = { 0 };
	int r = start(o, event, timers, &daemon.gateway);

	if (r < 0)
		return r == -ECANCELED ? 0 : r;
	r = sd_event_add_signal(event, NULL, SIGTERM, on_signal, &daemon);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGINT, on_signal, &daemon);
	if (r >= 0)
		r = sd_event_add_signal(event, NULL, SIGHUP, on_hangup, &daemon);
	if (r >= 0)
		r = sd_event_set_watchdog(event, 1);
	if (r >= 0) {
		sd_notify(0, "READY=1");
		r = sd_event_loop(event);
	}
	gateway_free(daemon.gateway);
	return r;
}

static int run_on_loop(const struct gateway_options *o, bool check)
{
	struct timers *timers = NULL;
	sd_event *event = NULL;
	int r = sd_event_default(&event);

	if (r >= 0)
		r = timers_new(event, &timers);
	if (r >= 0)
		r = check ? gateway_check(o, event, timers) : run(o, event, timers);
	timers_free(timers);
	sd_event_unref(event);
	return r;
}

/* Keys are in it: nobody else of its user reads its memory, and no core is written, whatever may pick those up. */
static void keep_memory(void)
{
	if (!ADDRESS_SANITIZED)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int main(int argc, char **argv)
{
	struct gateway_options o;
	int mode, r;

	log_set_name("fieldwayd");
	mode = options_take(argc, argv, &o);
	if (mode < 0)
		return mode == -ECANCELED ? EXIT_SUCCESS : EX_USAGE;
	keep_memory();
	block_signals();
	r = run_on_loop(&o, mode == OPTIONS_CHECK);
	if (r == -EBADMSG)
		return EX_CONFIG; /* systemd does not try again: RestartPreventExitStatus=78 */
	if (r < 0 && mode == OPTIONS_RUN)
		log_error(NULL, "fieldwayd ends: %s", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
