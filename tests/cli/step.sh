#!/usr/bin/env bash
# step: an execution step by step, forward and back, from a script.
source "$(dirname "$0")/lib/common.bash"
examples=$(dirname "$0")/../../docs/examples

exits 1 explore replace/001 --kernel 5.5 --without 1bbb97b8ce7d --format json
token=$(value 'd["failures"][0]["token"]')
exits 0 step "$token" --batch "$examples/step.txt"
says out "stopped by break when transactions.state=COMMIT_DOING"
says out "last changed here"
says out "block 5"
cp out first
exits 0 step "$token" --batch "$examples/step.txt"
cmp -s out first || fail "the same script says something else the second time"

# batch COMMAND...: each a line of a script for the token; no other orders are tried beside.
batch() {
    printf '%s\n' "$@" >script
    exits 0 step "$token" --branches 0 --batch script
}
# batch_with_branches COMMAND...
batch_with_branches() {
    printf '%s\n' "$@" >script
    exits 0 step "$token" --batch script
}
# Back is where it came from, and says the same.
batch "g 500" "space" "refs" "n 70" "b 70" "space" "refs"
python3 - <<'PYTHON' || fail "back is not where it came from"
parts = open("out").read().split("(interleaf) ")
said = {}
for part in parts[1:]:
    command, answer = part.split("\n", 1)
    said.setdefault(command, []).append(answer)
assert said["space"][0] == said["space"][1] != "nothing\n" and said["refs"][0] == said["refs"][1]
assert said["g 500"][0] == said["b 70"][0] and said["g 500"][0].startswith("(500) step 499, ")
PYTHON
batch "break invariant" "c"
says out "does not hold what /dev/a holds"
batch "watch devices/c" "end" "rw" "changed"
says out "devices/c: "
batch "break op writes physical 13631488" "c" "c" "c" "c" "rc"
(($(grep -c "stopped by break op" out) >= 4)) || fail "the writes were not met"
batch_with_branches "nt writer" "bt writer" "enabled" "p space/METADATA.used" "tree" "why"
says out "no such step"
says out "[fails]"
says out "passes in the other order:"
grep -qE "^critical step: .*, step [0-9]+$" out || fail "why names no critical step"
grep -qE "^  before it [0-9]+ of [0-9]+ continuations( that were tried)? pass, after it none of [0-9]+" out || fail "why counts nothing"
batch "break lock tree_log_mutex" "c" "locks"
says out "tree_log_mutex"

# Another candidate of a choice is a branch, which is the same up to there, and is an execution of its own.
critical=$("$interleaf" explain "$token" --as json --format json 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["critical"]["step"])')
batch_with_branches "g $critical" enabled "take 2" "mark the other one first" branches enabled "diff main" "b 40" "space" "goto main" "b 40" "space" \
    "mark here" notes "goto b1" "save b1.html" "save b1.ilf"
python3 - "$critical" 2>err <<'PYTHON' || fail "the branch"
import base64, gzip, json, re, sys
critical = int(sys.argv[1])
said = {}
for part in open("out").read().split("(interleaf) ")[1:]:
    command, answer = part.split("\n", 1)
    said.setdefault(command, []).append(answer)
