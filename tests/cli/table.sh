#!/usr/bin/env bash
# The table of docs/README.md is that of the certificates in docs/matrix, and they speak of what is
# there now: the scenarios, the kernels, the model. script/matrix makes both. A cell that has no
# certificate is named, with the line that makes one; a stale certificate fails.
#
#   table.sh [ROOT]
source "$(dirname "$0")/lib/common.bash"

source_folder=${1:-$(cd "$(dirname "$0")/../.." && pwd)}
check=$(cd "$(dirname "$0")/lib" && pwd)/table.py
if [[ ! -d $source_folder/docs/matrix ]]; then
    echo "docs/matrix has not been made yet: script/matrix"
    exit 77
fi
rm -rf tree
mkdir -p tree/docs
cp -r "$scenarios" tree/scenarios
cp -r "$source_folder/docs/matrix" "$source_folder/docs/README.md" tree/docs
cd tree || exit
export INTERLEAF_SCENARIO_PATH=scenarios INTERLEAF_JOBS=1
: >out
: >err

exits 0 validate docs/matrix/*.cert.json
((failures == 0)) || exit

# What the certificates say now. So few executions decide nothing that has none.
kernels=$(sed -nE '/^\| \| [0-9]/ { s/[ |]+/,/g; s/^,|,$//g; p; q }' docs/README.md)
"$interleaf" matrix --kernels "$kernels,expected" --certificates docs/matrix --max-executions 1 \
    --format json --format md -o docs/page.md >out 2>err
json 'len({c["kernel"] for c in d["cells"]}) >= 13 and any(c.get("certificate") for c in d["cells"])'
json 'all(c["as_expected"] for c in d["cells"] if c.get("certificate"))'
python3 "$check" out docs/page.md docs/README.md docs/matrix 2>err || fail "$(cat err)"
python3 "$check" --missing out

# Every failure that a cell names is one.
python3 "$check" --failures out >tokens
while IFS=$'\t' read -r token kernel signature; do
    exits 1 replay "$token" --format json
    json "d['kernel'] == '$kernel' and d['signature'] == '$signature'"
done <tokens
[[ -s tokens ]] || fail "no failure was replayed"
