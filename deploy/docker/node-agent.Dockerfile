# The node agent. For real containers run it privileged with containerd's packages; hollow nodes need neither.
ARG BASE=mesh/base
FROM ${BASE}
ARG PACKAGES="containerd runc containernetworking-plugins iproute2 nftables util-linux"
RUN [ -z "$PACKAGES" ] || (apt-get update -qq && apt-get install -y -qq --no-install-recommends $PACKAGES && rm -rf /var/lib/apt/lists/*)
EXPOSE 10250
ENTRYPOINT ["dotnet", "/app/Mesh.NodeAgent.dll"]
