# need_kube_apiserver: a kube-apiserver to measure beside ours, in $KUBE_APISERVER. Debian has Kubernetes 1.20 as source only: it is built here, once (ten minutes and a gigabyte), and is nobody's dependency.
KUBE_APISERVER=$MESH_ROOT/.mesh/peer/kube-apiserver
need_kube_apiserver() {
  [ ! -x "$KUBE_APISERVER" ] || return 0
  apt_need etcd=etcd-server /usr/lib/go-1.19/bin/go=golang-1.19-go
  local dir=$MESH_ROOT/.mesh/peer path=$PATH source
  step "building kube-apiserver from Debian's source (ten minutes; log in .mesh/peer-build.log)"
  rm -rf "$dir"; mkdir -p "$dir/lists/partial" "$dir/gopath/src/k8s.io"
  ( # a job of its own: as the left side of || its steps would go on after one that failed
    set -e
    cd "$dir"
    echo "deb-src http://deb.debian.org/debian bookworm main" >sources.list
    apt=(apt-get -q -o "Dir::Etc::sourcelist=$dir/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$dir/lists")
    "${apt[@]}" update
    "${apt[@]}" source --download-only kubernetes
    tar -xzf kubernetes_*.orig.tar.gz
    source=$(echo "$dir"/kubernetes-*/)
    ln -s "${source%/}" gopath/src/k8s.io/kubernetes
    cd gopath/src/k8s.io/kubernetes
    export GOPATH=$dir/gopath GO111MODULE=off GOFLAGS= GOCACHE=$dir/cache PATH=/usr/lib/go-1.19/bin:$path
    # The one file that the source package leaves to be made: the OpenAPI definitions of every type marked for it.
    go build -o "$dir/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
    packages=$(grep -rl --include=*.go '^// +k8s:openapi-gen=true' pkg vendor/k8s.io staging/src/k8s.io 2>/dev/null | xargs -n1 dirname | sed 's,^staging/src/,vendor/,' | sort -u | sed 's,^,k8s.io/kubernetes/,' | paste -sd,)
    "$dir/openapi-gen" --go-header-file hack/boilerplate/boilerplate.generatego.txt -i "$packages" \
      -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi -r "$dir/violations"
    go build -o "$KUBE_APISERVER" ./cmd/kube-apiserver
  ) >"$dir/../peer-build.log" 2>&1 </dev/null &
  wait $! || die "kube-apiserver could not be built: see .mesh/peer-build.log"
  rm -rf "$dir/cache" "$dir/lists" "$dir/gopath" "$dir"/kubernetes* "$dir/openapi-gen"
}
