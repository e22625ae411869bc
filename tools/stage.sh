#!/bin/sh
# Runs a command as a named stage and prints how long it took: tools/stage.sh NAME COMMAND...
set -u
name=$1
shift
printf '\n== %s\n' "$name"
began=$(date +%s)
"$@"
result=$?
ended=$(date +%s)
if [ $result -eq 0 ]; then word=passed; else word=FAILED; fi
printf '== %s: %s in %s s\n' "$name" "$word" "$((ended - began))"
exit $result
