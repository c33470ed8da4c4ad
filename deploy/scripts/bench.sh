# bench [store|snapshots|api|memory|cluster|scheduler] [OPTION...]: the tables of tests/perf, peers from Debian's packages beside them.
# --kubernetes: beside the api a kube-apiserver, built from Debian's source, asked the same in turns.
what=() options=()
while [ $# -gt 0 ]; do
  case $1 in
    --*) options=("$@"); break ;; # from the first option on, all is the benchmark's
    *) what+=("$1"); shift ;;
  esac
done
[ ${#what[@]} -gt 0 ] || what=(store api cluster)
build
step "building the benchmarks"
dotnet build "$MESH_ROOT/tests/perf" -c Release -v q >"$MESH_ROOT/.mesh/bench-build.log" 2>&1 || { tail -5 "$MESH_ROOT/.mesh/bench-build.log" >&2; die "the benchmarks do not build"; }
perf=$MESH_ROOT/artifacts/bin/Mesh.Perf/release/Mesh.Perf

# A cluster of its own, in a network namespace of its own, as the end-to-end tests have it.
bench_cluster() {
  apt_need ip=iproute2 nsenter=util-linux busybox=busybox-static
  [ -e "$MESH_ROOT/.mesh/images/nginx.tar" ] || "$MESH_ROOT/tests/images/build.sh" "$MESH_ROOT/.mesh/images" >/dev/null
  local ns=mesh-bench-$$ dir=/var/tmp/mesh-bench-$$ started ready
  ip netns add $ns
  trap "nsenter --net=/run/netns/$ns '$MESH_ROOT/mesh' down --data-dir $dir --purge >/dev/null 2>&1; ip netns del $ns; rm -rf --one-file-system $dir" EXIT
  ip -n $ns link set lo up
  ip -n $ns link add node0 type veth peer name switch0
  ip -n $ns link set node0 up; ip -n $ns link set switch0 up
  ip -n $ns addr add 172.31.78.2/24 dev node0
  ip -n $ns route add default via 172.31.78.1 dev node0
  started=$(date +%s.%N)
  nsenter --net=/run/netns/$ns "$MESH_ROOT/mesh" up --data-dir $dir --node-name=node-1 >/dev/null
  ready=$(date +%s.%N)
  nsenter --net=/run/netns/$ns "$MESH_ROOT/mesh" load --data-dir $dir "$MESH_ROOT/.mesh/images/nginx.tar" >/dev/null
  nsenter --net=/run/netns/$ns "$perf" cluster $dir "$(awk -v a="$started" -v b="$ready" 'BEGIN { print b - a }')"
}

for name in "${what[@]}"; do
  case $name in
    cluster) (bench_cluster) ;;
    store) apt_need etcd=etcd-server etcdctl=etcd-client; "$perf" store "${options[@]+"${options[@]}"}" ;;
    api)
      if [[ " ${options[*]-} " == *" --kubernetes "* ]]; then
        . "$MESH_ROOT/deploy/scripts/peer.sh"
        need_kube_apiserver
        options+=(--peer "$KUBE_APISERVER")
      fi
      "$perf" api --bin "$BIN" "${options[@]+"${options[@]}"}"
      ;;
    memory) "$perf" "$name" --bin "$BIN" "${options[@]+"${options[@]}"}" ;;
    *) "$perf" "$name" "${options[@]+"${options[@]}"}" ;;
  esac
done
