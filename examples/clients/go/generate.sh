#!/bin/sh
# Generates the Go stubs of proto/gesta/v1 into DIR (default: here). README.md says what it needs.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here}
cd "$here/../../.."
package=example.com/bank/gesta/v1
set --
for proto in proto/gesta/v1/*.proto; do
  mapping="M${proto#proto/}=$package"
  set -- "$@" "--go_opt=$mapping" "--go-grpc_opt=$mapping"
done
.venv/bin/python -m grpc_tools.protoc -Iproto -Ibuild/googleapis \
  "--go_out=$out" --go_opt=module=example.com/bank \
  "--go-grpc_out=$out" --go-grpc_opt=module=example.com/bank "$@" proto/gesta/v1/*.proto
