#!/bin/sh
# build.sh OUT.tar: the sandbox image, docker.io/mesh/pause:1.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
cc -Os -static -s -o "$root/pause" "$here/pause.c"
"$here/../pack.sh" "$root" '{"Entrypoint":["/pause"],"User":"65535:65535"}' docker.io/mesh/pause:1 "$1"
