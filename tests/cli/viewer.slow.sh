#!/usr/bin/env bash
# The viewer: its sources build the committed page, its core agrees with the engine, and the page
# works in a browser. Without Node, its packages (npm ci in viz/) or Chromium this is skipped, unless
# VIEWER_REQUIRED is set.
viz=$(cd "$(dirname "$0")/../../viz" && pwd)

skip() {
    echo "SKIPPED: the tests of the viewer need $1"
    [[ -z ${VIEWER_REQUIRED-} ]] || exit 1
    exit 77
}
node=$(command -v node) || skip "node (package nodejs)"
[[ -d $viz/node_modules ]] || skip "what viz/package-lock.json names: run npm ci in viz/"
[[ -x ${CHROMIUM:-/usr/bin/chromium} ]] || skip "chromium (package chromium)"

source "$(dirname "$0")/lib/common.bash"
modules=$viz/node_modules
# viz COMMAND...: runs a tool of the viewer in its folder.
viz() {
    (cd "$viz" && "$@") >viz.log 2>&1 && return
    tail -n 60 viz.log >&2
    fail "in viz/: $*"
}

viz "$node" "$modules/typescript/bin/tsc" --noEmit
viz "$node" "$modules/vite/bin/vite.js" build --outDir "$PWD/dist" --emptyOutDir
viz "$node" build/publish.mjs --check "$PWD/dist/index.html"

rm -rf fixtures pages && mkdir fixtures pages
# Of every scenario the whole execution, with a run of its own for each step: minutes for the longest.
for id in $(cd "$scenarios" && ls */*.json | sed 's/\.json//'); do
    exits 0 export "$id" --to json --branches 0 -o "fixtures/${id//\//-}.json"
    exits 0 export "$id" --to states -o "fixtures/${id//\//-}.states"
done
exits 1 explore replace/001 --kernel 5.5 --without 1bbb97b8ce7d --format json
token=$(value 'd["failures"][0]["token"]')
exits 0 export "$token" --to json -o fixtures/fail.json
exits 0 export "$token" --to states -o fixtures/fail.states
FIXTURES=$PWD/fixtures viz "$node" "$modules/vitest/vitest.mjs" run
grep -q 'contract.test.ts.*skipped' viz.log && fail "the states were not compared"
rm fixtures/*.states # a gigabyte

passing=$(python3 -c 'import json; print(json.load(open("fixtures/fail.json"))["why"]["flips"]["found"][0]["passing"])')
exits 0 export "$token" --to html -o pages/fail.html
says out "with the nearest passing execution beside it"
exits 0 export "$token" "$passing" --to html -o pages/compare.html
exits 1 diff "$token" "$passing" --format json -o pages/diff.json
exits 0 export "$passing" --to json -o pages/pass.json
cp dist/index.html pages/empty.html
exits 0 lesson device-replace -o pages/lesson.html
python3 - >big.json <<'PYTHON'
import json

def operations(task):
    for i in range(190):
        yield f"pwrite -S 0x6{task} {i % 4 * 4}K 4K f{task}"
        yield f"writeback f{task}"
        if i % 3 == 2:
            yield f"fsync f{task}"

print(json.dumps({"id": "big/001", "title": "many steps", "groups": ["big"],
                  "fs": {"devices": [{"name": "a", "size": "256M"}], "data": "single", "metadata": "single"},
                  "prepare": [f"touch f{t}" for t in range(3)] + ["sync"],
                  "tasks": {f"t{t}": {"cpu": t + 1, "run": list(operations(t))} for t in range(3)}}))
PYTHON
exits 0 export ./big.json --branches 0 --to html -o pages/big.html
says out "wrote pages/big.html: 100 000 steps; "
viz "$node" tests/page/page.mjs "$PWD/pages"
cat viz.log
