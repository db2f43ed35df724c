# SPDX-License-Identifier: Apache-2.0
"""What the server sees, as a table that redraws or as plain lines."""
import shutil
import sys
import time

HOME, CLEAR_LINE, CLEAR_BELOW, HIDE, SHOW = "\033[H", "\033[K", "\033[J", "\033[?25l", "\033[?25h"
BOLD, DIM, RED, GREEN, PLAIN = "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[m"
WIDTHS = (14, 13, 31, 12, 5, 7)
TITLES = ("endpoint", "path", "resource", "value", "unit", "age")
NAME = 2                # the column that gives way on a narrow terminal
NAME_LEAST = 8
MESSAGES = 3
REDRAW_S = 0.2


def show(value):
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:.7g}"
    return str(value)


def columns(cells, widths):
    return "  ".join(f"{cell[:width]:<{width}}" if i <= NAME else f"{cell:>{width}}"
                     for i, (cell, width) in enumerate(zip(cells, widths)))


def fit(width):
    """WIDTHS, for a terminal of that width."""
    rest = width - 1 - len(columns([""] * len(WIDTHS), WIDTHS))
    return tuple(max(NAME_LEAST, w + min(rest, 0)) if i == NAME else w for i, w in enumerate(WIDTHS))


class Row:
    def __init__(self, endpoint, path, name, unit):
        self.endpoint, self.path, self.name, self.unit = endpoint, path, name, unit
        self.value = None
        self.seen = None      # time.monotonic()
        self.stale = False

    def age(self):
        return "stale" if self.stale else "" if self.seen is None else f"{time.monotonic() - self.seen:.0f} s"

    def cells(self):
        return (self.endpoint, self.path, self.name, show(self.value), self.unit, self.age())


class Table:
    """rows: {(endpoint, path): Row} in the order they are shown in; steps: [text, done]."""

    def __init__(self, title):
        self.title = title
        self.rows = {}
        self.steps = []
        self.messages = []
        self.terminal = sys.stdout.isatty()
        self.start = time.monotonic()
        self.drawn = 0.0
        if self.terminal:
            sys.stdout.write("\033[2J" + HIDE)

    def close(self):
        if self.terminal:
            self.draw()
            sys.stdout.write(SHOW)
            sys.stdout.flush()

    def say(self, text):
        """Something that happened."""
        self.messages.append(text)
        if not self.terminal:
            print(f"{time.monotonic() - self.start:5.1f} s  {text}", flush=True)

    def add(self, row):
        self.rows[row.endpoint, row.path] = row

    def remove(self, endpoint):
        self.rows = {key: row for key, row in self.rows.items() if key[0] != endpoint}

    def set(self, endpoint, path, value):
        row = self.rows[endpoint, path]
        changed = row.value != value or row.seen is None
        row.value, row.seen = value, time.monotonic()
        if changed and not self.terminal:
            self.say(self.line(row))

    def set_stale(self, endpoint, stale, paths):
        for row in self.rows.values():
            if row.endpoint == endpoint and row.path in paths and row.stale != stale:
                row.stale = stale
                if not self.terminal and stale:
                    self.say(self.line(row))

    @staticmethod
    def line(row):
        return columns(row.cells(), WIDTHS)

    def turn(self):
        """Called often; redraws now and then."""
        if self.terminal and time.monotonic() - self.drawn >= REDRAW_S:
            self.draw()

    def progress(self, room):
        """The steps, or, where there is no room for them, how many are done and which comes next."""
        if len(self.steps) + 1 + MESSAGES <= room:
            return [(GREEN if done else DIM, f"{'x' if done else ' '} {text}") for text, done in self.steps]
        waiting = [text for text, done in self.steps if not done]
        count = f"{len(self.steps) - len(waiting)} of {len(self.steps)} seen"
        return [(DIM, f"{count}; next: {waiting[0]}") if waiting else (GREEN, count)]

    def lines(self, width, height):
        """What is drawn on a terminal of that size: (color, text)."""
        widths = fit(width)
        lines = [(BOLD, self.title), ("", ""), (BOLD, columns(TITLES, widths))]
        lines += [(DIM + RED if row.stale else "", columns(row.cells(), widths)) for row in self.rows.values()]
        lines.append(("", ""))
        lines += self.progress(height - 1 - len(lines))
        room = height - 1 - len(lines)
        if room > MESSAGES:
            lines.append(("", ""))
        lines += [(DIM, text) for text in self.messages[-max(0, min(room, MESSAGES)):]] if room > 0 else []
        return [(color, text[:width - 1]) for color, text in lines[:height - 1]]

    def draw(self):
        self.drawn = time.monotonic()
        size = shutil.get_terminal_size()
        sys.stdout.write(HOME + "".join(f"{color}{text}{PLAIN if color else ''}{CLEAR_LINE}\n"
                                        for color, text in self.lines(size.columns, size.lines)) + CLEAR_BELOW)
        sys.stdout.flush()
