#!/bin/sh
# The name that EOLE's procedure has for it.
exec "$(dirname "$0")/synchro-nodes" "$@"
