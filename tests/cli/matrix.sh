#!/usr/bin/env bash
# Scenario by kernel: cells, expectations, and what is not as expected.
source "$(dirname "$0")/lib/common.bash"

bug="4.7 with cursor-duplication without f0e9b7d64019"
control="4.7 without f0e9b7d64019"
exits 0 matrix replace/002 --kernels "$bug,$control" --preemptions 0 --format json
json 'd["verb"] == "matrix" and d["verdict"] == "PASS" and d["exit"] == 0 and len(d["cells"]) == 2'
json 'set(["scenario", "kernel", "verdict", "frequency", "executions", "bound", "expected", "as_expected"]) <= set(d["cells"][0])'
json 'd["cells"][0]["kernel"] == "'"$bug"'" and d["cells"][0]["verdict"] == "FAIL" and d["cells"][0]["frequency"] in ("sometimes", "always")'
json 'd["cells"][1]["kernel"] == "'"$control"'" and d["cells"][1]["verdict"] == "PASS-BOUNDED" and d["cells"][1]["frequency"] == "never"'
json 'all(c["as_expected"] for c in d["cells"]) and d["cells"][0]["token"].startswith("il1:")'
token=$(value 'd["cells"][0]["token"]')
exits 1 replay "$token"

# Without --kernels: those that the scenarios expect something of. A hunt contradicts no pass, but a FAIL that it does not find.
exits 0 matrix commit/001 --engine hunt --count 20
says out ". Never"
exits 0 matrix commit/001 --engine hunt --count 20 --cell counts
says out "20"

# Both: the kernels that are named, and those that a scenario expects something of.
exits 0 matrix zoned/002 --kernels 5.5,6.8,expected --format json
json '[c["kernel"] for c in d["cells"]] == ["5.5", "6.8", "6.1", "6.8 with zoned-keep-header", "6.9", "6.9 without 073bda7a5417"]'
exits 3 matrix zoned/002 --kernels expectd
says err "or expected"

# A search that was cut says how much of which bound is done, and is no pass.
exits 1 matrix commit/001 --max-executions 300 --jobs 1
grep -qE '^commit/001 +\? [0-9]+% at 1!$' out || fail "how much?"
grep -qE 'got INCONCLUSIVE in [0-9]+ executions, [0-9]+% at 1 done$' out || fail "how much is done?"
exits 1 matrix commit/001 --max-executions 9000 --jobs 1 --format json
json 'd["cells"][0]["done"].endswith("%") and 0 < int(d["cells"][0]["done"][:-1]) < 50'
json 'd["cells"][0]["frequency"] is None and "completed_bound" not in d["cells"][0]'

# An expectation that is not met: exit 1, and which.
mkdir -p library/replace library/mine
sed -E 's/"verdict": "FAIL"(, "signature": "[^"]*")?/"verdict": "PASS-BOUNDED"/' \
    "$scenarios/replace/002.json" >library/replace/002.json
INTERLEAF_SCENARIO_PATH=library exits 1 matrix replace/002 --kernels "$bug" --preemptions 0
says out "1 unexpected:"
says out "replace/002 on $bug expected PASS-BOUNDED, got FAIL replace-target-equals-source"
INTERLEAF_SCENARIO_PATH=library exits 1 matrix replace/002 --kernels "$bug" --preemptions 0 --format json
json 'd["verdict"] == "FAIL" and d["exit"] == 1 and not d["cells"][0]["as_expected"]'

# A kernel that is older than the scenario: "-", never unexpected.
sed 's#"id": "commit/001",#"id": "mine/001", "since": "5.12",#' "$scenarios/commit/001.json" >library/mine/001.json
INTERLEAF_SCENARIO_PATH=library exits 0 matrix mine/001 --kernels 5.5,6.1 --preemptions 0 --format json
json 'd["cells"][0]["verdict"] == "N/A" and d["cells"][0]["as_expected"] and d["cells"][1]["verdict"] == "PASS-BOUNDED"'
INTERLEAF_SCENARIO_PATH=library exits 3 run mine/001 --kernel 5.5
says err "needs kernel 5.12 or later"

exits 3 matrix 'nothing/*'
exits 3 matrix replace/002 --kernels 5.5,5.55
exits 3 matrix --group quikc
says err 'did you mean "quick"?'
