"""What a page of the book lets its reader do: the files that it shows, and the sessions.

In a page, these are of interest:

- a fence ```` ```console ````: lines after `$ ` are commands (`> ` continues one), the others are output;
- `<!-- file: NAME -->` before a fence: the text of the fence is written to this file first;
- `<!-- shell` … `-->`: commands that the reader does not see, such as the making of a repository;
- `<!-- depends on the machine -->` before a session: it is run, but its outputs are not compared.
"""

import dataclasses
import re


@dataclasses.dataclass
class Command:
    """A command of a session, with the output that the page shows at `lines[first:last]`."""
    text: str
    line: int
    shown: list = dataclasses.field(default_factory=list)
    compared: bool = True
    hidden: bool = False

    @property
    def first(self):
        return self.line + self.text.count("\n") + 1

    @property
    def last(self):
        return self.first + len(self.shown)


def commands(text):
    """Returns the commands of a page in their order; files are written by hidden ones."""
    lines, found, number, note = text.split("\n"), [], 0, ""
    while number < len(lines):
        line = lines[number]
        if line == "<!-- shell":
            end = lines.index("-->", number)
            found.append(Command("\n".join(lines[number + 1:end]), number, hidden=True))
            number = end
        elif line.startswith("```") and line != "```":
            end = lines.index("```", number + 1)
            if file := re.fullmatch(r"<!-- file: (\S+) -->", note):
                found.append(write_file(file[1], lines[number + 1:end], number))
            elif line == "```console":
                compared = note != "<!-- depends on the machine -->"
                found += session(lines, number + 1, end, compared)
            number = end
        note = lines[number] if lines[number].startswith("<!--") else ""
        number += 1
    return found


def write_file(name, content, line):
    content = "\n".join(content)
    text = f"mkdir -p \"$(dirname '{name}')\"\ncat > '{name}' <<'END OF FILE'\n{content}\nEND OF FILE"
    return Command(text, line, hidden=True)


def session(lines, start, end, compared):
    found = []
    for number in range(start, end):
        line = lines[number]
        if line.startswith("$ "):
            found.append(Command(line[2:], number, compared=compared))
        elif line.startswith("> ") and found and not found[-1].shown:
            found[-1].text += "\n" + line[2:]
        elif found:
            found[-1].shown.append(line)
        else:
            raise ValueError(f"line {number + 1}: a session begins with `$ `")
    return found


def with_outputs(text, outputs):
    """Returns the page with new outputs; `outputs` are pairs of a command and its lines."""
    lines = text.split("\n")
    for command, output in reversed(outputs):
        lines[command.first:command.last] = output
    return "\n".join(lines)
