#!/usr/bin/env python3
"""Made-up documents of `hakstress compare`, with the noise that real runs have.

usage: compare_documents.py KIND > DOCUMENT.json
"""
import copy
import json
import math
import random
import statistics
import sys

ROUNDS = 15
MAY_CLAIM = 0.01

# name: version, file, speed and memory relative to glibc
ALLOCATORS = {
    "glibc": ("2.36", "libc.so.6", 1.0, 1.0),
    "hakmem": ("0.1.0", "libhakmem.so.0", 1.46, 0.93),
    "jemalloc": ("5.3.0", "libjemalloc.so.2", 1.27, 1.08),
    "mimalloc": ("2.0.9", "libmimalloc.so.2.0", 1.52, 1.21),
    "tcmalloc": ("2.10", "libtcmalloc_minimal.so.4", 1.39, 1.34),
    "scudo": ("14.0.6", "libclang_rt.scudo_standalone-x86_64.so", 0.71, 1.13),
}

# name: stresses, source, params, threads, operations a second, floor of the machine, peak KiB,
# how far allocators differ
WORKLOADS = {
    "larson": (
        "blocks freed by the next generation of threads",
        "Larson and Krishnan, ISMM 1998",
        {"min": 8, "max": 128, "chunks": 1024},
        2,
        2.1e7,
        5.2e7,
        14_300,
        1.0,
    ),
    "pair": (
        "malloc and free of one size, nothing else",
        "own, as in many microbenchmarks",
        {"size": 64},
        1,
        8.8e7,
        4.1e8,
        2_900,
        1.1,
    ),
    "batch": ("batches freed in order", "tcmalloc bench", {"size": 64, "batch": 1000}, 1, 5.2e7, 3.3e8, 3_300, 0.8),
    "batch-random": (
        "batches freed in random order: link locality",
        "own",
        {"size": 64, "batch": 1000},
        1,
        3.1e7,
        None,
        3_400,
        0.5,
    ),
    "xmalloc": (
        "blocks always freed by another thread",
        "Lever and Boreham, USENIX 2000",
        {"queue": 256},
        2,
        6.2e6,
        None,
        21_000,
        1.8,
    ),
    "mstress": (
        "generations of threads with shared blocks",
        "mimalloc test-stress",
        {"transfer": 1000},
        2,
        9.7e6,
        None,
        61_000,
        0.9,
    ),
    "rptest": (
        "sizes from 16 to 16000 bytes",
        "rpmalloc benchmark",
        {"min": 16, "max": 16000},
        2,
        1.2e7,
        None,
        88_000,
        0.6,
    ),
    "growth": ("realloc that grows", "own", {"to": 1048576}, 1, 4.4e5, 2.9e6, 9_100, 0.3),
    "calloc": ("zeroed blocks", "own", {"size": 4096}, 1, 3.0e6, 8.0e6, 5_000, 0.12),
    "big": ("blocks of some MiB", "own", {"size": 4194304}, 1, 8.8e4, None, 12_000, 0.02),
    "fragment": (
        "fill, free every other, other sizes",
        "Robson, after Wilson et al. 1995",
        {"live": 200000},
        1,
        7.9e6,
        None,
        130_000,
        0.7,
    ),
}


def noisy(rng, middle, spread=0.012):
    slow = rng.random() < 0.08  # sometimes something else runs on the machine
    return middle * math.exp(rng.gauss(0, spread)) * (1 - 0.05 * slow)


def sample(rng, index, speed, peak):
    seconds = noisy(rng, 1.0, 0.004)
    return {
        "round": index,
        "ops_per_sec": None if speed is None else round(noisy(rng, speed)),
        "seconds": round(seconds, 6),
        "user_seconds": round(seconds * 0.93, 6),
        "system_seconds": round(noisy(rng, 0.05, 0.2), 6),
        "rss_peak_kib": int(noisy(rng, peak, 0.006)),
        "rss_freed_kib": int(noisy(rng, peak * 0.4, 0.05)),
        "minor_faults": int(noisy(rng, peak / 4, 0.03)),
        "major_faults": 0,
    }


def medians(samples):
    def of(field):
        values = [s[field] for s in samples if s[field] is not None]
        return statistics.median(values) if values else None

    return {field: of(field) for field in samples[0] if field != "round"} if samples else {}


