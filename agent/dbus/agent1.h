/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * org.fieldway.Agent1: what the daemon shows on D-Bus. Paths are made of YAML
 * names by sd_bus_path_encode(), so that they survive restarts. Everybody may
 * read properties and values that the daemon has; what changes anything or puts
 * a byte on a field bus needs root, the group AGENT1_GROUP, the daemon's own
 * user, or the word of polkit, which is asked about AGENT1_NAME and
 *   .write      Endpoint: Write, Execute
 *   .control    Manager: SetLogLevel; Endpoint: GetCredentials, Update, UpdateAt,
 *               Send, SendTo, Enable, Disable, Restart, ResetAccounts;
 *               Device: Pause, Resume;
 *               Bus: Pause, Resume, Disable, Enable, Restart
 *   .field      Device: Read; Bus: Attempt, Raw, Scan, Release, Record
 *   .configure  Manager: Reload, Confirm, CheckConfig
 *   .publish    Device: Publish, CompleteWrite
 * and lets a caller be asked for a password whose message allows it. Without
 * polkit nobody else may, but that the owner of a local device publishes for it.
 *
 * At AGENT1_PATH, which is the ObjectManager of the others:
 *
 *   org.fieldway.Agent1.Manager
 *     GetEndpoint(s name) -> o       by YAML name ("host"), else by endpoint
 *                                    client name. Error NoSuchEndpoint
 *     GetDevice(s name) -> o         Error NoSuchDevice
 *     GetBus(s name) -> o            Error NoSuchBus
 *     SetLogLevel(s module, s level) "": of all modules that have no level of
 *                                    their own; level "": that one. Until the
 *                                    daemon ends. "host": the plugin hosts, within
 *                                    some seconds
 *     Reload(t confirm)              reads the configuration again and goes
 *                                    over to it; returns when that is done.
 *                                    Wrong files change nothing: error
 *                                    Configuration. What there is to say of good
 *                                    ones: ReloadWarnings. confirm, unless 0: without
 *                                    Confirm within so many microseconds (a day
 *                                    at most) the former one runs again, as it
 *                                    does after a restart
 *     Confirm()                      Error NothingToConfirm
 *     CheckConfig() -> a(suus) errors, a(suus) warnings
 *                                    what Reload would say; none: it would do
 *     Version s
 *     ConfigurationState s           "accepted", "last-good" (the files are
 *                                    wrong, or were not confirmed),
 *                                    "unconfirmed", "not-configured"
 *     ConfigurationErrors a(suus)    file, line, column (0: none), text
 *     ReloadWarnings a(suus)         the same of what the last reload brought, as
 *                                    CheckConfig has it: what stands in the files
 *                                    and does not reach all that it is about, too.
 *                                    None before the first one
 *     Endpoints u                    with the host
 *     Accounts u  Registered u       accounts, and those that are registered
 *     Devices u
 *     Paused a(sstu)                 what users have paused: "endpoint", "bus" or
 *                                    "device", name, since when (microseconds
 *                                    since 1970), uid. Over restarts
 *     Packages a(sssstt)             what servers update this machine with: "firmware"
 *                                    or "software", its name ("" of firmware), state
 *                                    ("idle", "downloading", "downloaded", "updating";
 *                                    of software "initial", "downloading",
 *                                    "downloaded", "delivered", "installed"), what
 *                                    there is to say of it ("": nothing), bytes
 *                                    that are here, of how many (0: not known). It is
 *                                    not told when they change: Watch /5 and /9
 *     History a{st}                  of values that are recorded: "waiting", how many
 *                                    wait for servers, "bytes" that they take, "oldest",
 *                                    when the first of them was sampled (microseconds
 *                                    since 1970; 0: none, or not known), "lost", how
 *                                    many are gone since the start for want of room, for
 *                                    their age, or because a server refuses them.
 *                                    Nobody is told when it changes
 *     LogLevels a{ss}                of each module, and "" of the others
 *
 * At AGENT1_PATH/endpoint/NAME, the host among them:
 *
 *   org.fieldway.Agent1.Endpoint
 *     Read(s path) -> v              what the daemon has, see below
 *     Write(s path, v value)         returns when the device has confirmed it
 *     Execute(s path, s arguments)   returns when the device has confirmed it;
 *                                    arguments as in LwM2M, "" for none
 *     Describe(s path) -> a(ssssssbs)
 *                                    the resources at or below the path ("/": all):
 *                                    path, name of the object, name, type ("float"; "":
 *                                    it has no value), what may be done ("R", "RW",
 *                                    "E"), unit, whether it has instances, range
 *                                    ("0..50", "0..", "1, 2, 5"; "": any). What is
 *                                    mapped to something that is only read has no "W"
 *     Explain(s path) -> a{sv}       why a resource is what it is; what is not known
 *                                    is left out. Object s, Name s, Type s, Unit s,
 *                                    Operations s ("RWE"), Value v (the last known
 *                                    one), Problem s (why it is not good), Time t
 *                                    (of the sample); Source s ("point",
 *                                    "constant", "execute", "alarm", "agent"),
 *                                    MoreSources t; Device s, Bus s, DeviceState s,
 *                                    DeviceReason s, Point s (and where it lies),
 *                                    Decoding s, PointUnit s, Rate s, Period t (as
 *                                    Device.Explain has it; not of a local device);
 *                                    Request s, Asked t,
 *                                    Sent ay, Received ay, Cut b: the last
 *                                    exchange with the device; RequestProblem s;
 *                                    Observations aa{sv}: Server s, Path s,
 *                                    Notified t, InFlight b, MinimumPeriod t,
 *                                    MaximumPeriod t. Instants are microseconds
 *                                    since 1970, 0: not known
 *     Watch(s path)                  tells the caller, and nobody else, by
 *     Unwatch(s path)                ValueChanged of what is at or below the path:
 *                                    first all that is there, then what changes,
 *                                    until Unwatch or until it leaves the bus;
 *                                    64 at once
 *     ValueChanged(s path, v value, s problem, t time)
 *                                    signal: a resource, or what is gone. value:
 *                                    as Read has it; where problem is not "" the
 *                                    last known one, or "". time: of the sample,
 *                                    microseconds since 1970, 0: not known
 *     GetCredentials() -> a(ssssss)  of each account server, kind ("psk", "none"),
 *                                    identity, the first bytes of the key's SHA-256
 *                                    in hexadecimal, the reference that it comes
 *                                    from, and why there is none or ""; never a key
 *     Update()                       registration update at all servers where it is
 *                                    registered, which have answered on return.
 *                                    Error Offline: there is none
 *     UpdateAt(s server)             at this one of its Accounts. Error
 *                                    NoSuchServer
 *     Send(as paths) -> u values, u left_out
 *                                    LwM2M Send: the values that the daemon has at
 *                                    or below the paths, 64 at most, go to those of
 *                                    its servers that take it, which have answered on
 *                                    return. Resources without a good value are left
 *                                    out. Errors Muted: no server wants it (/1/x/23),
 *                                    Refused: one answered by an error, Offline,
 *                                    NoAnswer, NoSuchPath, NoValue
 *     SendTo(s server, as paths) -> u values, u left_out
 *                                    to this one of its Accounts. Error NoSuchServer
 *     Disable()                      pauses it: de-registers, until Enable
 *     Enable()
 *     Restart()                      registers anew, at once whatever it waits
 *                                    for. Error NotAllowed: it is paused
 *     ResetAccounts()                its accounts are as the configuration has them,
 *                                    whatever bootstrap and other servers wrote to
 *                                    /0, /1 and /2. Error NoValue: nobody has
 *     Name s                         in YAML, "host"
 *     ClientName s                   endpoint client name
 *     State s                        that of the account that is furthest from
 *                                    "registered": "registered", "registering",
 *                                    "waiting" (between two attempts, or for the
 *                                    first one), "queued" (other servers come
 *                                    first),
 *                                    "disabled" (by the server),
 *                                    "deregistering", "unread" (its devices
 *                                    have not been read yet, `register:`),
 *                                    "no-server" (no server's `endpoints:`
 *                                    names it), "paused" (by a user);
 *                                    "bootstrapping" instead of these while a
 *                                    bootstrap server works on it, and while one
 *                                    is asked and it is registered nowhere
 *     Paused b                       by a user; over restarts
 *     Accounts aa{sv}                Server s, Uri s, ShortServerId q, State s,
 *                                    Security s ("psk", "none"), Source s ("yaml",
 *                                    "bootstrap": whose word holds, which is why
 *                                    `servers:` does not reach it), Version s
 *                                    ("1.2"; "" when not registered), LastError s,
 *                                    HistoryWaiting t (recorded values that it has
 *                                    not got yet)
 *     Devices a(so)                  whose points it shows
 *     LastError s                    of the last failed attempt, at the first server
 *                                    that has one, or else at the bootstrap
 *                                    server; "" while all is well
 *
 * At AGENT1_PATH/device/NAME:
 *
 *   org.fieldway.Agent1.Device
 *     Explain() -> s line, a(tsut)   the line that it lies on, and the requests
 *                                    by which it is read: period in
 *                                    microseconds (0: once, UINT64_MAX: on
 *                                    demand), text, bytes on the wire,
 *                                    microseconds on the line (0: not known)
 *     GetStatistics() -> a(sttttttttt) requests, a(sttttts) points
 *                                    since its host started: of each request
 *                                    text, period, effective period (smoothed),
 *                                    requests, errors, timeouts, exceptions,
 *                                    last, mean, longest latency, all times in
 *                                    microseconds; of each point name, values
 *                                    good, invalid, failed, unchanged
 *                                    (`deadband:`), conflated, last error
 *     GetProfile() -> a(ssss)        what all files together make of it: point
 *                                    ("": the device), key, value, and
 *                                    "file:line" where it comes from ("": it is
 *                                    a default); "lwm2m" is where servers see it
 *     Read(as points) -> a(ssv)      reads them now (none: all), ahead of
 *                                    polls: name, what is wrong or "", value
 *     Publish(a(svtu) values)        of a local device, by a program of its owner:
 *                                    point, value, time (microseconds since 1970;
 *                                    0: now), quality (0 good, 1 no value, 2 not
 *                                    read). Any number where it fits without loss.
 *                                    All of them or none; none at all says that the
 *                                    program is there. The last one that published
 *                                    and is still there is told what to write; the
 *                                    device is left when the last one of 8 leaves.
 *                                    With another quality the variant is not looked
 *                                    at but for its type. Errors NotLocal,
 *                                    NoSuchPoint, WrongType, OutOfRange, WrongTime
 *                                    (it has not come yet, or the point has a later
 *                                    value), NotAllowed (it is paused or disabled,
 *                                    or the point is only written), LimitsExceeded
 *                                    (1,000 values in one call, or in a second, after
 *                                    a pause of two seconds 2,000)
 *     WriteRequested(t serial, s point, v value)
 *                                    signal, to that program alone: this is to be
 *                                    written, and is given up after 4 seconds
 *     CompleteWrite(t serial, s error, s detail)
 *                                    what has become of it: error "" done,
 *                                    "invalid", "busy" or "unreachable" (nothing has
 *                                    been tried), "failed"; detail for people.
 *                                    Error NoSuchWrite
 *     Pause()                        leaves it alone: neither polled nor written,
 *                                    which is no trouble, until Resume
 *     Resume()
 *     Name s  Bus s  Profile s
 *     Enabled b                      in the configuration
 *     Paused b                       by a user; over restarts
 *     State s                        "unknown", "online", "offline", "failed",
 *                                    "paused", it or its bus
 *     Reason s                       why it is not "online", for people
 *     Statistics a{st}               "requests", "errors", "timeouts",
 *                                    "conflated"; since the daemon started
 *
 * At AGENT1_PATH/bus/NAME:
 *
 *   org.fieldway.Agent1.Bus
 *     Attempt(a{sv} address, a(sa{sv}) points, t within) -> a(ssv)
 *                                    reads a device that is not configured:
 *                                    its address, with the plugin's keys of a
 *                                    device if it likes (max_gap), and points
 *                                    by name, with keys as in YAML; scale,
 *                                    offset, factor, scale10 s and invalid av
 *                                    too. The answer is as that of Read
 *     Raw(a{sv} address, ay request, t within) -> ay
 *                                    one request without framing, and its
 *                                    answer
 *     Scan(t duration) -> t found, t dropped
 *                                    what is in reach, where devices speak by
 *                                    themselves; told to the caller by the
 *                                    signal Found(s address, s facts)
 *     Release(t duration)            lends the port or connections to another
 *                                    program; 0: takes them back
 *     Record(h file, t duration) -> t frames, t dropped
 *                                    what goes over the wires, as text
 *                                    (link/recording.h)
 *     Pause()  Disable()             the same: closes its port or connections and
 *                                    leaves its devices alone, until Resume
 *     Resume()  Enable()             the same
 *     Restart()                      begins with a new plugin host. Error
 *                                    NotAllowed: it is paused
 *     Name s  Plugin s
 *     Paused b                       by a user; over restarts
 *     State s                        of its devices the best one: "online",
 *                                    "offline", "failed", "unknown", "paused",
 *                                    "unused"
 *     Devices u  Online u            enabled ones, and those that answer
 *     Statistics a{st}               as a device's, and "host_restarts"
 *
 * Durations are microseconds, 0 as `within` is the default.
 *
 * Values as variants: String and Corelnk s, Integer and Time x (seconds since
 * 1970), Unsigned t, Float d, Boolean b, Opaque ay, Objlnk (qq). What has parts
 * is a{qv} of id to value: a multiple resource of its instances, an object
 * instance of its resources, and so on upwards. Parts that have no good value
 * are left out; a single resource without one is an error that says why.
 *
 * Write takes a resource or resource instance, or an object instance as a{qv}
 * (what is not named stays). Any number is taken where it fits without loss,
 * and a string as LwM2M text (Core 7.5.1): "21.5", "1", "3:0", base64.
 */
