#!/bin/sh
# Builds exobench and runs the main job: `exobench run` with the arguments given.
# Needs Go and nothing else. Results go to ./results unless --out says otherwise.
set -eu

need=1.26
here=$(cd "$(dirname "$0")" && pwd)

if ! command -v go >/dev/null 2>&1; then
	echo "run_benchmark.sh: Go is not installed: get Go $need or newer from https://go.dev/dl/" >&2
	exit 1
fi
have=$(cd / && GOTOOLCHAIN=local go env GOVERSION)
minor=$(echo "$have" | sed -n 's/^go1\.\([0-9][0-9]*\).*/\1/p')
if [ -n "$minor" ] && [ "$minor" -lt "${need#1.}" ]; then
	echo "run_benchmark.sh: this is $have, which is too old: get Go $need or newer from https://go.dev/dl/" >&2
	exit 1
fi

(cd "$here" && CGO_ENABLED=0 go build -trimpath -o bin/exobench ./cmd/exobench)
exec "$here/bin/exobench" run "$@"
