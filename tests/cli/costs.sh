#!/usr/bin/env bash
# explore --costs: over which kinds of objects the races were.
source "$(dirname "$0")/lib/common.bash"

# Off unless asked for.
exits 0 explore replace/003 --preemptions 0 --format json
json '"costs" not in d'

# The same for any number of workers, with a bound and without.
for jobs in 1 2 3; do
    exits 0 explore commit/001 --preemptions 1 --costs -j $jobs --format json
    json 'd["costs"]["executions"] > d["executions"]' # those of bound 0 as well
    json 'd["costs"]["races"] > 0 and len(d["costs"]["objects"]) > 5'
    json 'all(0 < o["share"] <= 1 and abs(o["share"] - o["races"] / d["costs"]["races"]) < 1e-6 for o in d["costs"]["objects"])'
    json 'sorted((-o["races"], o["object"]) for o in d["costs"]["objects"]) == [(-o["races"], o["object"]) for o in d["costs"]["objects"]]'
    json 'sum(o["races"] for o in d["costs"]["objects"]) >= d["costs"]["races"]'
    value 'd["costs"]' >costs.$jobs
done
cmp -s costs.1 costs.2 || fail "the costs depend on the number of workers"
cmp -s costs.1 costs.3 || fail "the costs depend on the number of workers"

# In words, the greatest first; a lock is called by its class.
exits 0 explore commit/001 --preemptions 1 --costs
says out "      costs: "
says out " reversible races: "
says out "reproduce: interleaf explore commit/001 --kernel 6.1 --preemptions 1 --keep-going --costs"
grep -A 1 costs: out | grep -q '.\{101\}' && fail "a line is too long"

exits 2 hunt replace/003 --costs
exits 2 explore replace/003 --preemptions 1 --plan 2 --costs
says err "it has no --costs"
