#!/usr/bin/env bash
# The recorded failures of the library, shrunk, replay to the same step, whatever compiler made the
# program.
source "$(dirname "$0")/lib/common.bash"

recorded=0 smaller=0
for trace in "$scenarios"/../traces/*.json; do
    field() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$trace" "$1"; }
    options=()
    # Fewer tasks or calls than the library's scenario has.
    if python3 -c 'import json, sys; json.dump(json.load(open(sys.argv[1]))["definition"], open("smaller.json", "w"))' "$trace" 2>err; then
        options=(--scenario smaller.json)
        smaller=$((smaller + 1))
    fi
    exits 1 replay "$(field token)" "${options[@]}" --format json
    json "d['trace_hash'] == '$(field trace_hash)' and d['scenario'] == '$(field scenario)' and d['kernel'] == '$(field kernel)'"
    json "d['signature'] == '$(field signature)'"
    recorded=$((recorded + 1))
done
((smaller >= 1)) || fail "no scenario had more than its failure needs"
((recorded >= 5)) || fail "$recorded traces are recorded"
