# bench: the tables of tests/perf, peers from Debian's packages beside them.
apt_need etcd=etcd-server etcdctl=etcd-client
build
dotnet run --project "$MESH_ROOT/tests/perf" -c Release -- "${@:-all}"
