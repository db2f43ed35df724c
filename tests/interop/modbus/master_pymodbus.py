#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A master made of pymodbus: tcp HOST:PORT or rtu PATH, then lines on standard input, `read AREA
ADDRESS COUNT` and `write AREA ADDRESS VALUES`, each answered by `ok VALUES` or `error TEXT`."""
import inspect
import sys

from pymodbus.client import ModbusSerialClient, ModbusTcpClient

UNIT = 1


def unit_keyword(function):
    """Its name has changed over the years."""
    return next(n for n in ("device_id", "slave") if n in inspect.signature(function).parameters)


def connect(kind, place):
    if kind == "tcp":
        host, port = place.rsplit(":", 1)
        return ModbusTcpClient(host, port=int(port))
    return ModbusSerialClient(port=place, baudrate=9600, parity="N")


def read(client, area, address, count, unit):
    call = {"coil": client.read_coils, "discrete": client.read_discrete_inputs,
            "holding": client.read_holding_registers, "input": client.read_input_registers}[area]
    answer = call(address, count=count, **unit)
    if answer.isError():
        return f"error {answer}"
    values = answer.bits[:count] if area in ("coil", "discrete") else answer.registers
    return "ok " + " ".join(str(int(v)) for v in values)


def write(client, area, address, values, unit):
    if area == "coil":
        answer = (client.write_coil(address, bool(values[0]), **unit) if len(values) == 1 else
                  client.write_coils(address, [bool(v) for v in values], **unit))
    else:
        answer = (client.write_register(address, values[0], **unit) if len(values) == 1 else
                  client.write_registers(address, values, **unit))
    return f"error {answer}" if answer.isError() else "ok"


def main():
    client = connect(*sys.argv[1:3])
    if not client.connect():
        raise SystemExit("cannot connect")
    unit = {unit_keyword(client.read_coils): UNIT}
    print("ready", flush=True)
    for line in sys.stdin:
        word, area, address, *values = line.split()
        numbers = [int(v, 0) for v in values]
        if word == "read":
            print(read(client, area, int(address), numbers[0], unit), flush=True)
        else:
            print(write(client, area, int(address), numbers, unit), flush=True)


main()
