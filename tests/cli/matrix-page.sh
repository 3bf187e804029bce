#!/usr/bin/env bash
# A matrix as a page: it leads to certificates, scenarios and failures, and is the same the next time.
source "$(dirname "$0")/lib/common.bash"

rm -rf page
mkdir -p page/scenarios/zoned
cp "$scenarios"/zoned/00*.json page/scenarios/zoned
cd page || exit
: >out
: >err
export INTERLEAF_SCENARIO_PATH=scenarios

made() { exits 0 matrix zoned/002 --kernels 5.5,6.12,expected --certificates kept --format json --format md -o "$1"; }
made page.md
for text in '| | 5.5 | 6.12 | 6.1 | 6.8 | 6.9 |' '| [zoned/002](scenarios/zoned/002.json)<br>the writer zeroes' \
    '| \- | [**Sometimes**](kept/zoned-002-6.12.cert.json)<br>' '[Never\~](kept/zoned-002-6.1.cert.json)<br>' ' at 2<br>' \
    '<br>as 6.12<br>[again](#zoned-002-6.9) |' \
    '| [zoned/002](scenarios/zoned/002.json) | 6.8 with zoned-keep-header | [Never\~](kept/zoned-002-6.8-with-zoned-keep-header.cert.json) | ' \
    '<a id="zoned-002-6.12"></a>'; do
    says page.md "$text"
done
grep -q '####' page.md && fail "a ladder of a failure that is expected"
# Every link leads somewhere, and every token fails as the page says.
grep -oE '\]\([^#)]+\)' page.md | tr -d '])(' | sort -u >links
(($(wc -l <links) >= 7)) || fail "$(wc -l <links) links"
while read -r file; do [[ -e $file ]] || fail "no $file"; done <links
for token in $(grep -oE 'il1:[a-z0-9]+' page.md | sort -u); do exits 1 replay "$token"; done

# Times are those of the certificates: the page does not change. Nor does it lie where it is made.
made again.md
cmp page.md again.md >err || fail "another page the second time"
mkdir -p docs
made docs/page.md
says docs/page.md '(../kept/zoned-002-6.1.cert.json)'

# What is cut has no certificate, and is not called Never.
exits 1 matrix zoned/002 --kernels 6.1 --certificates none --max-executions 9 --format md
grep -qE '\| \? [0-9]+% at [01]<br>\*\*!\*\* expected PASS-BOUNDED<br>[0-9]+ \|$' out || fail "not so"
