#!/usr/bin/env bash
# Documents show what the commands in them print. script/update-docs writes it anew.
source "$(dirname "$0")/lib/common.bash"

docs=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p bin
ln -sf "$interleaf" bin/interleaf
: >err
PATH=$PWD/bin:$PATH INTERLEAF_JOBS=2 python3 "$docs/tests/cli/lib/transcript.py" \
    "$docs/README.md" "$docs"/docs/histories/*.md >out 2>err || fail "a document is out of date"
