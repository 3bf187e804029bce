#!/usr/bin/env bash
# What goes where: results on stdout or in files, everything else on stderr.
source "$(dirname "$0")/lib/common.bash"

# The same bytes each time, whatever the number of jobs; what is needed to repeat it comes first.
exits 0 hunt replace/003 --count 200 --seed 5 -j 1
cp out first
exits 0 hunt replace/003 --count 200 --seed 5 -j 2 --progress none
cmp -s out first || fail "hunt prints something else with two jobs"
silent err
[[ $(head -n 1 out) == *"replace/003@"*"kernel 6.1@"*"seed 5" ]] || fail "no heading"
[[ $(sed -n 2p out) == "reproduce: interleaf hunt replace/003 "*" --seed 5 "* ]] || fail "no line to paste"
exits 0 explore commit/001 --preemptions 0 -j 1 --state-cache 0
cp out first
exits 0 explore commit/001 --preemptions 0 -j 2 --state-cache 0
cmp -s out first || fail "explore prints something else with two jobs"
exits 0 explore commit/001 --preemptions 0 -j 1
cp out first
exits 0 explore commit/001 --preemptions 0 -j 1
cmp -s out first || fail "explore prints something else the second time"

# Files appear whole, beside nothing else.
exits 0 run replace/003 --format text --format json -o report.json
says out "CLEAN"
says err "wrote report.json"
python3 -m json.tool report.json >/dev/null || fail "no JSON in report.json"
[[ -z $(find . -name '*.tmp') ]] || fail "a temporary file is left"
exits 2 run replace/003 --format text --format json
exits 70 run replace/003 -o /dev/full
"$interleaf" list >/dev/full 2>err
(($? == 70)) || fail "a full stdout goes unnoticed"

# Keys that every document has.
for command in "list" "show replace/001" "run replace/003" "hunt replace/003 --count 10" "validate $scenarios/replace/001.json"; do
    # shellcheck disable=SC2086
    exits 0 $command --format json
    json 'set(["schema", "verb", "scenario", "kernel", "verdict", "exit"]) <= set(d) and d["exit"] == 0'
done
INTERLEAF_FORMAT=json exits 0 list
json 'len(d["scenarios"]) >= 6'

# Variables that look like ours.
INTERLEAF_SEDE=3 exits 0 list
says err "unknown environment variable INTERLEAF_SEDE; did you mean INTERLEAF_SEED?"
INTERLEAF_SEED=9 exits 0 run replace/003
says out "seed 9"

# Progress in plain lines when stderr is no terminal; none when it is not wanted.
exits 0 hunt replace/003 --count 1000000000 --time 3s
says err "executions"
grep -q $'\r' err && fail "a live line in a file"
says out "time limit"
exits 0 hunt replace/003 --count 1000000000 --time 2s --progress jsonl
head -n 1 err | python3 -m json.tool >/dev/null || fail "no JSON line"
exits 0 hunt replace/003 --count 1000000000 --time 2s --quiet
silent err

exits 0 run replace/003 --trace
says out "btrfs_dev_replace_start"
exits 1 list 'nothing/*'
exits 0 list 'nothing/*' --allow-empty
exits 0 list --group quick
says out "replace/001"
exits 0 list --fixes
says out "cursor-duplication"
exits 0 show 5.5 --without 1bbb97b8ce7d
exits 0 show --diff-kernel 4.6 4.7
says out "+ f0e9b7d64019"
