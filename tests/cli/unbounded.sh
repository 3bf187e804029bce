#!/usr/bin/env bash
# explore --preemptions none: all schedules, the same with any number of workers.
source "$(dirname "$0")/lib/common.bash"

# small ONE TWO: a scenario of two operations, few enough steps that there is an end to it.
small() {
    cat >small.json <<JSON
{
  "id": "small/001",
  "title": "two tasks that meet",
  "fs": {"devices": [{"name": "a", "size": "64M"}]},
  "prepare": ["touch f1", "pwrite -S 0x61 0 4K f1", "sync"],
  "tasks": {"one": {"cpu": 1, "run": ["$1"]}, "two": {"cpu": 2, "run": ["$2"]}}
}
JSON
}

for operations in "truncate 0 f1:pread 0 4K f1" "touch f3:touch f4"; do
    small "${operations%:*}" "${operations#*:}"
    for jobs in 1 2 3; do
        exits 0 explore small.json --preemptions none -j $jobs --format json --artifacts proof.$jobs
        json 'd["verdict"] == "PASS" and d["whole_space"] and d["executions"] > 1'
        value '[d[k] for k in ("executions", "blocked", "steps", "depth", "failures")]' >counts.$jobs
    done
    cmp -s counts.1 counts.2 || fail "$operations: two workers count something else"
    cmp -s counts.1 counts.3 || fail "$operations: three workers count something else"
done
exits 0 show proof.2/small-001-6.1.cert.json
says out "the same for any number of jobs"
exits 0 explore small.json --preemptions none --reduction sleep -j 2 --format json
json 'd["verdict"] == "PASS"'
