#!/bin/bash
# Real programs with the library preloaded: each must do what it does without it.
#
# usage: programs.sh LIBHAKMEM.so SOURCE_ROOT [PART...]        all parts without PART
# A part whose program is not installed is skipped, with the reason. Exit status: 0 none failed, 1 one did.
# shellcheck source=tests/integration/program_parts.sh
source "$(dirname "$0")/program_parts.sh"

part_preload() {
    # otherwise the rest would test nothing
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
    local objects='
import json, threading
def work(n):
    for i in range(200):
        d = {str(k): [k] * (k % 50) for k in range(300)}
        assert json.loads(json.dumps(d)) == d
ts = [threading.Thread(target=work, args=(n,)) for n in range(4)]
[t.start() for t in ts]
[t.join() for t in ts]
print("done")'
    same objects python3 -c "$objects" && same malloc env PYTHONMALLOC=malloc python3 -c "$objects"
}

part_python_tests() {
    local python candidate name
    for candidate in python3 /usr/bin/python3; do
        # python3 in the path may be a shim for another one
        candidate=$("$candidate" -c 'import sys, test.test_gc; print(sys.executable)' 2>/dev/null) &&
            python=$candidate && break
    done
    if [ -z "${python:-}" ]; then
        skip "python3 has no test package (libpython3.11-testsuite)"
        return
    fi
    for name in test_threading test_fork1 test_subprocess test_gc test_json; do
        if ! (cd "$work" && LIMIT=280 preloaded "$python" -m test -q "$name") >"$work/out" 2>&1; then
            # a test that also fails without the library proves nothing
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
    same hashes perl -e 'my %h; for (1..200000) { $h{$_ % 5000} .= "x$_"; delete $h{$_ % 4999} if $_ % 3 == 0 }
        my $n = 0; $n += length for values %h; print scalar(keys %h), " $n\n"' &&
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
    for source in "$root"/lib/base/*.c "$root"/lib/config/options.c "$root"/lib/count/counters.c; do
        object=$work/$(basename "$source" .c).o
        local command=("$@" -std=gnu11 -O2 -g -D_GNU_SOURCE -DHAKMEM_VERSION='"0"')
        command+=(-I"$root/lib" -I"$root/include" -c "$source" -o "$object")
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
    std::cout << m.size() << " " << u.size() << " "
              << std::regex_replace(std::string("a-b-c"), std::regex("-"), "+") << "\n";
}
CPP
    g++ -O1 "$work/big.cpp" -o "$work/big" || return 1
    same containers "$work/big" && preloaded g++ -O1 "$work/big.cpp" -o "$work/big2" && cmp "$work/big" "$work/big2"
}

part_redis() {
    installed redis-server || return
    installed redis-benchmark || return
    local socket=$work/redis.sock server
    preloaded redis-server --port 0 --unixsocket "$socket" --save "" --appendonly no --daemonize no --dir "$work" \
        >"$work/redis.log" 2>&1 &
    server=$!
    local n
    for n in $(seq 50); do
        [ -S "$socket" ] && break
        sleep 0.1
    done
    timeout 90 redis-benchmark -s "$socket" -q -n 20000 -c 20 -P 8 -d 200 -r 10000 \
        -t set,get,lpush,lrange_100,sadd,hset,zadd >"$work/bench" 2>&1
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

redis() { timeout 60 redis-cli -s "$work/redis.sock" "$@"; }

start_redis() {
    preloaded redis-server --port 0 --unixsocket "$work/redis.sock" --save "" --appendonly no --daemonize no \
        --dir "$work" >>"$work/redis.log" 2>&1 &
    server=$!
    wait_for redis_answers
}

redis_answers() { [ "$(redis ping)" = PONG ]; }  # not while it loads
redis_saved() { redis info persistence | grep -q rdb_bgsave_in_progress:0; }
redis_rewritten() { redis info persistence | tr -d '\r' | grep -qx aof_rewrite_in_progress:0; }

# children of bgsave and of bgrewriteaof read the heap while the parent changes it
part_redis_bgsave() {
    installed redis-server || return
    installed redis-benchmark || return
    local server status=0 before
    start_redis || return
    timeout 90 redis-benchmark -s "$work/redis.sock" -q -n 40000 -c 10 -P 8 -d 300 -r 20000 \
        -t set,lpush,hset,sadd >/dev/null 2>&1 &
    local load=$!
    local _
    for _ in 1 2 3; do
        redis bgsave >/dev/null && wait_for redis_saved || status=1
    done
    redis bgrewriteaof >/dev/null && wait_for redis_rewritten || status=1
    wait $load || status=1
    redis info persistence | grep -q rdb_last_bgsave_status:ok || status=1
    redis bgsave >/dev/null && wait_for redis_saved || status=1
    before=$(redis debug digest)
    redis shutdown nosave >/dev/null 2>&1
    wait $server || status=1
    start_redis || return
    [ "$(redis debug digest)" = "$before" ] && [ "$(redis dbsize)" -gt 1000 ] || status=1
    redis shutdown nosave >/dev/null 2>&1
    wait $server || status=1
    [ $status -eq 0 ] || tail -5 "$work/redis.log"
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

part_chromium() {
    installed chromium || return
    cat >"$work/page.html" <<'HTML'
<html><body><p id=out></p><script>
let all = [];
for (let i = 0; i < 50000; i++) { all.push('t' + i * 7919 % 1000); if (i % 7 == 0) all.shift(); }
document.getElementById('out').textContent = 'sum ' + all.reduce((s, t) => s + t.length, 0);
for (let i = 0; i < 500; i++) document.body.appendChild(document.createElement('div')).textContent = 'line ' + i;
</script></body></html>
HTML
    local flags=(--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
        --disable-component-update --disable-sync --dump-dom)
    plainly chromium "${flags[@]}" --user-data-dir="$work/chromium.plain" \
        "file://$work/page.html" >"$work/plain" 2>/dev/null
    grep -q '>sum [0-9]' "$work/plain" || {
        skip "chromium does not start here without the library"
        return
    }
    preloaded chromium "${flags[@]}" --user-data-dir="$work/chromium.with" \
        "file://$work/page.html" >"$work/with" 2>"$work/err"
    cmp "$work/plain" "$work/with" || { tail -5 "$work/err"; return 1; }
}

run_parts preload bash python perl git gcc clang cxx sqlite redis redis_bgsave node chromium python_tests
