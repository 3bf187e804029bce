#!/usr/bin/env bash
# script/matrix in a tree of its own: the front page, what is left of a run that was stopped or cut,
# and what tests/cli/table.sh says of all that.
source "$(dirname "$0")/lib/common.bash"

tests=$(cd "$(dirname "$0")" && pwd)
rm -rf tree first checked
mkdir -p tree/{script,docs,build/release,scenarios/zoned}
cp "$tests/../../script/matrix" tree/script
# The program, with no scenarios but those of the tree that it is called in.
cat >tree/build/release/interleaf <<END
#!/usr/bin/env bash
ids=()
[[ \$1 != matrix ]] || for file in scenarios/*/*.json; do ids+=("\$(sed -nE 's/.*"id": "([^"]+)".*/\1/p' "\$file")"); done
exec "$interleaf" "\$@" "\${ids[@]}"
END
chmod +x tree/build/release/interleaf
program=$PWD/tree/build/release/interleaf
cp "$scenarios/zoned/002.json" tree/scenarios/zoned
export INTERLEAF_SCENARIO_PATH=scenarios
printf '%s\n' '# Front' '' '<!-- script/matrix: the table -->' 'nothing yet' '<!-- script/matrix: its end -->' '' 'After it.' >tree/docs/README.md
cp tree/docs/README.md empty.md

# makes CODE ARGUMENT...: runs script/matrix.
makes() {
    local wanted=$1 code=0
    shift
    tree/script/matrix --jobs 1 "$@" >out 2>err </dev/null || code=$?
    ((code == wanted)) || fail "exit $code, not $wanted: script/matrix $*"
}
# checks CODE: runs the test of the table there.
checks() {
    local code=0
    mkdir -p checked
    (cd checked && INTERLEAF=$program INTERLEAF_SCENARIOS=$PWD/../tree/scenarios bash "$tests/table.sh" "$PWD/../tree") >out 2>err || code=$?
    ((code == $1)) || fail "exit $code, not $1: table.sh"
}

checks 77
says out "has not been made yet: script/matrix"

# Cut: not decided is what the page and the total say, and the exit code.
makes 1 --time 0ms
says out "zoned/002 on 6.1: expected PASS-BOUNDED, got INCONCLUSIVE, "
says out "15 cells: 0 searches of 0.0 min together, 0 that share one, 7 not for their kernel, 8 not decided, 5 unexpected"
grep -qE '\| \? [0-9]+% at [01]<br>' tree/docs/README.md || fail "not so"
grep -q 'Never\\~\]' tree/docs/README.md && fail "a search that was cut counts as one that found nothing"
[[ ! -e tree/docs/matrix ]] || fail "a certificate of nothing"
cp empty.md tree/docs/README.md

# The whole table, in the front page; again, and nothing changes.
makes 0
says out "15 cells: 6 searches of 0.0 min together, 2 that share one, 7 not for their kernel, 0 not decided, 0 unexpected"
says tree/docs/README.md '(../scenarios/zoned/002.json)'
[[ $(head -n 1 tree/docs/README.md) == "# Front" && $(tail -n 1 tree/docs/README.md) == "After it." ]] || fail "not in its place"
cp -r tree/docs first
touch tree/docs/matrix/other.cert.json
makes 0
diff -r tree/docs first >err || fail "another table the second time"
checks 0
[[ $(cat out) == ok ]] || fail "something is missing"

# Other kernels: kept, printed, and not in the front page.
makes 0 --kernels 6.10
says out '| [zoned/002]'
cmp tree/docs/README.md first/README.md >err || fail "another table in the front page"
checks 1
says err "no cell of the table needs docs/matrix/zoned-002-6.10.cert.json"
rm tree/docs/matrix/zoned-002-6.10.cert.json

# What has no certificate is named, with what makes it.
rm tree/docs/matrix/zoned-002-6.8.cert.json
checks 0
says out "no certificate of zoned/002 on 6.8"
says out "1 cells have no certificate: run script/matrix"
# What is stale fails, with the line that makes it anew; so does a front page that says something else.
sed 's/"rm f10"/"rm f9"/' "$scenarios/zoned/002.json" >tree/scenarios/zoned/002.json
checks 1
says err "docs/matrix/zoned-002-6.9.cert.json is stale: the scenario is another"
says err "run again: interleaf matrix zoned/002 --kernels 6.9 --certificates docs/matrix"
cp "$scenarios/zoned/002.json" tree/scenarios/zoned
makes 0
sed -i 's/ at 2<br>/ at 3<br>/' tree/docs/README.md
checks 1
says err "the row of zoned/002 in docs/README.md is not what docs/matrix says: run script/matrix"
cp first/README.md tree/docs

# Stopped in the middle: what is done is kept, the front page is as it was, and the next run goes on.
mkdir -p tree/scenarios/zzz
sed 's#"id": "commit/001"#"id": "zzz/001"#' "$scenarios/commit/001.json" >tree/scenarios/zzz/001.json
rm -r tree/docs/matrix
tree/script/matrix --jobs 1 >out 2>err </dev/null &
for _ in {1..600}; do
    [[ -e tree/docs/matrix/zoned-002-6.9-without-073bda7a5417.cert.json ]] && break
    sleep 0.1
done
kill %1
code=0
wait %1 || code=$?
((code == 143)) || fail "exit $code, not 143"
says out "interrupted: script/matrix goes on with what has no certificate yet"
cmp tree/docs/README.md first/README.md >err || fail "a table of half the cells"
[[ ! -e tree/docs/matrix.new.md && -z $(find tree -name '*.tmp') ]] || fail "something is left over"
rm -r tree/scenarios/zzz
cp tree/docs/matrix/zoned-002-6.8.cert.json kept.cert.json
makes 0
cmp kept.cert.json tree/docs/matrix/zoned-002-6.8.cert.json >err || fail "searched again"
checks 0
