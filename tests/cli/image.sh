#!/usr/bin/env bash
# Images: what is written, what btrfs check says of it, and what cannot be written.
source "$(dirname "$0")/lib/common.bash"

# Clean in both modes, also when the tool is run on the file by hand.
exits 0 image commit/001 --seed 7 --at end --dir image --check
says out "default mode: clean"
says out "lowmem mode: clean"
btrfs check --readonly --check-data-csum image/a.img >tool 2>&1 || fail "btrfs check: $(cat tool)"

# The same state is the same bytes; a spare is no image until it is used.
exits 0 image replace/003 --seed 3 --at commit:0 --dir first --format json
json 'd["verdict"] == "CLEAN" and [i["device"] for i in d["images"]] == ["a"]'
exits 0 image replace/003 --seed 3 --at commit:0 --dir second
cmp first/a.img second/a.img || fail "one state, two images"
[[ ! -e first/c.img ]] || fail "an unused spare was written"

# While a replace runs there are two devices, and btrfs check opens both.
exits 0 image replace/003 --seed 3 --at commit:1 --dir two --check
[[ -e two/a.img && -e two/c.img ]] || fail "two devices were in use"
(($(stat -c %b two/c.img) < 1000)) || fail "the image is not sparse"

# After a crash.
exits 0 image commit/002 --seed 3 --at crash:40 --dir crash --check
says out "crash: "

# A failing execution is continued: the image shows what its failure comes to.
exits 1 explore replace/004 --kernel 5.5 --without 1bbb97b8ce7d --format json
logical=$(value 'd["failures"][0]["violation"].split("logical ")[1].split(":")[0]')
token=$(value 'd["failures"][0]["token"]')
exits 1 image "$token" --at end --dir failed --check
says out "mirror 1 bytenr $logical csum "
(($(grep -c "mirror .* bytenr" out) == 2)) || fail "other sectors than the one of the invariant"

# Nodatacow data has no checksums: nobody but the invariant sees this.
exits 1 explore replace/001 --kernel 5.5 --without 1bbb97b8ce7d --format json
token=$(value 'd["failures"][0]["token"]')
exits 0 image "$token" --at end --dir blind --check

# Moments that there are not.
exits 3 image commit/001 --seed 7 --at step:100000 --dir none
says err "the execution has"
exits 3 image commit/001 --seed 7 --at commit:99 --dir none
says err "commits"
exits 3 image commit/001 --seed 7 --at crash:1000000 --dir none
says err "crash points"
exits 2 image commit/001 --at tomorrow --dir none
exits 2 image commit/001
says err "--dir"
exits 2 explore commit/001 --check-images crash
says err "--crash-at"
exits 2 explore commit/001 --crash-at sometimes
[[ ! -e none ]] || fail "a folder for nothing"

# Places that cannot be written to.
touch file
exits 2 image commit/001 --dir file/below
(($(wc -l <err) == 1)) || fail "not one message"
says err "file/below"
if ((EUID != 0)); then
    mkdir -p locked && chmod a-w locked
    exits 2 image commit/001 --dir locked
    chmod u+w locked
fi

# A full disk: one message, no file under its final name, nothing left of the temporary one.
full_disk() {
    mount -t tmpfs -o size=16k none full || exit 77
    "$interleaf" image commit/001 --dir full >out 2>err </dev/null
    echo $? >code
    ls full >left
}
mkdir -p full
export interleaf
export -f full_disk
unshare -rm bash -c full_disk 2>mount-error || true
if [[ -e code ]]; then
    (($(cat code) == 2)) || fail "exit $(cat code) on a full disk"
    says err "No space left on device"
    (($(wc -l <err) == 1)) || fail "not one message on a full disk"
    [[ ! -s left ]] || fail "left on the full disk: $(cat left)"
else
    echo "skipped: no mount of a small tmpfs here"
fi

# Without btrfs-progs: one line, and everything else works.
mkdir -p empty
PATH=$PWD/empty exits 4 image commit/001 --dir image --check
says err "no btrfs-progs"
PATH=$PWD/empty exits 0 hunt commit/001 --count 5 --check-images end
says err "no btrfs-progs"

# What the tool finds is a violation like any other: here a tool that always finds something.
mkdir -p finding
printf '#!/bin/sh\necho "ERROR: errors found in fs roots"\nexit 1\n' >finding/btrfs
chmod +x finding/btrfs
PATH=$PWD/finding:$PATH exits 1 explore commit/001 --preemptions 0 --check-images end --format json
json 'd["failures"][0]["signature"].startswith("btrfs-check")'
json '"errors found in fs roots" in d["failures"][0]["violation"]'

# At a crash dump-tree must list what the mount found: here a tool that lists nothing.
mkdir -p silent
printf '#!/bin/sh\n[ "$1" = check ] && exec %s "$@"\nexit 0\n' "$(command -v btrfs)" >silent/btrfs
chmod +x silent/btrfs
PATH=$PWD/silent:$PATH exits 1 explore commit/001 --preemptions 0 --crash-at every-flush \
    --check-images crash --format json
json 'd["failures"][0]["signature"] == "btrfs-check/after-crash"'

# A crash that fails is repeated by its token, and its medium has a number.
exits 1 hunt replace/001 --count 1 --seed 1 --crash-at every-write --format json
json 'd["failures"][0]["signature"] == "replace-resumable/after-crash"'
token=$(value 'd["failures"][0]["token"]')
number=$(value 'd["failures"][0]["violation"].split(",")[0]')
what=$(value 'd["failures"][0]["violation"].split(", ", 1)[1].split(": the mount")[0]')
exits 1 replay "$token" --crash-at every-write
says out "$number, $what"
exits 0 explain "$token" --crash-at every-write
exits 0 image "$token" --at "$number" --dir crashed --check
says out "crash: $what"

# A replace that a crash interrupts is resumed; what it comes to is an image too.
exits 0 hunt replace/003 --count 1 --seed 3 --crash-at flush:5 --degraded --check-images crash
says out "clean in both modes"

# A reduction stops the machine at as many different points as plain search.
cat >sync.json <<'END'
{
  "$schema": "schema.json", "id": "test/001", "title": "one sync", "groups": ["auto"],
  "fs": {"devices": [{"name": "a", "size": "64M"}, {"name": "b", "size": "64M"}],
         "data": "single", "metadata": "single"},
  "prepare": ["touch f1", "sync"],
  "tasks": {"one": {"cpu": 1, "run": ["touch f2", "sync"]}},
  "expect": [{"kernel": "6.1", "verdict": "PASS"}]
}
END
exits 0 explore sync.json --preemptions 2 --crash-at every-flush --format json
distinct=$(value 'd["crashes"]["distinct"]')
for reduction in sleep dpor; do
    exits 0 explore sync.json --reduction $reduction --crash-at every-flush --format json
    json "d['crashes']['distinct'] == $distinct and d['cuts'] > 0"
done
exits 2 explore commit/001 --reduction dpor --crash-at flush:2
says err "every-flush"

# Searches that stop the machine.
exits 0 explore commit/001 --preemptions 0 --crash-at every-flush --check-images crash
says out "clean in both modes"
exits 0 hunt commit/002 --count 20 --check-images commit
says out "distinct"
