# test: every test project; the last line counts over all of them.
filter=${1:-}
command -v dotnet >/dev/null || die "the .NET 10 SDK is missing: https://dotnet.microsoft.com/download"
apt_need g++=g++ cmake=cmake make=make curl=curl containerd=containerd runc=runc /usr/lib/cni/bridge=containernetworking-plugins nft=nftables \
  '/usr/lib/*/libnftables.so.1=libnftables1' '/usr/lib/*/librdkafka.so.1=librdkafka1' ip=iproute2 conntrack=conntrack /bin/busybox=busybox-static \
  etcdctl=etcd-client etcd=etcd-server redis-server=redis-server nsenter=util-linux '/usr/lib/python3/dist-packages/grpc=python3-grpcio' \
  '/usr/lib/python3/dist-packages/google/protobuf=python3-protobuf' docker-compose=docker-compose node=nodejs npm=npm
need_tools
build
export MESH_TOOLS=$TOOLS MESH_BIN=$BIN PATH=$TOOLS:$PATH
[ -e "$MESH_ROOT/.mesh/images/guestbook.tar" ] || { step "building the test images"; "$MESH_ROOT/tests/images/build.sh" "$MESH_ROOT/.mesh/images" >/dev/null; }
export MESH_IMAGES=$MESH_ROOT/.mesh/images
step "building the tests"
dotnet build "$MESH_ROOT/Mesh.sln" -c Release -v q >"$MESH_ROOT/.mesh/test-build.log" 2>&1 || { grep -E 'error' "$MESH_ROOT/.mesh/test-build.log" | sort -u | head -20 >&2; say "0 passed, 1 failed, 0 skipped"; exit 1; }

passed=0 failed=0 skipped=0
# Unit tests first, then what starts a whole cluster.
for project in "$MESH_ROOT"/tests/Mesh.*.Tests/*.csproj "$MESH_ROOT"/tests/integration/*.csproj "$MESH_ROOT"/tests/e2e/*.csproj; do
  name=$(basename "$project" .csproj)
  [ -z "$filter" ] || case $name in *"$filter"*) ;; *) continue ;; esac
  log=$MESH_ROOT/.mesh/test-$name.log
  started=$SECONDS
  code=0
  dotnet test "$project" -c Release --no-build --nologo --blame-hang-timeout 10m -v m >"$log" 2>&1 </dev/null || code=$?
  line=$(grep -E '^(Passed|Failed)! +- ' "$log" | tail -1 || true)
  p=$(sed -n 's/.*Passed: *\([0-9]*\).*/\1/p' <<<"${line#*- }"); f=$(sed -n 's/.*Failed: *\([0-9]*\).*/\1/p' <<<"${line#*- }"); s=$(sed -n 's/.*Skipped: *\([0-9]*\).*/\1/p' <<<"${line#*- }")
  p=${p:-0} f=${f:-0} s=${s:-0}
  # A run that crashed, or found no test where the project has some, is a failure even if it counted none.
  if [ $code -ne 0 ] && [ "$f" = 0 ]; then f=1; fi
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  printf '%-28s %5d passed %3d failed %3d skipped  %4ds\n' "$name" "$p" "$f" "$s" $((SECONDS - started))
  [ "$f" = 0 ] || { grep -E '^ *(Failed |Error Message|Stack Trace|  at .*Tests)|\[FAIL\]|error|^   [A-Z].*' "$log" | head -60; tail -5 "$log"; }
done
say "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
