#!/bin/bash
# Real programs with the library preloaded: each must do what it does without it.
#
# usage: programs.sh LIBHAKMEM.so SOURCE_ROOT [PART...]        all parts without PART
# A part whose program is not installed is skipped, with the reason. Exit status: 0 none failed, 1 one did.
set -u
usage="usage: programs.sh LIBHAKMEM.so SOURCE_ROOT [PART...]"
library=$(realpath "${1:?$usage}")
root=$(realpath "${2:?$usage}")
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 passed=0 skipped=0
unset LD_PRELOAD

preloaded() {
    LD_PRELOAD=$library timeout "${LIMIT:-120}" "$@"
}

skip() {
    echo "skipped: $part: $1"
    skipped=$((skipped + 1))
    part_done=1
}

installed() {
    command -v "$1" >/dev/null && return
    skip "$1 is not installed"
    return 1
}

# same NAME COMMAND...: the command writes the same with the library and without it
same() {
    local name=$1
    shift
    local plain with status
    plain=$("$@" 2>&1)
    with=$(preloaded "$@" 2>&1)
    status=$?
    if [ $status -ne 0 ] || [ "$plain" != "$with" ]; then
        echo "FAILED: $part: $name: exit status $status"
        diff <(echo "$plain") <(echo "$with") | head -10
        return 1
    fi
}

part_preload() {
    # otherwise all that follows would test nothing
    installed python3 || return
    preloaded python3 -c 'import ctypes; ctypes.CDLL(None).hak_version' || {
        echo "FAILED: $part: $library is not loaded"
        return 1
    }
}

part_bash() {
    installed bash || return
    same loop bash -c 'for i in {1..300}; do x=$(echo $i | sed s/1/2/); done; echo $x' &&
        same arrays bash -c 'declare -A a; for i in {1..20000}; do a[k$i]=$i; done; echo ${#a[@]} ${a[k777]}' &&
        same pipes bash -c 'seq 1 100000 | sort -R --random-source=<(yes) | sort -n | md5sum'
}

part_python() {
    installed python3 || return
    same objects python3 -c '
import json, threading
def work(n):
    for i in range(200):
        d = {str(k): [k] * (k % 50) for k in range(300)}
        assert json.loads(json.dumps(d)) == d
ts = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[t.start() for t in ts]
[t.join() for t in ts]
print("done")'
}

part_python_tests() {
    local python candidate name
    for candidate in python3 /usr/bin/python3; do
        # a shim in the path may stand for another one
        candidate=$("$candidate" -c 'import sys, test.test_gc; print(sys.executable)' 2>/dev/null) && python=$candidate && break
    done
    if [ -z "${python:-}" ]; then
        skip "python3 has no test package (libpython3.11-testsuite)"
        return
    fi
    for name in test_threading test_fork1 test_subprocess test_gc test_json; do
        if ! (cd "$work" && LIMIT=280 preloaded "$python" -m test -q "$name") >"$work/out" 2>&1; then
            # what fails without the library as well says nothing about it
            if (cd "$work" && timeout 280 "$python" -m test -q "$name") >"$work/plain" 2>&1; then
                echo "FAILED: $part: $name"
                tail -20 "$work/out"
                return 1
            fi
            echo "note: $part: $name fails here without the library, too"
        fi
    done
}

part_perl() {
    installed perl || return
    same hashes perl -e 'my %h; for (1..200000) { $h{$_ % 5000} .= "x$_"; delete $h{$_ % 4999} if $_ % 3 == 0 } my $n = 0; $n += length for values %h; print scalar(keys %h), " $n\n"' &&
        same sort perl -e 'print join(",", (sort { $a <=> $b } map { ($_ * 7919) % 100003 } 1..50000)[0..20]), "\n"'
}

part_git() {
    installed git || return
    local repo=$work/repo
    git init -q "$repo" && cp -r "$root/lib" "$root/include" "$repo" || return 1
    (
        cd "$repo" || exit 1
        git config user.name tester
        git config user.email tester@localhost
        preloaded git add . && preloaded git commit -qm first &&
            for i in 1 2 3 4 5; do
                echo "// $i" >>lib/base/bits.h
                preloaded git commit -qam "change $i" || exit 1
            done &&
            preloaded git gc -q --aggressive && preloaded git fsck --strict >/dev/null 2>&1 &&
            same log git log -p --stat && same blame git blame lib/base/bits.h && same grep git grep -c include
    )
}

