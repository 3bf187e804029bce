#!/usr/bin/env bash
# export: an execution as a document, with the state at each step.
source "$(dirname "$0")/lib/common.bash"
lib=$(dirname "$0")/lib
schema=$(dirname "$0")/../../docs/trace.schema.json

cat >check.py <<'PYTHON'
import json, sys
import jsonschema

schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
d = json.load(open(sys.argv[2]))
for error in jsonschema.Draft7Validator(schema).iter_errors(d):
    sys.exit(f"{'/'.join(map(str, error.path))}: {error.message}"[:300])
count = d["window"]["count"]
for name in d["steps"]:
    assert len(d["steps"][name]) == count, name
assert len(d["state"]["deltas"]) == count and len(d["accesses"]["count"]) == count and sum(d["accesses"]["count"]) == len(d["accesses"]["object"])
assert max(d["steps"]["object"]) < len(d["objects"]) and max(d["steps"]["task"]) < len(d["tasks"]["name"])
sys.exit(0 if eval(sys.argv[3]) else f"not so: {sys.argv[3]}")
PYTHON
# document FILE EXPRESSION: FILE is as the schema has it, and a Python expression over it (d) is true.
document() { python3 check.py "$schema" "$1" "$2" 2>err || fail "$1: $2"; }

exits 0 export replace/003 --seed 7 --to json -o a.json
says out "wrote a.json: "
document a.json 'd["verdict"] == "CLEAN" and d["violation"] is None and d["counts"]["steps"] == d["window"]["count"]'
document a.json '"interleaf replay il1:" in d["command"] and d["scenario"]["id"] == "replace/003"'
document a.json 'sum(i["evaluated"] > 0 for i in d["invariants"]) > 10 and not any(i["violated"] for i in d["invariants"])'
document a.json 'len(d["choices"]["step"]) > 50 and 1 in d["choices"]["outcome"]'
exits 0 export replace/003 --seed 7 --to json -o b.json
cmp -s a.json b.json || fail "the same execution makes another document"
token=$(python3 -c 'import json; print(json.load(open("a.json"))["token"])')
exits 0 export "$token" --to json -o b.json
cmp -s a.json b.json || fail "the token makes another document"
exits 0 export "$token" --to json -o -
cmp -s a.json out || fail "stdout has another document"

# Each state of the document is what the engine has when it is stopped there.
cat >states.py <<'PYTHON'
import json, sys
from merge_patch import patched

told = json.load(open(sys.argv[1]))["state"]
state, count = None, 0
for line in open(sys.argv[2]):
    engine = json.loads(line)
    step = engine["steps"]
    state = told["keyframes"][0] if step == 0 else patched(state, told["deltas"][step - 1])
    if step % told["interval"] == 0 and told["keyframes"][step // told["interval"]] != state:
        sys.exit(f"the whole state at {step} is not the one that the changes make")
    if state != engine["state"]:
        sys.exit(f"after {step} steps: " + ", ".join(t for t in state if state[t] != engine["state"].get(t)))
    count += 1
sys.exit(0 if count == len(told["deltas"]) + 1 else "not every step")
PYTHON
# Of every scenario that is not too long cli.viewer.slow compares them with what the page makes of the document.
for id in commit/001 replace/003 zoned/002; do
    exits 0 export "$id" --to json --branches 0 -o a.json
    exits 0 export "$id" --to states -o states
    PYTHONPATH=$lib python3 states.py a.json states 2>err || fail "$id: the states differ"
done

# A failure says why.
exits 1 explore replace/001 --kernel 5.5 --without 1bbb97b8ce7d --format json
token=$(value 'd["failures"][0]["token"]')
exits 0 export "$token" --to json -o fail.json
document fail.json 'd["verdict"] == "FAIL" and d["violation"]["signature"] == "replace-target-equals-source"'
document fail.json 'd["why"]["critical"]["step"] < d["violation"]["step"] and "CPU 1" in d["ladder"]'
document fail.json 'sum(i["violated"] for i in d["invariants"]) == 1 and 2 in d["choices"]["outcome"]'
exits 0 export "$token" --to states -o states
PYTHONPATH=$lib python3 states.py fail.json states 2>err || fail "the states of a failure differ"
exits 1 export "$token" --to json -o fail.json --expect CLEAN

exits 2 export replace/003 --to jsn -o a.json
says err 'did you mean "json"?'
exits 2 export replace/003 --to json
says err "-o FILE is missing"
exits 2 export replace/003 --to json -o nowhere/a.json
says err "cannot write nowhere/a.json"
exits 3 export replace/999 --to json -o c.json
exits 6 export il1:aaaaaaaaaaaaaaaaaaaaaaaaa --to json -o c.json
[[ ! -e c.json ]] || fail "something was written"
exits 2 export replace/003 --to json -o c.json --branches many
says err "expected a number"

# The page: the document packed into the viewer, without anything of it as markup.
exits 0 export replace/003 --seed 7 --to html -o a.html
exits 0 export replace/003 --seed 7 --to html -o b.html
cmp -s a.html b.html || fail "the same execution makes another page"
exits 0 export "$token" --to html -o fail.html
says out "with the nearest passing execution beside it"
python3 - 2>err <<'PYTHON' || fail "the page does not carry the document"
import base64, gzip, json, re
page = open("fail.html").read()
data = re.search(r'<script id="interleaf-data"[^>]*>([A-Za-z0-9+/=]*)</script>', page).group(1)
book = json.loads(gzip.decompress(base64.b64decode(data)))
told = json.load(open("fail.json"))
assert book["traces"][0] == told and book["traces"][1]["verdict"] == "CLEAN" and not book["compare"]
assert "Content-Security-Policy" in page and "connect-src 'none'" in page
assert not re.search(r'(src|href)="?https?:', page)
PYTHON
exits 2 export replace/003 replace/003 --to json -o c.json
says err "two executions go into a page only"
exits 0 export replace/003 "$token" --to html -o c.html
