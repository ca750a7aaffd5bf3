// A chart with its title, and helpers that draw on it.

const HEIGHT = 260;

// `draw(svg, width)` draws and returns the points that can be read out; it is called again when the width changes.
function chart(name, title, note, height, draw, ...after) {
    const box = el("div", { class: "chart", "data-chart": name });
    const described = `${title}. Arrow keys go from point to point; the numbers are in the table below.`;
    let drawn = 0;
    new ResizeObserver(() => {
        const width = Math.round(box.clientWidth);
        if (width === drawn || width < 50) return;
        drawn = width;
        const svg = d3
            .create("svg")
            .attr("viewBox", [0, 0, width, height])
            .attr("tabindex", 0)
            .attr("role", "group")
            .attr("aria-label", described);
        tellPoints(svg.node(), draw(svg, width));
        box.replaceChildren(svg.node());
    }).observe(box);
    const caption = el("figcaption", {}, el("b", {}, title), el("span", { class: "soft" }, ` ${note}`));
    return el("figure", {}, caption, box, ...after);
}

const label = (svg, x, y, words, anchor = "start", kind = null) =>
    svg.append("text").attr("x", x).attr("y", y).attr("text-anchor", anchor).attr("class", kind).text(words);
const across = (svg, kind, x, y1, y2) =>
    svg.append("line").attr("class", kind).attr("x1", x).attr("x2", x).attr("y1", y1).attr("y2", y2);
const along = (svg, kind, y, x1, x2) =>
    svg.append("line").attr("class", kind).attr("y1", y).attr("y2", y).attr("x1", x1).attr("x2", x2);
// The labels below an axis; a label that would overlap the one before it is left out.
function labelsBelow(svg, y, labels) {
    let end = -Infinity;
    for (const { x, words } of labels) {
        const half = words.length * 3.4;
        if (x - half < end) continue;
        label(svg, x, y, words, "middle");
        end = x + half + 6;
    }
}

const mark = (svg, name, x, y, kind = "", size = 60) =>
    svg
        .append("path")
        .attr("class", `mark ${kind} ${colour(name)}`)
        .attr("transform", `translate(${x} ${y})`)
        .attr("d", shape(name, size));

function curve(svg, name, points) {
    const path = d3.line(
        (p) => p.x,
        (p) => p.y,
    );
    svg.append("path")
        .attr("class", `curve ${colour(name)}`)
        .attr("d", path(points))
        .attr("stroke-dasharray", dash(name));
}
