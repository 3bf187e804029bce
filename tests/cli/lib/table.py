"""What tests/cli/table.sh asks of a matrix and its page.

    table.py DOCUMENT PAGE FRONT-PAGE FOLDER   exit 1 if the front page has not the rows of PAGE, or
                                               FOLDER has files that no cell of DOCUMENT needs
    table.py --missing DOCUMENT                cells without a certificate, and how to make it
    table.py --failures DOCUMENT               token, kernel and signature of each failure
"""
import json
import pathlib
import re
import sys

def cells_of(file):
    return json.loads(pathlib.Path(file).read_text())["cells"]


def rows_of(text):
    """By what they are about: the scenario with its title, or in a list the scenario and the kernel."""
    rows = [line for line in text.splitlines() if re.match(r"\| (<a|\[)", line)]
    return {tuple(row.split("|")[1:2 if "<br>" in row.split("|")[1] else 3]): row for row in rows}


def scenario_of(key):
    return re.search(r"\[(.*?)\]", key[0]).group(1)


def differences(cells, page, front_page, folder):
    made, written = rows_of(page), rows_of(front_page)
    undecided = {key for key, row in made.items() if "| ? " in row}
    scenarios = {scenario_of(key) for key in undecided}
    for key in sorted(made.keys() | written.keys()):
        failure_of_undecided = "<a id" in key[0] and scenario_of(key) in scenarios and not (key in made and key in written)
        if made.get(key) != written.get(key) and key not in undecided and not failure_of_undecided:
            yield f"the row of {scenario_of(key)} in docs/README.md is not what docs/matrix says: run script/matrix"
    used = {cell.get(key) for cell in cells for key in ("certificate", "token")}
    for file in sorted(folder.glob("*")):
        if str(file) not in used:
            yield f"no cell of the table needs {file}: run script/matrix"


def main():
    if sys.argv[1] == "--missing":
        missing = [c for c in cells_of(sys.argv[2]) if c["verdict"] != "N/A" and "certificate" not in c]
        for cell in missing:
            print(f"no certificate of {cell['scenario']} on {cell['kernel']}")
        if missing:
            print(f"{len(missing)} cells have no certificate: run script/matrix")
    elif sys.argv[1] == "--failures":
        for cell in cells_of(sys.argv[2]):
            if cell["verdict"] == "FAIL":
                print(cell["token"], cell["kernel"], cell["signature"], sep="\t")
    else:
        document, page, front_page, folder = map(pathlib.Path, sys.argv[1:])
        found = list(differences(cells_of(document), page.read_text(), front_page.read_text(), folder))
        print(*found, sep="\n", file=sys.stderr)
        sys.exit(bool(found))


main()
