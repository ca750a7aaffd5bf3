// Latencies of malloc and free: one curve over the percentiles for each allocator.

const LONGEST = 100; // the percentile of the longest wait of all
const percentileText = (p) => (p < LONGEST ? `p${p}` : "max");

// Equal steps for each further nine; the longest wait is last.
function percentileScale(percentiles, range) {
    const nines = (p) => -Math.log10(1 - p / 100);
    const finite = percentiles.filter((p) => p < LONGEST);
    const last = (d3.max(finite, nines) || 1) + 0.6;
    const scale = d3.scaleLinear([d3.min(finite, nines) || 0, last], range);
    return (p) => scale(p < LONGEST ? nines(p) : last);
}

// Those with room for their names; the most common ones come first.
function namedPercentiles(percentiles, x) {
    const taken = [];
    for (const p of new Set([LONGEST, 50, 99, 99.9, 90, 99.99, ...percentiles]))
        if (percentiles.includes(p) && taken.every((other) => Math.abs(x(other) - x(p)) > 42)) taken.push(p);
    return taken;
}

// [percentile, nanoseconds], in order.
function curveOf(latency) {
    const quoted = [
        [50, latency.p50],
        [99, latency.p99],
        [99.9, latency.p999],
        [LONGEST, latency.max],
    ];
    const all = new Map([...(latency.curve || []), ...quoted].filter(([, ns]) => isNumber(ns)));
    return d3.sort(all, ([p]) => p);
}

const withLatency = (workload, call) => workload.allocators.filter((a) => a.latency && a.latency[call]);
const percentilesOf = (list, call) => d3.sort(new Set(list.flatMap((a) => curveOf(a.latency[call]).map(([p]) => p))));
const drawable = (ns) => Math.max(ns, 1); // a log scale has no 0

function drawLatencyGround(svg, x, y, percentiles, [left, right]) {
    const [bottom, top] = y.range();
    for (const tick of y.ticks(6).filter((t) => /^1e/.test(t.toExponential()))) {
        along(svg, "grid", y(tick), left, right);
        label(svg, left - 7, y(tick) + 4, trimmed(nanoseconds(tick)), "end");
    }
    for (const p of percentiles) across(svg, "grid", x(p), top, bottom);
    for (const p of namedPercentiles(percentiles, x))
        label(svg, x(p), bottom + 18, percentileText(p), x(p) > right - 14 ? "end" : "middle");
}

function drawLatency(svg, width, list, call) {
    const range = [54, width - 14];
    const percentiles = percentilesOf(list, call);
    const all = list.flatMap((a) => curveOf(a.latency[call]).map(([, ns]) => drawable(ns)));
    const x = percentileScale(percentiles, range);
    const y = d3.scaleLog(d3.extent(all), [HEIGHT - 28, 8]).nice();
    drawLatencyGround(svg, x, y, percentiles, range);
    return list.flatMap((a) => {
        const points = curveOf(a.latency[call]).map(([p, ns]) => ({
            x: x(p),
            y: y(drawable(ns)),
            lines: [`${a.name}, ${call}`, [percentileText(p), nanoseconds(ns)]],
        }));
        curve(svg, a.name, points);
        for (const p of points) mark(svg, a.name, p.x, p.y, "", 50);
        return points;
    });
}

function latencyTable(workload, list, call) {
    const percentiles = percentilesOf(list, call);
    const row = (a) => {
        const at = new Map(curveOf(a.latency[call]));
        const waits = percentiles.map((p) => number(at.get(p), nanoseconds));
        return [who(a.name), ...waits, number(a.latency[call].count, plain)];
    };
    const columns = [["Allocator"], ...numeric(...percentiles.map(percentileText), "Timed calls")];
    return table(`latency-${call}`, `Latency of ${call} in ${workload.name}`, columns, list.map(row), {
        "data-workload": workload.name,
    });
}

function latencyChart(workload, call) {
    const list = withLatency(workload, call);
    return chart(
        `latency-${call}`,
        `Latency of ${call}`,
        "of one run each: no claim; lower is better; log scales",
        HEIGHT,
        (svg, width) => drawLatency(svg, width, list, call),
        legend(
            list.map((a) => a.name),
            true,
        ),
        latencyTable(workload, list, call),
    );
}

function latencyCharts(workload) {
    const calls = ["malloc", "free"].filter((call) => withLatency(workload, call).length > 0);
    if (calls.length === 0) return null;
    return el(
        "div",
        { class: "columns" },
        calls.map((call) => latencyChart(workload, call)),
    );
}