tried = re.search(r"^  2  (\S+: .*?)   \[passes\]$", said["enabled"][0], re.M).group(1)
assert re.match(rf"b1: \d+ steps, CLEAN\nb1 \({critical + 1}\) step {critical}, ", said["take 2"][0])
assert f"   from main after {critical} steps, {tried}\n" in said["branches"][0] and said["branches"][0].startswith("  main  ")
assert said["diff main"][0].startswith(f"the same for {critical} steps\n  main: ") and f"  b1: {tried}\n" in said["diff main"][0]
assert "FAIL replace-target-equals-source; b1: " in said["diff main"][0]
assert said["space"][0] == said["space"][1] != "nothing\n"
assert said["notes"][0] == f"b1 ({critical + 1}) the other one first\nmain ({critical - 40}) here\n"
assert said["goto b1"][0].startswith(f"b1 ({critical - 39}) ")
page = open("b1.html").read()
data = re.search(r'<script id="interleaf-data"[^>]*>([A-Za-z0-9+/=]*)</script>', page).group(1)
book = json.loads(gzip.decompress(base64.b64decode(data)))
assert book["compare"] and [t["verdict"] for t in book["traces"]] == ["CLEAN", "FAIL"]
assert book["notes"] == [{"trace": 0, "step": critical + 1, "text": "the other one first"}, {"trace": 1, "step": critical - 40, "text": "here"}]
PYTHON
exits 0 replay b1.ilf --expect CLEAN
# mistake COMMAND TEXT: the command cannot be done, at the beginning of the execution.
mistake() {
    echo "$1" >script
    exits 2 step replace/003 --branches 0 --batch script
    says err "script:1: $2"
    [[ ! -s out ]] || fail "something was said of a script that is wrong"
}
mistake "take 99" 'take "99": expected a number from 1 to '
mistake "take" "take: expected a number from 1 to "
printf 'end\ntake 1\n' >script
exits 2 step replace/003 --branches 0 --batch script
says err "script:2: take: there is no choice here"
mistake "watch space/METADTA" 'no record "METADTA" in space at any step'
says err 'did you mean "METADATA"?'
mistake "break when spaces.used>1" 'no table "spaces"'
says err 'did you mean "space"?'
mistake "p devices/a.totl" 'no field "totl"'
says err 'did you mean "total"?'
mistake "nt replac" 'no task "replac"'
says err 'did you mean "replace"?'
mistake "goto b1" 'no branch "b1"; there are main'
mistake "save a.txt" 'save "a.txt": expected a name that ends in .html or .ilf'
mistake "save nowhere/a.html" "cannot write nowhere/a.html"
mistake "why 99999" 'why "99999": expected a step below'
mistake "tak" 'unknown command "tak"; help lists them; did you mean "take"?'

# Who changed it last, and what was there before.
batch end "rw space/METADATA" "p space/METADATA" "b 1" "p space/METADATA" rw "p space/METADATA" rw rc "p space/METADATA"
python3 - 2>err <<'PYTHON' || fail "reverse watch"
import re
said = [part.split("\n", 1)[1] for part in open("out").read().split("(interleaf) ")[1:]]
def place(text):
    return int(re.search(r"^\((\d+)\)", text, re.M).group(1))
def record(text):
    words = text.split()[1:]
    return dict(zip(words[::2], words[1::2]))
def changes(text):
    found = re.findall(r"space/METADATA: (\w+) (\d+) -> (\d+)", text)
    assert found and text.startswith("last changed here\n"), text
    return found
end, first, after, back, before, second, older, again, further, oldest = said
assert place(end) > place(first) == place(back) + 1 and place(second) <= place(back) and place(again) == place(second) > place(further)
told = {field for field, _, _ in changes(first)}
for field, was, became in changes(first):
    assert record(after)[field] == became and record(before)[field] == was, field
assert all(record(after)[field] == record(before)[field] for field in record(after) if field not in told)
assert record(older) == record(before), "something changed it in between"
for field, was, became in changes(second):
    assert record(older)[field] == became, field
assert "stopped by watch space/METADATA" in further and record(oldest) != record(older)
PYTHON
# What a step came after, as the document's accesses have it.
exits 0 export "$token" --branches 0 --to json -o fail.json
batch "why 549" "why 700" "why 900"
python3 - 2>err <<'PYTHON' || fail "why STEP"
import json, re
d = json.load(open("fail.json"))
task, count = d["steps"]["task"], d["accesses"]["count"]
def touched(step):
    first = sum(count[:step])
    rows = range(first, first + count[step])
    return {(d["accesses"]["object"][r], d["accesses"]["kind"][r] == 0) for r in rows if d["accesses"]["object"][r]}
