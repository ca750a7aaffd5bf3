#!/bin/bash
# More real programs with the library preloaded: those that take long or that few machines have. scripts/soak.sh begins
# with them.
#
# usage: more_programs.sh LIBHAKMEM.so SOURCE_ROOT [PART...]        all parts without PART
# A part whose program is not installed is skipped, with the reason: scripts/bootstrap.sh --soak installs them.
# Servers listen on a socket in a directory of their own or on 127.0.0.1, and are stopped again.
# shellcheck source=tests/integration/program_parts.sh
source "$(dirname "$0")/program_parts.sh"

# An unprivileged user of a part must reach the library.
chmod 711 "$work"
cp "$library" "$work/" && library=$work/$(basename "$library") && chmod 755 "$library" || exit 1

stop() {
    kill "$1" 2>/dev/null
    timeout 20 tail --pid="$1" -f /dev/null || kill -KILL "$1"
    wait "$1" 2>/dev/null
}

# ---- interpreters and virtual machines

write_php() {
    cat >"$work/work.php" <<'PHP'
<?php
$all = [];
for ($i = 0; $i < 200000; $i++) {
    $all[$i % 5000][] = str_repeat("x", $i % 97);
    if ($i % 3 == 0) unset($all[($i * 7919) % 5000]);
}
$size = 0;
foreach ($all as $list) foreach ($list as $text) $size += strlen($text);
preg_match_all('/(\w+)-(\d+)/', str_repeat("word-123 ", 20000), $found);
echo count($all), " ", $size, " ", count($found[1]), " ", md5(serialize($all)), "\n";
PHP
}

# -n: no configuration, so no extensions
part_php() {
    installed php || return
    write_php
    same script php -n "$work/work.php" && same malloc env USE_ZEND_ALLOC=0 php -n "$work/work.php"
}

# Debian's php loads its extensions with RTLD_DEEPBIND: only the checked library supports that.
part_php_extensions() {
    installed php || return
    [[ $library == *checked* ]] || {
        skip "the release library does not support RTLD_DEEPBIND"
        return
    }
    write_php
    cat >"$work/extensions.php" <<'PHP'
<?php
$document = new DOMDocument();
$document->loadXML("<a>" . str_repeat("<b c='d'>text</b>", 2000) . "</a>");
$base = new PDO("sqlite::memory:");
$base->exec("CREATE TABLE t (i INTEGER)");
for ($i = 0; $i < 1000; $i++) $base->exec("INSERT INTO t VALUES ($i)");
echo strlen($document->saveXML()), " ", $base->query("SELECT sum(i) FROM t")->fetchColumn(), " ",
    mb_strlen(mb_convert_case(str_repeat("äöü", 1000), MB_CASE_UPPER)), "\n";
PHP
    local note='^hakmem: '
    for script in work extensions; do
        plainly php "$work/$script.php" >"$work/plain" 2>/dev/null || { skip "php lacks an extension"; return; }
        preloaded php "$work/$script.php" 2>"$work/err" | grep -v "$note" >"$work/with"
        cmp "$work/plain" "$work/with" || { tail -5 "$work/err"; return 1; }
    done
}

part_python_malloc() {
    /usr/bin/python3 -c 'import test.test_dict' 2>/dev/null || {
        skip "/usr/bin/python3 has no test package"
        return
    }
    local name
    for name in test_dict test_re test_json test_thread test_fork1 test_subprocess; do
        (cd "$work" && PYTHONMALLOC=malloc LIMIT=280 preloaded /usr/bin/python3 -m test -q "$name") \
            >"$work/out" 2>&1 && continue
        # a test that also fails without the library proves nothing
        if (cd "$work" && PYTHONMALLOC=malloc LIMIT=280 plainly /usr/bin/python3 -m test -q "$name") \
            >/dev/null 2>&1; then
            tail -20 "$work/out"
            fail "$name"
            return
        fi
        echo "note: $part: $name fails here without the library, too"
    done
}

