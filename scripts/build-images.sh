#!/usr/bin/env bash
# Builds the images of services/*/Dockerfile and says how large they are. `make images` calls it.
# Settings (environment):
#   SERVICES   which, separated by spaces                      default: all services
#              load-generator is one more, for component load-generator
#   TAG        tag of the images                               default: dev
#   REGISTRY   host and folder; images become REGISTRY/titanium-NAME instead of titanium/NAME
#   PLATFORMS  for example linux/amd64,linux/arm64; several need REGISTRY, where they are pushed
#   SAVE       folder to write NAME.tar archives to, for clusters that load images from files
#   BUILDER    docker, podman or buildah                       default: the first that works
#   BASE_IMAGE, BUILD_IMAGE   instead of the Dockerfiles' own (services only)
#   PIP_CONF   pip's configuration for the build (a mirror); not part of the image
#   OPTIONS    more options for the builder, for example "--network host"
#   DRY_RUN    any value: show the commands and run none
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'build-images.sh: %s\n' "$@" >&2
    exit 1
}

say_and_run() {
    printf '+ %s\n' "$*"
    [ -n "${DRY_RUN:-}" ] || "$@"
}

find_builder() {
    if command -v docker > /dev/null && docker info > /dev/null 2>&1; then
        echo docker
    elif command -v podman > /dev/null; then
        echo podman
    elif command -v buildah > /dev/null; then
        echo buildah
    fi
}

# Docker otherwise adds a statement of provenance, with the time: not every cluster imports an archive
# with one, and the same sources would make another image. The pipeline makes its own, and signs it.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1

tag=${TAG:-dev}
registry=${REGISTRY:-}
platforms=${PLATFORMS:-}
builder=${BUILDER:-$(find_builder)}
revision=$(git rev-parse HEAD 2> /dev/null || echo unknown)
# The commit's time, not the clock's: the same sources make the same image.
created=$(TZ=UTC0 git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2> /dev/null || echo unknown)
read -ra options <<< "${OPTIONS:-}"
if [ -n "${SERVICES:-}" ]; then
    read -ra services <<< "$SERVICES"
else
    services=()
    for file in services/*/Dockerfile; do services+=("$(basename "$(dirname "$file")")"); done
fi

case $builder in
    docker | podman | buildah) ;;
    "") fail "no Docker daemon answers, and there is neither podman nor buildah" \
        "start Docker, or install one of the others" ;;
    *) fail "BUILDER: $builder is none of docker, podman, buildah" ;;
esac
[[ $platforms != *,* || -n $registry ]] ||
    fail "several PLATFORMS make one image of several parts, which only a registry holds" \
        "set REGISTRY, or build for one platform"
[[ $platforms != *,* || -z ${SAVE:-} ]] || fail "SAVE: one platform at a time"
dockerfile_of() {
    if [ "$1" = load-generator ]; then echo tests/performance/Dockerfile; else echo "services/$1/Dockerfile"; fi
}
for service in "${services[@]}"; do
    [ -f "$(dockerfile_of "$service")" ] || fail "there is no $(dockerfile_of "$service")"
done

# docker.io in full: Podman and buildah would say localhost, and no cluster would find the image.
name_of() {
    if [ -n "$registry" ]; then echo "$registry/titanium-$1:$tag"; else echo "docker.io/titanium/$1:$tag"; fi
}

build() {
    local service=$1 name=$2 file
    file=$(dockerfile_of "$service")
    local arguments=(
        --file "$file"
        --build-arg "VERSION=$tag" --build-arg "REVISION=$revision" --build-arg "CREATED=$created"
    )
    if [ "$service" != gateway ]; then
        [ -z "${BASE_IMAGE:-}" ] || arguments+=(--build-arg "BASE_IMAGE=$BASE_IMAGE")
        [ -z "${BUILD_IMAGE:-}" ] || arguments+=(--build-arg "BUILD_IMAGE=$BUILD_IMAGE")
        [ -z "${PIP_CONF:-}" ] || arguments+=(--secret "id=pip,src=$PIP_CONF")
    fi
    # What may go into the context; BuildKit finds this file by its name.
    [ ! -f "$file.dockerignore" ] || [ "$builder" = docker ] || arguments+=(--ignorefile "$file.dockerignore")
    [ -z "$platforms" ] || arguments+=(--platform "$platforms")
    arguments+=("${options[@]}")
    if [[ $platforms != *,* ]]; then
        say_and_run "$builder" build --tag "$name" "${arguments[@]}" .
    elif [ "$builder" = docker ]; then
        say_and_run docker buildx build --push --tag "$name" "${arguments[@]}" .
    else
        say_and_run "$builder" build --manifest "$name" "${arguments[@]}" .
        say_and_run "$builder" manifest push --all "$name" "docker://$name"
    fi
}

save() {
    local service=$1 name=$2
    mkdir -p "$SAVE"
    rm -f "$SAVE/$service.tar"
    if [ "$builder" = buildah ]; then
        say_and_run buildah push "$name" "docker-archive:$SAVE/$service.tar:$name"
    else
        say_and_run "$builder" save --output "$SAVE/$service.tar" "$name"
    fi
}

for service in "${services[@]}"; do
    name=$(name_of "$service")
    build "$service" "$name"
    [ -z "${SAVE:-}" ] || save "$service" "$name"
done

if [ -z "${DRY_RUN:-}" ] && [[ $platforms != *,* ]]; then
    printf '\n'
    for service in "${services[@]}"; do
        if [ "$builder" = buildah ]; then
            buildah images --format '{{.Name}}:{{.Tag}}  {{.Size}}' "$(name_of "$service")"
        else
            "$builder" images --format '{{.Repository}}:{{.Tag}}  {{.Size}}' "$(name_of "$service")"
        fi
    done
fi
