#!/usr/bin/env bash
# shrink: fewer tasks, operations and context switches, the same failure, and a file that stands on its own.
source "$(dirname "$0")/lib/common.bash"

kernel="--kernel 5.5 --without 1bbb97b8ce7d"
cat >big.json <<'END'
{
  "id": "mine/001",
  "title": "the race of replace/001 between idle operations", // a comment
  "fs": {"devices": [{"name": "a", "size": "64M"}, {"name": "c", "size": "64M", "spare": true}],
         "data": "single", "metadata": "single"},
  "prepare": ["touch f1", "chattr +C f1", "pwrite -S 0x61 0 4K f1", "sync"],
  "tasks": {
    "idle": {"cpu": 3, "run": ["pread 0 4K f1"]},
    "replace": {"cpu": 1, "run": ["btrfs replace start a c"]},
    "writer": {"cpu": 2, "run": ["pread 0 4K f1", "pwrite -S 0x62 0 4K f1", "writeback f1"]}
  }
}
END
# shellcheck disable=SC2086
exits 1 hunt big.json $kernel --strategy pct:2 --count 20000 --format json
token=$(value 'd["failures"][0]["token"]')

exits 0 shrink "$token" --scenario big.json -o small.ilf
says out "signature replace-target-equals-source (locked)"
says out "minimal: no single task, operation or context switch can be removed (1-minimal); 3 of 3 replays agree"
says out "next: interleaf explain small.ilf"
cp small.ilf first.ilf
exits 0 shrink "$token" --scenario big.json -o small.ilf --format json
cp out document
json 'd["minimal"] and d["tasks"] == 2 and d["operations"] == 3 and d["signature"] == "replace-target-equals-source"'
json 'd["passes"][0]["tasks"] == 3 and d["passes"][0]["operations"] == 5 and d["verified"] == 3'
json 'd["passes"][0]["switches"] > d["switches"] and d["passes"][-1]["kept"] == 0 and d["passes"][-1]["tried"] > 0'
json 'd["verdict"] == "FAIL" and d["exit"] == 0'
cmp -s small.ilf first.ilf || fail "shrink does something else the second time"

# The file carries the smaller scenario: it is replayed, explained and explored without anything else.
exits 1 replay small.ilf --times 2
says out "reproduce: interleaf replay small.ilf"
says out "signature replace-target-equals-source"
exits 0 explain small.ilf
says out "CPU 1"
exits 0 validate small.ilf
# shellcheck disable=SC2086
exits 1 explore small.ilf $kernel --preemptions 1 -q --format json
again=$(value 'd["failures"][0]["token"]')
exits 1 replay "$again" --scenario small.ilf
exits 0 shrink small.ilf --verify 1
says out "wrote small.min.ilf"
exits 0 replay small.ilf --kernel 5.5 --on-divergence nearest

# A budget of executions: less is done, and nothing more is claimed.
exits 0 shrink "$token" --scenario big.json --max-executions 3 -o cut.ilf
says out "not minimal: "
exits 1 replay cut.ilf

# What cannot be made smaller, and what is no failure.
exits 0 run replace/003 --seed 7 --save good.ilf
exits 3 shrink good.ilf
says err "nothing to shrink"
exits 2 shrink good.ilf --kernel 5.4
exits 2 shrink good.ilf --verifi 3
says err 'did you mean "--verify"?'
exits 2 shrnk good.ilf
says err 'did you mean "shrink"?'
exits 3 shrink nothing.ilf
exits 2 shrink "$token" --scenario big.json -o /nowhere/small.ilf
says err "cannot write /nowhere/small.ilf: No such file or directory"
# A failure file of a library scenario carries none, and says so.
exits 3 explore good.ilf
says err "carries no scenario"
[[ -z $(find . -name '*.tmp') ]] || fail "a temporary file is left"
