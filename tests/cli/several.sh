#!/usr/bin/env bash
# explore of several scenarios: one search after the other, and what they came to together.
source "$(dirname "$0")/lib/common.bash"

bug=(--kernel 4.7 --without f0e9b7d64019 --with cursor-duplication)
exits 1 explore 'replace/00?' "${bug[@]}" --preemptions 0 --format json
json 'd["verdict"] == "FAIL" and d["scenario"][:2] == ["replace/001", "replace/002"]'
json '[s["verdict"] for s in d["scenarios"]].count("FAIL") >= 1'
json 'd["executions"] == sum(s["executions"] for s in d["scenarios"])'
json 'all(f["scenario"] in d["scenario"] for f in d["failures"])'
exits 1 replay "$(value 'd["failures"][0]["token"]')"

exits 0 explore replace/001 commit/001 --preemptions 0
says out "PASS-BOUNDED  commit/001"
says out "PASS-BOUNDED  replace/001"

exits 2 explore 'replace/*' --plan 2
says err "--plan is for one scenario, not for "
exits 3 explore 'nothing/*'
