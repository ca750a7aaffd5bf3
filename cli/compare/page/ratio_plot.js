// One ratio with its interval. Drawn in per cent of the cell's width, so that it need not be redrawn when that changes.

const PLOT_RANGE = [2, 96];
const percent = (value) => `${value.toFixed(3)}%`;

function plotAxis(scale, ticks) {
    const svg = d3.create("svg").attr("aria-hidden", "true");
    for (const tick of ticks)
        svg.append("text")
            .attr("x", percent(scale(tick)))
            .attr("y", 14)
            .attr("text-anchor", "middle")
            .attr("class", tick === 1 ? "strong" : null)
            .text(`${tick}×`);
    return svg.node();
}

function plotLine(svg, kind, [x1, x2], [y1, y2]) {
    svg.append("line")
        .attr("class", kind)
        .attr("x1", percent(x1))
        .attr("x2", percent(x2))
        .attr("y1", y1)
        .attr("y2", y2);
}

// The band of differences that are never claimed, and the grid.
function plotGround(svg, scale, ticks) {
    const least = data.aa?.may_claim;
    if (least > 0) {
        const [from, to] = [1 / (1 + least), 1 + least].map(scale);
        svg.append("rect")
            .attr("class", "band")
            .attr("x", percent(from))
            .attr("width", percent(to - from))
            .attr("height", "100%");
    }
    for (const tick of ticks) plotLine(svg, tick === 1 ? "one" : "grid", [scale(tick), scale(tick)], ["0", "100%"]);
}

function plotInterval(svg, scale, ratio, hollow) {
    const ends = [ratio.low, ratio.high].map((end, i) => (end > 0 ? scale(end) : [0, 100][i])); // null: no end is known
    plotLine(svg, `interval ${hollow}`, ends, ["50%", "50%"]);
    for (const end of ends.filter((at) => at > 0 && at < 100)) plotLine(svg, "cap", [end, end], ["32%", "68%"]);
}

function plotMark(svg, scale, ratio, name, hollow) {
    svg.append("svg")
        .attr("x", percent(scale(ratio.ratio)))
        .attr("y", "50%")
        .attr("overflow", "visible")
        .append("path")
        .attr("class", `mark ${hollow}`)
        .attr("d", shape(name, KEY_SIZE));
}

function ratioPlot({ scale, ticks }, ratio, name, shown, label) {
    const svg = d3.create("svg").attr("class", colour(name)).attr("role", "img").attr("aria-label", label);
    const hollow = shown ? "" : "none";
    plotGround(svg, scale, ticks);
    if (isNumber(ratio?.ratio)) {
        plotInterval(svg, scale, ratio, hollow);
        plotMark(svg, scale, ratio, name, hollow);
    }
    return svg.node();
}
