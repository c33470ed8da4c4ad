# up: install, build, start, wait.
mode=standalone runtime='' cluster=() run=()
parse_common "$@"
set -- "${ARGS[@]+"${ARGS[@]}"}"
while [ $# -gt 0 ]; do
  case $1 in
    --mode) mode=${2:-}; shift ;;
    --mode=*) mode=${1#*=} ;;
    --runtime) runtime=${2:-}; shift ;;
    --runtime=*) runtime=${1#*=} ;;
    --runtime-config=*) cluster+=("$1") ;; # its value has dots and equal signs of its own
    --*.*=*) run+=("$1") ;; # --store.quota-bytes=…: a setting of one service
    --*=*) cluster+=("$1") ;;
    --*.*) [ $# -gt 1 ] || die "up: $1 needs a value"; run+=("$1=$2"); shift ;;
    --*) [ $# -gt 1 ] || die "up: $1 needs a value"; cluster+=("$1=$2"); shift ;;
    *) die "up: unknown option '$1' (./mesh help)" ;;
  esac
  shift
done
case $mode in standalone | services) ;; *) die "up: --mode is standalone or services, not '$mode'" ;; esac
# What the cluster of this directory was made with holds; a new one gets real containers.
if [ -n "$runtime" ]; then
  cluster+=("--runtime=$runtime")
else
  runtime=$(sed -n 's/^ *"Runtime": "\(.*\)",*$/\1/p' "$DATA_DIR/cluster.json" 2>/dev/null || true)
  runtime=${runtime:-containerd}
fi
case $runtime in containerd | hollow) ;; *) die "up: --runtime is containerd or hollow, not '$runtime'" ;; esac

if [ "$runtime" = containerd ] && [ "$(id -u)" != 0 ]; then
  die "real containers need root: run 'sudo ./mesh up', or './mesh up --runtime hollow' for simulated containers without root"
fi
if [ "$runtime" = containerd ]; then
  apt_need containerd=containerd runc=runc /usr/lib/cni/bridge=containernetworking-plugins nft=nftables '/usr/lib/*/libnftables.so.1=libnftables1' \
    ip=iproute2 conntrack=conntrack mount=mount nsenter=util-linux
fi
apt_need cc=gcc '/usr/lib/*/libc.a=libc6-dev'
build

if running; then
  step "already running (data in $DATA_DIR)"
  [ $((${#cluster[@]} + ${#run[@]})) = 0 ] || step "options take effect at a start: ./mesh down, then ./mesh up with them"
else
  [ -z "${MESH_START_LOG:-}" ] || date +%s.%N >"$MESH_START_LOG"
  mkdir -p "$DATA_DIR/logs" "$DATA_DIR/run"
  "$BIN/Mesh.Standalone" prepare --data-dir "$DATA_DIR" "${cluster[@]+"${cluster[@]}"}" || die "could not prepare $DATA_DIR"
  step "starting ($mode, $runtime)"
  setsid "$MESH_ROOT/deploy/scripts/supervise" "$BIN" "$DATA_DIR" "$mode" "${run[@]+"${run[@]}"}" \
    </dev/null >>"$DATA_DIR/logs/supervisor.log" 2>&1 &
fi

"$BIN/Mesh.Standalone" wait --cluster "$DATA_DIR" --timeout "${MESH_UP_TIMEOUT:-120}s" || { tail -n 20 "$DATA_DIR"/logs/*.log >&2; die "the node did not become Ready (logs: ./mesh logs)"; }

kubectl=kubectl; command -v kubectl >/dev/null 2>&1 || kubectl=$TOOLS/kubectl
step "the node is Ready"
cat <<READY

  export KUBECONFIG=$DATA_DIR/kubeconfig
  $kubectl get nodes,pods -A
  $kubectl apply -f deploy/examples/guestbook/

  etcdctl:  set -a; . $DATA_DIR/etcdctl.env; etcdctl get --prefix --keys-only /registry
  images:   ./mesh load FILE.tar        logs: ./mesh logs        stop: ./mesh down
READY
[ -x "$kubectl" ] || command -v "$kubectl" >/dev/null 2>&1 || say "  kubectl is not installed: ./mesh tools fetches kubectl and helm into $TOOLS"