def against(rng, mine, base, field, more, less, inverse=False):
    pairs = [(a[field], b[field]) for a, b in zip(mine, base)]
    ratios = [b / a if inverse else a / b for a, b in pairs]
    means = sorted(statistics.median(rng.choices(ratios, k=len(ratios))) for _ in range(400))
    low, high = means[10], means[389]
    shown = low > 1 + MAY_CLAIM or high < 1 - MAY_CLAIM
    p = 2e-6 if shown else min(1.0, 0.05 + abs(rng.gauss(0, 0.4)))
    claim = (more if low > 1 else less) if shown else "no difference shown"
    return {
        "ratio": statistics.median(ratios),
        "low": low,
        "high": high,
        "p": p,
        "p_corrected": min(1, p * 55),
        "claim": claim,
    }


def compared(rng, mine, base, metric):
    freed = base[0]["rss_freed_kib"] is not None
    return {
        "speed": against(rng, mine, base, metric, "faster", "slower", inverse=metric == "seconds"),
        "rss_peak": against(rng, mine, base, "rss_peak_kib", "more", "less"),
        "rss_freed": against(rng, mine, base, "rss_freed_kib", "more", "less") if freed else None,
    }


def latency(rng, factor):
    percentiles = [50, 75, 90, 95, 99, 99.5, 99.9, 99.99, 100]
    steps = [17, 19, 24, 31, 66, 120, 410, 2900, 88000]
    curve = [[p, int(noisy(rng, ns / factor, 0.08))] for p, ns in zip(percentiles, steps)]
    at = dict(map(tuple, curve))
    return {
        "p50": at[50],
        "p99": at[99],
        "p999": at[99.9],
        "max": at[100],
        "count": rng.randrange(900_000, 1_500_000),
        "curve": curve,
    }


def memory_curve(rng, peak):
    return [
        [
            round(i / 80, 4),
            int(
                peak * (0.25 + 0.72 * (1 - math.exp(-i / 14))) * (1 + 0.02 * math.sin(i / 3)) + rng.gauss(0, peak / 150)
            ),
        ]
        for i in range(81)
    ]


def measured(rng, name, speed, peak, metric="ops_per_sec"):
    samples = []
    for i in range(ROUNDS):
        one = sample(rng, i, speed, peak)
        if metric == "seconds":
            one.update(ops_per_sec=None, rss_freed_kib=None, seconds=round(noisy(rng, speed), 6))
        samples.append(one)
    return {
        "name": name,
        "samples": samples,
        "failures": [],
        "failed": 0,
        "median": medians(samples),
        "ratio": None,
        "latency": None,
        "rss_over_time": None,
    }


def workload(rng, name, allocators):
    stresses, source, params, threads, speed, limit, peak, apart = WORKLOADS[name]
    rows = []
    for allocator in allocators:
        faster, fatter = ALLOCATORS[allocator][2:]
        own = 0.0 if allocator == "glibc" else rng.gauss(0, 0.12) * apart
        row = measured(
            rng, allocator, speed * faster**apart * math.exp(own), peak * fatter**apart * math.exp(own / 2)
        )
        row["latency"] = {"malloc": latency(rng, faster), "free": latency(rng, faster * 1.3)}
        row["rss_over_time"] = memory_curve(rng, row["median"]["rss_peak_kib"])
        if rows:
            row["ratio"] = compared(rng, row["samples"], rows[0]["samples"], "ops_per_sec")
        rows.append(row)
    return {
        "name": name,
        "command": None,
        "sweep": None,
        "source": source,
        "stresses": stresses,
        "params": params,
        "threads": threads,
        "roles": 2 if name == "xmalloc" else 1,
        "rounds": ROUNDS,
        "metric": "ops_per_sec",
        "higher_is_better": True,
        "limit": None if limit is None else {"value": limit, "unit": "ops_per_sec"},
        "limit_is_wrong": False,
        "allocators": rows,
    }


def fail(row, rounds, what):
    """No sample at all, as when an allocator is left out after its first runs."""
    nothing = {"speed": None, "rss_peak": None, "rss_freed": None}
    row.update(samples=[], median={}, ratio=row["ratio"] and nothing, latency=None, rss_over_time=None)
    row["failures"] = [{"round": i, "what": what} for i in rounds]
    row["failed"] = len(row["failures"])


def geometric_means(workloads):
    def mean(rows, kind, field):
        return math.exp(statistics.mean(math.log(row["ratio"][kind][field]) for row in rows))

    result = []
    for name in ALLOCATORS:
        own = [a for w in workloads for a in w["allocators"] if a["name"] == name]
        rows = [a for a in own if a["ratio"] and a["ratio"]["speed"]]
        if not rows:
            continue
        entry = {"name": name, "workloads": len(rows)}
        for kind in ("speed", "rss_peak"):
            middle = mean(rows, kind, "ratio")
            entry[kind] = {"ratio": middle, "low": middle / 1.021, "high": middle * 1.023}
        result.append(entry)
    return result


