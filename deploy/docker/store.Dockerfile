# The store: etcd v3 gRPC on 2379, health and metrics on 2381. Data in /var/lib/mesh/store.
ARG BASE=mesh/base
FROM ${BASE}
EXPOSE 2379 2381
ENTRYPOINT ["dotnet", "/app/Mesh.Store.dll"]
