#!/bin/sh
# Runs two stages at once, since most tests wait more than they compute: side_by_side.sh NAME COMMAND NAME COMMAND
# Each command is one argument. What the second says is shown when it has ended.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$(dirname "$0")/stage.sh" "$3" sh -c "$4" >"$folder/second" 2>&1 &
second=$!
trap 'kill $second 2>/dev/null; exit 130' INT TERM
"$(dirname "$0")/stage.sh" "$1" sh -c "$2"
first_result=$?
wait $second
second_result=$?
cat "$folder/second"
[ $first_result -eq 0 ] && [ $second_result -eq 0 ]
