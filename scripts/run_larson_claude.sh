#!/bin/sh
# Larson's churn with one of the six profiles: run_larson_claude.sh PROFILE SECONDS THREADS [more options of hakstress]
# Installs and builds first what is missing, which takes a moment when nothing is.
set -eu

usage() {
    echo "run_larson_claude.sh: $1" >&2
    echo "usage: scripts/run_larson_claude.sh tput|pf|repro|fast0|guard|debug SECONDS THREADS [OPTION...]" >&2
    exit 2
}

[ $# -ge 1 ] || usage "which profile?"
[ $# -ge 3 ] || usage "how many seconds, and how many threads?"
profile=$1 seconds=$2 threads=$3
shift 3
case $profile in
tput | pf | repro | fast0 | guard | debug) ;;
*) usage "no profile '$profile'" ;;
esac

root=$(cd "$(dirname "$0")/.." && pwd)
"$root/scripts/bootstrap.sh"
"$root/scripts/build.sh"
hakstress=$root/build/cli/hakstress

case $profile in
repro | guard) exec "$hakstress" "$profile" "$seconds" "$threads" --results "$root/results" "$@" ;;
fast0 | debug) exec "$hakstress" repro "$seconds" "$threads" --profile "$profile" --results "$root/results" "$@" ;;
*)
    exec "$hakstress" bench larson --profile "$profile" --seconds "$seconds" --threads "$threads" \
        --results "$root/results" "$@"
    ;;
esac
