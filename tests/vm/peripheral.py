#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A Bluetooth LE peripheral on the controller hci1, by bluetoothd: Environmental Sensing and Battery
services, a characteristic that can be written, and BTHome data in its advertisement. Prints `ready
ADDRESS`; commands on standard input: `temperature N` (hundredths of a degree), `battery N` (notified),
`bthome HEX`, `written` (the last value), each answered by `ok ...`."""
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

BLUEZ, ADAPTER = "org.bluez", "/org/bluez/hci1"
PROPERTIES, MANAGER = "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.ObjectManager"
SERVICE, CHARACTERISTIC = "org.bluez.GattService1", "org.bluez.GattCharacteristic1"
ADVERTISEMENT = "org.bluez.LEAdvertisement1"
ROOT = "/peripheral"


class Object(dbus.service.Object):
    """Something with properties of one interface."""

    interface = None

    def __init__(self, bus, path, properties):
        super().__init__(bus, path)
        self.path, self.properties = path, properties

    @dbus.service.method(PROPERTIES, in_signature="s", out_signature="a{sv}")
    def GetAll(self, interface):
        return self.properties if interface == self.interface else {}

    @dbus.service.signal(PROPERTIES, signature="sa{sv}as")
    def PropertiesChanged(self, interface, changed, invalidated):
        pass


class Service(Object):
    interface = SERVICE

    def __init__(self, bus, index, uuid):
        super().__init__(bus, f"{ROOT}/service{index}",
                         {"UUID": uuid, "Primary": True, "Characteristics": dbus.Array([], signature="o")})


class Characteristic(Object):
    interface = CHARACTERISTIC

    def __init__(self, bus, service, index, uuid, flags, value):
        super().__init__(bus, f"{service.path}/char{index}",
                         {"UUID": uuid, "Service": dbus.ObjectPath(service.path), "Flags": dbus.Array(flags, signature="s")})
        self.value, self.notifying = value, False

    @dbus.service.method(CHARACTERISTIC, in_signature="a{sv}", out_signature="ay")
    def ReadValue(self, options):
        return dbus.ByteArray(self.value)

    @dbus.service.method(CHARACTERISTIC, in_signature="aya{sv}")
    def WriteValue(self, value, options):
        self.value = bytes(value)

    @dbus.service.method(CHARACTERISTIC)
    def StartNotify(self):
        self.notifying = True

    @dbus.service.method(CHARACTERISTIC)
    def StopNotify(self):
        self.notifying = False

    def set(self, value):
        self.value = value
        if self.notifying:
            self.PropertiesChanged(CHARACTERISTIC, {"Value": dbus.ByteArray(value)}, [])


class Application(dbus.service.Object):
    def __init__(self, bus, objects):
        super().__init__(bus, ROOT)
        self.objects = objects

    @dbus.service.method(MANAGER, out_signature="a{oa{sa{sv}}}")
    def GetManagedObjects(self):
        return {dbus.ObjectPath(o.path): {o.interface: o.properties} for o in self.objects}


class Advertisement(Object):
    interface = ADVERTISEMENT

    @dbus.service.method(ADVERTISEMENT)
    def Release(self):
        pass


class Peripheral:
    def __init__(self):
        dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
        self.bus, self.loop, self.n = dbus.SystemBus(), GLib.MainLoop(), 0
        self.adapter = self.bus.get_object(BLUEZ, ADAPTER)
        dbus.Interface(self.adapter, PROPERTIES).Set(BLUEZ + ".Adapter1", "Powered", True)
        sensing, battery, own = (Service(self.bus, i, uuid) for i, uuid in
                                 enumerate(("181a", "180f", "6e400001-b5a3-f393-e0a9-e50e24dcca9e")))
        self.temperature = Characteristic(self.bus, sensing, 0, "2a6e", ["read"], (2150).to_bytes(2, "little"))
        self.battery = Characteristic(self.bus, battery, 0, "2a19", ["read", "notify"], b"\x64")
        self.target = Characteristic(self.bus, own, 0, "6e400002-b5a3-f393-e0a9-e50e24dcca9e", ["read", "write"], b"\0\0")
        self.application = Application(self.bus, [sensing, battery, own, self.temperature, self.battery, self.target])
        self.advertisement = None

    def call(self, interface, member, *arguments):
        """Waits by the loop: bluetoothd asks back before it answers."""
        answers = []
        dbus.Interface(self.adapter, BLUEZ + "." + interface).get_dbus_method(member)(
            *arguments, reply_handler=lambda *a: answers.append(None), error_handler=answers.append)
        while not answers:
            self.loop.get_context().iteration(True)
        if answers[0]:
            raise SystemExit(f"{member}: {answers[0]}")

    def advertise(self, bthome):
        if self.advertisement:
            self.call("LEAdvertisingManager1", "UnregisterAdvertisement", dbus.ObjectPath(self.advertisement.path))
            self.advertisement.remove_from_connection()
        self.n += 1
        data = dbus.Dictionary({"fcd2": dbus.Array(bytes.fromhex(bthome), signature="y")}, signature="sv")
        self.advertisement = Advertisement(self.bus, f"{ROOT}/advertisement{self.n}", {
            "Type": "peripheral", "ServiceData": data, "Discoverable": True})
        self.call("LEAdvertisingManager1", "RegisterAdvertisement", dbus.ObjectPath(self.advertisement.path),
                  dbus.Dictionary({}, signature="sv"))

    def command(self, word, argument=""):
        if word == "temperature":
            self.temperature.set(int(argument).to_bytes(2, "little", signed=True))
        elif word == "battery":
            self.battery.set(bytes([int(argument)]))
        elif word == "bthome":
            self.advertise(argument)
        elif word == "written":
            return "ok " + self.target.value.hex()
        else:
            return "error no such command"
        return "ok"

    def on_input(self, source, condition):
        line = sys.stdin.readline()
        if not line:
            self.loop.quit()
            return False
        print(self.command(*line.split()), flush=True)
        return True

    def run(self):
        self.call("GattManager1", "RegisterApplication", dbus.ObjectPath(ROOT), dbus.Dictionary({}, signature="sv"))
        self.advertise("4002ca0903bf13")
        address = dbus.Interface(self.adapter, PROPERTIES).Get(BLUEZ + ".Adapter1", "Address")
        GLib.io_add_watch(0, GLib.IO_IN | GLib.IO_HUP, self.on_input)
        print("ready", address, flush=True)
        self.loop.run()


Peripheral().run()