def frame(seed, allocators):
    return {
        "schema": 1,
        "kind": "compare",
        "command_line": "hakstress compare --rounds 15 --html page.html",
        "again": "hakstress compare --rounds 15 --html page.html --seed 1",
        "profile": None,
        "started": "2026-11-24T02:31:07Z",
        "machine": {
            "kernel": "Linux 6.1.0-28-amd64",
            "architecture": "x86_64",
            "processor": "AMD EPYC 9R14 Processor",
            "processors": 2,
            "memory_bytes": 8263917568,
            "c_library": "glibc 2.36",
            "transparent_hugepage": "always [madvise] never",
            "overcommit_memory": "0",
            "max_map_count": "65530",
        },
        "build": {
            "version": "0.1.0",
            "id": "5f2a90c1d07be34c8f1f6ab3c9a8e5d2b4f60718",
            "compiler": "12.2.0",
            "core": "checked",
        },
        "seed": seed,
        "rounds": ROUNDS,
        "rounds_needed": 14,
        "budget_needed": None,
        "looks": 3,
        "run_seconds": 0.25,
        "pinned": False,
        "processor": {"waited": 0.004, "preempted_per_second": 12.5, "short": False},
        "complete": True,
        "stopped_by": None,
        "baseline": allocators[0],
        "environment": {"MALLOC_ARENA_MAX": "4"},
        "allocators": [
            {
                "name": name,
                "path": None if name == "glibc" else f"/usr/lib/x86_64-linux-gnu/{ALLOCATORS[name][1]}",
                "version": ALLOCATORS[name][0],
                "build_id": f"{abs(hash_of(name)):040x}",
                "environment": {"HAKMEM_TINY_USE_SUPERSLAB": "0"} if name == "hakmem" else {},
                "loaded_from": f"/usr/lib/x86_64-linux-gnu/{ALLOCATORS[name][1]}",
            }
            for name in allocators
        ],
        "aa": {
            "allocator": allocators[0],
            "workload": "pair",
            "rounds": 18,
            "ratio": 1.0013,
            "low": 0.9961,
            "high": 1.0058,
            "p": 0.61,
            "may_claim": MAY_CLAIM,
            "may_vary": 0.1,
            "claimed": False,
            "trustworthy": True,
        },
        "workloads": [],
        "geometric_mean": [],
    }


def hash_of(name):
    return int.from_bytes(name.encode().ljust(19, b"\x5a"), "big")


def full(seed=1):
    rng = random.Random(seed)
    document = frame(seed, list(ALLOCATORS))
    document["workloads"] = [workload(rng, name, ALLOCATORS) for name in WORKLOADS]
    broken = document["workloads"][5]["allocators"][5]
    fail(broken, range(-1, 2), "mstress ended by signal 11")  # the first of them in the warm-up
    document["workloads"][0]["allocators"][1]["ratio"]["speed"]["claim"] = "too few rounds to claim"
    document["geometric_mean"] = geometric_means(document["workloads"])
    return document


def one_allocator(seed=2):
    """Nothing to compare with, no latency, no curve of memory, and runs that failed."""
    rng = random.Random(seed)
    document = frame(seed, ["hakmem"])
    document["workloads"] = [workload(rng, "larson", ["hakmem"])]
    row = document["workloads"][0]["allocators"][0]
    row.update(latency=None, rss_over_time=None, samples=row["samples"][:4])
    row["median"] = medians(row["samples"])
    row["failures"] = [{"round": i, "what": "exit status 1: larson: out of memory"} for i in range(4, 9)]
    row["failures"].append({"round": None, "what": "latency run: larson ended by signal 11"})
    row["failed"] = 6
    return document


def command(seed=3):
    """A user's own program: a time, and less of it is better."""
    rng = random.Random(seed)
    names = ["glibc", "hakmem", "jemalloc"]
    document = frame(seed, names)
    rows = [
        measured(rng, name, 2.31 / ALLOCATORS[name][2] ** 0.15, 91_000 * ALLOCATORS[name][3], "seconds")
        for name in names
    ]
    for row in rows[1:]:
        row["ratio"] = compared(rng, row["samples"], rows[0]["samples"], "seconds")
    document["workloads"] = [
        {
            "name": "command",
            "command": ["gcc", "-O2", "-c", "it's big.c"],
            "sweep": None,
            "source": None,
            "stresses": None,
            "params": {},
            "threads": 1,
            "roles": 1,
            "rounds": ROUNDS,
            "metric": "seconds",
            "higher_is_better": False,
            "limit": None,
            "limit_is_wrong": False,
            "allocators": rows,
        }
    ]
    document["geometric_mean"] = geometric_means(document["workloads"])
    return document


