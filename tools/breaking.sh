#!/bin/bash
# Fails when proto/ breaks the contract of any commit since the one named in
# tools/breaking-baseline.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off

baseline=$(sed '/^#/d; /^[[:space:]]*$/d' tools/breaking-baseline)
if [[ -z $baseline ]]; then
	echo "nothing to compare with: tools/breaking-baseline names no commit"
	exit
fi
if ! git merge-base --is-ancestor "$baseline" HEAD; then
	echo "nothing to compare with: $baseline (tools/breaking-baseline) is no ancestor of HEAD here"
	exit
fi

tools/protodeps.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
compared=0
for commit in $(git rev-list "$baseline..HEAD" -- proto); do
	git cat-file -e "$commit:proto" 2>/dev/null || continue
	# What git has of that commit lacks third_party/: it gets ours.
	old=$tmp/$commit
	mkdir "$old"
	git archive "$commit" proto | tar -x -C "$old"
	cp buf.yaml "$old"
	cp -RP third_party "$old"
	if ! go tool -modfile=tools/buf/go.mod buf breaking --against "$old"; then
		echo "proto/ breaks the contract of commit $commit; see tools/breaking-baseline" >&2
		exit 1
	fi
	compared=$((compared + 1))
done
echo "compared with commits since $baseline that changed proto/: $compared"
