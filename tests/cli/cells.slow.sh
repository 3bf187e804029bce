#!/usr/bin/env bash
# Cells of the matrix come out as recorded: those that quick-cells.sh leaves out, up to 20 s each.
source "$(dirname "$0")/lib/common.bash"
source "$(dirname "$0")/lib/cells.bash"

search_again 2000 20000 6
