# SPDX-License-Identifier: Apache-2.0
"""What was measured as Markdown: a table for each part, and the design's aims beside it."""


def number(value):
    """Three significant digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def endpoints(runs):
    head = ["security", "N", "heap kB", "RSS kB", "create and register us", "of it reading YAML us", "all registered s",
            "repeated", "lost", "NON us", "CON us", "a sample us", "bare send us", "bare send+recv us"]
    rows = []
    for r in runs:
        notify = [number(r["non"]["us"]), number(r["con"]["us"]), number(r["sample_us"]),
                  number(r["bare"]["send_us"]), number(r["bare"]["pair_us"])] if "non" in r else ["-"] * 5
        rows.append([r["suite"], f"{r['n']:,}", number(r["heap_kb"]), number(r["rss_kb"]), number(r["register_us"]),
                     number(r["check_us"]), number(r["start_s"]), f"{r['repeats']:.0f}", f"{r['lost']:.0f}", *notify])
    return table(head, rows)


def handshakes(found):
    return table(["GnuTLS alone, the client's side", "CPU us", "heap kB"],
                 [[suite, number(h["handshake_us"]), number(h["session_kb"])] for suite, h in found.items()])


def loop(n, found):
    return table([f"an exchange over {n:,} sockets", "CPU us"],
                 [["all in one inner epoll", number(found["inner_us"])],
                  ["an sd-event source for each", number(found["sources_us"])],
                  ["and a time source for each", number(found["timed_us"])]])


def modbus(runs):
    head = ["connections", "requests/s", "host us", "host us, 1 register", "daemon us", "libmodbus at that rate us",
            "libmodbus back to back us", "host / libmodbus"]
    return table(head, [[str(r["connections"]), number(r["rate"]), number(r["host_us"]), number(r["single_us"]),
                         number(r["daemon_us"]), number(r["paced_us"]), number(r["bare_us"]),
                         number(r["host_us"] / r["paced_us"])] for r in runs])


def many(runs):
    head = ["shape", "requests/s", "host % of a core", "host MB", "hosts", "daemon % of a core", "daemon MB",
            "late polls", "longest interval ms", "host us", "libmodbus at that rate us", "host / libmodbus"]
    return table(head, [[r["shape"], number(r["rate"]), number(r["host_percent"]), number(r["host_kb"] / 1000),
                         str(r["hosts"]), number(r["daemon_percent"]), number(r["daemon_kb"] / 1000),
                         f"{r['late']:.0f} of {r['requests']:.0f}", f"{r['longest_ms']:.0f}", number(r["host_us"]),
                         number(r["bare_us"]), number(r["host_us"] / r["bare_us"])] for r in runs])


FORMATS = (("TLV", "tlv"), ("LwM2M CBOR", "lwm2m-cbor"), ("SenML CBOR", "senml-cbor"),
           ("SenML JSON", "senml-json"))


def codecs(found):
    return table(["ten resources", "bytes", "encode ns", "parse ns"],
                 [[name, f"{found[f'{key}_bytes']:.0f}", number(found[f"{key}_encode_ns"]),
                   number(found[f"{key}_decode_ns"])] for name, key in FORMATS])


# ---- the aims ----

def _all(runs, security, say):
    """Of each N that was run."""
    found = [say(r) for r in runs if r["security"] == security]
    return ", ".join(found) or "-"


def _memory(runs, security):
    return _all(runs, security, lambda r: f"{number(r['heap_kb'])} kB at {r['n']:,}")


def _notify(runs, kind):
    return "; ".join(f"{security}: " + _all(runs, security, lambda r: f"{number(r[kind]['us'])} us at {r['n']:,}")
                     for security in ("none", "PSK"))


def _registering(runs):
    return "; ".join(f"{security}: " + _all(
        runs, security, lambda r: f"{number(r['register_us'])} us at {r['n']:,}") for security in ("none", "PSK"))


def _pacing(runs):
    return "; ".join(f"{r['security']}: {r['repeats']:.0f} repeated, {r['lost']:.0f} datagrams lost, "
                     f"{number(r['start_s'])} s" for r in runs if r["n"] == 10000 and "non" in r) or "-"


def _codecs(found):
    return ", ".join(f"{name} {number(found[f'{key}_encode_ns'])} / {number(found[f'{key}_decode_ns'])} ns"
                     for name, key in FORMATS)


def _most(runs):
    return "; ".join(f"{r['n']:,} with {r['security']}" for r in runs if r["n"] == 10000 and "non" in r) or "-"


def _one_connection(runs):
    r = runs[0]
    return (f"{number(r['host_us'])} us, {number(r['host_us'] / r['paced_us'])} x bare libmodbus at the same rate "
            f"({number(r['paced_us'])} us)")


def _many(runs):
    r = runs[0]
    return (f"{number(r['host_percent'])} % (daemon {number(r['daemon_percent'])} %), "
            f"{number(r['host_kb'] / 1000)} MB (daemon {number(r['daemon_kb'] / 1000)} MB), {r['late']:.0f} late")


# What, the reference, the aim, the part that it comes from, and how to say it.
AIMS = (
    ("endpoints in one `fieldwayd`", "Wakaama's library holds 10,000 without security; as processes 226 kB each",
     "10,000, with DTLS", "endpoints", _most),
    ("memory per idle endpoint with 3 objects, no security", "Wakaama 1.45 kB (tiny model), Anjay 56 kB",
     "<= 3 kB", "endpoints", lambda r: _memory(r, "none")),
    ("the same with DTLS PSK", "9.3 kB for the GnuTLS session alone", "<= 14 kB", "endpoints",
     lambda r: _memory(r, "PSK")),
    ("CPU per NON notification, 10,000 endpoints, one each second",
     "Wakaama 3.8 us, Anjay 18 us, bare send+recv 1.0 us", "<= 3.5 us", "endpoints", lambda r: _notify(r, "non")),
    ("CPU per confirmable notification",
     "libcoap in one context 565 us, in 100 contexts 20 us; prototype 5.1 us, at 10,000", "<= 6 us, flat in N",
     "endpoints", lambda r: _notify(r, "con")),
    ("CPU to create and register an endpoint", "Wakaama 8-12 us, Anjay 260 us; PSK handshake 45 us, ECDHE-PSK 210 us",
     "<= 12 us, <= 60 us with PSK", "endpoints", _registering),
    ("registering 10,000", "a burst of 2,000 sent in step had 832 answers after 6 s", "paced: no retransmission round",
     "endpoints", _pacing),
    ("Modbus TCP, one connection, 10 registers", "bare libmodbus 28 us CPU a request, pymodbus 89 us",
     "within 1.2 x of bare libmodbus", "modbus", _one_connection),
    ("Modbus, 1,000 devices x 100 registers each second",
     "Neuron 2.15: 300 devices took 155 % of a core and missed polls", "<= 15 % of a core, <= 60 MB, no late poll",
     "many", _many),
    ("encode / parse a 10-resource instance",
     "Wakaama TLV 110 / 289 ns, SenML CBOR 365 / 925 ns, SenML JSON 284 / 2,022 ns", "faster, and exact", "codecs",
     _codecs),
)


def aims(results):
    return table(["what", "reference", "aim", "measured"],
                 [[what, reference, aim, say(results[part]) if results.get(part) else "not run"]
                  for what, reference, aim, part, say in AIMS])
