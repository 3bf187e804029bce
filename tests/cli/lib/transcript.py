"""Runs the commands of a document and compares what they print with what the document shows.

    transcript.py [--update] FILE...

A command is a line of an indented block that begins with "$ ". What follows up to the next command or
the end of the block is what it prints (stdout); a line of three dots stands for any lines. All commands
of a document run in one folder, one after the other. With --update the document is given what they print
now; behind three dots as many lines as it had.
"""
import difflib
import subprocess
import sys
import tempfile

INDENT = "    "
DOTS = "..."


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


def run(command, folder):
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True)
    return [line.expandtabs().rstrip() for line in done.stdout.rstrip("\n").split("\n")], done.stderr


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
    if DOTS not in shown:
        return printed
    cut = shown.index(DOTS)
    behind = len(shown) - cut - 1
    return printed[:cut] + [DOTS] + (printed[-behind:] if behind else [])


def check(path, update):
    lines = open(path, encoding="utf-8").read().split("\n")
    result, done, wrong = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for begin, end in commands_in(lines):
            command = lines[begin][len(INDENT) + 2:]
            shown = [line[len(INDENT):].rstrip() for line in lines[begin + 1:end]]
            while shown and shown[0] == "":
                shown = shown[1:]
            gap = [""] if end > begin + 1 and lines[begin + 1] == "" else []
            printed, complaints = run(command, folder)
            while printed and printed[0] == "":
                printed = printed[1:]
            if shown and not matches(shown, printed):
                if update:
                    shown = updated(shown, printed)
                else:
                    wrong += 1
                    print(f"{path}:{begin + 1}: {command}")
                    print("\n".join(difflib.unified_diff(shown, printed, "shown", "printed", lineterm="")))
                    print(complaints)
            result += lines[done:begin + 1] + gap + [(INDENT + line).rstrip() for line in shown]
            done = end
    if update:
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(result + lines[done:]))
    return wrong


def main():
    arguments = sys.argv[1:]
    update = "--update" in arguments
    paths = [argument for argument in arguments if argument != "--update"]
    sys.exit(1 if sum(check(path, update) for path in paths) else 0)


if __name__ == "__main__":
    main()
