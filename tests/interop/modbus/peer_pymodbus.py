#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Slaves made of pymodbus, with the command line and the commands of tests/lib/simulator.md that
the tests need: --tcp, --rtu-tcp, --ascii-tcp HOST:PORT, --tls HOST:PORT CERTIFICATE KEY, --rtu,
--ascii PATH; set, get. Runs with Debian's pymodbus 3.0 and with later ones."""
import asyncio
import ssl
import sys

from pymodbus import datastore
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext

try:
    from pymodbus import FramerType
    SOCKET, RTU, ASCII = FramerType.SOCKET, FramerType.RTU, FramerType.ASCII
except ImportError:
    from pymodbus.framer.ascii_framer import ModbusAsciiFramer as ASCII
    from pymodbus.framer.rtu_framer import ModbusRtuFramer as RTU
    from pymodbus.framer.socket_framer import ModbusSocketFramer as SOCKET
try:
    from pymodbus.server import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer
except ImportError:
    from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer, ModbusTlsServer
try:
    from pymodbus import ModbusDeviceIdentification
except ImportError:
    from pymodbus.device import ModbusDeviceIdentification

UnitContext = getattr(datastore, "ModbusDeviceContext", None) or datastore.ModbusSlaveContext
FUNCTIONS = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
IDENTITY = {0: "Fieldway", 1: "P1", 2: "1.2.3"}


def unit_context():
    blocks = {name: ModbusSequentialDataBlock(0, [0] * 65536) for name in ("di", "co", "hr", "ir")}
    try:
        return UnitContext(**blocks, zero_mode=True)
    except TypeError:       # later ones count from 1 in the block, always
        return UnitContext(**{name: ModbusSequentialDataBlock(1, [0] * 65536) for name in blocks})


def server_context(unit):
    try:
        return ModbusServerContext(slaves=unit, single=True)
    except TypeError:
        return ModbusServerContext(devices=unit, single=True)


async def start(kind, words, unit):
    """Returns the place to print, and keeps serving."""
    options = {"identity": ModbusDeviceIdentification(info=dict(IDENTITY))}
    if kind in ("rtu", "ascii"):
        s = ModbusSerialServer(server_context(unit), framer=RTU if kind == "rtu" else ASCII, port=words[0],
                                      baudrate=9600, parity="N", **options)
        if hasattr(s, "start"):
            await s.start()
        TASKS.append(asyncio.ensure_future(s.serve_forever()))
        return words[0]
    host, port = words[0].rsplit(":", 1)
    if kind == "tls":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(words[1], words[2])
        # Its framer for TLS leaves out the header that the Modbus Security specification has in there.
        s = ModbusTlsServer(server_context(unit), framer=SOCKET, address=(host, int(port)), sslctx=context, **options)
    else:
        s = ModbusTcpServer(server_context(unit), address=(host, int(port)),
                                   framer={"tcp": SOCKET, "rtu-tcp": RTU, "ascii-tcp": ASCII}[kind], **options)
    TASKS.append(asyncio.ensure_future(s.serve_forever()))
    for _ in range(1000):
        listener = getattr(s, "server", None) or getattr(s, "transport", None)
        if listener and getattr(listener, "sockets", None):
            return "%s:%d" % listener.sockets[0].getsockname()[:2]
        await asyncio.sleep(0.01)
    raise SystemExit("pymodbus does not listen")


TASKS = []


def command(units, line):
    index, word, area, address, *values = line.split()
    unit, function, address = units[int(index)], FUNCTIONS[area], int(address, 0)
    if word == "set":
        # Where function 5 or 6 writes is where 1 and 3 read; the store knows no other way to inputs.
        unit.setValues(function, address, [int(v, 0) for v in values])
        return "ok"
    count = int(values[0]) if values else 1
    return "ok " + " ".join(str(int(v)) for v in unit.getValues(function, address, count))


async def main(arguments):
    units = []
    while arguments:
        kind = arguments.pop(0)[2:]
        words = [arguments.pop(0) for _ in range(3 if kind == "tls" else 1)]
        units.append(unit_context())
        print(len(units) - 1, kind, await start(kind, words, units[-1]), flush=True)
    print("ready", flush=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        try:
            print(command(units, line.decode()), flush=True)
        except (ValueError, KeyError, IndexError) as e:
            print("error", repr(e), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
