#!/usr/bin/env bash
# What files hold comes out of `btrfs restore` byte for byte.
source "$(dirname "$0")/lib/common.bash"
command -v btrfs >/dev/null || exit 0

cat >files.json <<'JSON'
{
  "id": "files/001",
  "title": "files of several extents, a hole, and a snapshot that is older",
  "groups": ["auto"],
  "fs": {"devices": [{"name": "a", "size": "64M"}], "data": "single", "metadata": "dup", "items_per_node": 5},
  "prepare": ["touch f1", "touch f2", "pwrite -S 0x61 0 12K f1", "pwrite -S 0x62 8K 4K f2", "sync"],
  "tasks": {
    "one": {"cpu": 1, "run": ["btrfs subvolume snapshot . snap", "pwrite -S 0x63 4K 4K f1", "sync"]},
    "two": {"cpu": 2, "run": ["touch f3", "fsync f3", "truncate 8K f2"]}
  },
  "expect": []
}
JSON

# block BYTE COUNT: COUNT sectors of this byte.
block() { head -c $(($2 * 4096)) /dev/zero | tr '\0' "\\$(printf %o "$1")"; }
same() { cmp -s "$1" "$2" || fail "$1 is not $2"; }

exits 0 image files.json --seed 5 --dir image --check
rm -rf files && mkdir files
btrfs restore --snapshots image/a.img files >tool 2>&1 || fail "btrfs restore: $(cat tool)"
{ block 0x61 1 && block 0x63 1 && block 0x61 1; } >f1
same files/f1 f1
block 0x61 3 >old
same files/snap/f1 old
{ block 0 2 && block 0x62 1; } >f2
same files/snap/f2 f2

# The example of the README: the target of the replace has the old block.
exits 1 explore replace/001 --kernel 5.5 --without 1bbb97b8ce7d --format json
token=$(value 'd["failures"][0]["token"]')
exits 0 image "$token" --at end --dir replaced --check
rm -rf files && mkdir files
btrfs restore replaced/c.img files >tool 2>&1 || fail "btrfs restore: $(cat tool)"
block 0x61 1 >stale
same files/f1 stale
btrfs inspect-internal dump-tree replaced/c.img >tree 2>&1 || fail "dump-tree"
grep -q "key (257 EXTENT_DATA 0)" tree || fail "dump-tree lists no data"

# With the fix the new one.
exits 0 image replace/001 --kernel 5.5 --strategy first --dir fixed --check
rm -rf files && mkdir files
btrfs restore fixed/c.img files >tool 2>&1 || fail "btrfs restore: $(cat tool)"
block 0x62 1 >fresh
same files/f1 fresh
