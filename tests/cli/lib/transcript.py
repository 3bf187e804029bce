"""Runs the commands of a document and compares what they print with what the document shows.

    transcript.py [--update] FILE...

A command is a line of an indented block that begins with "$ ". What follows up to the next command or
the end of the block is what it prints (stdout); a line of three dots stands for any lines. A command that
shows nothing must succeed. All commands of a document run in one folder, one after the other; of this
repository it has a copy of docs/matrix.

With --update the document is given what they print now: between three dots the lines that are most like
those that stood there. Where a token has become another one, later commands use that.
"""
import difflib
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

INDENT = "    "
DOTS = "..."
MATRIX = pathlib.Path("docs", "matrix")
REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
TOKEN = re.compile(r"il1:[a-z0-9]+")


def commands_in(lines):
    """Yields (index of the command, index behind what it prints)."""
    at = 0
    while at < len(lines):
        if not lines[at].startswith(INDENT + "$ "):
            at += 1
            continue
        end = at + 1
        while end < len(lines) and (lines[end] == "" or lines[end].startswith(INDENT)) \
                and not lines[end].startswith(INDENT + "$ "):
            end += 1
        begin, at = at, end
        while lines[end - 1] == "":
            end -= 1
        yield begin, end


def without_blank_beginning(lines):
    while lines and lines[0] == "":
        lines = lines[1:]
    return lines


def run(command, folder):
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True)
    lines = [line.expandtabs().rstrip() for line in done.stdout.rstrip("\n").split("\n")]
    return without_blank_beginning(lines), done


def matches(shown, printed):
    """Whether the lines are the same, three dots standing for any."""
    if DOTS not in shown:
        return shown == printed
    cut = shown.index(DOTS)
    if printed[:cut] != shown[:cut]:
        return False
    rest = shown[cut + 1:]
    return not rest or any(matches(rest, printed[i:]) for i in range(cut, len(printed) + 1))


def updated(shown, printed):
    """What is printed, cut as `shown` is."""
    pieces = [[]]
    for line in shown:
        if line == DOTS:
            pieces.append([])
        else:
            pieces[-1].append(line)
    if len(pieces) == 1:
        return printed
    lines, least = [], 0
    for number, piece in enumerate(pieces):
        last = max(least, len(printed) - len(piece))
        begins = range(least, last + 1)
        if number == 0:
            begins = [0]
        elif number == len(pieces) - 1:
            begins = [last]
        at = max(begins, key=lambda at: sum(map(str.__eq__, piece, printed[at:])))
        least = at + len(piece)
        lines += ([DOTS] if number > 0 else []) + printed[at:least]
    return lines


class Document:
    def __init__(self, path, update):
        self.path, self.update = path, update
        self.renamed = {}  # tokens
        self.wrong = 0

    def complain(self, number, command, shown, printed, done):
        self.wrong += 1
        print(f"{self.path}:{number}: {command}: exit {done.returncode}")
        print("\n".join(difflib.unified_diff(shown, printed, "shown", "printed", lineterm="")))
        print(done.stderr)

    def rename(self, shown, now):
        before, after = TOKEN.findall("\n".join(shown)), TOKEN.findall("\n".join(now))
        if len(before) == len(after):
            self.renamed.update(zip(before, after))

    def checked(self, number, block, folder):
        """The block as it should be."""
        command = TOKEN.sub(lambda token: self.renamed.get(token[0], token[0]),
                            block[0][len(INDENT) + 2:])
        block = [f"{INDENT}$ {command}"] + block[1:]
        shown = without_blank_beginning([line[len(INDENT):].rstrip() for line in block[1:]])
        printed, done = run(command, folder)
        if matches(shown, printed) if shown else done.returncode == 0:
            return block
        if not self.update or not shown or not "".join(printed):
            self.complain(number, command, shown, printed, done)
            return block
        now = updated(shown, printed)
        self.rename(shown, now)
        gap = [""] if block[1] == "" else []
        return block[:1] + gap + [(INDENT + line).rstrip() for line in now]

    def check(self):
        lines = open(self.path, encoding="utf-8").read().split("\n")
        result, done = [], 0
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(REPOSITORY / MATRIX, folder / MATRIX)
            for begin, end in commands_in(lines):
                result += lines[done:begin] + self.checked(begin + 1, lines[begin:end], folder)
                done = end
        if self.update:
            with open(self.path, "w", encoding="utf-8") as file:
                file.write("\n".join(result + lines[done:]))
        return self.wrong


def main():
    update = "--update" in sys.argv[1:]
    paths = [argument for argument in sys.argv[1:] if argument != "--update"]
    sys.exit(1 if sum(Document(path, update).check() for path in paths) else 0)


if __name__ == "__main__":
    main()
