#!/bin/bash
# Generates the Go code of every .proto file under proto/, beside it. The old
# code goes only when all of the new exists. "go generate ./..." runs this.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off

tools/protodeps.sh
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT
go tool -modfile=tools/buf/go.mod buf generate -o "$new"
find proto -name '*.pb.go' -delete
cp -R "$new/proto/." proto
