#!/usr/bin/env bash
# explore goes on to the failure with the fewest context switches, whatever the number of jobs.
source "$(dirname "$0")/lib/common.bash"

command="explore replace/001 --kernel 5.5 --without 1bbb97b8ce7d --format json"
# shellcheck disable=SC2086
exits 1 $command --first
first=$(value 'd["failures"][0]["switches"]')
bound=$(value 'd["failures"][0]["deviations"]')
json '"canonical" not in d["failures"][0]'
# shellcheck disable=SC2086
exits 1 $command -j 1
json "d['failures'][0]['switches'] < $first and d['failures'][0]['deviations'] <= $bound"
json 'd["failures"][0]["canonical"] in (True, False)'
token=$(value 'd["failures"][0]["token"]')
# shellcheck disable=SC2086
exits 1 $command -j 2 --canonical
json "d['failures'][0]['token'] == '$token'"
exits 1 replay "$token"
says out "signature replace-target-equals-source"
exits 2 explore replace/001 --first --canonical
says err "--canonical and --first"
exits 2 explore replace/001 --canonicl
says err 'did you mean "--canonical"?'
