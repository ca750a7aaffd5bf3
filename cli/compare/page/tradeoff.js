// Speed against memory, both as ratios: the large marks are the geometric means, the faint ones workloads.

const TRADEOFF_HEIGHT = 380;

const faintPoints = () =>
    workloads.flatMap((workload) =>
        workload.allocators
            .filter((a) => hasRatio(a.ratio, "speed") && hasRatio(a.ratio, "rss_peak"))
            .map((a) => ({ name: a.name, where: workload.name, ...a.ratio })),
    );
const meanPoints = () =>
    means
        .filter((mean) => mean.name !== baseline && hasRatio(mean, "speed") && hasRatio(mean, "rss_peak"))
        .map((mean) => ({ where: "geometric mean", ...mean }));

function drawTradeoffGround(svg, x, y, width) {
    const [left, right] = x.range();
    const [bottom, top] = y.range();
    for (const tick of ratioTicks(x, width < 420 ? 5 : 8)) {
        across(svg, tick === 1 ? "one" : "grid", x(tick), top, bottom);
        label(svg, x(tick), bottom + 17, `${tick}×`, "middle", tick === 1 ? "strong" : null);
    }
    for (const tick of ratioTicks(y, 8)) {
        along(svg, tick === 1 ? "one" : "grid", y(tick), left, right);
        label(svg, left - 7, y(tick) + 4, `${tick}×`, "end", tick === 1 ? "strong" : null);
    }
    label(svg, left, top - 9, "↑ faster", "start", "strong");
    label(svg, left, bottom + 36, "← less memory", "start", "strong");
    label(svg, right, bottom + 36, "more memory →", "end", "strong");
}

function drawIntervals(svg, x, y, point) {
    const end = (scale, value, i) => (value > 0 ? scale(value) : scale.range()[i]);
    const ends = (scale, ratio) => [end(scale, ratio.low, 0), end(scale, ratio.high, 1)];
    along(svg, `interval ${colour(point.name)}`, y(point.speed.ratio), ...ends(x, point.rss_peak));
    across(svg, `interval ${colour(point.name)}`, x(point.rss_peak.ratio), ...ends(y, point.speed));
}

// Names beside their points, moved apart if they would overlap.
function labelPoints(svg, points, right, bottom) {
    let last = -Infinity;
    const labels = d3.sort(points, (p) => p.y).map((p) => ({ ...p, at: (last = Math.max(p.y, last + 15)) }));
    const over = Math.max(0, last - bottom);
    for (const { name, x, at } of labels) {
        const toLeft = x + 14 + clipped(name).length * 7.5 > right;
        const side = toLeft ? [x - 13, "end"] : [x + 13, "start"];
        label(svg, side[0], at - over + 4, clipped(name), side[1], "strong halo");
    }
}

function drawTradeoff(svg, width) {
    const [faint, large] = [faintPoints(), meanPoints()];
    const all = [...faint, ...large];
    const x = ratioScale(
        all.map((p) => p.rss_peak),
        [44, width - 12],
    );
    const y = ratioScale(
        all.map((p) => p.speed),
        [TRADEOFF_HEIGHT - 42, 22],
    );
    const place = (p) => ({ name: p.name, x: x(p.rss_peak.ratio), y: y(p.speed.ratio), lines: tradeoffLines(p) });
    drawTradeoffGround(svg, x, y, width);
    for (const p of faint) mark(svg, p.name, x(p.rss_peak.ratio), y(p.speed.ratio), "faint", 38);
    for (const p of large) {
        drawIntervals(svg, x, y, p);
        mark(svg, p.name, x(p.rss_peak.ratio), y(p.speed.ratio), "", 150);
    }
    // In a narrow chart, names would cover other marks; the legend has them.
    if (width >= 420) labelPoints(svg, large.map(place), width - 12, TRADEOFF_HEIGHT - 42);
    return all.map(place);
}

const tradeoffLines = (p) => [
    `${p.name}, ${p.where}`,
    ["speed", intervalText(p.speed, exact)],
    ["peak memory", intervalText(p.rss_peak, exact)],
];

function tradeoffTable() {
    const three = (ratio) => ["ratio", "low", "high"].map((field) => number(ratio?.[field], exact));
    const row = (where, name, ratio) => [where, who(name), ...three(ratio.speed), ...three(ratio.rss_peak)];
    const columns = [["Workload"], ["Allocator"], ...numeric("Speed", "Low", "High", "Peak memory", "Low", "High")];
    const rows = [
        ...means.filter((m) => m.name !== baseline).map((mean) => row("geometric mean", mean.name, mean)),
        ...workloads.flatMap((w) => w.allocators.filter((a) => a.ratio).map((a) => row(w.name, a.name, a.ratio))),
    ];
    return table("tradeoff", "Speed and peak memory", columns, rows);
}

function tradeoffChart() {
    const shown = [...new Set([...meanPoints(), ...faintPoints()].map((p) => p.name))];
    if (shown.length === 0) return null;
    return chart(
        "tradeoff",
        "Speed against peak memory",
        "large: geometric mean with intervals; faint: one workload each",
        TRADEOFF_HEIGHT,
        drawTradeoff,
        legend(shown),
        hiddenNumbers("These points as a table", tradeoffTable),
    );
}
