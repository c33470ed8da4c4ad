# The gateway: Kubernetes REST and mesh.v1 gRPC on 6443.
ARG BASE=mesh/base
FROM ${BASE}
EXPOSE 6443
ENTRYPOINT ["dotnet", "/app/Mesh.Gateway.dll"]
