#!/usr/bin/env bash
# Help, version, and command lines that are wrong.
source "$(dirname "$0")/lib/common.bash"

exits 0 --help
says out "explore [ID-GLOB|FILE...]"
exits 0 explore --help
says out "--preemptions N|none"
exits 0 --help=exit-codes
says out "130, 143"
exits 0 --help=kernels
says out "1bbb97b8ce7d"
exits 0 --help=explore
exits 0 help
says out "explore [ID-GLOB|FILE...]"
exits 0 help explore
says out "--preemptions N|none"
exits 2 --help=kernel
says err 'did you mean "kernels"?'
exits 0 --version
says out "interleaf 0."
exits 0 --version --verbose
says out "model revision"

exits 2
says err "a command is missing"
exits 2 explor commit/001
says err 'did you mean "explore"?'
exits 2 explore commit/001 --preemption 2
says err 'did you mean "--preemptions"?'
exits 2 explore
exits 2 explore commit/001 --jobs none
exits 2 run commit/001 --seed seven
exits 2 run commit/001 --format yaml
exits 2 run commit/001 -o /nonexistent/folder/file
says err "cannot write /nonexistent/folder/file"
exits 125 run commit/001 --seed seven --bisect
exits 2 matrix --cell colour
silent out
