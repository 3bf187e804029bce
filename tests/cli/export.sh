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

# What zones and relocation are about, told by other parts of the document as well.
cat >parts.py <<'PYTHON'
import json, re, sys
from merge_patch import patched

def states(name):
    told = json.load(open(name))
    state = told["state"]["keyframes"][0]
    for delta in told["state"]["deltas"]:
        state = patched(state, delta)
        yield told, state

moved, last = set(), {}
for told, state in states("zoned.json"):
    chunks = {(stripe[0], stripe[1]): int(start) for start, chunk in state["chunks"].items() for stripe in chunk["stripes"]}
    for key, zone in state["zones"].items():
        device, start = key.split("/")
        written = zone["write_pointer"] - int(start)
        assert 0 <= written <= zone["length"] and (zone["condition"] == "empty") == (written == 0), (key, zone)
        if written != last.get(key, written):
            moved.add(key)
        last[key] = written
        group = state["groups"].get(str(chunks.get((device, int(start)))))
        if group:  # nothing is written that was not handed out, and of tree blocks nothing out of their order
            assert written <= group["alloc_offset"] <= group["zone_capacity"], (key, zone, group)
            if group["type"].startswith("metadata"):
                assert written <= group["meta_write_pointer"] - chunks[device, int(start)], (key, zone, group)
assert moved, "no write pointer moves"

stages, groups, asked = [], set(), None
for told, state in states("send.json"):
    asked = asked or {int(n) for m in told["messages"] for n in re.findall(r"relocating block group (\d+)", m)}
    for record in [state["relocation"].get("relocation")]:
        if not record:
            continue
        groups.add(record["block_group"])
        stages.append(record["stage"])
        assert set(record["to_merge"]) <= set(record["reloc_roots"]), record
        for tree in record["reloc_roots"]:
            assert "node" in state["roots"].get(f"TREE_RELOC of {tree}", {}), (tree, record)
assert groups and groups == asked, (groups, asked)
assert stages[0] == "MOVE_DATA_EXTENTS" and "UPDATE_DATA_PTRS" in stages, stages[:1]
assert any("TREE_RELOC of " in name for _, state in states("send.json") for name in state["roots"])
PYTHON
exits 0 export zoned/001 --kernel 6.8 --seed 3 --to json --branches 0 -o zoned.json
document zoned.json '"zones" in d["state"]["keyframes"][0]'
exits 0 export send/001 --kernel 5.0 --seed 1 --to json --branches 0 --critical off --flips off -o send.json
document send.json '"zones" not in d["state"]["keyframes"][0]'
PYTHONPATH=$lib python3 parts.py 2>err || fail "zones and relocation: $(tail -1 err)"

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

# A page that would be too large has a window around the critical step, and says what is left out.
cat >window.py <<'PYTHON'
import base64, gzip, json, re, sys
from merge_patch import patched

def book(file):
    data = re.search(r'<script id="interleaf-data"[^>]*>([A-Za-z0-9+/=]*)</script>', open(file).read()).group(1)
    return json.loads(gzip.decompress(base64.b64decode(data)))

def states(trace):
    state, list = trace["state"]["keyframes"][0], []
    for delta in [{}] + trace["state"]["deltas"]:
        state = patched(state, delta)
        list.append(state)
    return list

middle, said = int(sys.argv[3]), open("out").read()
for whole, part in zip(book(sys.argv[1])["traces"], book(sys.argv[2])["traces"], strict=True):
    first, count = part["window"]["first"], part["window"]["count"]
    assert part["counts"] == whole["counts"] and 0 < count < whole["window"]["count"] == whole["counts"]["steps"]
    assert first <= middle < first + count, f"{middle} is not in the window from {first}, {count} steps"
    # It lies in the middle, but for an end of the execution.
    assert abs(first + count // 2 - middle) <= 1 or first == 0 or first + count == whole["counts"]["steps"]
    for name, column in part["steps"].items():
        if name not in ("object",):
            assert column == whole["steps"][name][first:first + count], name
    assert states(part) == states(whole)[first:first + count + 1], "the states are others"
    texts = lambda t: sorted((t["scopes"]["task"][i], t["strings"][x], t["scopes"]["first"][i]) for i, x in enumerate(t["scopes"]["text"])
                             if t["scopes"]["last"][i] >= first and t["scopes"]["first"][i] < first + count)
    assert texts(part) == texts(whole) and len(part["scopes"]["text"]) == len(texts(part)) < len(whole["scopes"]["text"])
part = book(sys.argv[2])["traces"][0]["window"]
assert f"of them only steps {part['first']} to {part['first'] + part['count'] - 1} around " in said, said
PYTHON
# cut MIDDLE SUBJECT...: its page, and the page that has to be a third of it.
cut() {
    local middle=$1 empty whole limit
    shift
    exits 0 export "$@" --to html -o whole.html
    grep -q "only steps" out && fail "something is left out of a small page"
    empty=$(wc -c <"$(dirname "$0")/../../viz/page/index.html") whole=$(wc -c <whole.html)
    limit=$((empty + (whole - empty) / 3))
    exits 0 export "$@" --to html -o part.html --max-bytes $limit
    (($(wc -c <part.html) <= limit)) || fail "the page is larger than $limit bytes"
    PYTHONPATH=$lib python3 window.py whole.html part.html "$middle" 2>err || fail "the window of $*"
}
critical=$(python3 -c 'import json; print(json.load(open("fail.json"))["why"]["critical"]["step"])')
cut "$critical" "$token"
says out "around the critical step, $critical, for a page of at most "
cut "$critical" replace/003 "$token" --branches 0
says out "around the critical step, $critical, for a page of at most "
exits 0 export replace/003 --seed 7 --to json --branches 0 -o a.json
cut $(($(python3 -c 'import json; print(json.load(open("a.json"))["counts"]["steps"])') / 2)) replace/003 --seed 7 --branches 0
says out "in its middle, since nothing failed"
rm -f part.html
exits 2 export replace/003 --to html -o part.html --max-bytes 100000 --branches 0
says err "--max-bytes 100000: a page of 64 steps needs "
[[ ! -e part.html ]] || fail "something was written"
exits 2 export replace/003 --to html -o part.html --max-bytes many
says err "max-bytes"
