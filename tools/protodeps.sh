#!/bin/bash
# Makes third_party/, the .proto files of others that ours import: symlinks into
# the Go module cache, at the versions that tools/protodeps/go.mod pins. buf
# accepts no path outside the repository, but follows symlinks.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off

dir() { go -C tools/protodeps list -m -f '{{.Dir}}' "$1"; }

go -C tools/protodeps mod download
mkdir -p third_party/googleapis/google
ln -sfn "$(dir github.com/bufbuild/protovalidate)/proto/protovalidate" third_party/protovalidate
ln -sfn "$(dir github.com/grpc-ecosystem/grpc-gateway)/third_party/googleapis/google/rpc" third_party/googleapis/google/rpc