def partial(seed=4):
    """Stopped in the second workload: allocators and a workload without a sample, intervals without an end."""
    document = full(seed)
    document.update(complete=False, stopped_by="signal")
    document["workloads"] = document["workloads"][:3]
    for row in document["workloads"][1]["allocators"][3:]:
        fail(row, [], "")
    for row in document["workloads"][2]["allocators"]:
        fail(row, [], "")
    document["workloads"][1]["allocators"][1]["ratio"]["speed"].update(low=None, claim="no difference shown")
    document.update(rounds_needed=ROUNDS + 1, budget_needed=130)
    document["aa"]["claimed"] = True
    document["workloads"][0]["allocators"][5]["failed"] = 40
    document["geometric_mean"] = geometric_means(document["workloads"][:1])
    return document


def untrusted(seed=5):
    document = frame(seed, ["glibc", "hakmem"])
    document.update(complete=False)
    document["aa"].update(ratio=1.0741, low=1.0412, high=1.1093, p=0.0003, claimed=True, trustworthy=False)
    return document


def since(seed=8, losses=1):
    """A comparison beside an earlier one of another machine."""
    document = full(seed)
    rows = [
        {"workload": workload["name"], "allocator": a["name"], "metric": kind, "ratio": ratio, "low": ratio * 0.98,
         "high": ratio * 1.02, "loss": False}
        for workload in document["workloads"][:3]
        for a in workload["allocators"][1:]
        for kind, ratio in (("speed", 1.01), ("rss_peak", 0.97))
    ]
    for row in rows[:losses]:
        row.update(ratio=0.8, low=0.78, high=0.83, loss=True)
    document["earlier"] = {
        "file": "results/compare-20260101-000000-1.json",
        "started": "2026-01-01T00:00:00Z",
        "gate": 0.03,
        "machine": [{"what": "processors", "then": 4, "now": 2}],
        "rows": rows,
        "left_out": ["xmalloc under hakmem"],
        "losses": losses,
    }
    return document


def swept(seed=9):
    """A workload at numbers of threads, under one of which an allocator failed, and a command with words."""
    names = ["glibc", "hakmem", "jemalloc"]
    document = command(seed)
    compiler = document["workloads"].pop()
    values = [("larson", "threads", value) for value in (1, 2, 4, 8)]
    values += [("command", "level", HOSTILE), ("command", "level", "fast")]
    for of, parameter, value in values:
        row = copy.deepcopy(compiler) if of == "command" else workload(random.Random(seed), of, names)
        row["name"] = f"{of}:{parameter}={value}"
        row["sweep"] = {"of": of, "parameter": parameter, "text": str(value), "value": value}
        for a in row["allocators"]:
            a.update(latency=None, rss_over_time=None, samples=a["samples"][:2])
            a["median"][row["metric"]] *= 1 if of == "command" else value**0.8
        document["workloads"].append(row)
    fail(document["workloads"][3]["allocators"][2], range(2), "larson ended by signal 11")
    document["geometric_mean"] = geometric_means(document["workloads"])
    return document


HOSTILE = "</script><script>window.harmed=1</script><!-- <img src=x onerror=window.harmed=2> \u2028 ' \" & \U0001f980"


def hostile(seed=6):
    """Every text of the document looks like markup."""
    document = copy.deepcopy(command(seed))
    document["command_line"] = document["again"] = HOSTILE
    document["machine"]["processor"] = document["machine"][HOSTILE] = HOSTILE
    document["allocators"][1].update(version=HOSTILE, loaded_from=HOSTILE, environment={HOSTILE: HOSTILE})
    document["workloads"][0].update(
        name=HOSTILE, source=HOSTILE, stresses=HOSTILE, params={HOSTILE: HOSTILE}, command=[HOSTILE]
    )
    document["workloads"][0]["allocators"][1]["failures"] = [{"round": 2, "what": HOSTILE}]
    document["workloads"][0]["allocators"][1]["failed"] = 1
    for place in (document["allocators"], document["workloads"][0]["allocators"], document["geometric_mean"]):
        for row in place:
            row["name"] = HOSTILE if row["name"] == "hakmem" else row["name"]
    return document


def many(seed=7):
    """As many rows as a full run has, with long names."""
    document = full(seed)
    for workload in copy.deepcopy(document["workloads"]):
        workload["name"] += ":min=16,max=1000,threads=2,größe=äußerst"
        document["workloads"].append(workload)
    document["geometric_mean"] = geometric_means(document["workloads"])
    return document


KINDS = {f.__name__: f for f in (full, many, one_allocator, command, partial, untrusted, since, swept, hostile)}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in KINDS:
        sys.exit(f"usage: compare_documents.py {'|'.join(KINDS)}")
    json.dump(KINDS[sys.argv[1]](), sys.stdout, indent=1)
