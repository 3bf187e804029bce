#!/usr/bin/env bash
# Cells of the group quick, explored again: each of its scenarios on 6.1, where that took less than
# 20 s, and wherever a failure is recorded that was found at once. What comes out is what the
# certificates of docs/matrix say that this revision of the search made.
source "$(dirname "$0")/lib/common.bash"

kept=$(cd "$(dirname "$0")/../.." && pwd)/docs/matrix
rm -rf again
exits 0 list --group quick --format json
cat >chosen.py <<'EOF'
import json, pathlib, sys
cells = {}
for scenario in json.load(open("out"))["scenarios"]:
    cells.setdefault(scenario["id"], ["6.1"])
for file in sorted(pathlib.Path(sys.argv[1]).glob("*.cert.json")):
    of = json.loads(file.read_text())
    if of["scenario"] not in cells:
        continue
    kernels, milliseconds = cells[of["scenario"]], of["cell"]["time_ms"]
    if of["kernel"] == "6.1" and milliseconds > 20000:
        kernels.remove("6.1")
    if of["kernel"] != "6.1" and of["verdict"] == "FAIL" and milliseconds < 5000 and "same_as" not in of["cell"]:
        kernels.append(of["kernel"])
for scenario, kernels in cells.items():
    if kernels:
        print(scenario, ",".join(kernels))
EOF
python3 chosen.py "$kept" >chosen
(($(wc -l <chosen) >= 8)) || fail "$(wc -l <chosen) scenarios"
while read -r scenario kernels; do
    exits 0 matrix "$scenario" --kernels "$kernels" --certificates again
    says out "0 unexpected of"
done <chosen

cat >compare.py <<'EOF'
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
EOF
python3 compare.py "$kept" >differences
[[ ! -s differences ]] || fail "$(cat differences)"
