cat <<'HELP'
./mesh up      [--mode standalone|services] [--runtime containerd|hollow] [--data-dir DIR] [--node-name NAME] [--node-ip IP]
               [--service-cidr CIDR] [--pod-cidr CIDR] [--cluster-domain D] [--api-port N] [--kafka HOST:PORT,...]
               [--runtime-config api/beta=true,GROUP/VERSION=true|false,...]
               [--store URL,... --store-ca-file F --store-cert-file F --store-key-file F] [--SERVICE.SETTING=VALUE]
               builds what is not built, starts a single-node cluster, waits until it is Ready (again: does nothing)
./mesh down    [--data-dir DIR] [--purge]   stops the cluster, its containers and networks; --purge deletes its data too
./mesh status  [--data-dir DIR]             the components, their processes and health
./mesh load    FILE.tar...                  imports docker-archives into the node's containerd
./mesh restore FILE [--data-dir DIR]        a snapshot (etcdctl snapshot save) in place of a stopped cluster's data
./mesh logs    [SERVICE] [-f]               the log of the cluster or of one service
./mesh test    [FILTER]                     every test; ends with "N passed, N failed, N skipped"
./mesh bench   [store|api|memory|cluster]   the benchmark tables
./mesh migrate --to URL,...|embedded [--ca-file F --cert-file F --key-file F]
               moves the cluster's state to an etcd, or back into its own store; what runs is stopped for the copy
./mesh tools                                downloads kubectl and helm into .mesh/tools
HELP
