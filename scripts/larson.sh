#!/bin/sh
# Larson's churn with a profile, by default 10 seconds on every processor:
# larson.sh PROFILE [SECONDS] [THREADS] [OPTION...]
set -eu

usage() {
    echo "usage: scripts/larson.sh tput|pf|repro|fast0|guard|debug [SECONDS] [THREADS] [OPTION...]"
    echo "10 seconds on every processor unless told otherwise; OPTION: as hakstress takes them"
}
wrong() {
    echo "larson.sh: $1" >&2
    usage >&2
    exit 2
}

[ $# -ge 1 ] || wrong "which profile?"
case $1 in
tput | pf | repro | fast0 | guard | debug) ;;
-h | --help)
    usage
    exit 0
    ;;
*) wrong "no profile '$1'" ;;
esac
profile=$1 seconds=10 threads=$(nproc)
shift
case ${1-} in
'' | -*) ;;
*)
    seconds=$1
    shift
    case ${1-} in
    '' | -*) ;;
    *)
        threads=$1
        shift
        ;;
    esac
    ;;
esac
exec "$(dirname "$0")/run_larson_claude.sh" "$profile" "$seconds" "$threads" "$@"
