#!/usr/bin/env bash
# Tokens and failure files: the same execution again, or a clear refusal.
source "$(dirname "$0")/lib/common.bash"

exits 0 run replace/003 --seed 7 --format json
json 'd["schema"] == 1 and d["verb"] == "run" and d["verdict"] == "CLEAN" and d["seed"] == 7'
token=$(value 'd["token"]')
hash=$(value 'd["trace_hash"]')
((${#token} <= 512)) || fail "the token is too long"

exits 0 replay "$token" --format json
json "d['trace_hash'] == '$hash' and d['verb'] == 'replay' and d['scenario'] == 'replace/003' and d['kernel'] == '6.1'"
exits 0 replay "$token" --times 3
exits 0 show "$token"
says out "replace/003"
exits 0 validate "$token"
INTERLEAF_KERNEL=5.5 exits 0 replay "$token" --format json
json "d['trace_hash'] == '$hash'"

# Of every strategy, and where it is the shorter form of the same execution.
for strategy in random walk pct:3 pos timed first; do
    exits 0 run commit/001 --strategy $strategy --seed 7 --format json
    run_hash=$(value 'd["trace_hash"]')
    exits 0 replay "$(value 'd["token"]')" --format json
    json "d['trace_hash'] == '$run_hash'"
done
exits 2 run commit/001 --strategy portfolio
says err "portfolio"

# Damaged in any way: exit 6.
for ((i = 4; i < ${#token}; i += 3)); do
    old=${token:i:1} new=b
    [[ $old != b ]] || new=c
    exits 6 replay "${token:0:i}$new${token:i+1}"
done
exits 6 replay "${token:0:20}"
exits 6 replay "${token}aaaaaaaa"
exits 6 replay "il2:${token:4}"
says err "unknown token version"
exits 6 replay "il1:"
exits 3 replay "token"
exits 3 explain nothing.ilf

# Of a scenario that is not there: 3. That has changed: 5, and what changed.
mkdir -p changed/replace
sed 's#pread -S 0x61 0 4K f1#fsync f1#' "$scenarios/replace/003.json" >changed/replace/003.json
INTERLEAF_SCENARIO_PATH=changed exits 5 replay "$token"
says err "the tasks of changed/replace/003.json differ"
INTERLEAF_SCENARIO_PATH=changed exits 5 replay "$token" --format json
json 'd["verdict"] == "NONDETERMINISTIC" and d["exit"] == 5'
sed 's#"title": ".*"#"title": "another title"#' "$scenarios/replace/003.json" >changed/replace/003.json
INTERLEAF_SCENARIO_PATH=changed exits 0 replay "$token"
sed 's#"replace/003"#"mine/777"#' "$scenarios/replace/003.json" >mine.json
exits 0 run mine.json --seed 7 --format json
mine=$(value 'd["token"]')
exits 3 replay "$mine"
says err 'unknown scenario "mine/777"'
exits 0 replay "$mine" --scenario mine.json

# The same as a file, with the meaning of each step.
exits 0 run replace/003 --seed 7 --save run.ilf --format json
exits 0 replay run.ilf --format json
json "d['trace_hash'] == '$hash'"
exits 0 show run.ilf
exits 0 validate run.ilf
sed 's/"lock"/"lick"/' run.ilf >damaged.ilf
exits 6 replay damaged.ilf
says err "checksum"
exits 6 validate damaged.ilf
head -c 1000 run.ilf >cut.ilf
exits 6 explain cut.ilf

# On another kernel by the meaning of the steps.
exits 0 replay "$token" --kernel 6.0 --on-divergence nearest
says out "recorded with 6.1, replaying with 6.0"
exits 2 replay "$token" --kernel 6.0 --on-divergence nearst
says err 'did you mean "nearest"?'