#define AGENT1_NAME "org.fieldway.Agent1"
#define AGENT1_PATH "/org/fieldway/Agent1"
#define AGENT1_ENDPOINT_PATH AGENT1_PATH "/endpoint"
#define AGENT1_DEVICE_PATH AGENT1_PATH "/device"
#define AGENT1_BUS_PATH AGENT1_PATH "/bus"
#define AGENT1_MANAGER AGENT1_NAME ".Manager"
#define AGENT1_ENDPOINT AGENT1_NAME ".Endpoint"
#define AGENT1_DEVICE AGENT1_NAME ".Device"
#define AGENT1_BUS AGENT1_NAME ".Bus"
#define AGENT1_GROUP "fieldway-admin"

#define AGENT1_DESCRIPTION "(ssssssbs)"
#define AGENT1_REQUEST "(tsut)"
#define AGENT1_REQUEST_STATISTICS "(sttttttttt)"
#define AGENT1_POINT_STATISTICS "(sttttts)"
#define AGENT1_PROFILE_VALUE "(ssss)"
#define AGENT1_READING "(ssv)"
#define AGENT1_PUBLISHED "(svtu)"
#define AGENT1_ACCOUNT "a{sv}"
#define AGENT1_CREDENTIAL "(ssssss)"
#define AGENT1_PAUSED "(sstu)"
#define AGENT1_PACKAGE "(sssstt)"
#define AGENT1_OBJECT "(so)"
#define AGENT1_CONFIGURATION_ERROR "(suus)"

