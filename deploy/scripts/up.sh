# up: install, build, start, wait.
mode=standalone runtime=containerd node=$(hostname | tr '[:upper:]' '[:lower:]') extra=()
parse_common "$@"
set -- "${ARGS[@]+"${ARGS[@]}"}"
while [ $# -gt 0 ]; do
  case $1 in
    --mode) mode=${2:-}; shift ;;
    --mode=*) mode=${1#*=} ;;
    --runtime) runtime=${2:-}; shift ;;
    --runtime=*) runtime=${1#*=} ;;
    --node-name) node=${2:-}; shift ;;
    --node-name=*) node=${1#*=} ;;
    --*=*) extra+=("$1") ;;
    *) die "up: unknown option '$1' (./mesh help)" ;;
  esac
  shift
done
case $mode in standalone | services) ;; *) die "up: --mode is standalone or services, not '$mode'" ;; esac
case $runtime in containerd | hollow) ;; *) die "up: --runtime is containerd or hollow, not '$runtime'" ;; esac

if [ "$runtime" = containerd ] && [ "$(id -u)" != 0 ]; then
  die "real containers need root: run 'sudo ./mesh up', or './mesh up --runtime hollow' for simulated containers without root"
fi
if [ "$runtime" = containerd ]; then
  apt_need containerd=containerd runc=runc /usr/lib/cni/bridge=containernetworking-plugins nft=nftables '/usr/lib/*/libnftables.so.1=libnftables1' \
    ip=iproute2 conntrack=conntrack mount=mount nsenter=util-linux
fi
apt_need curl=curl cc=gcc '/usr/lib/*/libc.a=libc6-dev'
build

if running; then
  step "already running (data in $DATA_DIR)"
else
  [ -z "${MESH_START_LOG:-}" ] || date +%s.%N >"$MESH_START_LOG"
  mkdir -p "$DATA_DIR/logs" "$DATA_DIR/run"
  "$BIN/Mesh.Standalone" prepare --data-dir "$DATA_DIR" --node-name "$node" "${extra[@]+"${extra[@]}"}" || die "could not prepare $DATA_DIR"
  step "starting ($mode, $runtime)"
  setsid "$MESH_ROOT/deploy/scripts/supervise" "$BIN" "$DATA_DIR" "$mode" --runtime "$runtime" --node-name "$node" "${extra[@]+"${extra[@]}"}" \
    </dev/null >>"$DATA_DIR/logs/supervisor.log" 2>&1 &
fi

server=$(sed -n 's/^ *server: *//p' "$DATA_DIR/kubeconfig" | head -1)
ask() { curl -sf --max-time 5 --cacert "$DATA_DIR/pki/ca.crt" --cert "$DATA_DIR/pki/admin.crt" --key "$DATA_DIR/pki/admin.key" "$server$1"; }
ready() { ask "/api/v1/nodes/$node" | tr -d ' \n' | grep -q '"type":"Ready","status":"True"\|"status":"True"[^}]*"type":"Ready"'; }
deadline=$((SECONDS + ${MESH_UP_TIMEOUT:-120}))
until ready; do
  [ $SECONDS -lt $deadline ] || { tail -5 "$DATA_DIR"/logs/*.log >&2; die "the node did not become Ready (logs: ./mesh logs)"; }
  sleep 0.1
done

kubectl=kubectl; command -v kubectl >/dev/null 2>&1 || kubectl=$TOOLS/kubectl
step "node $node is Ready"
cat <<READY

  export KUBECONFIG=$DATA_DIR/kubeconfig
  $kubectl get nodes,pods -A
  $kubectl apply -f deploy/examples/guestbook/

  etcdctl:  set -a; . $DATA_DIR/etcdctl.env; etcdctl get --prefix --keys-only /registry
  images:   ./mesh load FILE.tar        logs: ./mesh logs        stop: ./mesh down
READY
[ -x "$kubectl" ] || command -v "$kubectl" >/dev/null 2>&1 || say "  kubectl is not installed: ./mesh tools fetches kubectl and helm into $TOOLS"
