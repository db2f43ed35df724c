# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium in front of a cockpit-ws whose bridge runs as a user of this machine."""
import os
import subprocess

from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from fieldway_test import source_path
from fieldway_test.scenario import free_port

COCKPIT_WS = "/usr/lib/cockpit/cockpit-ws"
PAGE_S = 30
WIDTH, HEIGHT = 1280, 900
HOME = "/nonexistent"


class Cockpit:
    """Only the port of loopback is guarded by the namespace: whoever connects is the user of the bridge."""

    def __init__(self, rig, environment, user=None):
        shared = rig.path("share/cockpit")
        os.makedirs(shared, exist_ok=True)
        if not os.path.exists(shared + "/fieldway"):
            os.symlink(source_path("packaging/cockpit"), shared + "/fieldway")
        self.port = free_port(["127.0.0.1"])
        bridge = "cockpit-bridge"
        if user is not None:
            bridge = rig.write("bridge", "#!/bin/sh\nexec setpriv "
                               f"--reuid={user} --regid={user} --clear-groups cockpit-bridge\n", 0o755)
        self.process = rig.start(
            [COCKPIT_WS, "--no-tls", "--address=127.0.0.1", f"--port={self.port}", "--local-session=" + bridge],
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment, "XDG_DATA_DIRS": rig.path("share") + ":/usr/share", "HOME": HOME,
                 "XDG_RUNTIME_DIR": rig.path("share")})

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}/cockpit/@localhost/fieldway/index.html#/{path}"


class Browser:
    def __init__(self, rig):
        options = Options()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         f"--window-size={WIDTH},{HEIGHT}", "--user-data-dir=" + rig.path("browser")):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.rig = rig
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_page_load_timeout(PAGE_S)

    def close(self):
        self.driver.quit()

    def open(self, url):
        self.driver.get("about:blank")
        self.driver.get(url)

    def find(self, selector):
        try:
            return self.driver.find_element(By.CSS_SELECTOR, selector)
        except NoSuchElementException:
            return None

    def text(self, selector):
        """What can be seen of it; "" where there is none."""
        try:
            element = self.find(selector)
            return element.text if element else ""
        except StaleElementReferenceException:
            return ""

    def rows(self, section):
        """The texts of a table's cells, row by row."""
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0] + ' tbody tr')]"
            ".map(row => [...row.cells].map(cell => cell.textContent))", section)

    def until(self, look, what, timeout=PAGE_S):
        self.rig.until(look, timeout, what)

    def until_text(self, selector, text):
        self.until(lambda: text in self.text(selector), f"{text!r} in {selector}, where there is {self.text(selector)!r}")

    def click(self, selector):
        self.until(lambda: self.find(selector), selector)
        self.find(selector).click()

    def complaints(self):
        """What the page's scripts complained of."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and "favicon" not in entry["message"]]
