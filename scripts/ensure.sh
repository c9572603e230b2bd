# Sourced with $root set to the top of the clone: sets up what is missing or stale, and says nothing when all is there.
# Every start of heddle passes here, so the usual case is a few file tests and no other process.

heddle_is_set_up() {
  stamp=$root/.tools/ready
  [ -f "$stamp" ] && [ -x "$root/.tools/node/node" ] && [ -f "$root/packages/envoy/gen/registry.js" ] || return 1
  # The order in which an Envoy is chosen is in packages/envoy/src/envoy-search.mjs; here it only matters that one exists.
  [ -n "${HEDDLE_ENVOY:-}" ] || [ -x "$root/.tools/envoy/envoy/_bin/envoy" ] || command -v envoy >/dev/null 2>&1 || return 1
  for input in "$root/package-lock.json" "$root/packages/envoy/protos.txt" "$root"/scripts/setup/*; do
    if [ "$input" -nt "$stamp" ]; then return 1; fi
  done
}

heddle_stop() {
  printf 'heddle: %s\n  %s\n' "$1" "$2" >&2
  exit 1
}

heddle_set_up() {
  next="Install Node 20 or newer with npm (your system's packages, or nodejs.org), then run the same command again."
  command -v node >/dev/null 2>&1 || heddle_stop "Cannot set up: node is not on PATH" "$next"
  # Asked here because an old Node could not even parse the set-up's modules.
  major=$(node -p 'process.versions.node.split(".")[0]') || heddle_stop "Cannot set up: node does not start" "$next"
  [ "$major" -ge 20 ] || heddle_stop "Cannot set up: this is Node $major, and 20 is the oldest that will do" "$next"
  node "$root/scripts/setup/main.mjs" >&2 || exit $?
}

heddle_is_set_up || heddle_set_up

# Node keeps what it compiled: a third less work at every start, and 20 MB less memory for a control plane.
: "${NODE_COMPILE_CACHE:=$root/.tools/compile-cache}"
export NODE_COMPILE_CACHE
