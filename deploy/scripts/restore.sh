# restore: an etcd snapshot (etcdctl snapshot save) in place of the store's data; the data before it is kept aside.
parse_common "$@"
[ ${#ARGS[@]} -eq 1 ] || die "restore: which FILE? (made by: etcdctl snapshot save FILE)"
[ -r "${ARGS[0]}" ] || die "restore: cannot read ${ARGS[0]}"
[ -e "$DATA_DIR/cluster.json" ] || die "restore: no cluster in $DATA_DIR; ./mesh up makes one, then ./mesh down and restore"
! running || die "restore: the cluster is running; ./mesh down first"
build
exec "$BIN/Mesh.Standalone" restore --cluster "$DATA_DIR" --snapshot "${ARGS[0]}"
