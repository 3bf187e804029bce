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

# batch COMMAND...: each a line of a script for the token.
batch() {
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
batch "nt writer" "bt writer" "enabled" "p space/METADATA.used" "tree" "why"
says out "no such step"
says out "[fails]"
batch "break lock tree_log_mutex" "c" "locks"
says out "tree_log_mutex"

# The terminal's way: a mistake is answered, and does not end it.
printf 'nn\nn 3\nbrek\nquit\n' | "$interleaf" step "$token" --branches 0 >out 2>err || fail "exit $?"
says out 'unknown command "brek"; help lists them; did you mean "break"?'
says out "(3) step 2, "

echo "n many" >script
exits 2 step "$token" --batch script
says err 'script:1: n "many": expected a number'
echo "treee" >script
exits 2 step "$token" --batch script
says err 'did you mean "tree"?'
exits 3 step "$token" --batch nowhere.txt
exits 3 step replace/999
