// What has changed since an earlier run: ratios to the baseline, now relative to then.

const earlier = data.earlier;

const changeOf = (row) => ({ name: row.allocator, ratio: { ...row, claim: row.loss ? "loss" : undefined } });

function changeForest(kind) {
    const rows = earlier.rows.filter((row) => row.metric === kind);
    if (rows.length === 0) return null;
    const groups = d3.groups(rows, (row) => row.workload).map(([workload, list]) => ({
        title: workload,
        where: `${workload}, now relative to then`,
        workload,
        rows: list.map(changeOf),
    }));
    const caption = `${RATIOS[kind]}, now relative to then`;
    return el("div", {}, el("h3", {}, RATIOS[kind]), forest(kind, `change-${kind}`, caption, groups, 6));
}

function machineText() {
    const changes = (earlier.machine || []).map(
        ({ what, then, now }) => `${MACHINE[what] || what} is ${plainText(what, now)} and was ${plainText(what, then)}`,
    );
    return changes.length ? el("p", {}, `This is not the machine of then: ${changes.join("; ")}.`) : null;
}

function leftOutText() {
    const list = earlier.left_out || [];
    return list.length ? el("p", { class: "soft" }, `Not compared: ${list.join(", ")}.`) : null;
}

function sinceThen() {
    if (!earlier) return null;
    const gate = isNumber(earlier.gate) ? ` A loss is a change beyond ${share(earlier.gate)} with its interval.` : "";
    return section(
        "earlier",
        "Since the earlier run",
        el(
            "p",
            { class: "soft" },
            `Each ratio to ${baseline} relative to that in `,
            code(earlier.file),
            ` of ${earlier.started}. Speed right of 1 is faster than then; memory right of 1 is more.${gate}`,
        ),
        machineText(),
        changeForest("speed"),
        changeForest("rss_peak"),
        leftOutText(),
    );
}

function earlierNotice() {
    if (!earlier || !isNumber(earlier.gate)) return null;
    const link = el("a", { href: "#earlier" }, "What has changed since then.");
    const gate = `beyond ${share(earlier.gate)}`;
    const losses = `${plain(earlier.losses)} ${earlier.losses === 1 ? "loss" : "losses"}`;
    if (earlier.losses > 0) return ["bad", `✕ ${losses} ${gate} since the earlier run`, link];
    return ["good", `✓ No loss ${gate} since the earlier run`, link];
}
