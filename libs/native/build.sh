#!/bin/sh
# build.sh OUTDIR: builds the native modules and puts the shared libraries into OUTDIR. Needs cmake and g++.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd)
build=$here/../../artifacts/native
mkdir -p "$build"
# Several projects may build at once.
exec 9>"$build/.lock"
flock 9
cmake -S "$here" -B "$build" -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build "$build" -j 2 >/dev/null || cmake --build "$build"
find "$build" -name 'libmesh_*.so' -exec cp -u {} "$out/" \;
