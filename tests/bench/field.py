# SPDX-License-Identifier: Apache-2.0
"""The field side: fieldway-plugin-host under the daemon, against simulated devices."""
from fieldway_test import Rig
from measure import SECONDS, Tool, children, cpu_us, memory_kb, run, sleep, start_daemon

PORT = 1502
SETTLE_S = 2
REGISTERS, REGISTERS_MAX = 10, 125
REQUESTS_PER_S = 1000
UNITS = 10      # of one connection, as no rate is faster than 10 ms
MANY_DEVICES, MANY_REGISTERS, MANY_SECONDS = 1000, 100, 3 * SECONDS
HOSTS_PER_NET = 250
FAST_DEVICES, FAST_REGISTERS, FAST_MS = 10, 1000, 100
LINE_UNITS, LINE_REGISTERS = 32, 10

GATEWAY = """schema: 1
gateway: {name: gw, endpoint: "{gateway}", endpoint_template: "{gateway}-{name}"}
"""
BUS = f"""schema: 1
bus: lan
plugin: modbus
tcp: {{port: {PORT}}}
timeout: 5s
"""
LINE_BUS = """schema: 1
bus: line
plugin: modbus
rtu: {{device: {path}, baud: 115200, format: "8N1"}}
timeout: 5s
"""
LINE_DEVICES = f"""schema: 1
devices:
  - {{name: "m{{unit:02}}", profile: meter, bus: line, address: {{unit: 1-{LINE_UNITS}}}}}
"""
PROFILE = """schema: 1
profile: meter
plugin: modbus
rates: {{fast: {period}ms}}
defaults: {{area: input, type: uint16, rate: fast}}
points:
  "r{{k}}": {{repeat: {{k: 1-{registers}}}, address: 0, step: 1, unit: W}}
lwm2m: {{3305/0/5800: r1}}
"""
ROW = """  - {{name: "m{net}-{{n}}-{{u}}", profile: meter, bus: lan, each: {{n: 1-{hosts}, u: 1-{units}}}, address: {{host: "127.1.{net}.{{n}}", unit: "{{u}}"}}}}
"""


def rows(n, units):
    """n hosts, each an address and a connection of its own, with so many units."""
    nets = [(net, min(HOSTS_PER_NET, n - HOSTS_PER_NET * net)) for net in range((n - 1) // HOSTS_PER_NET + 1)]
    return "".join(ROW.format(net=net, hosts=hosts, units=units) for net, hosts in nets)


def configure(rig, hosts, units, registers, period):
    rig.write("etc/fieldway.yaml", GATEWAY)
    rig.write("etc/buses.d/lan.yaml", BUS)
    rig.write("etc/profiles.d/meter.yaml", PROFILE.format(period=period, registers=registers))
    rig.write("etc/devices.d/site.yaml", "schema: 1\ndevices:\n" + rows(hosts, units))


def configure_line(rig, path, registers, period):
    rig.write("etc/fieldway.yaml", GATEWAY)
    rig.write("etc/buses.d/line.yaml", LINE_BUS.format(path=path))
    rig.write("etc/profiles.d/meter.yaml", PROFILE.format(period=period, registers=registers))
    rig.write("etc/devices.d/site.yaml", LINE_DEVICES)


def poll(rig, hosts, units, registers, period, seconds):
    configure(rig, hosts, units, registers, period)
    return observe(rig, Tool(rig, "modbus_slave", str(PORT), str(period)), hosts, seconds)


def observe(rig, slave, hosts, seconds):
    """What the daemon and its hosts take for that."""
    daemon = start_daemon(rig, "etc").process
    rig.until(lambda: slave.stats()["connections"] >= hosts, 30, "the connections")
    # A serial line is silent at first, for as long as an answer to somebody else may take.
    rig.until(lambda: slave.stats()["requests"], 30, "the first polls")
    sleep(SETTLE_S)
    pids = children(daemon.pid)
    slave.stats()
    before, daemon_before = sum(map(cpu_us, pids)), cpu_us(daemon.pid)
    sleep(seconds)
    used, daemon_used = sum(map(cpu_us, pids)) - before, cpu_us(daemon.pid) - daemon_before
    stats = slave.stats()
    return {
        "requests": stats["requests"], "rate": stats["requests"] / seconds, "late": stats["late"], "longest_ms": stats["longest_ms"],
        "host_us": used / stats["requests"], "daemon_us": daemon_used / stats["requests"],
        "host_percent": used / seconds / 1e4, "daemon_percent": daemon_used / seconds / 1e4,
        "host_kb": sum(memory_kb(pid)[0] for pid in pids), "daemon_kb": memory_kb(daemon.pid)[0],
        "hosts": len(pids),
    }


def bare(connections, period):
    with Rig() as rig:
        Tool(rig, "modbus_slave", str(PORT), "1000")
        requests = REQUESTS_PER_S * SECONDS if period else 10 * REQUESTS_PER_S
        return run("modbus_bare", PORT, connections, REGISTERS, period, requests)["request_us"]


def measure_requests(connections):
    """10 registers at a time over so many connections, 1,000 requests a second in all."""
    units = UNITS if connections == 1 else 1
    period = 1000 * connections * units // REQUESTS_PER_S
    with Rig() as rig:
        result = poll(rig, connections, units, REGISTERS, period, SECONDS)
    with Rig() as rig:
        single = poll(rig, connections, units, 1, period, SECONDS)
    return {"connections": connections, "single_us": single["host_us"], **result,
            "bare_us": bare(connections, 0), "paced_us": bare(connections, period // units)}


def measure_line():
    """One line with many devices, each once a second; bare libmodbus asks them in the same rhythm."""
    with Rig() as rig:
        path = rig.path("line")
        slave = Tool(rig, "modbus_slave", path, "1000")
        configure_line(rig, path, LINE_REGISTERS, 1000)
        result = observe(rig, slave, 1, MANY_SECONDS)
    with Rig() as rig:
        path = rig.path("line")
        Tool(rig, "modbus_slave", path, "1000")
        period = 1000 // LINE_UNITS
        bare_us = run("modbus_bare", path, LINE_UNITS, LINE_REGISTERS, period, MANY_SECONDS * LINE_UNITS)["request_us"]
    return {"shape": f"1 line, {LINE_UNITS} devices x {LINE_REGISTERS} registers, 1 s", "bare_us": bare_us, **result}


def many(devices, registers, period):
    """TCP devices, two on each host, beside bare libmodbus that reads as much as often."""
    with Rig() as rig:
        result = poll(rig, devices // 2, 2, registers, period, MANY_SECONDS)
    with Rig() as rig:
        Tool(rig, "modbus_slave", str(PORT), str(period))
        n, requests = devices // 2, 2 * -(-registers // REGISTERS_MAX)
        bare_us = run("modbus_bare", PORT, n, min(registers, REGISTERS_MAX), max(1, period // requests),
                      MANY_SECONDS * 1000 // period * requests * n)["request_us"]
    return {"shape": f"{devices} devices x {registers} registers, {period} ms", "bare_us": bare_us, **result}


def measure_many():
    return [many(MANY_DEVICES, MANY_REGISTERS, 1000), many(FAST_DEVICES, FAST_REGISTERS, FAST_MS), measure_line()]
