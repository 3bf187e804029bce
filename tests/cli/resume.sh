#!/usr/bin/env bash
# Searches that are stopped and go on, and searches that are split and brought together, come to
# the same as one that runs through.
source "$(dirname "$0")/lib/common.bash"

same() { cmp -s out "$1" || fail "not what $1 says"; }
gone() { [[ ! -e $1 ]] || fail "$1 is still there"; }

exits 0 explore commit/001 --preemptions 1
cp out whole.txt
rm -r interleaf-out

# A limit: what is left is kept, and said.
exits 4 explore commit/001 --preemptions 1 --max-executions 300
says out "resume: interleaf explore --resume interleaf-out/commit-001-6.1.ilfr"
exits 0 explore --resume interleaf-out/commit-001-6.1.ilfr -j 2
same whole.txt
gone interleaf-out/commit-001-6.1.ilfr

# Killed, at any moment: the last checkpoint is whole.
long=(explore reloc/002 --preemptions 2)
exits 0 "${long[@]}"
cp out long.txt
rm -r interleaf-out
"$interleaf" "${long[@]}" --checkpoint kept.ilfr --checkpoint-interval 50ms \
    --progress none >killed.txt 2>&1 &
search=$!
until [[ -s kept.ilfr ]]; do sleep 0.05; done
kill -9 $search
wait $search 2>/dev/null && fail "it was killed too late"
cp kept.ilfr damaged.ilfr
exits 0 explore --resume kept.ilfr
same long.txt
gone kept.ilfr

# A plan: shards run apart; what they ask for in each other's parts is the next plan.
exits 0 explore commit/001 --preemptions 1 --plan 3
shards=(interleaf-out/commit-001-6.1.{1,2,3}-of-3.ilfr)
exits 3 merge "${shards[@]}"
says err "1-of-3.ilfr is not done"
for shard in "${shards[@]}"; do exits 0 explore --resume "$shard"; done
says out "shard 3 of 3 is done"
exits 3 merge "${shards[@]:1}"
says err "shard 1 of 3 is missing"
exits 3 merge "${shards[@]}" "${shards[0]}"
says err "are the same shard"
rounds=0
while "$interleaf" merge "${shards[@]}" >out 2>err; [[ $? -eq 4 ]]; do
    shards=(interleaf-out/commit-001-6.1.1-of-1.ilfr)
    exits 0 explore --resume "${shards[0]}"
    rounds=$((rounds + 1))
    ((rounds < 50)) || break
done
((rounds > 0)) || fail "no race was found in one shard and reversed in another"
same whole.txt

# A failure is found in the part of the search where it is.
bug=(--kernel 5.5 --without 1bbb97b8ce7d)
exits 1 explore replace/001 "${bug[@]}" --preemptions 1
cp out whole.txt
exits 4 explore replace/001 "${bug[@]}" --preemptions 1 --max-executions 100
exits 1 explore --resume interleaf-out/replace-001-5.5-without-1bbb97b8ce7d.ilfr
same whole.txt

# Wrong input.
exits 2 explore
says err "explore needs a scenario, or --resume FILE"
exits 2 explore commit/001 --resume damaged.ilfr
exits 2 explore --resume damaged.ilfr --preemptions 2
says err "cannot be changed in the middle of a search"
sed -i 's/"executions":/"executions": 1/' damaged.ilfr
exits 6 explore --resume damaged.ilfr
exits 6 merge "$scenarios/commit/001.json"
exits 3 explore --resume nothing.ilfr
exits 2 explore commit/001 --checkpoint whole.txt/all.ilfr --max-executions 10
exits 2 explore commit/001 --plan 0
exits 2 explore commit/001 --plan 2 --reduction none
says err "--plan is for a search with a bound"
exits 2 explore commit/001 --checkpoint x.ilfr --preemptions none
