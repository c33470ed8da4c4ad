# A controller worker.
ARG BASE=mesh/base
FROM ${BASE}
EXPOSE 10257
ENTRYPOINT ["dotnet", "/app/Mesh.Controllers.dll"]
