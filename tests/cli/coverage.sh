#!/usr/bin/env bash
# What a search came by: --coverage, and show of what it wrote.
source "$(dirname "$0")/lib/common.bash"

# Off unless asked for.
exits 0 hunt commit/001 --count 50 --format json
json '"coverage" not in d'

# The same with any number of workers.
for jobs in 1 2; do
    exits 0 hunt commit/001 --count 200 --coverage hunt.$jobs -j $jobs --format json
    json 'd["coverage"]["scenarios"][0]["executions"] == 200'
    exits 0 explore replace/003 --preemptions 0 --coverage explore.$jobs -j $jobs
    says out "never seen in both orders: "
done
cmp -s hunt.1 hunt.2 || fail "hunt's coverage depends on the number of workers"
cmp -s explore.1 explore.2 || fail "explore's coverage depends on the number of workers"

# Checks, and the code of changes, ran as often as they must.
mv hunt.1 hunt.json
python3 - <<'EOF' || fail "the counts are wrong"
import json
d = json.load(open("hunt.json"))["scenarios"][0]
count = {i["name"]: i["evaluated"] for i in d["invariants"]}
assert d["executions"] == 200
assert count["no-abort"] == count["nothing-left-behind"] == 200, count
assert count["committed-tree-intact"] > 0 and count["tree-block-sane"] > 200, count
assert count["mounts-after-crash"] == 0, count
changes = {c["name"]: c for c in d["changes"]}
assert changes["super-committed-state"]["present"] and changes["super-committed-state"]["asked"] > 0
assert changes["mandatory-readonly"]["asked"] == 0  # nobody replaces a device here
assert any(p["in_order"] and p["reversed"] for p in d["pairs"])
EOF
exits 0 show hunt.json
says out "invariants evaluated: "
says out "200 times"
exits 0 show hunt.json --pairs
says out "always before"
exits 0 show hunt.json --format json
json 'd["kind"] == "coverage" and d["scenarios"][0]["scenario"] == "commit/001"'
sed 's/"executions": 200/"executions": 201/' hunt.json >wrong.json
exits 6 show wrong.json
says err "checksum"

# More executions see more orders, and with crashes the checks of what is left run as well.
exits 0 hunt commit/001 --count 5 --coverage few.json --format json
both='(lambda seen: seen["pairs"] - seen["pairs_in_one_order"])(d["coverage"]["scenarios"][0])'
few=$(value "$both")
exits 0 hunt commit/001 --count 500 --coverage many.json --format json
json "$both > $few"
exits 0 hunt commit/001 --count 5 --crash-at every-flush --coverage crash.json --format json
python3 -c '
import json
d = json.load(open("crash.json"))["scenarios"][0]
assert {i["name"]: i["evaluated"] for i in d["invariants"]}["mounts-after-crash"] > 5' ||
    fail "mounts are not counted"

# A wrong name is known before the search, and leaves nothing.
exits 2 hunt commit/001 --count 1000000 --coverage no/such/folder/c.json
