# The base of every service's image: the runtime and one published tree of all services (they share their libraries, so their images share this layer).
# Where no registry can be reached, give local images: --build-arg SDK=... --build-arg RUNTIME=...
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME=mcr.microsoft.com/dotnet/aspnet:10.0

FROM ${SDK} AS build
# g++, cmake: native modules; without them the managed implementations serve.
RUN command -v g++ >/dev/null && command -v cmake >/dev/null || (apt-get update -qq && apt-get install -y -qq --no-install-recommends g++ cmake make) || true
WORKDIR /source
COPY . .
RUN dotnet publish services/standalone -c Release -o /app -v q \
 && if [ -x libs/native/build.sh ]; then libs/native/build.sh /app; fi

FROM ${RUNTIME}
COPY --from=build /app /app
WORKDIR /var/lib/mesh
ENV DOTNET_TieredPGO=1 \
    DOTNET_gcServer=0 \
    MESH_LOG_FORMAT=json
ENTRYPOINT ["dotnet"]
