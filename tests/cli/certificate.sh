#!/usr/bin/env bash
# A completed search leaves a certificate; one that was cut leaves none.
source "$(dirname "$0")/lib/common.bash"

rm -rf proof none
exits 0 explore commit/001 --preemptions 0 -j 1 --reduction none --artifacts proof --format json
certificate=$(value 'd["certificate"]')
[[ $certificate == proof/commit-001-6.1.cert.json ]] || fail "another name: $certificate"
executions=$(value 'd["executions"]')
cp "$certificate" first
exits 0 show "$certificate"
says out "PASS-BOUNDED"
says out "at most 0 deviations"
says out "hashes of 128 bits"
exits 0 show "$certificate" --format json
json "d['kind'] == 'certificate' and d['certified'] == 'PASS-BOUNDED' and d['counts']['executions'] == $executions"
json 'd["bounds"]["deviations"] == 0 and d["reduction"] == "none" and d["cache"]["hash_bits"] == 128'
json 'd["grain"] == "coarse" and len(d["merged_locks"]) > 0 and d["sampled_checks"] == []'
exits 0 validate "$certificate"
exits 0 explore commit/001 --preemptions 0 -j 1 --reduction none --artifacts proof
says out "certificate proof/commit-001-6.1.cert.json"
cmp -s "$certificate" first || fail "another certificate the second time"
# Without the cache every schedule ran, and any number of jobs counts the same.
exits 0 explore commit/001 --preemptions 0 -j 2 --state-cache 0 --artifacts proof
exits 0 show "$certificate"
says out "the same for any number of jobs"

# Of a search that did not come to its end there is none, nor of one that stopped at a failure.
exits 4 explore commit/001 --max-executions 5 --artifacts none
exits 1 explore replace/001 --kernel 5.5 --without 1bbb97b8ce7d --first --artifacts none
[[ -z $(find none -name "*.cert.json") ]] || fail "a certificate of nothing"

# A certificate says how much of the search was checked, and what it was spent on, if that was asked for.
grep -q 'self_check\|costs' first && fail "what was not asked for"
exits 0 explore replace/003 --preemptions 0 --self-check 0.5 --costs --artifacts proof --format json
pairs=$(value 'd["self_check"]["pairs"]')
races=$(value 'd["costs"]["races"]')
exits 0 show proof/replace-003-6.1.cert.json --format json
json "d['self_check'] == {'rate': 0.5, 'pairs': $pairs} and $pairs > 0"
json "d['costs']['races'] == $races and len(d['costs']['objects']) > 3"
exits 0 show proof/replace-003-6.1.cert.json
says out "50.0% of the executions: $pairs pairs of adjacent independent steps"
says out "$races reversible races: "

sed 's/PASS-BOUNDED/PASS/' first >touched.cert.json
exits 6 show touched.cert.json
says err "checksum"
exits 6 validate touched.cert.json
head -c 300 first >cut.cert.json
exits 6 show cut.cert.json
exits 3 show nothing.cert.json
exits 2 explore commit/001 --preemptions 0 --artifacts /dev/null/nowhere
[[ -z $(find . -name '*.tmp') ]] || fail "a temporary file is left"
