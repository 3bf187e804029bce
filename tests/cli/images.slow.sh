#!/usr/bin/env bash
# Every scenario on every released kernel where it is expected to pass: btrfs check at every commit of 100
# executions, with dump-tree listing what the model has; commit/001 at every crash point of 50.
source "$(dirname "$0")/lib/common.bash"

exits 0 list --format json
pairs=$(value '"\n".join(s["id"] + " " + e["kernel"] for s in d["scenarios"] for e in s["expect"] if e["verdict"].startswith("PASS") and " " not in e["kernel"])')
[[ $(wc -l <<<"$pairs") -ge 20 ]] || fail "these pairs only: $pairs"
while read -r id kernel; do
    exits 0 hunt "$id" --kernel "$kernel" --count 100 --check-images commit
    exits 0 hunt "$id" --kernel "$kernel" --count 25 --check-images end
done <<<"$pairs"
exits 0 hunt commit/001 --count 50 --crash-at every-write --check-images crash
exits 0 hunt commit/002 --count 50 --crash-at every-write --check-images crash
exits 0 explore commit/001 --crash-at every-flush --preemptions 1 --check-images crash