# compile COMPILER [FLAG...]: objects are the same, byte for byte
compile() {
    local source object
    for source in "$root"/lib/base/*.c "$root"/lib/config/options.c "$root"/lib/observe/counters.c; do
        object=$work/$(basename "$source" .c).o
        local command=("$@" -std=gnu11 -O2 -g -D_GNU_SOURCE -DHAKMEM_VERSION='"0"' -I"$root/lib" -I"$root/include" -c "$source" -o "$object")
        "${command[@]}" || return 1
        mv "$object" "$object.plain"
        preloaded "${command[@]}" || { echo "FAILED: $part: $source"; return 1; }
        cmp "$object" "$object.plain" || return 1
    done
}

part_gcc() {
    installed gcc || return
    compile gcc && compile gcc -O3 -flto -frandom-seed=fixed
}

part_clang() {
    installed clang || return
    compile clang
}

part_cxx() {
    installed g++ || return
    cat >"$work/big.cpp" <<'CPP'
#include <algorithm>
#include <iostream>
#include <map>
#include <regex>
#include <string>
#include <unordered_map>
#include <vector>
int main() {
    std::map<std::string, std::vector<int>> m;
    std::unordered_map<int, std::string> u;
    for (int i = 0; i < 100000; i++) {
        m[std::to_string(i % 1000)].push_back(i);
        u[i] = std::string(static_cast<std::size_t>(i % 200), 'x');
        if (i % 3 == 0) u.erase(i / 2);
    }
    std::cout << m.size() << " " << u.size() << " " << std::regex_replace(std::string("a-b-c"), std::regex("-"), "+") << "\n";
}
CPP
    g++ -O1 "$work/big.cpp" -o "$work/big" || return 1
    same containers "$work/big" && preloaded g++ -O1 "$work/big.cpp" -o "$work/big2" && cmp "$work/big" "$work/big2"
}

part_redis() {
    installed redis-server || return
    installed redis-benchmark || return
    local socket=$work/redis.sock server
    preloaded redis-server --port 0 --unixsocket "$socket" --save "" --appendonly no --daemonize no --dir "$work" >"$work/redis.log" 2>&1 &
    server=$!
    local n
    for n in $(seq 50); do
        [ -S "$socket" ] && break
        sleep 0.1
    done
    timeout 90 redis-benchmark -s "$socket" -q -n 20000 -c 20 -P 8 -d 200 -r 10000 -t set,get,lpush,lrange_100,sadd,hset,zadd >"$work/bench" 2>&1
    local status=$?
    [ "$(redis-cli -s "$socket" set some value)" = OK ] && [ "$(redis-cli -s "$socket" get some)" = value ] &&
        redis-cli -s "$socket" save >/dev/null && redis-cli -s "$socket" debug reload >/dev/null || status=1
    [ "$(redis-cli -s "$socket" get some)" = value ] || status=1
    redis-cli -s "$socket" shutdown nosave >/dev/null 2>&1
    wait $server || status=1
    if [ $status -ne 0 ]; then
        echo "FAILED: $part: exit status $status"
        tail -5 "$work/bench" "$work/redis.log"
    fi
    return $status
}

part_sqlite() {
    installed sqlite3 || return
    cat >"$work/build.sql" <<'SQL'
PRAGMA journal_mode = OFF;
CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, payload BLOB);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
INSERT INTO t SELECT i, 'name ' || (i * 7919 % 100003), printf('%0450d', i) FROM n;
CREATE INDEX by_name ON t (name);
SQL
    cat >"$work/query.sql" <<'SQL'
PRAGMA integrity_check;
SELECT count(*), sum(length(payload)) FROM t;
SELECT substr(name, 1, 6) AS p, count(*) FROM t GROUP BY p ORDER BY 2 DESC, 1 LIMIT 5;
SELECT a.id, b.id FROM t a JOIN t b ON a.name = b.name AND a.id < b.id ORDER BY 1, 2 LIMIT 5;
SQL
    preloaded sqlite3 "$work/db" <"$work/build.sql" >/dev/null &&
        same queries bash -c "sqlite3 '$work/db' < '$work/query.sql'"
}

part_node() {
    installed node || return
    cat >"$work/workers.js" <<'JS'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');
if (isMainThread) {
  let sum = 0, left = 6;
  for (let n = 0; n < 6; n++) {
    const w = new Worker(__filename, { workerData: n });
    w.on('message', (m) => { sum += m; });
    w.on('exit', (code) => { if (code !== 0) process.exit(code); if (--left === 0) console.log(sum); });
  }
} else {
  let total = 0;
  for (let i = 0; i < 300; i++) {
    const b = Buffer.alloc(1000 + (i * 7919) % 200000, workerData + 1);
    const o = JSON.parse(JSON.stringify({ a: Array.from({ length: 500 }, (_, k) => 'v' + k) }));
    total += b[b.length - 1] + o.a.length;
  }
  parentPort.postMessage(total);
}
JS
    same workers node "$work/workers.js"
}

parts=${*:-preload bash python perl git gcc clang cxx sqlite redis node python_tests}
for part in $parts; do
    if ! declare -F "part_$part" >/dev/null; then
        echo "there is no part $part" >&2
        exit 2
    fi
    part_done=0
    start=$SECONDS
    if "part_$part"; then
        [ $part_done -eq 1 ] && continue
        echo "ok: $part ($((SECONDS - start)) s)"
        passed=$((passed + 1))
    else
        [ $part_done -eq 1 ] && continue
        echo "FAILED: $part"
        failed=$((failed + 1))
    fi
done
echo "programs: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
