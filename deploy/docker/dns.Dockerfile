# The cluster DNS.
ARG BASE=mesh/base
FROM ${BASE}
EXPOSE 10053/udp 10053/tcp 9153
ENTRYPOINT ["dotnet", "/app/Mesh.Dns.dll"]
