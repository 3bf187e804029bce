#!/usr/bin/env bash
# Scenarios, kernels and commits that are wrong: exit 3, and one message that helps.
source "$(dirname "$0")/lib/common.bash"

exits 3 run replace/01
says err 'unknown scenario "replace/01"; did you mean "replace/001"?'
exits 3 run replace/001 --kernel 5.55
says err 'did you mean "5.5"?'
exits 3 run replace/001 --kernel 5.5.1
says err "--kernel 5.5 --with COMMIT"
exits 3 run replace/001 --without 1bbb97b8ce7e
says err "1bbb97b8ce7d"
exits 3 run replace/001 --kernel 5.4 --without 1bbb97b8ce7d
exits 3 run replace/001 --kernel 5.55 --format json
json 'd["verdict"] == "INVALID" and d["exit"] == 3 and d["error"]["nearest"] == "5.5"'

# wrong FROM TO: replace/001 with one change, in wrong.json; LINE is where.
wrong() {
    sed "s#$1#$2#" "$scenarios/replace/001.json" >wrong.json
    cmp -s wrong.json "$scenarios/replace/001.json" && fail "nothing changed by s/$1/$2/"
    exits 3 run wrong.json
    silent out
    (($(wc -l <err) == 1)) || fail "not one message for s/$1/$2/"
    grep -q "wrong.json:[0-9]*:[0-9]*: " err || fail "no file and line for s/$1/$2/"
    exits 3 validate wrong.json
    says out "wrong.json:"
}
wrong '"title": ' '"title" '
says out "syntax error"
wrong '"tasks"' '"taks"'
says out '/taks: unknown key "taks"'
says out 'did you mean "tasks"?'
wrong 'writeback f1' 'writebck f1'
says out '/tasks/writer/run/1: unknown operation "writebck"'
says out 'did you mean "writeback"?'
wrong 'replace start a c' 'replace start a d'
says out 'there is no device "d"'
wrong '"64M"' '"64MB"'
says out '/fs/devices/0/size: "64MB" is no size'
wrong '"run": \["btrfs replace start a c"\]' '"run": []'
says out 'task "replace" has no steps'
wrong '"5.4"' '"5.44"'
says out "/expect/4/kernel"
wrong '\["1bbb97b8ce7d"\], "with"' '["1bbb97b8ce7e"], "with"'
says out 'did you mean "1bbb97b8ce7d"?'
wrong '"data": "single"' '"data": "raid1"'
says out "raid1 needs two devices"
wrong 'pwrite -S 0x62 0 4K f1' 'pwrite -S 0x62 0 4X f1'
says out '"4X" is no size'
wrong '"cpu": 1' '"cpu": "one"'
says out "/tasks/replace/cpu"

# A preparation that fails is a mistake of the scenario, too.
sed 's#"chattr +C f1"#"rm f2"#' "$scenarios/replace/001.json" >wrong.json
exits 3 run wrong.json
says err 'cannot be prepared'
says err 'ENOENT'

# So is one that starts too much; show and list read it all the same.
sed 's#"sync"\]#{"repeat": 2000, "run": ["pwrite 0 4K f1", "sync"]}]#' "$scenarios/replace/001.json" >many.json
exits 3 run many.json
says err 'cannot be prepared on kernel'
says err '/prepare: "'
says err 'prepare starts more than 4095 tasks and device requests, which is the limit of one task'
exits 3 explore many.json
exits 3 validate many.json
exits 0 show many.json
says out '2000 times: pwrite 0 4K f1; sync'
sed 's#"sync"\]#{"repeat": 2, "run": ["touch f{i*2}", {"repeat": 3, "run": []}]}]#' "$scenarios/replace/001.json" >nested.json
exits 3 validate nested.json
says out '/prepare/3/run/1: a repeat stands in "prepare", and in no other repeat'

exits 3 run nothing.json
exits 3 run .json
printf '\xff\xfe{' >wrong.json
exits 3 validate wrong.json
exits 0 validate "$scenarios"/*/*.json
says out "ok, scenario replace/001"

# A broken scenario in the library does not hide the others.
mkdir -p library/replace library/mine
cp "$scenarios/replace/003.json" library/replace/
sed 's#"replace/003"#"mine/002"#' "$scenarios/replace/003.json" >library/mine/001.json
INTERLEAF_SCENARIO_PATH=library exits 0 list 'replace/*'
says out "replace/003"
INTERLEAF_SCENARIO_PATH=library exits 3 run mine/001
says err 'the id is "mine/002"'
