#!/bin/sh
# Runs one of the project's own scripts on Node 26, after making sure that everything it needs is there.
# Usage: scripts/run.sh SCRIPT [ARGUMENT...]      SCRIPT is relative to the top of the clone.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
script=$1
shift

. "$root/scripts/ensure.sh"
cd "$root"
# What a script starts by name (node, tsc, oxlint) is what this clone brought, never what the machine happens to have.
PATH=$root/.tools/node:$root/node_modules/.bin:$PATH
export PATH
exec "$root/.tools/node/node" "$root/$script" "$@"
