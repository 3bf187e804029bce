#!/usr/bin/env bash
# A matrix that keeps certificates: no cell is searched twice, a kernel that answers alike shares the
# search, what is stale says what to run.
source "$(dirname "$0")/lib/common.bash"

rm -rf cells other library crashes none mine expected
kernels=6.1,6.8,6.9,6.12
certificate() { echo "cells/zoned-002-$1.cert.json"; }
# member FILE EXPRESSION: of the certificate c.
member() { python3 -c 'import json, sys; c = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }

exits 0 matrix zoned/002 --kernels $kernels --certificates cells --format json
cp out first
json 'all(c["certificate"].startswith("cells/") for c in d["cells"]) and d["exit"] == 0'
json '[c["frequency"] for c in d["cells"]] == ["never", "sometimes", "sometimes", "sometimes"]'
json '[c.get("same_as") for c in d["cells"]] == [None, None, None, "6.9"]'
json 'd["cells"][3]["executions"] == d["cells"][2]["executions"] and d["cells"][3]["token"] != d["cells"][2]["token"]'
json 'd["cells"][0]["completed_bound"] == 2 and d["cells"][1]["completed_bound"] == 1'

# The shared cell is what its own search would have been, and its witness fails there.
exits 0 matrix zoned/002 --kernels 6.12 --certificates other --format json
for key in executions signature token completed_bound; do
    json "d['cells'][0]['$key'] == json.load(open('first'))['cells'][3]['$key'] and 'same_as' not in d['cells'][0]"
done
token=$(value 'd["cells"][0]["token"]')
exits 1 replay "$token" --format json
json 'd["kernel"] == "6.12" and d["signature"] == "bug-on/btrfs_free_tree_block"'
[[ $(member "$(certificate 6.12)" 'c["cell"]["witness"]') == "$token" ]] || fail "another witness"
exits 0 show "$(certificate 6.12)"
says out "on kernel 6.9, which answers alike"
says out "interleaf replay $token"

# The questions stand in the certificate, with the answers; explore keeps them as well.
[[ $(member "$(certificate 6.9)" 'c["asked"]["68879386180c"], c["asked"]["1bbb97b8ce7d"] if "1bbb97b8ce7d" in c["asked"] else "not asked"') == "(True, 'not asked')" ]] ||
    fail "other questions or answers: $(member "$(certificate 6.9)" 'c["asked"]')"
exits 0 explore zoned/002 --kernel 6.1 --artifacts other
[[ $(member other/zoned-002-6.1.cert.json 'c["asked"]') == "$(member "$(certificate 6.1)" 'c["asked"]')" ]] ||
    fail "explore was asked something else"
exits 0 explore zoned/002 --kernel 6.1 --crash-at every-flush --preemptions 0 --artifacts crashes
[[ $(member crashes/zoned-002-6.1.cert.json '"asked" in c') == False ]] || fail "a mount after a crash asks, too"

# Nothing is searched again: with so few executions no search comes to its end.
exits 1 matrix zoned/002 --kernels 6.1 --certificates none --max-executions 5
says out "INCONCLUSIVE"
[[ ! -e none ]] || fail "a certificate of nothing"
before=$(cat cells/*.cert.json | sha256sum)
exits 0 matrix zoned/002 --kernels $kernels --certificates cells --max-executions 5 --format json
cmp -s out first || fail "another document the second time"
[[ $(cat cells/*.cert.json | sha256sum) == "$before" ]] || fail "a certificate was written again"
exits 0 matrix zoned/002 --kernels $kernels --certificates cells/ --max-executions 5 --format json
json 'd["cells"] == json.load(open("first"))["cells"]'
# Half of it is, when half of it is gone.
rm "$(certificate 6.1)" "$(certificate 6.12)"
exits 1 matrix zoned/002 --kernels $kernels --certificates cells --max-executions 5 --format json
json '[c["verdict"] for c in d["cells"]] == ["INCONCLUSIVE", "FAIL", "FAIL", "FAIL"]'
exits 0 matrix zoned/002 --kernels $kernels --certificates cells --format json
json '[(c["executions"], c["verdict"], c.get("token")) for c in d["cells"]] == [(c["executions"], c["verdict"], c.get("token")) for c in json.load(open("first"))["cells"]]'
# Another bound is another cell's.
exits 0 matrix zoned/002 --kernels 6.1 --certificates cells --preemptions 1 --format json
json 'd["cells"][0]["completed_bound"] == 1'
exits 0 matrix zoned/002 --kernels 6.1 --certificates cells --format json
json 'd["cells"][0]["completed_bound"] == 2'

# A certificate of other inputs: which they are, and the line that makes it anew.
exits 0 validate cells/*.cert.json
mkdir -p library/zoned library/none
sed 's/"rm f10"/"rm f9"/' "$scenarios/zoned/002.json" >library/zoned/002.json
cmp -s library/zoned/002.json "$scenarios/zoned/002.json" && fail "the scenario is the same"
INTERLEAF_SCENARIO_PATH=library exits 5 validate "$(certificate 6.9)"
says out "$(certificate 6.9) is stale: the scenario is another (content "
says out "; run again: interleaf matrix zoned/002 --kernels 6.9 --certificates cells"
INTERLEAF_SCENARIO_PATH=library exits 5 validate other/zoned-002-6.1.cert.json
says out "; run again: interleaf explore zoned/002 --kernel 6.1 --preemptions 2 --artifacts other"
INTERLEAF_SCENARIO_PATH=library exits 1 matrix zoned/002 --kernels 6.9 --certificates cells --max-executions 5
says out "INCONCLUSIVE"
sed 's#"id": "zoned/002"#"id": "mine/001"#' "$scenarios/zoned/002.json" >library/none/001.json
(cd library && INTERLEAF_SCENARIO_PATH=none "$interleaf" matrix none/001.json --kernels 6.1 --certificates ../mine >/dev/null)
exits 3 validate mine/mine-001-6.1.cert.json

# Where another failure is expected than the recorded one, the search is made again, and goes on.
mkdir -p named/zoned
sed 's#"6.8", "verdict": "FAIL", "signature": "freed-block-level"#"6.8", "verdict": "FAIL", "signature": "no-such-failure"#' "$scenarios/zoned/002.json" >named/zoned/002.json
cmp -s named/zoned/002.json "$scenarios/zoned/002.json" && fail "the scenario is the same"
INTERLEAF_SCENARIO_PATH=named exits 1 matrix zoned/002 --kernels 6.8 --certificates cells --max-executions 5 --format json
json 'd["cells"][0]["executions"] <= 5'

# What is there and cannot be used is passed over, with a warning.
echo '{}' >"$(certificate 6.8)"
exits 0 matrix zoned/002 --kernels 6.8 --certificates cells
says err "$(certificate 6.8)"

# A cell that differs from what its scenario expects is an error, from a certificate as well.
sed 's/"verdict": "FAIL"/"verdict": "PASS-BOUNDED"/; s/, "signature": "[a-z/_-]*"//' "$scenarios/zoned/002.json" >library/zoned/002.json
for _ in explored kept; do
    INTERLEAF_SCENARIO_PATH=library exits 1 matrix zoned/002 --kernels 6.8 --certificates expected
    says out "1 unexpected:"
    says out "zoned/002 on 6.8 expected PASS-BOUNDED, got FAIL freed-block-level"
done

# What an earlier revision of the search recorded stays, until it is asked for anew.
cat >earlier.py <<'EOF'
import json, pathlib, sys
def rotl(x, n): return (x << n | x >> 64 - n) & mask
mask = (1 << 64) - 1
file = pathlib.Path(sys.argv[1])
of = json.loads(file.read_text())
of["search_revision"] = 1
of["counts"]["executions"] = 1234567
del of["checksum"]
text, h = json.dumps(of, separators=(",", ":"), ensure_ascii=False).encode(), 0xCBF29CE484222325
for c in text:  # sim/hash.h
    h = (h ^ c) * 0x100000001B3 & mask
x = (rotl(h, 25) ^ len(text)) + 0x9E3779B97F4A7C15 & mask
x = x * 0xBF58476D1CE4E5B9 & mask
x = (x ^ x >> 32) * 0xD6E8FEB86659FD93 & mask
of["checksum"] = f"{x ^ x >> 29:016x}"
file.write_text(json.dumps(of))
EOF
exits 0 matrix zoned/002 --kernels 6.1 --certificates renewed
python3 earlier.py renewed/zoned-002-6.1.cert.json
exits 0 matrix zoned/002 --kernels 6.1 --certificates renewed --format json
json 'd["cells"][0]["executions"] == 1234567 and d["cells"][0]["earlier_search"]'
exits 0 matrix zoned/002 --kernels 6.1 --certificates renewed --renew --format json
json 'd["cells"][0]["executions"] < 10000 and "earlier_search" not in d["cells"][0]'

exits 2 matrix zoned/002 --kernels 6.1 --renew
says err "it needs --certificates DIR"
exits 2 matrix zoned/002 --certificates cells --engine hunt
exits 2 matrix zoned/002 --kernels 6.1 --certificates /dev/null/nowhere
