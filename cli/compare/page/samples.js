// Every sample of a workload: a band for each allocator, with the rounds one below another.

const BAND = 40;

const sampleLines = (sample) =>
    Object.entries(MEASURES)
        .filter(([field]) => isNumber(sample[field]))
        .map(([field, [title, format]]) => [title, format(sample[field])]);

// Some room at both ends, but nothing below 0.
function padded([low, high]) {
    const room = low === high ? low * 0.02 || 1 : (high - low) * 0.04;
    return [low - room > 0 ? low - room : low, high + room];
}

function sampleScale(workload, values, range) {
    const [low, high] = d3.extent(values);
    const wide = low > 0 && high > 8 * low;
    return (wide ? d3.scaleLog() : d3.scaleLinear()).domain(padded([low, high])).range(range);
}

// On a log scale, the ticks that begin with 1, 2 or 5.
function sampleTicks(x, width) {
    const ticks = x.ticks(width < 420 ? 3 : 6);
    return x.base ? ticks.filter((tick) => /^[125](\.0*)?e/.test(tick.toExponential())) : ticks;
}

function drawBand(svg, workload, a, x, middle) {
    const half = (part) => [middle - BAND * part, middle + BAND * part];
    const y = d3.scaleLinear(
        d3.extent(a.samples, (s) => s.round),
        half(0.3),
    );
    const median = a.median?.[workload.metric];
    along(svg, "axis", middle + BAND / 2, 0, x.range()[1]);
    mark(svg, a.name, 8, middle);
    label(svg, 20, middle + 4, clipped(a.name), "start", "strong");
    if (isNumber(median)) across(svg, `median ${colour(a.name)}`, x(median), ...half(0.4));
    return samplesOf(a, workload).map((sample) => ({
        x: x(sample[workload.metric]),
        y: a.samples.length > 1 ? y(sample.round) : middle,
        lines: [`${a.name}, round ${sample.round}`, ...sampleLines(sample)],
    }));
}

function drawSamples(svg, width, workload, rows) {
    const left = Math.min(140, 20 + 8 * d3.max(rows, (a) => clipped(a.name).length));
    const values = rows.flatMap((a) => samplesOf(a, workload).map((s) => s[workload.metric]));
    const x = sampleScale(workload, values, [left, width - 16]);
    const bottom = 6 + rows.length * BAND;
    const ticks = sampleTicks(x, width);
    for (const tick of ticks) across(svg, "grid", x(tick), 6, bottom);
    labelsBelow(
        svg,
        bottom + 17,
        ticks.map((tick) => ({ x: x(tick), words: trimmed(metricText(workload)(tick)) })),
    );
    return rows.flatMap((a, i) => {
        const points = drawBand(svg, workload, a, x, 6 + (i + 0.5) * BAND);
        for (const { x: cx, y: cy } of points)
            svg.append("circle")
                .attr("class", `sample ${colour(a.name)}`)
                .attr("cx", cx)
                .attr("cy", cy)
                .attr("r", 4);
        return points;
    });
}

function sampleTable(workload) {
    const all = workload.allocators.flatMap((a) => [...(a.samples || []), ...(a.failures || [])]);
    const rounds = d3.sort(new Set(all.map((each) => each.round).filter(isNumber)));
    const cell = (a, round) => {
        const sample = (a.samples || []).find((s) => s.round === round);
        if (sample) return number(sample[workload.metric], metricText(workload));
        return (a.failures || []).some((f) => f.round === round) ? "failed" : "–";
    };
    return table(
        "samples",
        `${MEASURES[workload.metric][0]} of ${workload.name}, every round`,
        [["Round"], ...numeric(...workload.allocators.map((a) => a.name))],
        rounds.map((round) => [roundText(round), ...workload.allocators.map((a) => cell(a, round))]),
        { "data-workload": workload.name },
    );
}

function sampleChart(workload) {
    const rows = workload.allocators.filter((a) => samplesOf(a, workload).length > 0);
    if (rows.length === 0) return el("p", { class: "soft" }, "No run of this workload gave a sample.");
    return chart(
        "samples",
        `${MEASURES[workload.metric][0]}, every sample`,
        `${workload.higher_is_better ? "more" : "less"} is better; the upright line is the median`,
        rows.length * BAND + 28,
        (svg, width) => drawSamples(svg, width, workload, rows),
        hiddenNumbers("Every sample as a table", () => sampleTable(workload)),
    );
}
