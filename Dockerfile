# FuncStash as a container: one process, its data in the volume /data, no shell, no root. See compose.yaml.
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg VERSION="$(./pack version)" -t funcstash .
FROM --platform=$BUILDPLATFORM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG TARGETARCH
ARG VERSION=0.1.0-dev
WORKDIR /source
COPY Directory.Build.props Directory.Packages.props global.json BannedSymbols.txt .editorconfig ./
COPY src src
# As ./pack makes artifacts/container, which ./pack test starts.
RUN dotnet publish src/FuncStash.Cli -c Release -a "$TARGETARCH" --self-contained -p:PublishReadyToRun=true -p:DebugType=none \
      -p:Version="$VERSION" -p:RestorePackagesWithLockFile=false -p:NuGetLockFilePath=none -o /app \
 && mv /app/FuncStash.Cli /app/funcstash && mkdir /data

# "extra" for the time zones of cron expressions.
FROM mcr.microsoft.com/dotnet/runtime-deps:10.0-noble-chiseled-extra
COPY --from=build /app /app
COPY --from=build --chown=1654:1654 /data /data
USER 1654:1654
# Nothing is written but /data; the diagnostics would want a socket in /tmp.
ENV DOTNET_EnableDiagnostics=0
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s CMD ["/app/funcstash", "ready", "--url", "http://127.0.0.1:8080"]
# Reachable from elsewhere it starts only with a token and signing keys of its own: QSTASH_TOKEN, QSTASH_CURRENT_SIGNING_KEY, QSTASH_NEXT_SIGNING_KEY.
ENTRYPOINT ["/app/funcstash"]
CMD ["serve", "--host", "0.0.0.0", "--data", "/data"]