part_ruby() {
    installed ruby || return
    cat >"$work/work.rb" <<'RUBY'
require 'json'
sums = 4.times.map { |n|
  Thread.new {
    h = {}
    40_000.times { |i| h["k#{i % 999}"] = "v" * ((i * 7919 + n) % 300); h.delete("k#{i * 31 % 999}") if i % 5 == 0 }
    GC.start if n.even?
    JSON.parse(JSON.generate(h)).values.sum(&:size)
  }
}.map(&:value)
GC.compact if GC.respond_to?(:compact)
pid = fork { exit!((1..100).map { |i| "x" * i }.join.size == 5050 ? 0 : 1) }
Process.wait(pid)
puts sums.inspect, $?.exitstatus
RUBY
    same threads ruby "$work/work.rb"
}

part_java() {
    installed javac || return
    mkdir -p "$work/java"
    cat >"$work/java/Work.java" <<'JAVA'
import java.nio.ByteBuffer;
import java.util.*;
import java.util.concurrent.*;
import java.util.zip.*;

public class Work {
    static long task(int n) throws Exception {
        long sum = 0;
        for (int i = 0; i < 200; i++) {
            byte[] data = new byte[10_000 + i * 37];
            Arrays.fill(data, (byte) (n + i));
            Deflater deflater = new Deflater();
            deflater.setInput(data);
            deflater.finish();
            byte[] packed = new byte[20_000];
            int size = deflater.deflate(packed);
            deflater.end();
            Inflater inflater = new Inflater();
            inflater.setInput(packed, 0, size);
            sum += inflater.inflate(new byte[data.length]);
            inflater.end();
            ByteBuffer direct = ByteBuffer.allocateDirect(1000 + i * 131);
            direct.putInt(0, i);
            sum += direct.getInt(0);
        }
        return sum;
    }

    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        List<Future<Long>> results = new ArrayList<>();
        for (int n = 0; n < 16; n++) {
            int number = n;
            results.add(pool.submit(() -> task(number)));
        }
        long sum = 0;
        for (Future<Long> result : results) sum += result.get();
        pool.shutdown();
        System.out.println(sum);
    }
}
JAVA
    same version java -Xmx256m -version && preloaded javac -J-Xmx256m -d "$work/java" "$work/java/Work.java" &&
        same threads java -Xmx256m -cp "$work/java" Work
}

# ---- servers

# postgres does not run as root
as_server_user() {
    if [ "$(id -u)" = 0 ]; then
        runuser -u "$server_user" -- "$@"
    else
        "$@"
    fi
}

pg() { as_server_user env PGHOST="$work/pg" PGUSER=tester PGDATABASE=postgres timeout 120 "$@"; }

# every transaction of pgbench adds one number in four places
sums_of_pgbench() {
    pg psql -Atc "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM pgbench_history)
        AND (SELECT sum(tbalance) FROM pgbench_tellers) = (SELECT sum(bbalance) FROM pgbench_branches)
        AND (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(bbalance) FROM pgbench_branches)
        AND (SELECT count(*) FROM pgbench_history) = 1200"
}

part_postgres() {
    local bin server_user status=0
    bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1)
    PATH=$bin:$PATH installed pgbench || return
    local PATH=$bin:$PATH
    server_user=$(id -un postgres 2>/dev/null || echo nobody)
    mkdir -p "$work/pg"
    [ "$(id -u)" != 0 ] || chown "$server_user" "$work/pg"
    as_server_user env LD_PRELOAD="$library" timeout 120 initdb -A trust -U tester -N -D "$work/pg/data" \
        >"$work/initdb" 2>&1 || {
        tail -5 "$work/initdb"
        fail initdb
        return
    }
    as_server_user env LD_PRELOAD="$library" timeout 300 postgres -D "$work/pg/data" -k "$work/pg" \
        -c listen_addresses= -c fsync=off >"$work/postgres.log" 2>&1 &
    local server=$!
    wait_for pg pg_isready -q &&
        pg env LD_PRELOAD="$library" pgbench -i -q -s 2 >"$work/pgbench" 2>&1 &&
        pg env LD_PRELOAD="$library" pgbench -c 6 -j 2 -t 200 >>"$work/pgbench" 2>&1 &&
        [ "$(sums_of_pgbench)" = t ] || status=1
    pg pg_ctl -D "$work/pg/data" stop -m fast -t 60 >/dev/null 2>&1 || status=1
    wait $server || status=1
    ! grep -E 'PANIC|was terminated by signal' "$work/postgres.log" || status=1
    [ $status -eq 0 ] || tail -5 "$work/pgbench" "$work/postgres.log"
    return $status
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

