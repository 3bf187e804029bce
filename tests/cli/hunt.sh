#!/usr/bin/env bash
# What hunt says of what it found, how often, and what it knew before.
source "$(dirname "$0")/lib/common.bash"

broken=(replace/001 --kernel 5.5 --without 1bbb97b8ce7d)

# The rate, and what PCT promises.
exits 1 hunt "${broken[@]}" --strategy pct:3 --count 2000 --seed 1 --keep-going --format json
json 'd["executions"] == 2000 and d["verdict"] == "FAIL"'
json 'd["scenarios"][0]["rate"]["executions"] == 2000'
json 'd["scenarios"][0]["rate"]["failures"] == sum(f["count"] for f in d["failures"]) > 0'
json 'd["scenarios"][0]["rate"]["lower"] < d["scenarios"][0]["rate"]["estimate"] < d["scenarios"][0]["rate"]["upper"]'
json '0 < d["scenarios"][0]["guarantee"]["probability"] < d["scenarios"][0]["rate"]["lower"]'
json 'd["failures"][0]["strategy"] == "pct:3"'
exits 1 hunt "${broken[@]}" --strategy pct:3 --count 2000 --seed 1
says out "guaranteed for a failure of depth 3"
says out "with 95% confidence between"
exits 0 hunt replace/003 --count 300 --format json
json 'd["scenarios"][0]["rate"]["estimate"] is None and 0.0099 < d["scenarios"][0]["rate"]["upper"] < 0.01'
exits 0 hunt replace/003 --count 300
says out "fewer than 0.0099 of all executions fail"

# The same with any number of workers.
for jobs in 1 2; do
    exits 1 hunt "${broken[@]}" --strategy portfolio --count 4000 --keep-going -j $jobs
    cp out hunt.$jobs
done
cmp -s hunt.1 hunt.2 || fail "another report with two workers"
token=$(sed -n 's/.*interleaf replay //p' hunt.1 | head -n 1)
exits 1 replay $token

# Several scenarios, by group.
exits 0 hunt --group commit --count 20 --format json
json 'len(d["scenarios"]) == 2 and d["executions"] == 40'

# Until nothing new was found for some time: what ran by then is what so many executions are.
exits 1 hunt "${broken[@]}" --strategy pct:3 --seed 4 --until-new 1500ms
says out "(nothing new for 1.5 s; --count "
says out "--until-new 1500ms --keep-going"
grep -qF -- "% done" err && fail "nobody knows how many executions there will be: $(cat err)"
count=$(sed -n 's/.*; --count \([0-9]*\) runs the same.*/\1/p' out)
sed -n '/^FAIL/,$p' out | sed 's/ (nothing new.*//' >until
exits 1 hunt "${broken[@]}" --strategy pct:3 --seed 4 --keep-going --count "$count" -j 1
sed -n '/^FAIL/,$p' out >counted
cmp -s until counted || fail "--until-new found something else than --count $count"
exits 0 hunt replace/003 --until-new 100ms --count 5 --format json
json 'd["executions"] == 5'
exits 2 hunt replace/003 --until-new soon
says err "a duration"
exits 2 explore replace/003 --until-new 1s

# Failures are listed by signature, or each execution that differs.
exits 1 hunt "${broken[@]}" --strategy pct:3 --count 2000 --keep-going --format json
json 'len(d["failures"]) == len(set(f["signature"] for f in d["failures"]))'
failing=$(value 'd["scenarios"][0]["rate"]["failures"]')
exits 1 hunt "${broken[@]}" --strategy pct:3 --count 2000 --keep-going --dedup execution --format json
json "1 < len(d['failures']) <= $failing == sum(f['count'] for f in d['failures'])"
exits 2 hunt "${broken[@]}" --dedup executions
says err "execution"

# A corpus: what is new is added, then known, and does not stop the hunt; elsewhere it may be gone.
corpus=(--strategy pct:3 --count 3000 --corpus corpus)
rm -rf corpus
exits 1 hunt "${broken[@]}" "${corpus[@]}" --format json
json 'd["corpus"]["entries"] == [] and len(d["corpus"]["added"]) == 1 and d["failures"][0]["known"] is False'
first=$(value 'd["executions"]')
exits 1 replay corpus/*.ilf
exits 1 hunt "${broken[@]}" "${corpus[@]}" --format json
json 'd["corpus"]["entries"][0]["status"] == "fails" and d["corpus"]["entries"][0]["exactly"]'
json "d['executions'] == 3000 > $first"
json 'd["corpus"]["added"] == [] and all(f["known"] for f in d["failures"])'
exits 0 hunt replace/001 --kernel 5.5 "${corpus[@]}" --format json
json 'd["corpus"]["entries"][0]["status"] == "no-longer" and not d["corpus"]["entries"][0]["exactly"]'
exits 0 hunt replace/001 --kernel 5.5 "${corpus[@]}"
says out "no longer"
exits 0 hunt replace/003 --count 10 --corpus corpus --format json
json 'd["corpus"]["skipped"] == 1 and d["corpus"]["entries"] == []'
mv corpus/*.ilf corpus/cut.ilf
head -c 500 corpus/cut.ilf >corpus/replace.ilf
exits 6 hunt "${broken[@]}" "${corpus[@]}"
says err "corpus/replace.ilf"
exits 2 hunt "${broken[@]}" --corpus hunt.1
