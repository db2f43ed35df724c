# SPDX-License-Identifier: Apache-2.0
"""The cases of ETS INT 1.2.1 that have a procedure: where each applies, and what is open."""
from data import HOST, VIRTUAL

BOTH = ("1.1", "1.2")
ENDS = (HOST, VIRTUAL)


class EtsCase:
    """host, virtual: None, or why it is open there. without: {end: why there is no such case}"""

    def __init__(self, title, versions=BOTH, open=None, host=None, virtual=None, without=None, deviation=""):
        self.title, self.versions, self.deviation = title, versions, deviation
        self.without = without or {}
        self.open = {HOST: open or host, VIRTUAL: open or virtual}

    def ends(self):
        return [end for end in ENDS if end not in self.without]

    def closed(self):
        """(version, end) of what there is to be run."""
        return [(version, end) for version in self.versions for end in self.ends() if not self.open[end]]


NO_CLOCK = {VIRTUAL: "a field device has no clock, unless it is mapped"}
NO_NETWORK = {VIRTUAL: "a field device has no network of its own"}
NO_FIRMWARE = {VIRTUAL: "no plugin updates its devices"}
NO_MODEM = {VIRTUAL: "the modem is the host's"}
X509, OSCORE, TCP = "certificates are not in this issue", "no OSCORE", "no TCP"

