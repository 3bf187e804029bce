#!/usr/bin/env bash
# The probability of a failure as a function of a delay.
source "$(dirname "$0")/lib/common.bash"

few=(sweep zoned/001 --kernel 6.8 --steps 3 --count 60)

exits 0 "${few[@]}" --delay btrfs_free_tree_block=0..20us -o plot.svg --format json
json 'd["verb"] == "sweep" and [p["delay_ns"] for p in d["points"]] == [0, 10000, 20000]'
json 'all(p["executions"] == 60 and p["lower"] <= p["probability"] <= p["upper"] for p in d["points"])'
python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("plot.svg")' || fail "the plot is no XML"
cp out first
exits 0 "${few[@]}" --delay btrfs_free_tree_block=0..20us -o plot.svg --format json -j 2
cmp -s out first || fail "the number of jobs changes what is found"

# Any function that the model enters, and no other.
exits 0 "${few[@]}" --delay btrfs_alloc_tree_block=0..20us --format json
exits 2 "${few[@]}" --delay btrfs_free_tre_block=0..20us
says err 'did you mean "btrfs_free_tree_block"?'
[[ ! -e other.svg ]] || fail "a plot of nothing"
exits 2 "${few[@]}" --delay btrfs_free_tre_block=0..20us -o other.svg
[[ -z $(ls other.svg* 2>/dev/null) ]] || fail "half a plot is left"
exits 2 "${few[@]}" --delay btrfs_free_tree_block=20us..10us
exits 2 "${few[@]}" --delay btrfs_free_tree_block=5
exits 2 "${few[@]}"
exits 0 "${few[@]}" --delay btrfs_free_tree_block=1us..1us
says out "1us"
