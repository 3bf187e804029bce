#!/usr/bin/env bash
# The schema that editors use accepts what the program accepts, and refuses what it refuses.
source "$(dirname "$0")/lib/common.bash"

cat >check.py <<'PYTHON'
import json, re, sys
import jsonschema

schema = json.load(open(sys.argv[1] + "/schema.json"))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
for name in sys.argv[2:]:
    text = re.sub(r"^\s*//.*$", "", open(name).read(), flags=re.M)
    errors = [error.message for error in validator.iter_errors(json.loads(text))]
    print(name, "ok" if not errors else errors[0])
PYTHON

python3 check.py "$scenarios" "$scenarios"/*/*.json >out 2>err || fail "the schema cannot be used"
grep -v ' ok$' out >wrong && fail "refused: $(cat wrong)"
exits 0 validate "$scenarios"/*/*.json

# refused FROM TO: neither the schema nor the program accepts replace/001 with this change.
refused() {
    sed "s#$1#$2#" "$scenarios/replace/001.json" >wrong.json
    python3 check.py "$scenarios" wrong.json >out
    grep -q ' ok$' out && fail "the schema accepts s#$1#$2#"
    exits 3 validate wrong.json
}
refused '"tasks"' '"taks"'
refused 'writeback f1' 'writebck f1'
refused '"64M"' '"64MB"'
refused '"run": \["btrfs replace start a c"\]' '"run": []'
refused '"data": "single"' '"data": "triple"'
refused '"cpu": 1' '"cpu": "one"'
refused '"verdict": "FAIL"' '"verdict": "FAILS"'
refused '"preemptions": 2' '"preemptions": -1'
refused '"sync"\]' '"sync || ture"]'
refused '"sync"\]' '"touch f{i}"]'
refused '"sync"\]' '{"repeat": 0, "run": ["sync"]}]'
refused '"sync"\]' '{"repeat": 2, "run": ["touch f{j}"]}]'
refused '"sync"\]' '{"repeat": 2, "run": [{"repeat": 2, "run": ["sync"]}]}]'
refused '"writeback f1"' '{"repeat": 2, "run": ["sync"]}'

# accepted FROM TO: both accept it.
accepted() {
    sed "s#$1#$2#" "$scenarios/replace/001.json" >right.json
    python3 check.py "$scenarios" right.json >out
    grep -q ' ok$' out || fail "the schema refuses s#$1#$2#: $(cat out)"
    exits 0 validate right.json
}
accepted '"sync"\]' '"rm f2 || true", "sync || fail"]'
accepted '"sync"\]' '{"repeat": 3, "run": ["touch g{i}", "pwrite -S {i} {i*8}K 4K g{i}", "\&\& rm h{i} || true"]}]'
accepted 'writeback f1' 'writeback f1 || true'
