#!/bin/bash
# Runs every fuzz target of the module in the working directory for a while:
# tools/fuzz.sh [TIME], 10s each by default.
set -euo pipefail
export GOWORK=off

listing=$(go test -list '^Fuzz' ./...)
# Each package's targets come before the line that names it: "ok PACKAGE 0.1s".
targets=$(awk '/^Fuzz/ { names[n++] = $1 }
	/^ok/ { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }' <<<"$listing")
if [[ -z $targets ]]; then
	echo "no fuzz targets found" >&2
	exit 1
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
fuzz() { go test -run '^$' -fuzz "^$2\$" -fuzztime "$3" -fuzzminimizetime 1x "$1" </dev/null 2>&1 | tee "$tmp/log"; }

# Until Go 1.27 the end of the time itself can fail a run (go.dev/issue/75804):
# "context deadline exceeded" without a failing input. Such a run is repeated.
only_time_is_up() { grep -q 'context deadline exceeded' "$tmp/log" && ! grep -q 'Failing input' "$tmp/log"; }

while read -r package name; do
	echo "$name"
	if ! fuzz "$package" "$name" "${1-10s}"; then
		only_time_is_up || exit 1
		fuzz "$package" "$name" "${1-10s}"
	fi
done <<<"$targets"
