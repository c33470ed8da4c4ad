# load: docker-archives into the node's containerd, as `kind load image-archive` takes them.
parse_common "$@"
[ ${#ARGS[@]} -gt 0 ] || die "load: which FILE.tar?"
sock=$DATA_DIR/containerd/containerd.sock
[ -S "$sock" ] || die "load: the node's containerd is not running ($sock); ./mesh up first (a hollow node has none)"
for file in "${ARGS[@]}"; do
  [ -r "$file" ] || die "load: cannot read $file"
  ctr --address "$sock" --namespace k8s.io images import "$file" || die "load: cannot import $file"
done
