#!/usr/bin/env bash
# diff: where two executions of a scenario part.
source "$(dirname "$0")/lib/common.bash"

kernel="--kernel 5.5 --without 1bbb97b8ce7d"
# shellcheck disable=SC2086
exits 1 explore replace/001 $kernel --format json
failing=$(value 'd["failures"][0]["token"]')
# shellcheck disable=SC2086
exits 0 run replace/001 $kernel --strategy first --format json
passing=$(value 'd["token"]')

exits 0 diff "$failing" "$failing"
says out "the two executions are the same"
exits 1 diff "$failing" "$passing"
says out "first different choice, step "
says out "first different state, steps "
says out "verdicts: FAIL replace-target-equals-source / CLEAN"
says out "more rows (--full)"
(($(wc -L <out) <= 100)) || fail "lines are too long"
exits 1 diff "$failing" "$passing" --full --format json
json 'not d["same"] and d["verdict"] == "FAIL" and d["exit"] == 1'
# The choice is where they part, and the first state that differs comes no earlier.
json 'd["first_choice"]["a"]["task"] != d["first_choice"]["b"]["task"]'
json 'd["first_choice"]["a"]["step"] == d["common_steps"] <= d["first_state"]["a"]["step"]'
json 'sum(r["a"]["steps"] for r in d["rows"] if r["a"]) >= d["a"]["steps"] - d["common_steps"]'
cp out forward
exits 1 diff "$passing" "$failing" --format json
json 'd["common_steps"] == json.load(open("forward"))["common_steps"]'

# Of two kernels, and of a file with a smaller scenario.
exits 0 replay "$failing" --kernel 5.5 --on-divergence nearest --format json
fixed=$(value 'd["token"]')
exits 1 diff "$failing" "$fixed"
says out "/ CLEAN"
exits 0 run replace/003 --save other.ilf
exits 2 diff "$failing" other.ilf
says err "two scenarios, replace/001 and replace/003"
exits 3 diff nothing.ilf "$passing"
exits 6 diff "${failing}aa" "$passing"
exits 2 diff "$passing"
exits 2 diff "$passing" "$passing" --ful
says err 'did you mean "--full"?'
