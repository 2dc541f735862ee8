"""What people see on a terminal, in tmux: `eco2ai run` leaves the screen to the command, and `eco2ai
watch` fits. Needs tmux, bash, less, top and Python.

    python3 tests/terminal/terminal.py target/debug/eco2ai
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

ECO2AI = os.path.abspath(sys.argv[1])
FOLDER = tempfile.TemporaryDirectory()
TIMEOUT = 60
TITLE_IN_USE = re.compile(r": \d:\d\d:\d[2-9], .*Wh, .* CO2e$")
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("ECO2AI_")},
    "ECO2AI_CONFIG": os.path.join(FOLDER.name, "params.toml"),
    "XDG_STATE_HOME": os.path.join(FOLDER.name, "state"),
    "LC_ALL": "C.UTF-8",
}

# Draws into the corners of the alternate screen in raw mode, and waits for a key.
FULL_SCREEN = """
import os, sys, termios, tty
old = termios.tcgetattr(0)
tty.setraw(0)
size = os.get_terminal_size()
os.write(1, b"\\x1b[?1049h\\x1b[2J\\x1b[Htop left\\x1b[%d;%dHend" % (size.lines, size.columns - 2))
os.read(0, 1)
os.write(1, b"\\x1b[?1049l")
termios.tcsetattr(0, termios.TCSADRAIN, old)
"""

# A name, the command, what its screen shows when it waits, and the keys that end it.
PROGRAMS = [
    ("a prompt", ["bash", "-c", "read -p 'name? ' n; test \"$n\" = Ada"], "name?", ["Ada", "Enter"]),
    ("a password", ["bash", "-c", "read -sp 'password: ' p; echo; test \"$p\" = x"], "password:",
     ["x", "Enter"]),
    ("a line without end", [sys.executable, "-c", "print('epoch 0 ... ', end='', flush=True); input()"],
     "epoch 0 ...", ["Enter"]),
    ("less", ["less", "/etc/passwd"], "/etc/passwd", ["q"]),
    ("Python", [sys.executable, "-q"], ">>>", ["C-d"]),
    ("a full screen in raw mode", [sys.executable, "-c", FULL_SCREEN], "end", ["x"]),
]


def wait_for(what, is_so):
    end = time.monotonic() + TIMEOUT
    while not (found := is_so()):
        assert time.monotonic() < end, what() if callable(what) else what
        time.sleep(0.05)
    return found


class Terminal:
    """A terminal of its own server, in which a command runs."""

    number = 0

    def __init__(self, command, columns=80, lines=24):
        Terminal.number += 1
        self.socket = os.path.join(FOLDER.name, f"tmux-{Terminal.number}")
        self.folder = tempfile.mkdtemp(dir=FOLDER.name)
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(lines), "cat",
                  ";", "set", "-g", "remain-on-exit", "on", ";", "set", "-g", "status", "off",
                  ";", "respawn-pane", "-k", "-c", self.folder, self.line(command))

    @staticmethod
    def line(command):
        # tmux does not always learn the code of a command that has ended.
        return shlex.join(command) + "; echo $? > status.new; mv status.new status"

    def tmux(self, *arguments):
        done = subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *arguments],
                              env=ENVIRONMENT, check=True, capture_output=True, text=True)
        return done.stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")

    def keys(self, *keys):
        self.tmux("send-keys", *keys)

    def screen(self):
        return self.tmux("capture-pane", "-p").rstrip()

    def all_lines(self):
        """What was on the screen so far, with lines that the terminal wrapped in one."""
        return self.tmux("capture-pane", "-p", "-J", "-S", "-")

    def shows(self, text):
        wait_for(lambda: f"no {text!r} on {self.screen()!r}", lambda: text in self.screen())

    def title(self):
        return self.tmux("display", "-p", "#{pane_title}").strip()

    def status(self):
        """Waits for the end of the command, and returns its exit code."""
        path = os.path.join(self.folder, "status")
        wait_for(lambda: f"it goes on: {self.screen()!r}", lambda: os.path.exists(path))
        with open(path) as status:
            return int(status.read())

    def watch(self):
        """What is in progress on the log in the folder of the command."""
        done = subprocess.run([ECO2AI, "watch"], cwd=self.folder, env=ENVIRONMENT, check=True,
                              capture_output=True, text=True)
        return done.stdout


def the_screen_is_the_commands_own(columns, lines):
    for name, command, waiting, keys in PROGRAMS:
        with Terminal(command, columns, lines) as plain:
            plain.shows(waiting)
            expected = plain.screen()
        for live in (False, True):
            options = ["--live"] if live else []
            with Terminal([ECO2AI, "run", *options, "--", *command], columns, lines) as terminal:
                terminal.shows(waiting)
                before = terminal.title()
                # So long that something would have been drawn.
                if live:
                    wait_for("no title", lambda: TITLE_IN_USE.search(terminal.title()))
                else:
                    wait_for("not in progress", lambda: "power (" in terminal.watch())
                    assert terminal.title() == before, terminal.title()
                assert terminal.screen() == expected, (name, terminal.screen(), expected)
                terminal.keys(*keys)
                assert terminal.status() == 0, terminal.screen()
                wait_for("no result", lambda: "on average" in terminal.all_lines())
                assert not TITLE_IN_USE.search(terminal.title()), terminal.title()
        print(f"{columns} x {lines}: {name}")


def top_is_left_alone():
    with Terminal([ECO2AI, "run", "--live", "--", "top"]) as terminal:
        wait_for("no title", lambda: TITLE_IN_USE.search(terminal.title()))
        terminal.shows("PID")
        assert "CO2e" not in terminal.screen(), terminal.screen()
        terminal.keys("q")
        assert terminal.status() == 0
    print("top")


def a_stopped_command_goes_on_in_the_background_and_in_the_foreground():
    with Terminal(["bash", "--norc", "--noprofile", "-i"]) as terminal:
        terminal.keys("echo re''ady", "Enter")
        terminal.shows("ready")
        terminal.keys("stty tostop", "Enter", f"{ECO2AI} run --live -- sleep 600", "Enter")
        wait_for("no title", lambda: TITLE_IN_USE.search(terminal.title()))
        terminal.keys("C-z")
        terminal.shows("Stopped")
        terminal.keys("clear; bg", "Enter")

        def clock():
            return re.search(r"\d:(\d\d):(\d\d)", terminal.watch())

        begun = int(wait_for("not in progress", clock).group(2))
        wait_for("no progress", lambda: (now := clock()) and int(now.group(2)) >= begun + 3)
        # Whoever writes to the terminal from the background is stopped.
        terminal.keys("clear; jobs", "Enter")
        terminal.shows("Running")
        terminal.keys("clear; fg", "Enter")
        terminal.shows("sleep 600")
        terminal.keys("C-c")
        terminal.shows("sleep: ")
        assert ", error" in terminal.all_lines(), terminal.screen()
    print("Ctrl-Z, bg, fg, Ctrl-C")


def watch_fits(columns, wanted):
    with Terminal(["cat"], columns, 8) as terminal:
        held = [subprocess.Popen([ECO2AI, "run", "-q", "-p", "a project with a long name", "--",
                                  "sleep", "600"], cwd=terminal.folder, env=ENVIRONMENT)
                for _ in range(3)]
        try:
            wait_for("all in progress", lambda: len(terminal.watch().splitlines()) == 4)
            terminal.tmux("respawn-pane", "-k", "-c", terminal.folder, f"exec {ECO2AI} watch")
            terminal.shows("power (")
            lines = terminal.screen().splitlines()
            assert len(lines) == 4, lines
            for part in wanted:
                assert part in lines[0], lines
            ends = {len(line) for line in lines}
            assert len(ends) == 1 and ends.pop() <= columns, lines
            terminal.tmux("resize-window", "-y", "4")
            terminal.shows("and 2 more")
        finally:
            for one in held:
                one.terminate()
                one.wait()
    print(f"watch in {columns} columns")


if __name__ == "__main__":
    with FOLDER:
        the_screen_is_the_commands_own(80, 24)
        the_screen_is_the_commands_own(20, 8)
        top_is_left_alone()
        a_stopped_command_goes_on_in_the_background_and_in_the_foreground()
        watch_fits(80, ["run", "project", "process", "time", "power (", "energy (", "CO2e ("])
        watch_fits(44, ["run", "time", "power (", "energy ("])
