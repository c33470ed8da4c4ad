# status: processes, memory and health of every component.
parse_common "$@"
running || { say "not running (data: $DATA_DIR)"; exit 1; }
printf '%-14s %8s %8s  %s\n' PROCESS PID 'RSS MiB' UPTIME
for f in "$DATA_DIR"/run/*.pid; do
  pid=$(cat "$f"); name=$(basename "$f" .pid)
  if [ -d "/proc/$pid" ]; then
    printf '%-14s %8s %8s  %s\n' "$name" "$pid" "$(awk '/VmRSS/ { printf "%d", $2 / 1024 }' "/proc/$pid/status")" "$(ps -o etime= -p "$pid" | tr -d ' ')"
  else
    printf '%-14s %8s %8s  %s\n' "$name" "$pid" - dead
  fi
done
need_tools
export KUBECONFIG=$DATA_DIR/kubeconfig
say
"$TOOLS/kubectl" get --raw '/readyz?verbose' || die "the API does not answer"
say
"$TOOLS/kubectl" get componentstatuses,nodes 2>/dev/null
