# All services in one process: prepare --data-dir DIR once, then run --cluster DIR.
ARG BASE=mesh/base
FROM ${BASE}
EXPOSE 6443 2379 10250
ENTRYPOINT ["dotnet", "/app/Mesh.Standalone.dll"]
