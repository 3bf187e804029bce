#!/usr/bin/env bash
# Results as CI systems read them.
source "$(dirname "$0")/lib/common.bash"
here=$(dirname "$0")

command -v xmllint >/dev/null || { echo "skipped: there is no xmllint"; exit 0; }
valid_junit() { xmllint --noout --schema "$here/lib/junit.xsd" "$1" 2>>err || fail "$1 is no JUnit report"; }

kernel="--kernel 5.5 --without 1bbb97b8ce7d"
# One search, all formats.
rm -f summary.md
# shellcheck disable=SC2086
GITHUB_STEP_SUMMARY=summary.md exits 1 explore replace/001 $kernel --format junit -o report.xml --format sarif -o report.sarif \
    --format ktap -o report.ktap --format github -o report.github --format md -o report.md --format json
token=$(value 'd["failures"][0]["token"]')
valid_junit report.xml
[[ $(xmllint --xpath 'string(//failure/@type)' report.xml) == replace-target-equals-source ]] || fail "no failure in report.xml"
[[ $(xmllint --xpath 'string(//property[@name="token"]/@value)' report.xml) == "$token" ]] || fail "no token in report.xml"
[[ $(xmllint --xpath 'string(/testsuites/@failures)' report.xml) == 1 ]] || fail "wrong counts in report.xml"
says report.xml "btrfs_scrub_dev()"

cp report.sarif out
json 'd["version"] == "2.1.0" and d["runs"][0]["tool"]["driver"]["name"] == "interleaf"'
json 'd["runs"][0]["results"][0]["ruleId"] == d["runs"][0]["tool"]["driver"]["rules"][d["runs"][0]["results"][0]["ruleIndex"]]["id"]'
json 'd["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].endswith("replace/001.json")'
json 'd["runs"][0]["results"][0]["properties"]["replay"].startswith("interleaf replay il1:")'
json 'sum(len(f["locations"]) for f in d["runs"][0]["results"][0]["codeFlows"][0]["threadFlows"]) > 10'
json 'all(l["executionOrder"] >= 1 and l["location"]["message"]["text"] for f in d["runs"][0]["results"][0]["codeFlows"][0]["threadFlows"] for l in f["locations"])'

[[ $(sed -n 1,3p report.ktap) == $'KTAP version 1\n1..1\nnot ok 1 replace/001 5.5 without 1bbb97b8ce7d' ]] || fail "no KTAP"
says report.ktap "interleaf replay $token"
[[ $(head -c 13 report.github) == "::error file=" ]] || fail "no annotation"
(($(wc -l <report.github) == 1)) || fail "an annotation of several lines"
cmp -s summary.md report.md || fail "the step summary is not the table"
says report.md "| replace/001 | 5.5 without 1bbb97b8ce7d | FAIL | **failed** |"

# A failure that was expected, and one that was expected and did not come.
# shellcheck disable=SC2086
exits 0 explore replace/001 $kernel --expect FAIL --format junit -o report.xml --format ktap --format sarif -o report.sarif
says out "ok 1 replace/001 5.5 without 1bbb97b8ce7d # XFAIL expected"
valid_junit report.xml
[[ $(xmllint --xpath 'count(//failure)' report.xml) == 0 ]] || fail "an expected failure fails"
cp report.sarif out
json 'd["runs"][0]["results"] == []'
exits 1 run replace/003 --expect FAIL --format ktap
says out "not ok 1 replace/003 6.1"

# What passes, what is undecided, what cannot be run.
exits 0 run replace/003 --format junit -o report.xml --format github
silent out
valid_junit report.xml
exits 4 explore commit/001 --max-executions 5 --format ktap --format junit -o report.xml --format github -o report.github
says out "ok 1 commit/001 6.1 # SKIP no verdict inside the limits"
valid_junit report.xml
[[ $(xmllint --xpath 'count(//skipped)' report.xml) == 1 ]] || fail "nothing skipped"
[[ $(head -c 10 report.github) == "::warning " ]] || fail "no warning"
exits 3 explore nothing/001 --format ktap --format junit -o report.xml
says out "# ERROR"
valid_junit report.xml
[[ $(xmllint --xpath 'count(//error)' report.xml) == 1 ]] || fail "no error"
exits 0 hunt replace/003 commit/001 --count 5 --format ktap
says out "1..2"
exits 1 hunt replace/001 --kernel 5.5 --without 1bbb97b8ce7d --strategy pct:2 --count 20000 --format junit
cp out report.xml
valid_junit report.xml
exits 0 matrix replace/001 --engine hunt --count 3 --kernels 5.4,5.5 --format junit -o report.xml --format md
valid_junit report.xml
[[ $(xmllint --xpath 'count(//testcase)' report.xml) == 2 ]] || fail "not a case for each cell"

# Names that want to be something else. The id is a word, but file names are not.
mkdir -p 'a,b:100%&<x>'
sed 's#"replace/001"#"mine/001"#' "$scenarios/replace/001.json" >'a,b:100%&<x>/0"01.json'
# shellcheck disable=SC2086
exits 1 explore 'a,b:100%&<x>/0"01.json' $kernel --format junit -o report.xml --format github --format sarif -o report.sarif
valid_junit report.xml
says out "file=a%2Cb%3A100%25&<x>/0\"01.json,line=1,"
cp report.sarif out
json 'd["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%2Cb%3A100%25%26%3Cx%3E/0%2201.json"'

exits 2 list --format junit
says err "interleaf list has the formats text and json only"
exits 2 explore replace/001 --format junt
says err 'did you mean "junit"?'
exits 2 explore replace/001 --format junit --format ktap
