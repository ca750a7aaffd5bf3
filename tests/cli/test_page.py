#!/usr/bin/env python3
"""The page of `hakstress compare`, in headless Chromium: it loads alone, it shows the document's numbers, and it fits.

usage: test_page.py PAGE_FROM_JSON HAKSTRESS [CLASS...]
Exit status 77 where Chromium, its driver or selenium is missing.
"""
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree as tree
from pathlib import Path

import compare_documents

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    # Debian's package is of Debian's Python, which need not be the first one in PATH.
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and os.access(
        "/usr/bin/python3", os.X_OK
    ):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print("python3-selenium is not installed")
    sys.exit(77)

PAGE_FROM_JSON = HAKSTRESS = None
CHART_SVG = Path(__file__).resolve().parents[2] / "scripts" / "chart_svg.py"
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars""".split()
PHONE, DESK = 320, 1280
PATIENCE = 20  # seconds, on a busy machine


def chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return sum(weight * v for weight, v in zip((0.2126, 0.7152, 0.0722), linear))


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def start_browser(profile):
    options = Options()
    options.binary_location = chromium()
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)


@functools.cache
def browser_of_all():
    """One for all classes, because a start takes seconds. Each class begins with an empty page."""
    profile = tempfile.mkdtemp(prefix="page-")
    unittest.addModuleCleanup(shutil.rmtree, profile, ignore_errors=True)
    browser = start_browser(profile)
    unittest.addModuleCleanup(browser.quit)
    return browser


class Case(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="page-")
        cls.addClassCleanup(cls.directory.cleanup)
        cls.browser = browser_of_all()
        cls.browser.get("about:blank")

    def save(self, document, name="page.html"):
        source = os.path.join(self.directory.name, "document.json")
        target = os.path.join(self.directory.name, name)
        with open(source, "w", encoding="utf-8") as file:
            json.dump(document, file)
        subprocess.run([PAGE_FROM_JSON, source, target], check=True, timeout=PATIENCE)
        return target

    def look(self, width=DESK, scheme="light"):
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def open(self, document, **how):
        self.open_file(self.save(document), **how)

    def open_file(self, path, **how):
        for kind in ("browser", "performance"):
            self.browser.get_log(kind)  # forget what other pages said
        self.look(**how)
        self.browser.get(Path(path).as_uri())
        self.open_all()

    def open_all(self):
        """Opens every workload and every table, one after another, like a reader."""
        script = ("const all = document.querySelectorAll('details:not([open])'); "
                  "all.forEach(d => d.open = true); return all.length;")
        self.wait_until(lambda: self.script(script) == 0 and self.drawn())

    def drawn(self):
        return self.script("return [...document.querySelectorAll('.chart')].every(c => c.querySelector('svg'));")

    def script(self, text, *arguments):
        return self.browser.execute_script(text, *arguments)

    def wait_until(self, true):
        end = time.monotonic() + PATIENCE
        while not true():
            self.assertLess(time.monotonic(), end, "waited in vain")
            time.sleep(0.05)

    def text(self):
        return self.script("return document.body.innerText;")

    def rows(self, name, workload=None):
        """The rows of all tables of a name: each cell as its exact number if it has one, else as its text."""
        return self.script(
            """return [...document.querySelectorAll('table')]
                .filter(t => t.dataset.table === arguments[0])
                .filter(t => arguments[1] === null || t.dataset.workload === arguments[1])
                .flatMap(t => [...t.tBodies[0].rows].map(r => [...r.cells].map(c => {
                    const number = c.querySelector('data');
                    return number ? Number(number.value) : c.textContent;
                })));""",
            name,
            workload,
        )

    def complaints(self):
        return [entry["message"] for entry in self.browser.get_log("browser")]

    def requests(self):
        messages = (json.loads(entry["message"])["message"] for entry in self.browser.get_log("performance"))
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def overflow(self):
        return self.script("return document.documentElement.scrollWidth - document.documentElement.clientWidth;")


class EveryDocument(Case):
    def test_loads_alone_and_fits(self):
        for name, make in compare_documents.KINDS.items():
            with self.subTest(document=name):
                self.open(make())
                self.assertEqual(self.overflow(), 0, "at the desk")
                self.look(width=PHONE)
                self.wait_until(lambda: self.overflow() == 0)
                self.wait_until(self.drawn)
                self.assertEqual(self.complaints(), [])
                pages = [url for url in self.requests() if not url.startswith("data:")]
                self.assertEqual(len(pages), 1, pages)
                self.assertTrue(pages[0].startswith("file:"), pages)
                self.assertNotIn("NaN", self.text())
                self.assertNotIn("undefined", self.text())
                self.assertFalse(
                    self.script(
                        "return [...document.querySelectorAll('svg *')].some(e => /NaN|undefined/.test(e.outerHTML));"
                    )
                )

    def test_dark_mode_looks_different_and_can_be_read(self):
        luminance = """const of = (e, p) => getComputedStyle(e)[p].match(/[\\d.]+/g).slice(0, 3)
                .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
                .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
            const paper = of(document.body, 'backgroundColor');
            const contrast = ink => (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
            const marked = [...document.querySelectorAll('[class*=" s"], .soft, body')];
            const marks = marked.map(e => contrast(of(e, 'color')));
            return [paper, Math.min(...marks)];"""
        self.open(compare_documents.full())
        light, least = self.script(luminance)
        self.assertGreater(light, 0.9)
        self.assertGreater(least, 3)  # what WCAG requires for parts of a chart
        self.look(scheme="dark")
        dark, least = self.script(luminance)
        self.assertLess(dark, 0.05)
        self.assertGreater(least, 3)


def shape_of(value):
    """The keys, whatever the values; for a list, those of its first element."""
    if isinstance(value, dict):
        free = ("machine", "build", "params", "environment")
        return {key: key if key in free else shape_of(each) for key, each in value.items()}
    return [shape_of(each) for each in value[:1]] if isinstance(value, list) else None


class RealPage(Case):
    def test_a_page_that_hakstress_wrote(self):
        command = [HAKSTRESS, "compare", "--rounds", "2", "--seconds", "0.02", "--noise", "100000", "--quiet"]
        command += ["--allocators", "glibc,hakmem", "--json", "-", "--html", "real.html", "pair", "larson"]
        for _ in range(3):  # the A/A run may, by construction, find a difference once in a hundred times
            result = subprocess.run(command, cwd=self.directory.name, capture_output=True, encoding="utf-8", timeout=60)
            if result.returncode != 4:
                break
        self.assertEqual(result.returncode, 0, result.stderr)
        document = json.loads(result.stdout)
        self.open_file(os.path.join(self.directory.name, "real.html"))
        self.assertEqual(self.complaints(), [])
        self.assertEqual(self.overflow(), 0)
        for workload in document["workloads"]:
            wanted = [[a["samples"][i]["ops_per_sec"] for a in workload["allocators"]] for i in range(2)]
            self.assertEqual([row[1:] for row in self.rows("samples", workload["name"])], wanted)
            speed = workload["allocators"][1]["ratio"]["speed"]
            row = self.rows("ratios", workload["name"])[0]
            self.assertEqual(row[2:7], [speed[k] for k in ("ratio", "low", "high", "p", "p_corrected")])
        self.assertEqual(self.rows("allocators")[1][2], document["allocators"][1]["loaded_from"])
        # The made-up documents of the other tests are like the real ones.
        self.assertEqual(shape_of(document), shape_of(compare_documents.full()))


class Numbers(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.document = compare_documents.full()

    def setUp(self):
        if "page.html" not in self.browser.current_url:
            self.open(self.document)

    def test_samples(self):
        for workload in self.document["workloads"]:
            allocators = workload["allocators"]
            rounds = sorted({each["round"] for a in allocators for each in a["samples"] + a["failures"]})
            rows = self.rows("samples", workload["name"])
            self.assertEqual([row[0] for row in rows], ["warm-up" if i < 0 else str(i) for i in rounds])
            for i, row in zip(rounds, rows):
                for a, cell in zip(allocators, row[1:]):
                    sample = next((s for s in a["samples"] if s["round"] == i), None)
                    failed = any(f["round"] == i for f in a["failures"])
                    self.assertEqual(cell, sample["ops_per_sec"] if sample else "failed" if failed else "–")

    def test_medians(self):
        for workload in self.document["workloads"]:
            medians = self.rows("medians", workload["name"])
            for a, row in zip(workload["allocators"], medians):
                self.assertEqual(row[:2], [a["name"], len(a["samples"])])
                self.assertEqual([cell for cell in row[2:] if cell != "–"], list(a["median"].values()))
            if workload["limit"]:
                self.assertEqual(medians[-1][2], workload["limit"]["value"])

    def test_ratios(self):
        for workload in self.document["workloads"]:
            wanted = [
                [r["ratio"], r["low"], r["high"], r["p"], r["p_corrected"]]
                for a in workload["allocators"]
                if a["ratio"]
                for r in a["ratio"].values()
                if r
            ]
            self.assertEqual([row[2:7] for row in self.rows("ratios", workload["name"])], wanted)

    def forest(self, name):
        """workload (or None) and allocator -> three numbers, their texts, and the verdict."""
        found = self.script(
            """const table = document.querySelector(`table[data-table="${arguments[0]}"]`);
            return [...table.querySelectorAll('tr[data-allocator]')].map(r => [
                r.dataset.workload || null, r.dataset.allocator,
                [...r.querySelectorAll('data')].map(d => Number(d.value)),
                [...r.querySelectorAll('data')].map(d => d.textContent), r.cells[2].textContent,
                !!r.querySelector('.mark.none:not(.key *)'),
                r.querySelector('svg[role=img]').getAttribute('aria-label')]);""",
            name,
        )
        return {(row[0], row[1]): row[2:] for row in found}

    def test_drawn_ratios(self):
        for kind in ("speed", "rss_peak", "rss_freed"):
            rows = self.forest("forest-" + kind)
            for workload in self.document["workloads"]:
                for a in workload["allocators"][1:]:
                    values, texts, shown, hollow, label = rows.pop((workload["name"], a["name"]))
                    r = a["ratio"][kind]
                    if not r:
                        self.assertIn("no ratio: 3 failed runs", shown)
                        continue
                    self.assertEqual(values, [r["ratio"], r["low"], r["high"]])
                    for value, text in zip(values, texts):
                        self.assertAlmostEqual(value, float(text), delta=0.0051)
                    self.assertIn(r["claim"], shown)
                    self.assertIn(r["claim"], label)
                    self.assertEqual(hollow, r["claim"] in ("no difference shown", "too few rounds to claim"))
            self.assertEqual(rows, {})

    def test_geometric_means(self):
        for kind in ("speed", "rss_peak"):
            rows = self.forest("mean-" + kind)
            for mean in self.document["geometric_mean"]:
                values, _, shown, _, _ = rows.pop((None, mean["name"]))
                self.assertEqual(values, [mean[kind][k] for k in ("ratio", "low", "high")])
                for claim in ("faster", "slower", "more", "less"):
                    self.assertNotIn(claim, shown)  # no claim is made about it
            self.assertEqual(rows, {})

    def test_latency(self):
        for workload in self.document["workloads"]:
            for call in ("malloc", "free"):
                rows = self.rows("latency-" + call, workload["name"])
                with_latency = [a for a in workload["allocators"] if a["latency"]]
                self.assertEqual(len(rows), len(with_latency))
                for a, row in zip(with_latency, rows):
                    latency = a["latency"][call]
                    self.assertEqual(row, [a["name"], *(ns for _, ns in latency["curve"]), latency["count"]])

    def test_memory_over_time(self):
        for workload in self.document["workloads"]:
            wanted = [point for a in workload["allocators"] for point in a["rss_over_time"] or []]
            self.assertEqual(self.rows("rss-points", workload["name"]), wanted)
            peaks = [max(size for _, size in a["rss_over_time"]) for a in workload["allocators"] if a["rss_over_time"]]
            self.assertEqual([row[1] for row in self.rows("rss", workload["name"])], peaks)

    def test_failures_and_provenance(self):
        failures = [
            [w["name"], a["name"], "warm-up" if f["round"] < 0 else str(f["round"]), f["what"]]
            for w in self.document["workloads"]
            for a in w["allocators"]
            for f in a["failures"]
        ]
        self.assertEqual(self.rows("failures")[-len(failures) :], failures)
        for a, row in zip(self.document["allocators"], self.rows("allocators")):
            self.assertEqual(row[:4], [a["name"], a["version"], a["loaded_from"], a["build_id"]])
        aa = self.document["aa"]
        known = ("ratio", "low", "high", "p", "may_claim", "may_vary", "rounds")
        self.assertEqual(self.rows("aa")[0][2:9], [aa[k] for k in known])
        text = self.text()
        for wanted in (self.document["again"], self.document["build"]["id"], "250 ms", "MALLOC_ARENA_MAX=4",
                       "2 pairs of threads"):
            self.assertIn(wanted, text.replace("\u202f", " "))
        for name, value in self.document["machine"].items():
            self.assertIn("7.70 GiB" if name == "memory_bytes" else str(value), text)


class Behaviour(Case):
    def tip(self):
        return self.script("const t = document.getElementById('tip'); return t.hidden ? '' : t.innerText;")

    def test_every_sample_is_told_by_mouse_and_keys(self):
        document = compare_documents.command()
        self.open(document)
        chart = self.browser.find_element(By.CSS_SELECTOR, '[data-chart="samples"] svg')
        self.script("arguments[0].scrollIntoView({block: 'center'});", chart)
        rows = document["workloads"][0]["allocators"]
        circles = chart.find_elements(By.CSS_SELECTOR, "circle.sample")
        self.assertEqual(len(circles), sum(len(a["samples"]) for a in rows))
        self.wait_until(lambda: self.tip() == "")
        ActionChains(self.browser).move_to_element(circles[4]).perform()
        self.wait_until(lambda: re.search(r"glibc, round \d+\s+Time", self.tip()))
        chart.send_keys(Keys.ESCAPE)
        self.wait_until(lambda: self.tip() == "")
        told = []
        for i in range(len(circles)):
            chart.send_keys(Keys.ARROW_RIGHT if i else Keys.HOME)
            told.append(self.tip())
        samples = [(a["name"], s) for a in rows for s in a["samples"]]
        for text, (name, sample) in zip(told, samples):
            self.assertIn(f"{name}, round {sample['round']}\n", text)
            self.assertIn(f"{sample['seconds']:.2f}", text)

    def test_other_ratios_are_chosen_with_the_keyboard(self):
        self.open(compare_documents.command())
        chosen = "return [...document.querySelectorAll('.panel')].filter(p => p.offsetParent).map(p => p.dataset.kind);"
        self.assertEqual(self.script(chosen), ["speed"])
        self.browser.find_element(By.CSS_SELECTOR, "input[value=speed]").send_keys(Keys.ARROW_RIGHT)
        self.assertEqual(self.script(chosen), ["rss_peak"])
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        self.assertEqual(self.script(chosen), ["speed", "rss_peak"])
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})

    def test_shape_and_dash_tell_allocators_apart(self):
        self.open(compare_documents.full())
        shapes, dashes = self.script(
            """const keys = [...document.querySelectorAll('[data-workload=larson] figure .legend')].pop();
            return [[...keys.querySelectorAll('.mark')].map(m => m.getAttribute('d')),
                [...keys.querySelectorAll('.curve')].map(m => m.getAttribute('stroke-dasharray'))];"""
        )
        for marks in (shapes, dashes):
            self.assertEqual(len(marks), len(compare_documents.ALLOCATORS))
            self.assertEqual(len(set(marks)), len(marks))

    def test_hostile_text_stays_text(self):
        document = compare_documents.hostile()
        self.open(document)
        self.assertIsNone(self.script("return window.harmed ?? null;"))
        self.assertEqual(self.script("return document.querySelectorAll('script').length;"), 3)
        self.assertEqual(self.script("return document.querySelectorAll('img').length;"), 0)
        self.assertEqual(self.script("return JSON.parse(document.getElementById('document').textContent);"), document)
        for name in ("allocators", "failures", "medians"):
            self.assertTrue(any(compare_documents.HOSTILE in map(str, row) for row in self.rows(name)), name)

    def test_what_is_wrong_is_said_first(self):
        for make, wanted in (
            (compare_documents.untrusted, ["Not trustworthy", "no workload was measured"]),
            (compare_documents.partial, ["a difference, allowed by --noise", "Incomplete: stopped by a signal",
                                         "40 more, which are not listed",
                                         "16 rounds are needed: about --budget 130"]),
            (compare_documents.one_allocator, ["6 runs failed", "had all its rounds, except for runs that failed",
                                               "larson: out of memory", "–\tlatency run: larson ended"]),
        ):
            self.open(make())
            for words in wanted:
                self.assertIn(words, self.text())
            first = self.script("return document.querySelector('header').innerText;")
            self.assertIn(wanted[0], first)

    def test_losses_since_an_earlier_run(self):
        for losses, notice in ((1, "✕ 1 loss beyond 3% since the earlier run"),
                               (0, "✓ No loss beyond 3% since the earlier run")):
            document = compare_documents.since(losses=losses)
            self.open(document)
            self.assertIn(notice, self.script("return document.querySelector('header').innerText;"))
            for words in ("not the machine of then: Processors is 2 and was 4", "Not compared: xmalloc under hakmem"):
                self.assertIn(words, self.text())
            drawn = self.script(
                """return [...document.querySelectorAll('#earlier tr[data-allocator]')].map(r => [
                    r.dataset.workload, r.dataset.allocator,
                    ...[...r.querySelectorAll('data')].map(d => Number(d.value)),
                    r.textContent.includes('loss')]);""")
            wanted = [[r[k] for k in ("workload", "allocator", "ratio", "low", "high", "loss")]
                      for r in document["earlier"]["rows"]]
            self.assertCountEqual(drawn, wanted)

    def lead(self, speeds):
        """The first line, of two rivals with these intervals of speed."""
        document = compare_documents.full()
        for mean, (low, high) in zip([m for m in document["geometric_mean"] if m["name"] != "glibc"], speeds):
            mean["speed"] = {"ratio": (low * high) ** 0.5, "low": low, "high": high}
        document["geometric_mean"] = [m for m in document["geometric_mean"] if m["name"] == "glibc"] + [
            m for m in document["geometric_mean"] if m["name"] != "glibc"
        ][: len(speeds)]
        self.open(document)
        return self.script("return document.querySelector('.lead').innerText;")

    def test_a_sweep_is_drawn_and_told(self):
        document = compare_documents.swept()
        self.open(document)
        wanted = [[row["sweep"]["text"], a["name"], a["median"].get(row["metric"], "–")]
                  for row in document["workloads"] for a in row["allocators"]]
        self.assertEqual([row[:3] for row in self.rows("sweep")], wanted)
        charts = self.browser.find_elements(By.CSS_SELECTOR, "[data-chart=sweep] svg")
        places = self.script("""return [...document.querySelectorAll('[data-chart=sweep] svg')].map(svg =>
            [...svg.querySelectorAll('.mark')].map(m => m.getAttribute('transform').match(/[\\d.]+/g).map(Number)));""")
        self.assertEqual([len(points) for points in places], [11, 6])  # one has no sample
        threads = [x for x, _ in places[0][:4]]
        steps = [b - a for a, b in zip(threads, threads[1:])]
        self.assertLess(max(steps) - min(steps), 1)  # 1, 2, 4, 8 are on a log axis
        self.assertEqual([y for _, y in places[0][:4]], sorted((y for _, y in places[0][:4]), reverse=True))
        charts[0].send_keys(Keys.END)
        tip = self.script("return document.getElementById('tip').innerText;")
        for word in ("jemalloc", "threads", "4", "faster"):
            self.assertIn(word, tip)
        ActionChains(self.browser).move_to_element(charts[1].find_element(By.CSS_SELECTOR, ".mark")).perform()
        self.assertIn("level", self.script("return document.getElementById('tip').innerText;"))

    def test_baseline_takes_part(self):
        self.assertRegex(self.lead([(0.8, 0.9), (0.7, 1.1)]), "Highest speed relative to glibc: glibc, before ")
        self.assertRegex(self.lead([(0.99, 1.02), (0.9, 1.2)]), "relative to glibc: no difference shown; ")


class Files(Case):
    """What page_save does with its file, and the chart for README."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="page-")
        cls.addClassCleanup(cls.directory.cleanup)

    def run_on(self, target, document=None):
        source = os.path.join(self.directory.name, "document.json")
        with open(source, "w", encoding="utf-8") as file:
            json.dump(document or compare_documents.untrusted(), file)
        return subprocess.run([PAGE_FROM_JSON, source, target], capture_output=True, encoding="utf-8", timeout=PATIENCE)

    def test_a_full_disk_and_other_faults_are_one_line(self):
        for target, wanted in (
            ("/dev/full", "No space left"),
            ("/nowhere/page.html", "No such file"),
            (self.directory.name, "directory"),
        ):
            result = self.run_on(target)
            self.assertEqual(result.returncode, 1)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
            self.assertIn(wanted, result.stderr)

    def test_an_old_page_is_replaced_whole_or_kept(self):
        folder = os.path.join(self.directory.name, "folder")
        os.mkdir(folder)
        page, link = os.path.join(folder, "page.html"), os.path.join(folder, "link.html")
        Path(page).write_text("old")
        os.chmod(page, 0o640)
        os.symlink("page.html", link)
        limit = f'ulimit -f 8; trap "" XFSZ; "$0" {os.path.join(self.directory.name, "document.json")} {link}'
        self.run_on("/dev/null")
        result = subprocess.run(
            ["sh", "-c", limit, PAGE_FROM_JSON], capture_output=True, encoding="utf-8", timeout=PATIENCE
        )
        self.assertEqual(result.returncode, 1)
        self.assertIn("File too large", result.stderr)
        self.assertEqual(Path(page).read_text(), "old")
        self.assertEqual(sorted(os.listdir(folder)), ["link.html", "page.html"])
        self.assertEqual(self.run_on(link).returncode, 0)
        self.assertIn("<!doctype html>", Path(page).read_text(encoding="utf-8"))
        self.assertTrue(os.path.islink(link))
        self.assertEqual(os.stat(page).st_mode & 0o777, 0o640)
        self.assertEqual(sorted(os.listdir(folder)), ["link.html", "page.html"])

    def test_no_address_is_loaded(self):
        self.run_on(os.path.join(self.directory.name, "page.html"), compare_documents.full())
        page = Path(self.directory.name, "page.html").read_text(encoding="utf-8")
        self.assertIn("default-src 'none'", page)
        markup = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", page, flags=re.S)
        self.assertEqual(re.findall(r"(?:src|href)\s*=\s*\"(?!data:,|#)[^\"]*", markup), [])
        self.assertNotIn("unsafe", markup)

    def chart(self, document):
        source = os.path.join(self.directory.name, "chart.json")
        with open(source, "w", encoding="utf-8") as file:
            json.dump(document, file)
        return subprocess.run(
            [sys.executable, CHART_SVG, source], capture_output=True, encoding="utf-8", timeout=PATIENCE
        )

    def test_chart_for_readme(self):
        for make in (
            compare_documents.full,
            compare_documents.command,
            compare_documents.hostile,
            compare_documents.partial,
        ):
            document = make()
            result = self.chart(document)
            self.assertEqual((result.returncode, result.stderr), (0, ""))
            words = " ".join(tree.fromstring(result.stdout).itertext())
            for workload in document["workloads"]:
                for a in workload["allocators"]:
                    if a["ratio"] and a["ratio"]["speed"]:
                        self.assertIn(workload["name"], words)
                        self.assertIn(f"{a['name']}: {a['ratio']['speed']['ratio']:.2f}", words)
            for mean in document["geometric_mean"]:
                self.assertIn(f"{mean['speed']['ratio']:.2f}", words)

    def test_chart_can_be_read_on_light_and_on_dark(self):
        """Against the background of GitHub's two themes. WCAG wants 4.5 for text, nearly reached, and 3 for marks."""
        svg = tree.fromstring(self.chart(compare_documents.full()).stdout)
        for element in svg.iter():
            least = 4.3 if element.tag.endswith("text") else 3
            for colour in (element.get("fill"), element.get("stroke")):
                if re.fullmatch("#[0-9a-f]{6}", colour or ""):
                    for paper in ("#ffffff", "#0d1117"):
                        self.assertGreaterEqual(contrast(colour, paper), least, (element.tag, colour, paper))

    def test_chart_of_nothing_is_refused(self):
        for document in (compare_documents.untrusted(), [], {"kind": "bench"}):
            result = self.chart(document)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: test_page.py PAGE_FROM_JSON HAKSTRESS [CLASS...]")
    PAGE_FROM_JSON, HAKSTRESS = map(os.path.abspath, sys.argv[1:3])
    del sys.argv[1:3]
    if chromium() is None or shutil.which("chromedriver") is None:
        print("Chromium or its driver is not installed")
        sys.exit(77)
    unittest.main(verbosity=2)
