#!/bin/sh
# Larson's churn with a profile, 10 seconds on every processor unless told otherwise: larson.sh PROFILE [SECONDS] [THREADS] [OPTION...]
set -eu

[ $# -ge 1 ] || {
    echo "larson.sh: which profile?" >&2
    echo "usage: scripts/larson.sh tput|pf|repro|fast0|guard|debug [SECONDS] [THREADS] [OPTION...]" >&2
    exit 2
}
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