/*
 * Errors, beside those of D-Bus itself: AccessDenied (also for the secrets of
 * /0, /21, /23), InteractiveAuthorizationRequired (polkit wants a password, and
 * the message does not let it ask), InvalidArgs (content refused), NoMemory, LimitsExceeded (also
 * of any call while too many answers wait for their callers to read them).
 */
#define AGENT1_ERROR_NO_SUCH_ENDPOINT AGENT1_NAME ".Error.NoSuchEndpoint"
#define AGENT1_ERROR_NO_SUCH_DEVICE AGENT1_NAME ".Error.NoSuchDevice"
#define AGENT1_ERROR_NO_SUCH_BUS AGENT1_NAME ".Error.NoSuchBus"
#define AGENT1_ERROR_NO_SUCH_SERVER AGENT1_NAME ".Error.NoSuchServer"
#define AGENT1_ERROR_NO_SUCH_POINT AGENT1_NAME ".Error.NoSuchPoint"
#define AGENT1_ERROR_NO_SUCH_WRITE AGENT1_NAME ".Error.NoSuchWrite" /* or it has ended */
#define AGENT1_ERROR_NOT_LOCAL AGENT1_NAME ".Error.NotLocal"	    /* its plugin reads and writes it */
#define AGENT1_ERROR_WRONG_TYPE AGENT1_NAME ".Error.WrongType"
#define AGENT1_ERROR_OUT_OF_RANGE AGENT1_NAME ".Error.OutOfRange"
#define AGENT1_ERROR_WRONG_TIME AGENT1_NAME ".Error.WrongTime"
#define AGENT1_ERROR_NO_SUCH_PATH AGENT1_NAME ".Error.NoSuchPath"
#define AGENT1_ERROR_CONFIGURATION AGENT1_NAME ".Error.Configuration" /* lines file:line:column: text */
#define AGENT1_ERROR_NOTHING_TO_CONFIRM AGENT1_NAME ".Error.NothingToConfirm"
#define AGENT1_ERROR_NOT_ALLOWED                                                                   \
	AGENT1_NAME ".Error.NotAllowed"			   /* the resource has no such operation */
#define AGENT1_ERROR_NO_VALUE AGENT1_NAME ".Error.NoValue" /* never read; of Send also stale or offline */
#define AGENT1_ERROR_STALE AGENT1_NAME ".Error.Stale"
#define AGENT1_ERROR_OFFLINE AGENT1_NAME ".Error.Offline"    /* nothing was sent */
#define AGENT1_ERROR_BUSY AGENT1_NAME ".Error.Busy"	     /* nothing was sent */
#define AGENT1_ERROR_NO_ANSWER AGENT1_NAME ".Error.NoAnswer" /* the outcome may be unknown */
#define AGENT1_ERROR_PARTLY AGENT1_NAME ".Error.Partly"	     /* some values were accepted */
#define AGENT1_ERROR_MUTED AGENT1_NAME ".Error.Muted" /* nothing was sent */
#define AGENT1_ERROR_REFUSED AGENT1_NAME ".Error.Refused" /* by the server */
#define AGENT1_ERROR_FAILED AGENT1_NAME ".Error.Failed" /* the device refused, or verify failed */
