# A scheduler shard.
ARG BASE=mesh/base
FROM ${BASE}
EXPOSE 10259
ENTRYPOINT ["dotnet", "/app/Mesh.Scheduler.dll"]
