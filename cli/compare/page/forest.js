// A table of ratios in which one column is a drawing: one row for each allocator, all on one axis.

const RATIOS = { speed: "Speed", rss_peak: "Peak memory", rss_freed: "Memory after free" };
const SIGNS = { faster: "▲ ", slower: "▼ ", more: "▲ ", less: "▼ ", loss: "✕ " };
const verdict = (claim) => (SIGNS[claim] || "○ ") + claim;

// No claim is made about a geometric mean: only its interval is described.
function claimText(ratio) {
    if (ratio.claim) return ratio.claim;
    return ratio.low > 1 ? "all above 1" : ratio.high < 1 ? "all below 1" : "includes 1";
}
const isShown = (ratio) => (ratio.claim ? ratio.claim in SIGNS : ratio.low > 1 || ratio.high < 1);

function ratioCell(ratio) {
    const text = ratioText(ratio);
    const end = (value) => (isNumber(value) ? number(value, text) : "…");
    return el(
        "td",
        { class: "value", role: "cell" },
        el("b", {}, number(ratio.ratio, text)),
        el("span", { class: "soft" }, end(ratio.low), "–", end(ratio.high)),
        el("span", {}, ratio.claim ? verdict(ratio.claim) : claimText(ratio)),
    );
}

function missingCell(failed) {
    const why = failed ? `no ratio: ${plural(failed, "failed run")}` : "no ratio";
    return el("td", { class: "value soft", role: "cell" }, el("span", {}, why));
}

function ratioRow(axis, group, { name, ratio, failed }) {
    const known = isNumber(ratio?.ratio);
    const label = known ? `${intervalText(ratio, ratioText(ratio))}, ${claimText(ratio)}` : "no ratio";
    const plot = ratioPlot(axis, ratio, name, known && isShown(ratio), `${group.where}, ${name}: ${label}`);
    return el(
        "tr",
        { role: "row", "data-allocator": name, "data-workload": group.workload },
        el("th", { class: "name", scope: "row", role: "rowheader" }, who(name)),
        el("td", { class: "plot", role: "cell" }, plot),
        known ? ratioCell(ratio) : missingCell(failed),
    );
}

function forestHead(axis) {
    const heads = [
        "Allocator",
        el("span", {}, el("span", { class: "hidden" }, "Plot"), plotAxis(axis.scale, axis.ticks)),
        "Ratio and interval",
    ];
    const cells = heads.map((head) => el("th", { scope: "col", role: "columnheader" }, head));
    return el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, cells));
}

// The fastest first, or the one with least memory; those without a ratio last.
function sortedRows(kind, rows) {
    const rank = ({ ratio }) => (isNumber(ratio?.ratio) ? ratio.ratio * (kind === "speed" ? -1 : 1) : Infinity);
    return d3.sort(rows, rank);
}

function groupRows(axis, kind, group) {
    const title = group.title
        ? [el("tr", { class: "title", role: "row" }, el("th", { role: "cell", colspan: 3 }, group.title))]
        : [];
    return [...title, ...sortedRows(kind, group.rows).map((row) => ratioRow(axis, group, row))];
}

// `groups`: [{title: a row above or null, where: words, workload, rows: [{name, ratio, failed}]}].
function forest(kind, name, caption, groups, mostTicks) {
    const scale = ratioScale(
        groups.flatMap((group) => group.rows.map((row) => row.ratio || {})),
        PLOT_RANGE,
    );
    const axis = { scale, ticks: ratioTicks(scale, mostTicks) };
    const body = groups.flatMap((group) => groupRows(axis, kind, group));
    return el(
        "table",
        { class: "forest", role: "table", "data-table": name, "aria-label": caption },
        forestHead(axis),
        el("tbody", { role: "rowgroup" }, body),
    );
}
