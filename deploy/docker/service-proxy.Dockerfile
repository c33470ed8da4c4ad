# The service proxy. It programs the kernel of the network namespace it runs in: NET_ADMIN, and the node's namespace on a real node.
ARG BASE=mesh/base
FROM ${BASE}
ARG PACKAGES="nftables libnftables1 conntrack iproute2"
RUN [ -z "$PACKAGES" ] || (apt-get update -qq && apt-get install -y -qq --no-install-recommends $PACKAGES && rm -rf /var/lib/apt/lists/*)
EXPOSE 10256
ENTRYPOINT ["dotnet", "/app/Mesh.ServiceProxy.dll"]
