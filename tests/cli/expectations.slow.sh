#!/usr/bin/env bash
# Every verdict that a scenario expects, within its own bound.
source "$(dirname "$0")/lib/common.bash"

exits 0 matrix --format json
json 'd["verdict"] == "PASS" and all(c["as_expected"] and c["expected"] for c in d["cells"])'
json 'len({c["scenario"] for c in d["cells"]}) >= 6'
