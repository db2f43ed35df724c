# SPDX-License-Identifier: Apache-2.0
"""What the scenario tests and the demo are made of: programs that end with the
test, waiting for events by a deadline, and decoders of their own, so that the
agent's codecs are judged by something else. Standard library only."""
from . import coap, encode
from .bus import Bus
from .clock import Clock, ClockDaemon
from .decode import (decode, read_cbor, read_links, read_lwm2m_cbor, read_lwm2m_json, read_senml_cbor, read_senml_json,
                     read_tlv)
from .namespace import enter_namespace, replace_files
from .objects import Objects
from .process import Process, ProgramEnded, Rig, Timeout
from .programs import (Daemon, DtlsFront, Event, Lwm2mServer, PowerCut, Simulator, WallClock, build_path, plugin_folder,
                       source_path)
from .relay import Relay
from .scenario import Scenario, main
from .serial_device import SerialDevice

__all__ = [
    "Bus", "Clock", "ClockDaemon", "Daemon", "DtlsFront", "Event", "Lwm2mServer", "Objects", "PowerCut", "Process",
    "ProgramEnded", "Relay", "Rig", "Scenario", "SerialDevice", "Simulator", "Timeout", "WallClock", "build_path", "coap", "decode",
    "encode",
    "enter_namespace", "main", "plugin_folder", "read_cbor", "read_links", "read_lwm2m_cbor", "read_lwm2m_json", "read_senml_cbor", "read_senml_json",
    "read_tlv", "replace_files", "source_path",
]
