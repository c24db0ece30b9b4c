#!/bin/bash
# Starts the real server on a free port and talks to it with the real grpcurl: a
# client that knows nothing of Parley but what the server says of itself.
set -euo pipefail
cd "$(dirname "$0")/.."
export GOWORK=off

tmp=$(mktemp -d)
server=
cleanup() {
	if [[ -n $server ]]; then
		kill -KILL "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
	rm -rf "$tmp"
}
trap cleanup EXIT

fail() {
	echo "grpcurl check: $1" >&2
	printf '%s\n' "${2-}" >&2
	if [[ -s $tmp/log ]]; then
		echo "the server said:" >&2
		tail -n 50 "$tmp/log" >&2
	fi
	exit 1
}

# within SECONDS COMMAND: waits until COMMAND succeeds.
within() {
	local tries
	for ((tries = $1 * 10; tries > 0; tries--)); do
		"${@:2}" && return
		sleep 0.1
	done
	return 1
}
stopped() { ! kill -0 "$server" 2>/dev/null; }
ready() { [[ -s $tmp/addr ]]; }
ready_or_stopped() { ready || stopped; }

grpcurl() { "$tmp/grpcurl" -plaintext -connect-timeout 10 -max-time 30 "$@" 2>&1; }

# has TEXT REGEXP WHAT: fails unless TEXT matches.
has() { grep -qE "$2" <<<"$1" || fail "$3" "$1"; }

go build -o "$tmp/classifier" ./cmd/classifier
go build -modfile=tools/grpcurl/go.mod -o "$tmp/grpcurl" github.com/fullstorydev/grpcurl/cmd/grpcurl

"$tmp/classifier" serve --addr 127.0.0.1:0 --addr-file "$tmp/addr" \
	--ledger "$tmp/labels.db" --admin-addr 127.0.0.1:0 --admin-addr-file "$tmp/admin" </dev/null >"$tmp/log" 2>&1 &
server=$!
within 60 ready_or_stopped || fail "no address after 60 s"
ready || fail "the server stopped before it had an address"
addr=$(<"$tmp/addr")

out=$(grpcurl "$addr" list) || fail "list failed" "$out"
has "$out" '^parley\.v1\.ClassificationService$' "list does not show the service"
has "$out" '^parley\.v1\.LabelService$' "list does not show the service of labels"

out=$(grpcurl "$addr" describe parley.v1.ClassificationService) || fail "describe failed" "$out"
has "$out" 'rpc Classify ' "describe does not show Classify"

out=$(grpcurl -d '{"document": {"text": "The presidents met in Alaska to talk about the war in Ukraine."}}' \
	"$addr" parley.v1.ClassificationService/Classify) || fail "Classify failed" "$out"
has "$out" '"modelRevision": *"models/[^/"]+/revisions/[^/"]+"' "the answer names no revision"
has "$out" '"predictions": *\[ *$' "the answer has no predictions"
has "$out" '"decision": *"DECISION_[A-Z_]+"' "the answer has no decision"
printf '%s\n' "$out"

# grpcurl exits with 64 + the gRPC code; INVALID_ARGUMENT is 3.
code=0
out=$(grpcurl -d '{"document": {"text": ""}}' "$addr" parley.v1.ClassificationService/Classify) || code=$?
[[ $code == 67 ]] || fail "an empty text gave exit code $code, want 67" "$out"
has "$out" 'Code: InvalidArgument' "an empty text is not refused with InvalidArgument"
has "$out" '"reason": *"EMPTY_DOCUMENT"' "the refusal of an empty text lacks its reason"
printf '%s\n' "$out"

# A label goes into the ledger, a second time it is there already, and it comes out.
label='{"request_id": "a", "labels": [{"text": "They met in Alaska.", "head": "topic", "label": "summit_evnt", "annotator": "ada"}]}'
out=$(grpcurl -d "$label" "$addr" parley.v1.LabelService/BatchCreateLabels) || fail "BatchCreateLabels failed" "$out"
has "$out" '"number": *"1"' "the label has no number"
has "$out" '"LABEL_WARNING_UNKNOWN_LABEL"' "a label that the model does not have goes unnoticed"
out=$(grpcurl -d "${label/\"a\"/\"b\"}" "$addr" parley.v1.LabelService/BatchCreateLabels) || fail "BatchCreateLabels failed" "$out"
has "$out" '"existing": *true' "the same label was taken twice"
out=$(grpcurl "$addr" parley.v1.LabelService/ListLabels) || fail "ListLabels failed" "$out"
has "$out" '"text": *"They met in Alaska\."' "the label is not listed"
printf '%s\n' "$out"

# The admin port answers gRPC too.
admin=$(<"$tmp/admin")
out=$(grpcurl "$admin" list) || fail "list failed on the admin port" "$out"
has "$out" '^grpc\.channelz\.v1\.Channelz$' "the admin port does not show channelz"
out=$(grpcurl "$admin" grpc.channelz.v1.Channelz/GetServers) || fail "GetServers failed" "$out"
has "$out" '"callsStarted": *"[1-9]' "channelz counts no calls"

kill -TERM "$server"
within 60 stopped || fail "the server still runs 60 s after SIGTERM"
code=0
wait "$server" || code=$?
server=
[[ $code == 0 ]] || fail "the server ended with exit code $code after SIGTERM, want 0"
echo "grpcurl check passed"
