#!/bin/bash
# build.sh OUTDIR [IMAGE...]: builds the test images from Debian's packages, without a registry, as docker-archives
# OUTDIR/IMAGE.tar tagged docker.io/local/IMAGE:1. An image is a folder here: image.conf and, laid over everything, rootfs/.
#   PACKAGES  Debian packages unpacked into the image, with every library package they depend on
#   CONFIG    the image's config JSON
#   prepare   (optional function) last touches, run inside the root file system's folder
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "$1" && cd "$1" && pwd); shift
cache=$out/debs; mkdir -p "$cache"
images=("$@"); [ ${#images[@]} -gt 0 ] || images=(busybox nginx redis guestbook)

# The named packages and the library packages below them; programs that a package merely depends on stay out.
closure() {
  { printf '%s\n' "$@"
    apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$@" \
      | grep -E '^(lib[a-z0-9.+-]+|zlib1g)$' | grep -vE '^(libc-bin|libdebconfclient0|libpam.*|libperl.*)$'
  } | sort -u
}

unpack() {
  local p missing=()
  mapfile -t wanted < <(closure "$@")
  for p in "${wanted[@]}"; do compgen -G "$cache/${p}_*.deb" >/dev/null || missing+=("$p"); done
  [ ${#missing[@]} -eq 0 ] || (cd "$cache" && apt-get -o APT::Sandbox::User=root download -q "${missing[@]}" >/dev/null)
  for p in "${wanted[@]}"; do dpkg -x "$(compgen -G "$cache/${p}_*.deb" | head -1)" .; done
  rm -rf usr/share/{doc,man,locale,lintian,bug,info,doc-base,systemd} lib/systemd usr/lib/systemd usr/lib/*/{gconv,perl*}
}

build() {
  local name=$1 root
  root=$(mktemp -d)
  ( cd "$root"
    mkdir -p bin dev etc lib lib64 proc run sys tmp usr var/log var/lib root
    chmod 1777 tmp
    printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\nwww-data:x:33:33:www-data:/:/bin/false\nredis:x:999:999:redis:/:/bin/false\n' >etc/passwd
    printf 'root:x:0:\nnogroup:x:65534:\nwww-data:x:33:\nredis:x:999:\n' >etc/group
    PACKAGES="" CONFIG='{}'
    prepare() { :; }
    # shellcheck source=/dev/null
    . "$here/$name/image.conf"
    # shellcheck disable=SC2086
    unpack busybox-static $PACKAGES
    for applet in $(bin/busybox --list); do [ -e "bin/$applet" ] || ln -s busybox "bin/$applet"; done
    [ ! -d "$here/$name/rootfs" ] || cp -a "$here/$name/rootfs/." .
    prepare
    "$here/../../deploy/images/pack.sh" "$root" "$CONFIG" "docker.io/local/$name:1" "$out/$name.tar" )
  rm -rf "$root"
  echo "$out/$name.tar"
}

for image in "${images[@]}"; do build "$image"; done
