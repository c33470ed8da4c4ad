# load: docker-archives into the node's containerd, as `kind load image-archive` takes them.
parse_common "$@"
[ ${#ARGS[@]} -gt 0 ] || die "load: which FILE.tar?"
sock=$(sed -n 's/^ *address = "\(.*containerd.*\.sock\)"$/\1/p' "$DATA_DIR/node/containerd/config.toml" 2>/dev/null | head -1)
[ -S "$sock" ] || die "load: the node's containerd is not running; ./mesh up first (a hollow node has none)"
for file in "${ARGS[@]}"; do
  [ -r "$file" ] || die "load: cannot read $file"
  ctr --address "$sock" --namespace k8s.io images import "$file" || die "load: cannot import $file"
done
