# logs: of the cluster, or of one service.
parse_common "$@"
follow= name=
for arg in "${ARGS[@]+"${ARGS[@]}"}"; do case $arg in -f | --follow) follow=-f ;; -*) die "logs: unknown option '$arg'" ;; *) name=$arg ;; esac; done
[ -d "$DATA_DIR/logs" ] || die "logs: none yet ($DATA_DIR/logs)"
if [ -n "$name" ] && [ -f "$DATA_DIR/logs/$name.log" ]; then files=("$DATA_DIR/logs/$name.log")
elif [ -n "$name" ] && [ -f "$DATA_DIR/logs/standalone.log" ]; then
  # In one process every line names its service.
  tail -n +1 $follow "$DATA_DIR/logs/standalone.log" | grep --line-buffered -i -- "$name" || die "logs: no line of '$name'"
  exit 0
elif [ -n "$name" ]; then die "logs: no service '$name' (there are: $(cd "$DATA_DIR/logs" && ls | sed 's/\.log$//' | xargs))"
else files=("$DATA_DIR"/logs/*.log); fi
tail -n 200 $follow "${files[@]}"
