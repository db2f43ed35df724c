#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serial devices as profiles describe them, each shipped one by a transcript, on
a pty: what they say reaches the server, what it writes reaches them."""
import functools
import operator
import os
import sys
import termios

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

from fieldway_test import Scenario, SerialDevice, main, source_path  # noqa: E402
from fieldway_test.bus import PATH, Bus, Refused  # noqa: E402

WEIGHT, TARE, ZERO = "/3322/0/5700", "/3306/0/5850", "/3306/1/5850"
BUS = """schema: 1
bus: {name}
plugin: serial
{keys}
timeout: {timeout}
retries: 0
offline: {{after: 2, retry: 300ms..500ms}}
"""
DEVICE = """schema: 1
devices:
  - {{name: {name}, profile: {profile}, bus: {name}}}
"""


def xor(data):
    return functools.reduce(operator.xor, data, 0)


def sentence(text):
    """NMEA 0183."""
    return f"${text}*{xor(text.encode()):02X}\r\n".encode()


class SerialTest(Scenario):
    def start(self, profile, answers=(), timeout="500ms", keys="", more="", change=None,
              arguments=()):
        """The device, under a path as in /dev/serial/by-id, and the daemon with it as `d`."""
        self.device = SerialDevice(self.rig.path("by-id", "port0"), answers)
        self.addCleanup(self.device.close)
        with open(source_path("etc", "profiles.d", profile + ".yaml"), encoding="utf-8") as f:
            text = f.read()
        self.rig.write(f"etc/profiles.d/{profile}.yaml", change(text) if change else text)
        serial = f"serial: {{device: {self.device.path}{keys}}}"
        self.rig.write("etc/buses.d/d.yaml", BUS.format(name="d", keys=serial, timeout=timeout))
        self.rig.write("etc/devices.d/d.yaml", DEVICE.format(name="d", profile=profile))
        self.start_server(names=("gw", "gw-d"))
        self.configure(more=more or "register: {wait: none}")
        self.start_daemon(arguments=arguments)
        self.registered("gw-d")

    def until_value(self, path, value, say=None, timeout=15):
        """Said again each time: what is said before the port is open goes nowhere."""
        def fits(answer):
            if answer.fields.get("code") == "2.05":
                got = self.server.values(answer, path)[path]
                if got == value or (isinstance(value, float) and abs(got - value) < 1e-9):
                    return True
            if say:
                self.device.say(say)
            return False

        return self.until_read("gw-d", path, fits, timeout)

    # The shipped ones

    def test_scale(self):
        self.start("and-scale", [(b"MT\r\n", b"MT\r\n"), (b"MZ\r\n", b"I\r\n")])
        self.until_value(WEIGHT, 0.1234, b"ST,NT,+00123.4  g\r\n")
        self.assertEqual(self.read_one("gw-d", "/3322/0/5701"), "kg")
        self.until_value("/3200/0/5500", False, b"US,NT,+00200.0  g\r\n")
        # Not at rest: that is no weight, and none is made of it.
        self.assertNotEqual(self.server.request("gw-d", "GET", WEIGHT).payload, b"0.2")
        self.until_value(WEIGHT, 12.5, b"ST,GS,+0012.50 kg\r\n")
        self.expect(self.put("gw-d", TARE, "1"), "2.04")
        self.expect(self.put("gw-d", ZERO, "1"), "5.00")
        self.assertIn(b"MT\r\n", self.device.heard)
        # It does not answer this one: nobody knows.
        self.expect(self.put("gw-d", "/3306/2/5850", "1"), "5.04")
        self.assertEqual(self.device.heard.count(b"CT\r\n"), 1)

    def test_balance(self):
        self.start("mettler-sics", [(b"SI\r\n", b"S S     100.25 g\r\n"), (b"I4\r\n", b'I4 A "0123456789"\r\n'),
                                    (b"T\r\n", b"T S      50.00 g\r\n"), (b"Z\r\n", b"Z I\r\n")])
        self.until_value(WEIGHT, 0.10025)
        self.until_value("/3200/0/5500", True)
        self.until_value("/3/0/2", "0123456789")
        self.expect(self.put("gw-d", TARE, "1"), "2.04")
        answer = self.put("gw-d", ZERO, "1")
        self.expect(answer, "5.00")
        self.assertIn('the device refuses: "Z I"', answer.payload.decode())
        self.device.answers[0] = (b"SI\r\n", b"S D     120.00 g\r\n")
        self.until_value("/3200/0/5500", False)

    def test_receiver(self):
        self.start("nmea-0183-gnss")
        transcript = (sentence("GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,") +
                      sentence("GPGSA,A,3,04,05,,09,12,,,24,,,,,2.5,1.3,2.1") +
                      sentence("GPRMC,123519,A,4807.038,N,01131.000,E,022.4,084.4,230394,003.1,W"))
        self.until_value("/6/0/0", 48.1173, transcript)
        self.until_value("/6/0/1", 11.516666667, transcript)
        self.until_value("/6/0/2", 545.4)
        self.until_value("/6/0/5", 764426119, transcript)
        self.until_value("/6/0/6", 22.4 * 0.514444444, transcript)
        self.until_value("/3300/0/5700", 8)
        self.until_value("/3200/0/5500", True)
        # A wrong sum is no position.
        self.device.say(sentence("GPGGA,123519,4907.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,")[:-4] + b"00\r\n")
        self.until_value("/3300/0/5700", 9, sentence("GPGGA,123520,4807.038,N,01131.000,E,1,09,0.9,545.4,M,46.9,M,,"))
        self.assertEqual(self.read_one("gw-d", "/6/0/0"), 48.1173)

    def test_weather(self):
        self.start("nmea-0183-weather")
        self.until_value("/3346/0/5700", 10.0, sentence("WIMWV,214.8,R,36.0,K,A"))
        self.until_value("/3332/0/5705", 214.8)
        transcript = sentence("WIMDA,29.92,I,1.0132,B,18.5,C,16.2,C,78.0,,14.5,C,270.0,T,265.0,M,12.0,N,6.2,M")
        self.until_value("/3303/0/5700", 18.5, transcript)
        self.until_value("/3304/0/5700", 78.0, transcript)
        self.until_value("/3315/0/5700", 1013.2, transcript)
        self.until_value("/3346/0/5700", 5.0, sentence("WIMWV,10.0,R,5.0,M,A"))

    def test_logger(self):
        self.start("csv-logger")
        self.until_value("/3303/0/5700", 21.5, b"time,temperature,humidity,battery\n2026-11-25 12:00:00,21.5,44.5,3.61\n")
        self.until_value("/3304/0/5700", 44.5)
        self.until_value("/3316/0/5700", 3.61)

    METER = (b"0.0.0(00123456)\r\n1-0:1.8.0*255(000123.456*kWh)\r\n2.8.0(000001500*Wh)\r\n16.7(1.250*kW)\r\n"
             b"32.7.0(230.4*V)\r\n31.7.0(5.12*A)\r\n14.7(50.0*Hz)\r\n!\r\n\x03")

    def meter(self, rate=b"5"):
        """Its answers: who it is, and its data, at the rate that it has named."""
        data = b"\x02" + self.METER + bytes([xor(self.METER)])
        return [(b"/?!\r\n", b"/EMH" + rate + b"\\@01LZQJ\r\n"), (b"\x060" + rate + b"0\r\n", data)]

    @staticmethod
    def faster(text):
        """The same meter, asked more often; 7E1 is not for ptys, which have no parity."""
        return text.replace("rates: {slow: 1m}", "rates: {slow: 1s}").replace("pause: 300ms", "pause: 20ms")

    def test_meter(self):
        self.start("iec-62056-21-c", self.meter(), timeout="2s", keys=", baud: 300", change=self.faster)
        self.until_value("/3305/0/5805", 123456.0)
        self.until_value("/3305/0/5800", 1250.0)
        self.until_value("/3331/0/5700", 1.5)
        self.until_value("/3316/0/5700", 230.4)
        self.until_value("/3317/0/5700", 5.12)
        self.until_value("/3318/0/5700", 50.0)
        self.until_value("/3/0/2", "00123456")
        # 300 baud when it was asked, and 300 again after each read-out at 9600.
        self.assertEqual(set(self.device.speeds[::2]), {termios.B300})
        # A damaged block is no value, and not the end.
        good = self.device.answers[1]
        self.device.answers[1] = (good[0], good[1].replace(b"230.4", b"231.4"))
        self.until_code("gw-d", "/3316/0/5700", "5.03", 30)
        self.device.answers[1] = good
        self.until_value("/3316/0/5700", 230.4, timeout=30)

    def test_meter_without_another_rate(self):
        """It stays at 300 baud."""
        self.start("iec-62056-21-c", self.meter(b"0"), timeout="2s", keys=", baud: 300", change=self.faster)
        self.until_value("/3316/0/5700", 230.4)
        self.assertEqual(set(self.device.speeds), {termios.B300})

    # By hand

    def raw(self, text):
        return bytes(self.bus.call(f"{PATH}/bus/d", "Bus", "Raw", "a{sv}ayt", "0", str(len(text)), *map(str, text), "0")[0])

    def start_on_bus(self, *arguments):
        self.bus = Bus(self.rig)
        self.start(*arguments, arguments=["--bus=" + self.bus.address])
        self.bus.wait_name()

    def test_raw(self):
        self.start_on_bus("mettler-sics", [(b"SI\r\n", b"S S     100.25 g\r\n"), (b"I4\r\n", b'I4 A "1"\r\n'),
                                           (b"I0\r\n", b'I0 B 0 "I0"\r\nI0 A 1 "I4"\r\n')])
        self.until_value(WEIGHT, 0.10025)
        self.assertEqual(self.raw(b"I0\r\n"), b'I0 B 0 "I0"\r\nI0 A 1 "I4"\r\n')
        with self.assertRaisesRegex(Refused, "timed out"):
            self.raw(b"?")

    def test_raw_to_what_streams(self):
        self.start_on_bus("and-scale")
        self.until_value(WEIGHT, 1.0, b"ST,GS,+00001.0 kg\r\n")
        with self.assertRaisesRegex(Refused, "speak by themselves"):
            self.raw(b"Q\r\n")

    # Trouble

    def test_unplugged(self):
        self.start("and-scale")
        self.until_value(WEIGHT, 1.0, b"ST,GS,+00001.0 kg\r\n")
        for weight in (2.0, 3.0):
            self.device.unplug()
            self.until_code("gw-d", WEIGHT, "5.03")
            self.expect(self.put("gw-d", TARE, "1"), "5.03")
            self.device.plug()
            self.until_value(WEIGHT, weight, f"ST,GS,+{weight:07.1f} kg\r\n".encode())

    def test_unplugged_when_asked(self):
        answers = [(b"SI\r\n", b"S S       1.00 kg\r\n"), (b"I4\r\n", b'I4 A "1"\r\n')]
        self.start("mettler-sics", answers)
        self.until_value(WEIGHT, 1.0)
        self.device.unplug()
        self.until_code("gw-d", WEIGHT, "5.03", 30)
        self.device.plug()
        self.device.answers[0] = (b"SI\r\n", b"S S       2.00 kg\r\n")
        self.until_value(WEIGHT, 2.0, timeout=30)

    def test_silence(self):
        """What speaks by itself and stops is stale after `silence:`."""
        self.start("and-scale", change=lambda text: text.replace("silence: 5s", "silence: 1s"))
        self.until_value(WEIGHT, 1.0, b"ST,GS,+00001.0 kg\r\n")
        self.until_code("gw-d", WEIGHT, "5.03")
        self.until_value(WEIGHT, 2.0, b"ST,GS,+00002.0 kg\r\n")

    def test_garbage(self):
        """Another rate, a flood, frames too long: nothing of it is a value, and a good one is."""
        self.start("and-scale")
        self.until_value(WEIGHT, 1.0, b"ST,GS,+00001.0 kg\r\n")
        noise = bytes(range(256)) * 16
        for _ in range(200):
            self.device.say(noise)
            self.device.say(b"ST,GS,+00009.0 kg" + b"9" * 100 + b"\r\n")
        self.until_value(WEIGHT, 2.0, b"\r\nST,GS,+00002.0 kg\r\n")
        self.assertEqual(self.logged("plugin host ended"), [])


if __name__ == "__main__":
    main()