CASES = {
    0: EtsCase("Client Initiated Bootstrap"),
    1: EtsCase("Client Initiated Bootstrap Full (PSK)"),
    2: EtsCase("Client Initiated Bootstrap Full (Cert)", open=X509),
    3: EtsCase("Simple Bootstrap from Smartcard", open="no smartcard"),
    4: EtsCase("Bootstrap Delete"),
    5: EtsCase("Server Initiated Bootstrap"),
    6: EtsCase("Bootstrap Sequence"),
    7: EtsCase("Fallback to bootstrap"),
    8: EtsCase("Bootstrap Read"),
    9: EtsCase("Bootstrap and Configuration Consistency"),
    10: EtsCase("Client Initiated Bootstrap Full (EST)", open="no EST"),
    11: EtsCase("Client Initiated Bootstrap (OSCORE)", ("1.2",), open=OSCORE),
    12: EtsCase("Bootstrap via Bootstrap-Pack-Request", ("1.2",),
                deviation="Prints 2.04 for the Pack, which is 2.05"),
    19: EtsCase("Client Initiated Bootstrap over MQTT", ("1.2",), open="no MQTT"),
    101: EtsCase("Initial Registration"),
    102: EtsCase("Registration Update"),
    103: EtsCase("Deregistration"),
    104: EtsCase("Registration Update Trigger"),
    105: EtsCase("Discarded Register Update", deviation="Prints POST for a Write on a resource, which is PUT"),
    106: EtsCase("TCP Binding", open=TCP),
    107: EtsCase("Extending the lifetime of a registration"),
    108: EtsCase("Turn on Queue Mode"),
    109: EtsCase("Behavior in Queue Mode", deviation="Prints POST for a Write on a resource, which is PUT"),
    110: EtsCase("Initial Registration using Profile ID", ("1.2",),
                 deviation="Core defines no input of the hash: with a configured text"),
    111: EtsCase("Registration with Profile ID and Object List", ("1.2",),
                 deviation="Core defines no input of the hash: with a configured text"),
    201: EtsCase("Querying basic information in Plain Text"),
    203: EtsCase("Querying basic information in TLV",
                 deviation="No entry of the instance around its resources: Core 7.4.3 wants it only where the path "
                           "has no instance, and its example has none"),
    204: EtsCase("Querying basic information in JSON",
                 deviation="Core 7.5 keeps clients of 1.1 and later from 11543: it is answered, never offered"),
    205: EtsCase("Setting basic information in Plain Text"),
    211: EtsCase("Querying basic information in CBOR"),
    212: EtsCase("Setting basic information in CBOR"),
    215: EtsCase("Setting basic information in TLV"),
    220: EtsCase("Setting basic information in JSON", deviation="As 204; prints 0101, which is no JSON"),
    221: EtsCase("Attempt to perform operations on Security"),
    222: EtsCase("Read on Object"),
    223: EtsCase("Read on Object Instance"),
    224: EtsCase("Read on Resource"),
    225: EtsCase("Read on Resource Instance"),
    226: EtsCase("Write (Partial Update) on Object Instance"),
    227: EtsCase("Write (Replace) on Resource"),
    228: EtsCase("Write on Resource Instance",
                 deviation="Prints POST, for which Transport 6.4.4 has no meaning on a resource instance: taken as "
                           "the PUT that it stands for"),
    230: EtsCase("Write-Composite Operation"),
    231: EtsCase("Querying basic information in SenML JSON"),
    232: EtsCase("Querying basic information in SenML CBOR"),
    233: EtsCase("Setting basic information in SenML CBOR",
                 deviation="POST on a resource instance, as 228"),
    234: EtsCase("Setting basic information in SenML JSON",
                 deviation="POST on a resource instance, as 228"),
    235: EtsCase("Read-Composite Operation on root path"),
    236: EtsCase("Read-Composite - Partial Presence"),
    237: EtsCase("Read on Object without specifying Content-Type"),
    241: EtsCase("Executable Resource: Rebooting the device"),
    256: EtsCase("Write Operation Failure"),
    257: EtsCase("Write-Composite Operation (Server and Device)", without=NO_CLOCK),
    260: EtsCase("Discover Command",
                 deviation="Registered as 1.2 targets show the defaults of /1 too, as 264 wants; step 6 leaves out the "
                           "resource instances, which Core 6.3.2 has"),
    261: EtsCase("Write-Attribute Operation on a multiple resource",
                 deviation="Prints & between attributes of a link, which is ;"),
    264: EtsCase("Discover Command with depth 1", ("1.2",)),
    266: EtsCase("Discover Command with depth 3", ("1.2",),
                 deviation="Step 5 leaves out the object's link and puts its attributes one lower; 264 and Core "
                           "6.3.2 are followed"),
    280: EtsCase("Successful Read-Composite Operation"),
    281: EtsCase("Partially Successful Read-Composite Operation"),
    301: EtsCase("Observation and Notification of parameter values"),
    302: EtsCase("Cancel Observations using Reset Operation"),
    303: EtsCase("Cancel observations using Observe with Cancel parameter",
                 deviation="Prints one GET of /3/0 for the observations of two resources; RFC 7641 3.6 goes by token"),
    304: EtsCase("Observe-Composite Operation"),
    305: EtsCase("Cancel Observe-Composite Operation"),
    306: EtsCase("Send Operation"),
    307: EtsCase("Muting Send", deviation="Prints POST for a Write on a resource, which is PUT"),
    308: EtsCase("Observe-Composite and Creating Object Instance"),
    309: EtsCase("Observe-Composite and Deleting Object Instance",
                 deviation="Prints 2.04 for Delete, which is 2.02"),
    310: EtsCase("Observe-Composite and modification of parameter values",
                 deviation="Prints Observe=1 for the observation, which is 0"),
    311: EtsCase("Send command"),
    312: EtsCase("Observation and Notification of parameter values with attributes in it", ("1.2",)),
    313: EtsCase("Attributes of an Observe override those that are attached", ("1.2",)),
    401: EtsCase("UDP Channel Security - PSK Mode"),
    402: EtsCase("UDP Channel Security - Certificate Mode", open=X509),
    403: EtsCase("UDP Channel Security - Certificate Mode, server identity failure", open=X509),
    404: EtsCase("TCP Channel Security - Certificate Mode", open=TCP),
    405: EtsCase("OSCORE", open=OSCORE),
    406: EtsCase("TCP Channel Security - PSK Mode", open=TCP),
    651: EtsCase("Device: Check Access to Resources", without=NO_CLOCK,
                 deviation="Prints step numbers of another case; /3/0/13 goes on, so it is near what was written"),
    652: EtsCase("Device: Querying the firmware version"),
    680: EtsCase("Device: Creation of Object Instance"),
    685: EtsCase("Device: Delete of Object Instance"),
    701: EtsCase("Connectivity Monitoring: Querying the readable resources", without=NO_NETWORK),
    710: EtsCase("Connectivity Monitoring: Basic Observation", without=NO_NETWORK),
    751: EtsCase("Firmware Update: Querying the readable resources", without=NO_FIRMWARE),
    755: EtsCase("Firmware Update: Setting the writable Resource Package", without=NO_FIRMWARE),
    756: EtsCase("Firmware Update: Setting the writable Resource Package URI", without=NO_FIRMWARE),
    760: EtsCase("Firmware Update: Basic Observation and Notification", without=NO_FIRMWARE),
    770: EtsCase("Successful Firmware Update via CoAP", without=NO_FIRMWARE),
    771: EtsCase("Successful Firmware Update via alternative mechanism", without=NO_FIRMWARE),
    772: EtsCase("Firmware Update: error 1, no package", without=NO_FIRMWARE),
    773: EtsCase("Firmware Update: error 2, not enough storage", without=NO_FIRMWARE,
                 deviation="Prints 2.04 for a Package for which there is no room, which is 4.13"),
    774: EtsCase("Firmware Update: error 3, out of memory", without=NO_FIRMWARE,
                 deviation="Prints Result 2, which is 3 in object 5"),
    775: EtsCase("Firmware Update: error 4, connection lost", without=NO_FIRMWARE),
    776: EtsCase("Firmware Update: error 5, integrity check failed", without=NO_FIRMWARE),
    777: EtsCase("Firmware Update: error 6, unsupported package type", without=NO_FIRMWARE,
                 deviation="Prints State 1 at the end, which is 0 as in 773-776"),
    778: EtsCase("Firmware Update: error 7, invalid URI", without=NO_FIRMWARE),
    779: EtsCase("Firmware Update: error 8, installation failed", without=NO_FIRMWARE),
    801: EtsCase("Location: Querying the readable resources"),
    810: EtsCase("Location: Basic Observation"),
    901: EtsCase("Connectivity Statistics: data collection"),
    905: EtsCase("Connectivity Statistics: Setting the writable resources"),
    910: EtsCase("Connectivity Statistics: Basic Observation"),
    950: EtsCase("Multi-Servers Registration"),
    951: EtsCase("Multi-Servers and Attributes"),
    1200: EtsCase("Cellular Connectivity: reading",
                  deviation="/10/0/8 and /10/0/9 are Opaque in the registry, and no /10/0/6 in 1.1"),
    1201: EtsCase("Cellular Connectivity 1.1: reading",
                  deviation="Power saving modes are /10/0/12 and /10/0/13 in the registry, printed as 13 and 14"),
    1202: EtsCase("Cellular Connectivity 1.1: setting the active power saving modes",
                  deviation="As 1201; the TLV is printed with a digit too many"),
    1203: EtsCase("Cellular Connectivity 1.1: observing the power saving modes",
                  deviation="As 1201"),
    1204: EtsCase("Cellular Connectivity: observing the timers", deviation="As 1200"),
    1250: EtsCase("APN Connection Profile: configuration", without=NO_MODEM,
                  deviation="Calls the Update Trigger /3/0/7; the list is in the Update that follows the Create"),
    1350: EtsCase("Bearer Selection", without=NO_MODEM,
                  deviation="Creates /13/0, which as a single instance is there: it is written; as 1.1 the new security "
                            "context asks for a Register instead of the Update (T 6.4.3)"),
    1630: EtsCase("Portfolio: Creating an Object Instance",
                  deviation="Links are printed with a slash at their end, which Core has not, and the multiple resource in "
                            "the TLV with a type byte of 80, which is 88"),
    1635: EtsCase("Portfolio: Deleting all Object Instances",
                  deviation="Prints 2.04 for Delete, which is 2.02, and links as 1630"),
    1900: EtsCase("BinaryAppDataContainer: observing",
                  deviation="Asks for version 1.1 of object 19, which is 1.0"),
    1901: EtsCase("BinaryAppDataContainer: writing"),
    2000: EtsCase("Event Log: LogStart", deviation="Writes /20/0/4011, which is executable"),
    2001: EtsCase("Event Log: reading"),
}

# Those that Eclipse Leshan drives too, registered as 1.1 (tests/interop/leshan/ets_test.py).
LESHAN = {
    1, 5, 6, 7, 101, 102, 103, 104, 107, 108, 201, 203, 204, 205, 211, 212, 215, 220, *range(221, 229), *range(230, 236),
    237, 241, 256, 257, 260, 261, 280, 281, 301, *range(303, 312), 401, 651, 652, 680, 685, 701, 710, 751, 755, 756, 760,
    *range(770, 780), 801, 810, 901, 905, 910, *range(1200, 1205), 1250, 1630, 1635, 1900, 1901, 2001}
