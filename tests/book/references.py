"""Whether what a page names exists: the pages and headings that it links to, and the commands and
options of `eco2ai` in its fences and its text."""

import functools
import re
import shlex
import subprocess

LINK = re.compile(r"\]\((?![a-z]+:)([^)\s]*)\)|(?:src|srcset)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
FENCE = re.compile(r"^```(\w*).*?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
END_OF_COMMAND = {"|", "||", "&&", "&", ";", ">", "<", "2>", "--"}
SHELL = {"console", "sh", "yaml", "bash"}


def broken_links(page):
    """Yields a message for each link to a file or heading that does not exist."""
    text = FENCE.sub("", page.read_text())
    for link in LINK.finditer(text):
        target, _, anchor = (link[1] or link[2] or "").partition("#")
        file = (page.parent / target) if target else page
        if not file.exists():
            yield f"{page}: no file {target}"
        elif anchor and anchor not in anchors(file.read_text()):
            yield f"{page}: no heading #{anchor} in {file.name}"


def anchors(text):
    """Returns the anchors that renderers of Markdown give the headings."""
    headings = HEADING.findall(FENCE.sub("", text))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def unknown_options(page, eco2ai):
    """Yields a message for each subcommand or option of `eco2ai` that does not exist."""
    text = page.read_text()
    pieces = [body for language, body in FENCE.findall(text) if language in SHELL]
    pieces += INLINE.findall(FENCE.sub("", text))
    for line in (line for piece in pieces for line in piece.splitlines()):
        for words in uses(line):
            if problem := wrong(words, eco2ai):
                yield f"{page}: {problem}: {line.strip()}"


def uses(line):
    """Yields the words after each `eco2ai` in a line of shell that runs it."""
    lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    try:
        words = list(lexer)
    except ValueError:
        return
    for at, word in enumerate(words[:-1]):
        if word == "eco2ai" and not {"cargo", "pip", "git", "-p", "completions/eco2ai"} & set(words[:at]):
            rest = words[at + 1:]
            ends = [index for index, word in enumerate(rest) if word in END_OF_COMMAND]
            yield rest[:min(ends, default=len(rest))]


def wrong(words, eco2ai):
    if not words or not re.fullmatch(r"[a-z]+", words[0]):
        return None
    known = options(eco2ai, words[0])
    if known is None:
        return f"no command {words[0]}"
    for word in words[1:]:
        name = word.split("=")[0]
        if re.fullmatch(r"--[a-z][a-z0-9-]*|-[a-z]", name) and name not in known:
            return f"no option {name}"
    return None


@functools.cache
def options(eco2ai, command):
    """Returns the options in the help of a command, `None` if there is no such command."""
    done = subprocess.run([eco2ai, command, "--help"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z0-9-]*|-[a-zA-Z])\b", done.stdout))
