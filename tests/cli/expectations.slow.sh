#!/usr/bin/env bash
# Every verdict that a scenario of the group quick expects, within its own bound. The others take long: interleaf matrix.
source "$(dirname "$0")/lib/common.bash"

exits 0 matrix --group quick --format json
json 'd["verdict"] == "PASS" and all(c["as_expected"] and c["expected"] for c in d["cells"])'
json 'len({c["scenario"] for c in d["cells"]}) >= 6'
