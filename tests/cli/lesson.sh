#!/usr/bin/env bash
# lesson: guided ways through executions. Each is told here, so every stop is found in its execution,
# and what its text relies on is so.
source "$(dirname "$0")/lib/common.bash"
lessons=$(cd "$(dirname "$0")/../../lessons" && pwd)
names=(copy-on-write delayed-refs device-replace relocation snapshots zoned-writeback)

exits 0 lesson
for name in "${names[@]}"; do says out "$name"; done
exits 0 lesson --format json
json '[l["name"] for l in d["lessons"]] == "'"${names[*]}"'".split()'

for name in "${names[@]}"; do
    exits 0 lesson "$name" -o "$name.html" --format json
    json 'd["lesson"] == "'"$name"'" and 6 <= len(d["stops"]) <= 14 and d["exit"] == 0'
    json '[s["step"] for s in d["stops"]] == sorted(s["step"] for s in d["stops"])'
    json 'len(d["branches"]) > 1'
    (($(wc -c <"$name.html") < 5000000)) || fail "$name.html is too large"
    cp out "$name.told"
done
# The same lesson makes the same page.
exits 0 lesson device-replace -o again.html
cmp -s device-replace.html again.html || fail "the second page differs"
says out "11 stops, 2 other orders"
exits 0 lesson device-replace -o -
cmp -s out again.html || fail "stdout has another page than the file"

# To be read without a browser.
exits 0 lesson zoned-writeback
says out "5. To be zeroed  (after 35 steps)"
says out "? Both want to go on."
says out "interleaf lesson zoned-writeback -o zoned-writeback.html"
(($(grep -v 'BTRFS' out | wc -L) <= 100)) || fail "lines are too long"

# Where a reader's own choice leads: as the page says.
cp device-replace.told out
json '[b["verdict"] for b in d["branches"]] == ["CLEAN", "CLEAN"]'
exits 0 replay "$(value 'd["branches"][0]["token"]')"
cp device-replace.told out
exits 1 replay "$(value 'd["token"]')"
cp relocation.told out
json '[b["verdict"] for b in d["branches"]] == ["FAIL"] * 3'

# Mistakes: one message, the right exit code, and no file.
exits 3 lesson copy-on-wirte -o wrong.html
says err 'unknown lesson "copy-on-wirte"'
says err 'did you mean "copy-on-write"?'
# refused CODE SAID FROM TO: device-replace with this change.
refused() {
    python3 - "$lessons/device-replace.json" "$3" "$4" >wrong.json <<'PYTHON'
import sys
text = open(sys.argv[1]).read()
assert sys.argv[2] in text, sys.argv[2]
print(text.replace(sys.argv[2], sys.argv[3], 1))
PYTHON
    exits "$1" lesson ./wrong.json -o wrong.html
    says err "$2"
    [[ ! -e wrong.html ]] || fail "wrong.html was written"
}
refused 3 'this does not happen in the execution' 'creates ordered extent *' 'creates disorder *'
refused 3 'wrong.json:42:13: /stops/2/at: ' 'creates ordered extent *' 'creates disorder *'
refused 3 'a state that the stop'"'"'s text is true of' '"state": "started", "target": "c"' '"state": "started", "target": "b"'
refused 3 'the state has no table "device"; it has blocks, ' '{"table": "devices", "key": "a", "where": {"data": "61"}}' '{"table": "device"}'
refused 3 'the execution is FAIL (replace-target-equals-source); expected CLEAN' \
    $'"verdict": "FAIL",\n  "signature": "replace-target-equals-source",' '"verdict": "CLEAN",'
refused 3 'could never come where another task did' '"task": "writer/write_done#1"}' '"task": "syncer"}'
refused 3 'the execution fails with replace-target-equals-source' '"signature": "replace-target-equals-source"' '"signature": "no-abort"'
refused 3 'there is no choice from here on' '"choose": ["writer/write_done#1"]' '"choose": ["syncer"]'
refused 3 'the glossary has no "device replaced"' '[replace|device replace]' '[device replaced]'
refused 3 'unknown scenario "replace/0001"' 'replace/001' 'replace/0001'
refused 3 'unknown panel "device"' '"panels": ["devices", "files"]' '"panels": ["device", "files"]'
exits 3 lesson ./nothing.json
exits 2 lesson device-replace --kernel 6.1
says err 'a lesson is told on its own kernel'
INTERLEAF_KERNEL=6.1 exits 0 lesson device-replace
says out 'on 5.5 without 1bbb97b8ce7d'
exits 2 lesson copy-on-write -o /nowhere/lesson.html

# The lesson that the document shows.
python3 - "$lessons/../docs/writing-a-lesson.md" >documented.json <<'PYTHON'
import re, sys, textwrap
print(textwrap.dedent(re.search(r"^    \{\n.*?^    \}\n", open(sys.argv[1]).read(), re.M | re.S).group()))
PYTHON
exits 0 lesson ./documented.json
says out "1. The critical step"

# The schema for editors accepts the lessons.
python3 - "$lessons" <<'PYTHON' || fail "the schema does not fit the lessons"
import glob, json, re, sys
import jsonschema
schema = json.load(open(sys.argv[1] + "/schema.json"))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
wrong = json.loads(re.sub(r"^\s*//.*$", "", open("wrong.json").read(), flags=re.M))
assert list(validator.iter_errors(wrong)), "the schema accepts an unknown panel"
for name in glob.glob(sys.argv[1] + "/*.json") + ["documented.json"]:
    if name.endswith(("schema.json", "glossary.json")):
        continue
    validator.validate(json.loads(re.sub(r"^\s*//.*$", "", open(name).read(), flags=re.M)))
PYTHON
