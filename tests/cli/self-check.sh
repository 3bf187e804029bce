#!/usr/bin/env bash
# explore --self-check: steps taken for independent, run in the other order.
source "$(dirname "$0")/lib/common.bash"

# The library's scenarios declare what they share. All executions of a short search are checked.
for scenario in commit/001 replace/001; do
    for reduction in none dpor; do
        exits 4 explore $scenario --self-check 1 --max-executions 150 --reduction $reduction --format json
        json 'd["verdict"] == "INCONCLUSIVE"'
        json 'd["self_check"]["rate"] == 1 and d["self_check"]["pairs"] > 200'
        json '"undeclared" not in d["self_check"]'
    done
done

# A task that waited for a write and the worker that ended it: who lets go of it last gives the
# inode back.
exits 0 explore replace/001 --kernel 5.0 --preemptions 1 --self-check 1

# A share is the same share each time, whatever -j says, and the search finds the same.
exits 0 explore replace/003 --preemptions 0 --format json
executions=$(value 'd["executions"]')
exits 0 explore replace/003 --preemptions 0 --self-check 0.5 --format json
json "d['executions'] == $executions"
half=$(value 'd["self_check"]["pairs"]')
exits 0 explore replace/003 --preemptions 0 --self-check 0.5 -j 3 --format json
json "d['self_check']['pairs'] == $half"
exits 0 explore replace/003 --preemptions 0 --self-check 1
says out "reproduce: interleaf explore replace/003"
says out "--self-check 1"
says out "      self-check: "
says out " pairs ok"

# Nothing of it unless asked for.
exits 0 explore replace/003 --preemptions 0 --format json
json '"self_check" not in d'

for wrong in 1.5 -0.1 nan often 0.1x; do
    exits 2 explore replace/003 --self-check=$wrong
    says err "a share from 0 to 1"
done
exits 2 hunt replace/003 --self-check 1
