# Cells of the group quick, explored again: each of its scenarios on 6.1, and wherever a failure is
# recorded that was found at once. What comes out is what the certificates of docs/matrix say that
# this revision of the search made.

cat >chosen.py <<'PYTHON'
import json, pathlib, sys
kept, first, last = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
group = [scenario["id"] for scenario in json.load(open("out"))["scenarios"]]
cells = {}
for file in sorted(kept.glob("*.cert.json")):
    of = json.loads(file.read_text())
    at_once = of["verdict"] == "FAIL" and of["cell"]["time_ms"] < 5000 and "same_as" not in of["cell"]
    if of["scenario"] in group and (of["kernel"] == "6.1" or at_once) and first <= of["cell"]["time_ms"] < last:
        cells.setdefault(of["scenario"], []).append(of["kernel"])
for scenario in group:
    if scenario in cells:
        print(scenario, ",".join(cells[scenario]))
PYTHON

cat >compare.py <<'PYTHON'
import json, pathlib, sys
compared = 0
for file in sorted(pathlib.Path("again").glob("*.cert.json")):
    now, then = json.loads(file.read_text()), pathlib.Path(sys.argv[1], file.name)
    if not then.exists():
        continue
    then = json.loads(then.read_text())
    if then.get("search_revision") != now["search_revision"]:
        continue
    compared += 1
    # What the model has had since is asked for as well, and the kernel does not have it.
    known = set(then["asked"]) | set(then["unasked"].split())
    newer = {question: yes for question, yes in now["asked"].items() if question not in known}
    if any(newer.values()):
        print(f"{file.name}: not known when it was made: {newer}")
    for question in newer:
        del now["asked"][question]
    for of in now, then:
        of.pop("unasked")
        for key in "time_ms", "same_as":
            of["cell"].pop(key, None)
        of["counts"].pop("jobs")
        of.pop("checksum")
    for key in now:
        if now[key] != then.get(key):
            print(f"{file.name}: {key} is {now[key]}, recorded is {then.get(key)}")
if compared == 0:
    print("nothing was compared: all of them are of an earlier search")
PYTHON

# search_again FROM TO LEAST: those whose search took so many milliseconds when it was recorded, FROM
# up to TO; of at least so many scenarios.
search_again() {
    local kept scenario kernels
    kept=$(cd "$(dirname "$0")/../.." && pwd)/docs/matrix
    rm -rf again
    exits 0 list --group quick --format json
    python3 chosen.py "$kept" "$1" "$2" >chosen
    (($(wc -l <chosen) >= $3)) || fail "$(wc -l <chosen) scenarios"
    while read -r scenario kernels; do
        exits 0 matrix "$scenario" --kernels "$kernels" --certificates again
        says out "0 unexpected of"
    done <chosen
    python3 compare.py "$kept" >differences
    [[ ! -s differences ]] || fail "$(cat differences)"
}