write_nginx() {
    mkdir -p "$work/nginx/html"
    chmod 755 "$work/nginx" "$work/nginx/html"
    seq 1 40000 >"$work/nginx/html/numbers.txt"
    cat >"$work/nginx/nginx.conf" <<CONF
worker_processes 2;
daemon off;
pid $work/nginx/pid;
error_log $work/nginx/error.log;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path $work/nginx/body;
    proxy_temp_path $work/nginx/proxy;
    fastcgi_temp_path $work/nginx/fastcgi;
    uwsgi_temp_path $work/nginx/uwsgi;
    scgi_temp_path $work/nginx/scgi;
    gzip on;
    gzip_types text/plain;
    types { text/plain txt; }
    server {
        listen 127.0.0.1:$1;
        root $work/nginx/html;
        location /again/ { proxy_pass http://127.0.0.1:$1/; }
    }
}
CONF
}

part_nginx() {
    PATH=$PATH:/usr/sbin installed nginx || return
    installed ab || return
    installed curl || return
    local PATH=$PATH:/usr/sbin port server status=0 path
    port=$(free_port) || return
    write_nginx "$port"
    local page=http://127.0.0.1:$port/numbers.txt
    LIMIT=300 preloaded nginx -p "$work/nginx" -c "$work/nginx/nginx.conf" >"$work/nginx/out" 2>&1 &
    server=$!
    wait_for curl -sf --noproxy '*' -o /dev/null "$page" || status=1
    for path in numbers.txt again/numbers.txt; do
        timeout 60 ab -q -n 3000 -c 16 -H 'Accept-Encoding: gzip' "http://127.0.0.1:$port/$path" \
            >"$work/nginx/ab" 2>&1 &&
            grep -Eq '^Failed requests: +0$' "$work/nginx/ab" || status=1
        # replaces the workers while they serve
        kill -HUP "$(cat "$work/nginx/pid")" || status=1
        wait_for curl -sf --noproxy '*' --compressed -o "$work/nginx/got" "$page" &&
            cmp "$work/nginx/got" "$work/nginx/html/numbers.txt" || status=1
    done
    kill -QUIT "$(cat "$work/nginx/pid")" || stop "$server"
    wait $server || status=1
    ! grep -E 'exited on signal|\[(alert|crit|emerg)\]' "$work/nginx/error.log" || status=1
    [ $status -eq 0 ] || tail -5 "$work/nginx/ab" "$work/nginx/error.log" "$work/nginx/out"
    return $status
}

# ---- tools that inspect other programs; the library is preloaded into both

build_victim() {
    cat >"$work/victim.c" <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int deep(int level, char* text) {
    return level == 0 ? (int)strlen(text) : deep(level - 1, text);
}

static void* work(void* unused) {
    for (int i = 1; i < 2000; i++) {
        char* block = malloc((size_t)i);
        memset(block, 1, (size_t)i);
        free(block);
    }
    return unused;
}

int main(void) {
    pthread_t thread;
    char* text = strdup("some text");
    if (pthread_create(&thread, NULL, work, NULL) != 0 || pthread_join(thread, NULL) != 0) return 1;
    printf("%d\n", deep(3, text));
    free(text);
    return 0;
}
C
    ${CC:-cc} -g -O0 -pthread "$work/victim.c" -o "$work/victim"
}

part_gdb() {
    installed gdb || return
    build_victim || return
    plainly gdb -nx -batch -ex 'break deep if level == 0' -ex run -ex 'print text' -ex continue "$work/victim" \
        >"$work/plain" 2>&1 && grep -q '"some text"' "$work/plain" || {
        skip "gdb cannot trace here"
        return
    }
    preloaded gdb -nx -batch -ex 'break deep if level == 0' -ex run -ex bt -ex 'print text' \
        -ex 'info sharedlibrary' -ex continue "$work/victim" >"$work/with" 2>&1 &&
        grep -q '"some text"' "$work/with" && grep -Eq '^#4 .* main ' "$work/with" && grep -q libhakmem "$work/with" &&
        grep -q 'exited normally' "$work/with" || { tail -20 "$work/with"; return 1; }
}

