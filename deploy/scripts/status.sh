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
server=$(sed -n 's/^ *server: *//p' "$DATA_DIR/kubeconfig" | head -1)
ask() { curl -s --max-time 5 --cacert "$DATA_DIR/pki/ca.crt" --cert "$DATA_DIR/pki/admin.crt" --key "$DATA_DIR/pki/admin.key" "$server$1"; }
say
ask '/readyz?verbose' || die "the API at $server does not answer"
say
ask /api/v1/componentstatuses | tr -d '\n' | sed 's/{"metadata"/\n&/g' | sed -n 's/.*"name" *: *"\([^"]*\)".*"status" *: *"\([^"]*\)".*/\1 healthy=\2/p'
