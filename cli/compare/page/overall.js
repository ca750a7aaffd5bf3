// Geometric means over all workloads, and speed against memory.

function meanForest(kind) {
    const rows = means
        .filter((mean) => mean.name !== baseline && mean[kind])
        .map((mean) => ({ name: mean.name, ratio: mean[kind] }));
    if (rows.length === 0) return null;
    const caption = `Geometric mean of ${RATIOS[kind].toLowerCase()}`;
    const group = { where: "geometric mean", rows };
    return el("div", {}, el("h3", {}, RATIOS[kind]), forest(kind, `mean-${kind}`, caption, [group], 3));
}

function overall() {
    const forests = [meanForest("speed"), meanForest("rss_peak")].filter(Boolean);
    if (forests.length === 0) return null;
    return section(
        "overall",
        "Overall",
        el(
            "p",
            { class: "soft" },
            `Geometric mean of the ratios to ${baseline}, with its interval over the rounds. It holds for these `,
            "workloads on this machine only. Speed right of 1 is faster; memory left of 1 is less.",
        ),
        el("div", { class: "columns overall" }, el("div", { class: "narrow" }, ...forests), tradeoffChart()),
    );
}
