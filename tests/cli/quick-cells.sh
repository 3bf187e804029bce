#!/usr/bin/env bash
# Cells of the matrix that were quickly searched come out as recorded.
source "$(dirname "$0")/lib/common.bash"
source "$(dirname "$0")/lib/cells.bash"

search_again 0 2000 6