found = 0
for part in open("out").read().split("(interleaf) ")[1:]:
    command, answer = part.split("\n", 1)
    step = int(command.split()[1])
    wanted, wakes = {}, d["steps"]["woken"][step]
    for before in range(step):
        for o, reads in touched(before):
            if task[before] != task[step] and any(o == p and not (reads and r) for p, r in touched(step)):
                wanted[o] = before
    said = re.findall(r"^  touches (.*) after step (\d+), ", answer, re.M)
    assert sorted(said) == sorted((d["objects"][o]["name"], str(b)) for o, b in wanted.items()), (command, wanted, answer)
    own = max((b for b in range(step) if task[b] == task[step]), default=None)
    assert re.findall(r"^  after its own step (\d+), ", answer, re.M) == ([] if own is None else [str(own)]), answer
    assert re.findall(r"^  made possible by step (\d+), ", answer, re.M) == ([] if wakes < 0 else [str(wakes)]), answer
    found += len(said)
assert found, "nothing was touched by two"
PYTHON

# Who cannot come next, and what it waits for.
cat >wait.json <<'JSON'
{"id": "wait/001", "title": "two files are written and synced", "groups": ["wait"],
 "fs": {"devices": [{"name": "a", "size": "64M"}], "data": "single", "metadata": "single"},
 "prepare": ["touch f1", "touch f2", "sync"],
 "tasks": {"one": {"cpu": 1, "run": ["pwrite -S 0x61 0 4K f1", "fsync f1"]}, "two": {"cpu": 2, "run": ["pwrite -S 0x62 0 4K f2", "fsync f2"]}}}
JSON
exits 0 export ./wait.json --seed 1 --branches 0 --to json -o wait.trace
python3 - >script 2>err <<'PYTHON' || fail "nobody waits for a lock"
import json
d = json.load(open("wait.trace"))
waits, holds = d["waits"], d["holds"]
at, holder = next((first, holder) for first, last, lock in zip(waits["first"], waits["last"], waits["object"])
                  for taken, kept, held, holder in zip(holds["first"], holds["last"], holds["object"], holds["task"])
                  if held == lock and taken < first and kept >= last > first)
waiter, lock = next((d["tasks"]["name"][t], d["objects"][o]["name"]) for f, t, o in zip(waits["first"], waits["task"], waits["object"]) if f == at)
taken = next(first for first, o, t in zip(holds["first"], holds["object"], holds["task"]) if t == holder and d["objects"][o]["name"] == lock and first < at)
holder = d["tasks"]["name"][holder]
print(f"# {waiter} waits for {lock} in \n#   {holder} has it since step {taken}, {holder}: \n# {holder} can come next: ")
print(f"# {waiter} is not there yet: it is made in step\n# one is gone after step ")
print(f"g {at}\nwhy-not {waiter}\nwhy-not {holder}\nstart\nwhy-not {waiter}\nend\nwhy-not one")
PYTHON
exits 0 step ./wait.json --seed 1 --branches 0 --batch script
sed -n 's/^# //p' script >wanted
while IFS= read -r line; do says out "$line"; done <wanted
mistake "why-not on" 'no task "on"'

# The terminal's way: a mistake is answered, and does not end it.
printf 'nn\nn 3\nbrek\nquit\n' | "$interleaf" step "$token" --branches 0 >out 2>err || fail "exit $?"
says out 'unknown command "brek"; help lists them; did you mean "break"?'
says out "(3) step 2, "

echo "n many" >script
exits 2 step "$token" --branches 0 --batch script
says err 'script:1: n "many": expected a number'
echo "treee" >script
exits 2 step "$token" --branches 0 --batch script
says err 'did you mean "tree"?'
exits 3 step "$token" --branches 0 --batch nowhere.txt
exits 3 step replace/999
