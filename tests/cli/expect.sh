#!/usr/bin/env bash
# Verdicts and exit codes: --expect, --bisect, limits, Ctrl-C.
source "$(dirname "$0")/lib/common.bash"

exits 0 run replace/003
exits 1 run replace/003 --expect FAIL
exits 0 run replace/003 --expect CLEAN
exits 0 run replace/003 --bisect
exits 125 run replace/003 --max-steps 10 --bisect
exits 4 run replace/003 --max-steps 10
exits 4 explore replace/001 --preemptions 2 --max-executions 20
says out "INCONCLUSIVE"
exits 1 explore replace/001 --preemptions 2 --max-executions 20 --expect FAIL

bug=(replace/002 --kernel 4.7 --without f0e9b7d64019 --with cursor-duplication)
exits 1 explore "${bug[@]}" --format json
json 'd["verdict"] == "FAIL" and d["exit"] == 1 and d["failures"][0]["signature"] == "replace-target-equals-source"'
token=$(value 'd["failures"][0]["token"]')
exits 0 explore "${bug[@]}" --expect FAIL
exits 1 replay "$token"
exits 0 replay "$token" --expect FAIL
exits 1 replay "$token" --bisect

# The ladder: both sides, in order, narrow enough for a mail.
exits 0 explain "$token"
awk 'length > 75' out >wide
[[ ! -s wide ]] || fail "wider than 75 columns: $(cat wide)"
grep -q $'\t' out && fail "a tab in the ladder"
says out "CPU 1"
says out "interleaf replay $token"
in_order() {
    local line=0 found
    for word in "$@"; do
        found=$(awk -v from="$line" -v word="$word" 'NR > from && index($0, word) { print NR; exit }' out)
        [[ -n $found ]] || { fail "$word is not there, or too early" && return; }
        line=$found
    done
}
in_order btrfs_dev_replace_start scrub_enumerate_chunks btrfs_inc_block_group_ro scrub_chunk scrub_stripe btrfs_dec_block_group_ro
in_order cow_file_range btrfs_reserve_extent btrfs_add_ordered_extent btrfs_submit_bio write_done btrfs_finish_ordered_io ADD_DELAYED_EXTENT

# Ctrl-C: what is known so far, and 130. A second one is not needed.
interrupted() {
    local signal=$1 wanted=$2 code=0
    shift 2
    "$interleaf" "$@" >out 2>err </dev/null &
    local child=$!
    sleep 2
    kill "-$signal" "$child"
    wait "$child" || code=$?
    ((code == wanted)) || fail "exit $code, not $wanted, after SIG$signal: interleaf $*"
}
interrupted INT 130 hunt replace/003 --count 1000000000 --format json
json 'd["interrupted"] and d["executions"] > 0 and d["exit"] == 130'
interrupted TERM 143 hunt replace/003 --count 1000000000
says out "interrupted"
interrupted INT 130 explore replace/001 --preemptions 6
says out "INCONCLUSIVE"

# A search names the execution that does not end.
exits 4 explore replace/003 --max-steps 300 --format json
unending=$(value 'd["unending"]')
exits 4 replay "$unending" --max-steps 300
says out "still running after 300 steps"
exits 4 hunt replace/003 --max-steps 300 --count 3 --format json
json 'd["scenarios"][0]["unending"].startswith("il1:")'
