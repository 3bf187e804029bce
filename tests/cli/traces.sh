#!/usr/bin/env bash
# The recorded failures of the library replay to the same step, whatever compiler made the program.
source "$(dirname "$0")/lib/common.bash"

recorded=0
for trace in "$scenarios"/../traces/*.json; do
    field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$trace" "$1"; }
    exits 1 replay "$(field token)" --format json
    json "d['trace_hash'] == '$(field trace_hash)' and d['scenario'] == '$(field scenario)' and d['kernel'] == '$(field kernel)'"
    json "'$(field signature)' in json.dumps(d)"
    recorded=$((recorded + 1))
done
((recorded >= 5)) || fail "$recorded traces are recorded"
