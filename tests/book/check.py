#!/usr/bin/env python3
"""Checks the README and the pages of `docs/`: does what they show.

    tests/book/check.py target/debug/eco2ai target/release [--write] [PAGE…]

Each page is read by somebody with an empty folder and no saved parameters: its files are written, its
sessions are run in order, and each output must be the one shown, apart from figures, times and names
(see `outputs.py`). A command must succeed unless the page then shows `$ echo $?`. Links must lead
somewhere, and options of `eco2ai` must exist. The second argument is the folder with the examples.
`--write` puts new outputs into the pages that differ, and into those that are named.
"""

import argparse
import concurrent.futures
import difflib
import os
import pathlib
import subprocess
import sys
import tempfile

import outputs
import page as pages
import references

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE_TIMEOUT_SECONDS = 300
MARK = "\x01"


def environment(folder, eco2ai, examples):
    """Returns the environment of a reader: nothing of whoever runs the check."""
    kept = ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"]
    home = pathlib.Path.home()
    return {
        "CARGO_HOME": str(home / ".cargo"), "RUSTUP_HOME": str(home / ".rustup"),
        **{name: os.environ[name] for name in kept if name in os.environ},
        "PATH": f"{folder}/bin:{examples}:{os.environ['PATH']}",
        "HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder / "home/.config"),
        "XDG_STATE_HOME": str(folder / "home/.state"), "TMPDIR": str(folder / "tmp"),
        "USER": "ada", "LC_ALL": "C.UTF-8", "TZ": "UTC", "NO_COLOR": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "Ada", "GIT_COMMITTER_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_EMAIL": "ada@example.org",
        "REPOSITORY": str(ROOT), "CARGO_TARGET_DIR": str(eco2ai.parent.parent),
        **{name: os.environ[name] for name in ["CARGO_PROFILE_DEV_DEBUG"] if name in os.environ},
    }


def run(commands, eco2ai, examples):
    """Runs the commands in one shell; returns a pair of the lines of output and the exit code of each.
    A shell that ends before the last command has fewer."""
    script = "exec 2>&1\n"
    for command in commands:
        script += f"{command.text}\n(code=$?; printf '{MARK}%s{MARK}' $code; exit $code)\n"
    with tempfile.TemporaryDirectory(prefix="book-") as folder:
        folder = pathlib.Path(folder)
        for name in ["bin", "home", "tmp", "work"]:
            (folder / name).mkdir()
        # Its own folder may have other builds of the examples.
        (folder / "bin/eco2ai").symlink_to(eco2ai)
        (folder / "script").write_text(script)
        done = subprocess.run(
            ["bash", folder / "script"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
            check=False, cwd=folder / "work", env=environment(folder, eco2ai, examples),
            timeout=PAGE_TIMEOUT_SECONDS)
    parts = done.stdout.split(MARK)
    texts = [[line.rstrip() for line in text.splitlines()] for text in parts[:-1:2]]
    return list(zip(texts, map(int, parts[1::2])))


def difference(command, output):
    lines = difflib.unified_diff(
        outputs.normal(command.shown), outputs.normal(output), "shown", "printed", lineterm="", n=9)
    return "\n".join(["compared as:", *lines, "printed in full:", *output])


def check(page, eco2ai, examples):
    """Returns what is wrong with a page, and the page with new outputs."""
    text = page.read_text()
    problems = [*references.broken_links(page), *references.unknown_options(page, str(eco2ai))]
    commands = pages.commands(text)
    results = run(commands, eco2ai, examples) if commands else []
    if len(results) < len(commands):
        problems.append(f"{page}: the shell ended at {commands[len(results)].text}")
    renewed = []
    for at, (command, (output, code)) in enumerate(zip(commands, results)):
        where = f"{page.relative_to(ROOT)}:{command.line + 1}: {command.text}"
        asked = at + 1 < len(commands) and "echo $?" in commands[at + 1].text
        if code != 0 and not asked:
            problems.append("\n".join([f"{where}\nended with code {code}", *output]))
        if command.hidden:
            continue
        elided = "…" in command.shown
        matches = outputs.same(command.shown, output)
        if command.compared and not matches:
            problems.append(f"{where}\n{difference(command, output)}")
        if not (elided and (matches or not command.compared)):
            renewed.append((command, output))
    return problems, pages.with_outputs(text, renewed)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("eco2ai", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("examples", type=lambda path: pathlib.Path(path).resolve())
    parser.add_argument("--write", action="store_true")
    parser.add_argument("pages", nargs="*", type=lambda path: pathlib.Path(path).resolve())
    given = parser.parse_intermixed_args()
    book = given.pages or [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    failed = False
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        checks = [pool.submit(check, page, given.eco2ai, given.examples) for page in book]
        for page, done in zip(book, checks):
            problems, renewed = done.result()
            print(f"{page.relative_to(ROOT)}: {len(problems)} problem(s)")
            print("\n\n".join(problems), end="\n\n" if problems else "")
            failed |= bool(problems)
            if given.write and (problems or given.pages):
                page.write_text(renewed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
