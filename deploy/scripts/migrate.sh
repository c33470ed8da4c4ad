# migrate --to URL,...|embedded [--ca-file F --cert-file F --key-file F]: moves the cluster's state between its own store and an etcd. What runs is
# stopped for the copy and started again as it was; containers keep running.
parse_common "$@"
[ -e "$DATA_DIR/cluster.json" ] || die "there is no cluster in $DATA_DIR"
build
"$BIN/Mesh.Standalone" migrate --check --cluster "$DATA_DIR" "${ARGS[@]+"${ARGS[@]}"}" || die "nothing was stopped, nothing was moved"
again=()
if running; then
  # supervise BIN DATA-DIR MODE OPTION...: what comes after the interpreter starts it again.
  mapfile -d '' -t again <"/proc/$(cat "$DATA_DIR/run/supervisor.pid")/cmdline"
  step "stopping the control plane; containers keep running"
  stop_supervisor || die "it does not stop (./mesh logs)"
fi
code=0
"$BIN/Mesh.Standalone" migrate --cluster "$DATA_DIR" "${ARGS[@]+"${ARGS[@]}"}" || code=$?
if [ ${#again[@]} -gt 0 ]; then
  step "starting again"
  setsid "${again[@]}" </dev/null >>"$DATA_DIR/logs/supervisor.log" 2>&1 &
  "$BIN/Mesh.Standalone" wait --cluster "$DATA_DIR" --timeout "${MESH_UP_TIMEOUT:-120}s" || die "the node did not become Ready (logs: ./mesh logs)"
fi
[ $code -eq 0 ] || die "the state was not moved: the cluster is kept where it was"
step "done"
