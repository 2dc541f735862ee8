#!/usr/bin/env python3
"""Makes the pictures of the README from real runs on this machine.

    docs/pictures/make.py target/release/eco2ai target/release

The session is run on a terminal of its own and drawn as SVG; the report, of a log of real runs of the
examples, is photographed by headless Chromium. Each is made for light and for dark pages. The second
argument is the folder with the examples `digits`, `epochs` and `service`.
"""

import fcntl
import html
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios

HERE = pathlib.Path(__file__).resolve().parent
COLUMNS = 113
LINE_HEIGHT, CHARACTER_WIDTH, MARGIN = 19, 8.43, 16
MAX_PICTURE_BYTES = 150_000

PRIMES = """\
def is_prime(n):
    return all(n % d for d in range(2, int(n**0.5) + 1))

print(sum(is_prime(n) for n in range(2, 300_000)), "primes")
"""
FASTER = PRIMES.replace("all(n % d for d in range(2, int(n**0.5) + 1)",
                        "n == 2 or n % 2 and all(n % d for d in range(3, int(n**0.5) + 1, 2)")

SESSION = [
    "eco2ai run -- python3 primes.py",
    "eco2ai run -n 5 -f before.csv -- python3 primes.py > out.txt",
    "eco2ai run -n 5 -f after.csv -q -- python3 faster.py > out.txt",
    "eco2ai compare before.csv after.csv",
]

# Background, text, and the colours of a terminal by the number in their escape sequence.
SCHEMES = {
    "light": ("#f6f8fa", "#1f2328", {
        "31": "#cf222e", "32": "#116329", "33": "#7d4e00", "34": "#0969da", "35": "#8250df",
        "36": "#1b7c83", "90": "#59636e"}),
    "dark": ("#161b22", "#e6edf3", {
        "31": "#ff7b72", "32": "#56d364", "33": "#e3b341", "34": "#79c0ff", "35": "#d2a8ff",
        "36": "#56d4dd", "90": "#9198a1"}),
}


def on_terminal(command, folder, environment):
    """Returns what a command shows on a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    running = subprocess.Popen(["bash", "-c", command], cwd=folder, env=environment, stdin=theirs,
                               stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 65536):
            shown += piece
    except OSError:  # The end of a terminal on Linux.
        pass
    os.close(ours)
    assert running.wait() == 0, (command, shown)
    return shown.decode().replace("\r\n", "\n")


def spans(line, scheme):
    """Returns a line with colours as the content of an SVG text."""
    _, text_colour, colours = scheme
    style, found = {}, ""
    for part in re.split(r"(\x1b\[[\d;]*m)", line):
        if codes := re.fullmatch(r"\x1b\[([\d;]*)m", part):
            for code in (codes[1] or "0").split(";"):
                if code == "0":
                    style = {}
                elif code in ("1", "2"):
                    style["font-weight" if code == "1" else "opacity"] = "600" if code == "1" else "0.7"
                else:
                    style["fill"] = colours.get(code, text_colour)
        elif part:
            attributes = "".join(f' {name}="{value}"' for name, value in style.items())
            # Browsers fold spaces, but not those that do not break.
            content = html.escape(part).replace(" ", "\u00a0")
            found += f"<tspan{attributes}>{content}</tspan>"
    return found


def drawing(lines, scheme):
    background, text, _ = scheme
    width, height = COLUMNS * CHARACTER_WIDTH + 2 * MARGIN, len(lines) * LINE_HEIGHT + 2 * MARGIN
    rows = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + LINE_HEIGHT * at + 14}">{spans(line, scheme)}</text>'
        for at, line in enumerate(lines) if line)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}">
<rect width="100%" height="100%" rx="8" fill="{background}"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14"
 fill="{text}">
{rows}
</g>
</svg>
"""


def draw_session(folder, environment):
    lines = []
    for command in SESSION:
        lines += [f"\x1b[90m$\x1b[0m \x1b[1m{command}\x1b[0m"]
        lines += on_terminal(command, folder, environment).splitlines()
    for name, scheme in SCHEMES.items():
        (HERE / f"session-{name}.svg").write_text(drawing(lines, scheme))


def photograph_report(folder, environment):
    runs = ["digits", "epochs", "service", "eco2ai run -p scripts -- python3 primes.py",
            "digits", "eco2ai run -p scripts -- python3 faster.py", "epochs", "service", "digits"]
    for command in runs * 5:
        subprocess.run(command.split(), cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    subprocess.run(["eco2ai", "report"], cwd=folder, env=environment, check=True)
    for name, preferred in [("light", 1), ("dark", 0)]:
        picture = HERE / f"report-{name}.png"
        subprocess.run(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             f"--blink-settings=preferredColorScheme={preferred}", "--window-size=1100,1000",
             "--virtual-time-budget=3000", f"--screenshot={picture}", folder / "report.html"],
            check=True, stderr=subprocess.DEVNULL)
        assert picture.stat().st_size <= MAX_PICTURE_BYTES, (picture, picture.stat().st_size)


def main():
    eco2ai, examples = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        # The folder of `eco2ai` may have other builds of the examples.
        (folder / "bin").mkdir()
        (folder / "bin/eco2ai").symlink_to(eco2ai)
        environment = {
            "PATH": f"{folder}/bin:{examples}:{os.environ['PATH']}", "HOME": str(folder),
            "LC_ALL": "C.UTF-8", "TZ": "UTC", "TERM": "xterm-256color", "USER": "ada", "ECO2AI_COUNTRY": "FR", "ECO2AI_PROJECT": "primes",
        }
        (folder / "primes.py").write_text(PRIMES)
        (folder / "faster.py").write_text(FASTER)
        draw_session(folder, environment)
        (folder / "emission.csv").unlink()
        photograph_report(folder, environment)


if __name__ == "__main__":
    main()
