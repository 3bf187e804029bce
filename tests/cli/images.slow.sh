#!/usr/bin/env bash
# Every scenario that is expected to pass: btrfs check at every commit of 200 executions, with
# dump-tree listing what the model has; commit/001 at every crash point of 50.
source "$(dirname "$0")/lib/common.bash"

for file in "$scenarios"/*/*.json; do
    id=$(basename "$(dirname "$file")")/$(basename "$file" .json)
    for kernel in 5.4 5.5 6.1; do
        exits 0 hunt "$id" --kernel $kernel --count 200 --check-images commit
        exits 0 hunt "$id" --kernel $kernel --count 50 --check-images end
    done
done
exits 0 hunt commit/001 --count 50 --crash-at every-write --check-images crash
exits 0 hunt commit/002 --count 50 --crash-at every-write --check-images crash
exits 0 explore commit/001 --crash-at every-flush --preemptions 1 --check-images crash