part_strace() {
    installed strace || return
    build_victim || return
    plainly strace -f -o "$work/trace.plain" "$work/victim" >/dev/null 2>&1 || {
        skip "strace cannot trace here"
        return
    }
    [ "$(preloaded strace -f -o "$work/trace" "$work/victim" 2>&1)" = 9 ] &&
        grep -q 'openat.*libhakmem' "$work/trace" &&
        grep -q 'exited with 0' "$work/trace"
}

part_valgrind() {
    installed valgrind || return
    build_victim || return
    plainly valgrind -q "$work/victim" >/dev/null 2>&1 || {
        skip "valgrind does not work here"
        return
    }
    [ "$(preloaded valgrind -q --error-exitcode=9 "$work/victim" 2>"$work/err")" = 9 ] && [ ! -s "$work/err" ] || {
        tail -20 "$work/err"
        return 1
    }
}

# ---- other preloaded libraries, before ours and after it

# in_both_orders LIBRARY COMMAND...: its output, twice
in_both_orders() {
    local other=$1
    shift
    local order
    for order in "$other:$library" "$library:$other"; do
        LD_PRELOAD=$order timeout --kill-after=5 60 "$@" 2>&1 || return
    done
}

part_faketime() {
    local other found=0 years program
    local hashes='my %h; for (1..200000) { $h{$_ % 5000} = "x" x ($_ % 900) } print 1900 + (gmtime)[5], "\n"'
    local -x FAKETIME_TIMESTAMP_FILE=$work/stamp FAKETIME_NO_CACHE=1
    for other in /usr/lib/*/faketime/libfaketime.so.1 /usr/lib/*/faketime/libfaketimeMT.so.1; do
        [ -e "$other" ] || continue
        found=1
        echo '@2020-05-05 10:00:00' >"$work/stamp"
        for program in date perl; do
            local command=(date +%Y)
            [ $program = date ] || command=(perl -e "$hashes")
            years=$(in_both_orders "$other" "${command[@]}") &&
                [ "$years" = $'2020\n2020' ] || { fail "$program under $(basename "$other"): $years"; return; }
        done
    done
    [ $found = 1 ] || skip "libfaketime is not installed"
}

part_fakeroot() {
    installed fakeroot || return
    mkdir -p "$work/fakeroot"
    cat >"$work/fakeroot.sh" <<'SH'
cd "$1" && rm -f f f.tar && touch f && chown 3:4 f && stat -c %u:%g f && tar cf f.tar f &&
    tar tvf f.tar --numeric-owner | cut -d' ' -f2
SH
    same owners fakeroot sh "$work/fakeroot.sh" "$work/fakeroot" &&
        preloaded fakeroot cat /proc/self/maps | grep -q libhakmem || fail "the library is not loaded below fakeroot"
}

part_fakechroot() {
    installed fakechroot || return
    mkdir -p "$work/tree/data"
    seq 1 5000 >"$work/tree/data/numbers"
    local PATH=$PATH:/usr/sbin:/sbin
    local -x FAKECHROOT_EXCLUDE_PATH=/bin:/usr:/lib:/lib64:/proc:/dev:$library
    same files fakechroot chroot "$work/tree" \
        /bin/sh -c 'cd /data && pwd && sort -r numbers | md5sum && ls -l / | wc -l'
}

part_eatmydata() {
    installed eatmydata || return
    installed sqlite3 || return
    local sql='CREATE TABLE t (i); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
        INSERT INTO t SELECT i FROM n; SELECT sum(i) FROM t;'
    same sum eatmydata sqlite3 ':memory:' "$sql" && rm -f "$work/eat.db" &&
        [ "$(preloaded eatmydata sqlite3 "$work/eat.db" "$sql")" = 200010000 ] &&
        [ "$(sqlite3 "$work/eat.db" 'PRAGMA integrity_check')" = ok ]
}

run_parts php php_extensions python_malloc ruby java postgres nginx gdb strace valgrind faketime fakeroot \
    fakechroot eatmydata
