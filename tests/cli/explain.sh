#!/usr/bin/env bash
# explain: which step decides, and which pair of steps would have to come in the other order.
source "$(dirname "$0")/lib/common.bash"

# shellcheck disable=SC2086
exits 1 explore replace/001 --kernel 5.5 --without 1bbb97b8ce7d --format json
token=$(value 'd["failures"][0]["token"]')
exits 0 explain "$token"
says out "Critical step"
says out "random continuations pass; after it"
says out "Needed order"
says out "alone makes it pass"
(($(grep -v 'il1:' out | wc -L) <= 75)) || fail "lines are too long for a mail"
cp out first
exits 0 explain "$token"
cmp -s out first || fail "explain says something else the second time"

exits 0 explain "$token" --as json
json 'd["critical"]["before"]["passing"] > 0 and d["critical"]["after"]["passing"] == 0'
json 'd["critical"]["after"]["failing"] > 0 and d["critical"]["exact"] == d["critical"]["after"]["complete"]'
# The old block is read before the new one is written: that is the race.
json 'len(d["flips"]["needed_order"]) >= 2 and d["flips"]["needed_order"] == sorted(d["flips"]["needed_order"])'
json '"reads physical" in d["flips"]["found"][0]["first"]["text"] and "writes physical" in d["flips"]["found"][0]["second"]["text"]'
passing=$(value 'd["flips"]["found"][0]["passing"]')
exits 0 replay "$passing"
says out "CLEAN"
exits 1 diff "$token" "$passing"

exits 2 explain "$token" --as lockdep
says err "this execution fails with replace-target-equals-source"
exits 2 explain "$token" --as lokdep
says err 'did you mean "lockdep"?'

exits 0 explain "$token" --critical off --flips off --as json
json 'd["critical"] is None and d["flips"] is None'
exits 0 explain "$token" --max-executions 10
says out "approximate"
exits 2 explain "$token" --critical maybe
says err "expected on or off"
exits 2 explain "$token" --critcal off
says err 'did you mean "--critical"?'
exits 0 explain "$token" --critical off --flips off --probability --as json
json 'd["probability"][-1]["failing"] == d["probability"][-1]["runs"] and d["probability"][0]["failing"] < d["probability"][0]["runs"]'
json '[p["step"] for p in d["probability"]] == sorted(p["step"] for p in d["probability"])'
exits 0 explain "$token" --critical off --flips off --probability
says out "share of 100 random continuations that fail, from each step"
# Nothing to tell of an execution that passes.
exits 0 explain "$passing"
grep -q "Critical step" out && fail "a critical step of an execution that passes"
exits 0 explain "$passing" --as json
json 'd["critical"] is None'
