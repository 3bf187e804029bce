#!/usr/bin/env bash
# The report on ENOSPC: its messages in its order, whoever runs out of space, and a filesystem that is
# as before once it is mounted again.
source "$(dirname "$0")/lib/common.bash"

exits 1 hunt space/001 --kernel 4.19 --count 20 --keep-going --format json
json '[f["signature"] for f in d["failures"]] == ["commit-completes"]'
json 'd["failures"][0]["count"] == d["executions"] == 20'
given_up=$(value 'd["failures"][0]["token"]')
exits 1 explore space/001 --kernel 4.19 --preemptions 0 --first --format json
json '[f["signature"] for f in d["failures"]] == ["no-abort"]'
before_it=$(value 'd["failures"][0]["token"]')

# log: the kernel's messages in the file out.
log() { grep -o 'BTRFS.*' out; }
exits 1 replay "$given_up"
log | cmp -s - <(
    cat <<'END'
BTRFS: Transaction aborted (error -28)
BTRFS: error (device a) in __btrfs_free_extent: errno=-28 No space left
BTRFS info (device a): forced readonly
BTRFS: error (device a) in btrfs_run_delayed_refs: errno=-28 No space left
BTRFS warning (device a): Skipping commit of aborted transaction.
BTRFS: error (device a) in cleanup_transaction: errno=-28 No space left
END
) || fail "another log"
exits 1 replay "$before_it"
says out "in __btrfs_free_extent: errno=-28"

exits 0 image "$given_up" --at commit:0 --dir before
for token in "$given_up" "$before_it"; do
    exits 0 image "$token" --at end --dir end
    cmp -s before/a.img end/a.img || fail "something is left of what was aborted"
done

# Where references reserve what they need, filling ends earlier, and the same files are evicted.
exits 0 hunt space/001 --kernel 5.4 --count 20
