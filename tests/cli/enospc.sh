#!/usr/bin/env bash
# The report on ENOSPC: its messages in its order, whoever runs out of space, and a filesystem that is
# as before once it is mounted again.
source "$(dirname "$0")/lib/common.bash"

cat >report <<'END'
BTRFS: Transaction aborted (error -28)
BTRFS: error (device a) in __btrfs_free_extent: errno=-28 No space left
BTRFS info (device a): forced readonly
BTRFS: error (device a) in btrfs_run_delayed_refs: errno=-28 No space left
BTRFS warning (device a): Skipping commit of aborted transaction.
BTRFS: error (device a) in cleanup_transaction: errno=-28 No space left
END
# log: the kernel's messages in the file out.
log() { grep -o 'BTRFS.*' out; }
exits 1 explore space/001 --kernel 4.19
log | cmp -s - report || fail "explore shows another log"
fewest=$(grep -o -m 1 'il1:[a-z0-9]*' out)
exits 1 replay "$fewest"
log | cmp -s - report || fail "the replay has another log"

# Or an eviction runs out, in its truncation. The commit has the same to say.
exits 1 run space/001 --kernel 4.19 --strategy random --seed 1
log | cmp -s - report || fail "an eviction that runs out has another log"

# Who runs out first differs: the commit, or whoever runs references before it begins.
exits 1 hunt space/001 --kernel 4.19 --count 20 --keep-going --format json
json 'sorted(f["signature"] for f in d["failures"]) == ["commit-completes", "no-abort"]'
mapfile -t at_random < <(value '"\n".join(f["token"] for f in d["failures"])')
exits 0 image "$fewest" --at commit:0 --dir before
for token in "$fewest" "${at_random[@]}"; do
    exits 0 image "$token" --at end --dir end
    cmp -s before/a.img end/a.img || fail "something is left of what was aborted"
done

# With the filesystem as full as can be, no order passes.
exits 1 hunt space/003 --kernel 4.19 --count 20 --keep-going --format json
json 'sum(f["count"] for f in d["failures"]) == d["executions"] == 20'

# Where references reserve what they need, filling ends earlier, and the same files are evicted.
exits 0 hunt space/001 --kernel 5.4 --count 20

# share OPTION...: how many of 100 random executions of the file space.json fail on 4.19.
share() {
    "$interleaf" hunt ./space.json --kernel 4.19 --count 100 --keep-going --format json "$@" >out 2>err
    value 'sum(f["count"] for f in d["failures"])'
}
# Filled less far the order decides. What makes it likelier: evictions that reserve nothing,
# truncations that run references, and tree blocks that are written out meanwhile.
cp "$scenarios/space/002.json" space.json
exits 0 run ./space.json --kernel 4.19 --strategy first
some=$(share)
((some > 0 && some < 100)) || fail "$some of 100 executions failed"
(($(share --with evict-starts) == 0)) || fail "an eviction that reserves made one fail"
python3 - <<'PYTHON'
import json

def variant(rounds, flushes):
    # Scenarios may have comments.
    text = "".join(line for line in open("space.json") if not line.strip().startswith("//"))
    scenario = json.loads(text)
    begin = scenario["prepare"].index("falloc 0 4K a")
    scenario["prepare"][begin:begin + 3] = [
        {"repeat": 4, "run": ["falloc {i*8}K 4K a", "falloc {i*8}K 8K t", "falloc {i*8}K 4K b"]}]
    [filling] = [step for step in scenario["prepare"] if isinstance(step, dict) and step["repeat"] > 4]
    filling["repeat"] = rounds
    if flushes:
        scenario["tasks"]["flusher"] = {"cpu": 3, "run": ["writeback-metadata"] * flushes}
    return scenario

json.dump(variant(49, 0), open("four.json", "w"))
json.dump(variant(46, 0), open("fewer.json", "w"))
json.dump(variant(46, 60), open("flushed.json", "w"))
PYTHON
mv four.json space.json
inline=$(share)
((inline > $(share --with no-inline-refs))) || fail "inline references make no difference"
mv fewer.json space.json
rarely=$(share)
[[ -n $rarely ]] || fail "nothing came of it"
mv flushed.json space.json
(($(share) > rarely + 20)) || fail "blocks that are written out twice make no difference"
