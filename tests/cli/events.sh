#!/usr/bin/env bash
# --format jsonl: a search as a stream of events, as the published schema has them.
source "$(dirname "$0")/lib/common.bash"
schema=$(dirname "$0")/../../docs/events.schema.json

cat >check.py <<'PYTHON'
import json, sys
import jsonschema

schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
validator = jsonschema.Draft7Validator(schema)
events = [json.loads(line) for line in open(sys.argv[2])]
for event in events:
    for error in validator.iter_errors(event):
        sys.exit(f"{event}: {error.message}")
kinds = [event["event"] for event in events]
assert kinds.count("finished") == 1 and kinds[-1] == "finished", kinds
assert "started" not in kinds or kinds[0] == "started", kinds
sys.exit(0 if eval(sys.argv[3]) else f"not so: {sys.argv[3]}")
PYTHON
# events EXPRESSION: a Python expression over the events in the file out, and their kinds, is true.
events() { python3 check.py "$schema" out "$1" 2>err || fail "events: $1"; }

broken=(replace/001 --kernel 5.5 --without 1bbb97b8ce7d)
exits 1 explore "${broken[@]}" --first --format jsonl --progress none
events 'kinds == ["started", "violation", "finished"]'
events 'events[0]["scenario"] == "replace/001" and events[0]["verb"] == "explore" and events[0]["seed"] is None'
events 'events[1]["invariant"] == events[1]["signature"] == "replace-target-equals-source" and events[1]["step"] > 100'
events 'events[2]["verdict"] == "FAIL" and events[2]["exit"] == 1 and events[2]["failing"] == 1'
exits 1 replay "$(head -n 2 out | tail -n 1 | sed 's/.*"token":"\([^"]*\)".*/\1/')"

# The same bytes for any number of workers, and in a file, which is there whole or not at all.
for jobs in 1 2; do
    exits 1 explore "${broken[@]}" --format jsonl -o events.$jobs --format json -j $jobs --progress none
    json 'd["verdict"] == "FAIL"'
done
cmp -s events.1 events.2 || fail "the events depend on the number of workers"
cp events.1 out
events 'kinds == ["started", "violation", "finished"]'
[[ -z $(find . -name '*.tmp') ]] || fail "a temporary file is left"

# Progress comes while the search runs.
exits 4 explore commit/001 --preemptions 2 --max-executions 30000 -j 1 --format jsonl --progress plain --progress-interval 200ms
events 'kinds[1] == "progress" and "violation" not in kinds'
events 'events[-1]["verdict"] == "INCONCLUSIVE" and not events[-1]["complete"] and events[-1]["failing"] == 0'
exits 0 explore commit/001 --preemptions 1 --format jsonl --progress none
events 'events[-1]["verdict"] == "PASS-BOUNDED" and events[-1]["complete"] and events[-1]["failing"] == 0'
exits 0 hunt replace/003 --count 5 --format jsonl --quiet
events 'kinds == ["started", "finished"] and events[0]["seed"] == 1'

# Several scenarios, and several failures.
exits 0 hunt commit/001 replace/003 --count 5 --format jsonl --progress none
events 'kinds == ["started", "started", "finished"] and events[2]["scenario"] == ["commit/001", "replace/003"]'
events 'events[2]["executions"] == 10'
exits 1 hunt "${broken[@]}" --strategy pct:3 --count 2000 --keep-going --format jsonl --progress none
events 'kinds.count("violation") >= 1 and events[-1]["failing"] >= kinds.count("violation")'

# A plan's shards, written and run.
rm -rf plan
exits 0 explore commit/001 --preemptions 1 --plan 2 --artifacts plan --format jsonl --progress none
events 'kinds == ["started", "shard", "shard", "finished"]'
events '[e["index"] for e in events[1:3]] == [1, 2] and all(e["count"] == 2 for e in events[1:3])'
exits 0 explore --resume "$(head -n 3 out | tail -n 1 | sed 's/.*"file":"\([^"]*\)".*/\1/')" --artifacts plan --format jsonl --progress none
events 'kinds == ["started", "shard", "finished"] and events[1]["index"] == 2 and events[1]["executions"] > 0'

# What cannot be run says so at the end; a wrong command line says nothing.
exits 3 explore nothing/001 --format jsonl
events 'kinds == ["finished"] and events[0]["verdict"] == "INVALID" and "nothing/001" in events[0]["error"]["message"]'
exits 2 explore --format jsonl
silent out
for verb in list "run replace/003" "matrix replace/003"; do
    # shellcheck disable=SC2086
    exits 2 $verb --format jsonl
    says err "jsonl is of explore and hunt"
done
exits 70 hunt replace/003 --count 5 --format jsonl -o /dev/full
