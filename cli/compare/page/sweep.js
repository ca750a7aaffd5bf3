// A chart for each workload that was measured with several values of one parameter.

const sweptGroups = () =>
    d3.groups(
        workloads.filter((w) => w.sweep),
        (w) => w.sweep.of,
    );
const valueOf = (workload) => workload.sweep.value;
const medianOf = (workload, name) => workload.allocators.find((a) => a.name === name)?.median?.[workload.metric];

// Values that multiply rather than add are on a log axis.
function isLog(values) {
    const sorted = d3.sort(values);
    const steps = d3.pairs(sorted, (a, b) => b - a);
    return sorted[0] > 0 && steps.length > 1 && d3.max(steps) > 1.5 * d3.min(steps);
}

// Words, and a value alone, are as far apart as there is room.
function sweepScale(list, range) {
    const values = list.map(valueOf);
    if (values.length < 2 || !values.every(isNumber)) {
        const place = d3.scalePoint(d3.range(list.length), range).padding(0.5);
        return (workload) => place(list.indexOf(workload));
    }
    const scale = (isLog(values) ? d3.scaleLog : d3.scaleLinear)(d3.extent(values), range);
    return (workload) => scale(valueOf(workload));
}

function drawSweepGround(svg, x, y, list, [left, right]) {
    const format = metricText(list[0]);
    for (const tick of y.ticks(5)) {
        along(svg, "grid", y(tick), left, right);
        label(svg, left - 7, y(tick) + 4, tick === 0 ? "0" : trimmed(format(tick)), "end");
    }
    const labels = list.map((w) => ({ x: x(w), words: clipped(w.sweep.text) }));
    labelsBelow(
        svg,
        y(0) + 18,
        d3.sort(labels, (one) => one.x),
    );
    label(svg, right, y(0) + 36, clipped(list[0].sweep.parameter), "end", "strong");
    along(svg, "axis", y(0), left, right);
}

function sweptPoint(workload, name, x, y) {
    const a = workload.allocators.find((one) => one.name === name);
    const lines = [
        name,
        [workload.sweep.parameter, workload.sweep.text],
        [MEASURES[workload.metric][0], metricText(workload)(medianOf(workload, name))],
    ];
    const speed = a.ratio?.speed;
    if (speed) lines.push(["speed", intervalText(speed, ratioText(speed))], ["", verdict(speed.claim)]);
    return { x: x(workload), y: y(medianOf(workload, name)), lines };
}

function drawSweep(svg, width, list) {
    const medians = list.flatMap((w) => names.map((name) => medianOf(w, name))).filter(isNumber);
    const range = [88, width - 20];
    const x = sweepScale(list, range);
    const y = d3.scaleLinear([0, d3.max(medians) || 1], [HEIGHT - 44, 10]);
    drawSweepGround(svg, x, y, list, [range[0] - 8, range[1] + 8]);
    return names.flatMap((name) => {
        const known = list.filter((w) => isNumber(medianOf(w, name)));
        const points = d3.sort(
            known.map((w) => sweptPoint(w, name, x, y)),
            (point) => point.x,
        );
        curve(svg, name, points);
        for (const point of points) mark(svg, name, point.x, point.y, "", 50);
        return points;
    });
}

function sweepTable(title, list) {
    const rows = list.flatMap((w) =>
        w.allocators.map((a) => {
            const speed = a.ratio?.speed;
            const ratio = ["ratio", "low", "high"].map((field) => number(speed?.[field], exact));
            const median = number(a.median?.[w.metric], metricText(w));
            return [w.sweep.text, who(a.name), median, ...ratio, speed ? verdict(speed.claim) : "–"];
        }),
    );
    const heads = [[list[0].sweep.parameter], ["Allocator"]];
    const columns = [...heads, ...numeric("Median", "Speed ratio", "Low", "High"), ["Verdict"]];
    return table("sweep", title, columns, rows, { "data-workload": list[0].sweep.of });
}

function sweepChart([of, list]) {
    const title = `${of} by ${list[0].sweep.parameter}`;
    const better = list[0].higher_is_better ? "higher" : "lower";
    const shown = names.filter((name) => list.some((w) => isNumber(medianOf(w, name))));
    const log = list.every((w) => isNumber(valueOf(w))) && isLog(list.map(valueOf)) ? "; log scale of values" : "";
    return chart(
        "sweep",
        title,
        `median ${MEASURES[list[0].metric][0].toLowerCase()}; ${better} is better${log}`,
        HEIGHT,
        (svg, width) => drawSweep(svg, width, list),
        legend(shown, true),
        hiddenNumbers("The numbers as a table", () => sweepTable(title, list)),
    );
}

function sweeps() {
    const groups = sweptGroups();
    if (groups.length === 0) return null;
    const how = "One line for each allocator. What is claimed, the ratios say; each value is a row of its own in them.";
    return section("sweep", "By parameter", el("p", { class: "soft" }, how), ...groups.map(sweepChart));
}
