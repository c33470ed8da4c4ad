#!/bin/sh
# pack.sh ROOTFS CONFIG TAG OUT.tar: packs a folder as a docker-archive (one layer), the form `./mesh load` and `docker load` take.
# CONFIG is the JSON of the image's "config" object (Entrypoint, Cmd, Env, ...). The result depends on the input only.
set -eu
rootfs=$1 config=$2 tag=$3 out=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -C "$rootfs" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$work/layer.tar" .
diff=$(sha256sum "$work/layer.tar" | cut -d' ' -f1)
case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
printf '{"architecture":"%s","os":"linux","created":"1970-01-01T00:00:00Z","config":%s,"rootfs":{"type":"layers","diff_ids":["sha256:%s"]},"history":[{"created":"1970-01-01T00:00:00Z"}]}' \
  "$arch" "$config" "$diff" >"$work/config.json"
printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["layer.tar"]}]' "$tag" >"$work/manifest.json"
mkdir -p "$(dirname "$out")"
tar -C "$work" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$out.part" config.json layer.tar manifest.json
mv "$out.part" "$out"
