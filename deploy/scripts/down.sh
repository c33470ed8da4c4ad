# down: stops the processes, then the containers, networks, mounts and cgroups they made.
purge=
parse_common "$@"
for arg in "${ARGS[@]+"${ARGS[@]}"}"; do case $arg in --purge) purge=1 ;; *) die "down: unknown option '$arg' (./mesh help)" ;; esac; done
[ -d "$DATA_DIR" ] || { say "nothing is running (no $DATA_DIR)"; exit 0; }
if running; then
  step "stopping"
  stop_supervisor || { kill -KILL "$(cat "$DATA_DIR/run/supervisor.pid")"; for f in "$DATA_DIR"/run/*.pid; do kill -KILL "$(cat "$f")" 2>/dev/null || true; done; }
fi
if [ -x "$BIN/Mesh.Standalone" ] && [ -e "$DATA_DIR/cluster.json" ]; then "$BIN/Mesh.Standalone" cleanup --cluster "$DATA_DIR" || die "clean-up failed (see above)"; fi
rm -f "$DATA_DIR"/run/*.pid
if [ -n "$purge" ]; then
  case $DATA_DIR in
    "$MESH_ROOT/.mesh") find "$DATA_DIR" -mindepth 1 -maxdepth 1 ! -name bin ! -name tools ! -name images -exec rm -rf --one-file-system {} + ;;
    *) rm -rf --one-file-system "$DATA_DIR" ;;
  esac
  say "stopped, data deleted"
else
  say "stopped (data kept in $DATA_DIR: ./mesh up resumes, ./mesh down --purge deletes)"
fi
