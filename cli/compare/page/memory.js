// Resident memory over time.

// Round numbers of MiB rather than of KiB.
function memoryTicks(most) {
    const unit = most < 1024 ? 1 : most < 1 << 20 ? 1024 : 1 << 20;
    return d3.ticks(0, most / unit, 5).map((tick) => tick * unit);
}

function drawMemoryGround(svg, x, y, width) {
    const [left, right] = x.range();
    const bottom = y.range()[0];
    for (const tick of memoryTicks(y.domain()[1])) {
        along(svg, "grid", y(tick), left, right);
        label(svg, left - 7, y(tick) + 4, tick === 0 ? "0" : trimmed(kib(tick)), "end");
    }
    const ticks = x.ticks(width < 420 ? 3 : 8);
    labelsBelow(
        svg,
        bottom + 18,
        ticks.map((tick) => ({ x: x(tick), words: trimmed(seconds(tick)) })),
    );
    along(svg, "axis", bottom, left, right);
}

function drawMemory(svg, width, list) {
    const all = list.flatMap((a) => a.rss_over_time);
    const x = d3.scaleLinear([0, d3.max(all, ([t]) => t) || 1], [62, width - 14]);
    const y = d3.scaleLinear([0, d3.max(all, ([, size]) => size) || 1], [HEIGHT - 28, 8]);
    drawMemoryGround(svg, x, y, width);
    return list.flatMap((a) => {
        const points = a.rss_over_time.map(([t, size]) => ({
            x: x(t),
            y: y(size),
            lines: [a.name, ["after", seconds(t)], ["memory", kib(size)]],
        }));
        const last = points[points.length - 1];
        curve(svg, a.name, points);
        mark(svg, a.name, last.x, last.y, "", 50);
        return points;
    });
}

function memoryTable(workload, list) {
    const columns = [["Allocator"], ...numeric("Most", "at", "Last", "at", "Points")];
    const rows = list.map((a) => {
        const most = d3.greatest(a.rss_over_time, ([, size]) => size);
        const last = a.rss_over_time[a.rss_over_time.length - 1];
        const moments = [most, last].flatMap(([t, size]) => [number(size, kib), number(t, seconds)]);
        return [who(a.name), ...moments, number(a.rss_over_time.length, plain)];
    });
    return table("rss", `Resident memory over time of ${workload.name}`, columns, rows, {
        "data-workload": workload.name,
    });
}

const memoryPoints = (workload, list) =>
    list.map((a) =>
        table(
            "rss-points",
            `Resident memory of ${a.name} in ${workload.name}`,
            numeric("After", "Memory"),
            a.rss_over_time.map(([t, size]) => [number(t, seconds), number(size, kib)]),
            { "data-workload": workload.name, "data-allocator": a.name },
        ),
    );

function memoryChart(workload) {
    const list = workload.allocators.filter((a) => a.rss_over_time && a.rss_over_time.length > 0);
    if (list.length === 0) return null;
    return chart(
        "rss",
        "Resident memory over time",
        "of one run each: no claim; lower is better",
        HEIGHT,
        (svg, width) => drawMemory(svg, width, list),
        legend(
            list.map((a) => a.name),
            true,
        ),
        memoryTable(workload, list),
        hiddenNumbers("Every point as a table", () => memoryPoints(workload, list)),
    );
}
