# What the tests of the program share. INTERLEAF is its path; the working directory is the test's own.
set -uo pipefail

interleaf=${INTERLEAF:?INTERLEAF is the path of the program}
scenarios=${INTERLEAF_SCENARIOS:?INTERLEAF_SCENARIOS is the folder of the scenarios}
unset INTERLEAF_SCENARIOS INTERLEAF # to the program these are unknown variables
export INTERLEAF_SCENARIO_PATH=$scenarios
export PYTHONDONTWRITEBYTECODE=1 # nothing beside the modules in lib/
# The system's, with the packages that script/bootstrap installs.
[[ ! -x /usr/bin/python3 ]] || python3() { /usr/bin/python3 "$@"; }
failures=0

fail() {
    echo "FAILED: $*" >&2
    sed 's/^/  stdout: /' out >&2
    sed 's/^/  stderr: /' err >&2
    failures=$((failures + 1))
}

# exits CODE ARGUMENT...: runs the program, leaves its output in the files out and err.
exits() {
    local wanted=$1 code=0
    shift
    "$interleaf" "$@" >out 2>err </dev/null || code=$?
    ((code == wanted)) || fail "exit $code, not $wanted: interleaf $*"
}

# says FILE TEXT: FILE (out or err) contains TEXT.
says() { grep -qF -- "$2" "$1" || fail "$1 does not say: $2"; }
silent() { [[ ! -s $1 ]] || fail "$1 is not empty"; }

# json EXPRESSION: a Python expression over the document d that is in the file out is true.
json() {
    python3 -c 'import json, sys; d = json.load(open("out")); sys.exit(0 if eval(sys.argv[1]) else 1)' "$1" ||
        fail "not so: $1"
}
# value EXPRESSION: prints it.
value() { python3 -c 'import json, sys; d = json.load(open("out")); print(eval(sys.argv[1]))' "$1"; }

finish() {
    ((failures == 0)) || exit 1
    echo "ok"
}
trap finish EXIT
