// One workload: what it is, its samples, medians and ratios, latencies, and memory over time.

const idOf = (workload) => `w${workloads.indexOf(workload)}`;
const code = (words) => (words ? el("code", {}, words) : null);
const limitFormat = (limit) => (MEASURES[limit.unit] || [null, (value) => `${plain(value)} ${limit.unit}`])[1];

// A floor is measured, too. If an allocator is clearly beyond it, it is not a limit.
function reached(workload, best) {
    const [value, limit] = [best.median[workload.metric], workload.limit.value];
    const part = workload.higher_is_better ? value / limit : limit / value;
    if (part > 1.05) return `${best.name} is beyond it, so it is not a limit of this run`;
    return `${best.name} reaches ${d3.format(".0%")(part)} of it`;
}

function limitText(workload) {
    const limit = workload.limit;
    if (!limit) return null;
    const words = el("span", { "data-limit": workload.name }, number(limit.value, limitFormat(limit)));
    const measured = workload.allocators.filter((a) => isNumber(a.median?.[workload.metric]));
    const best = (workload.higher_is_better ? d3.greatest : d3.least)(measured, (a) => a.median[workload.metric]);
    if (best && limit.unit === workload.metric) words.append(`; ${reached(workload, best)}`);
    return words;
}

const threadsText = (workload) =>
    workload.roles > 1 ? `${plural(workload.threads, "pair")} of threads` : workload.threads;

function facts(workload) {
    return definitions([
        ["Source", workload.source],
        ["Parameters", code(variablesText(workload.params))],
        ["Threads", workload.command ? null : threadsText(workload)],
        ["Rounds", workload.rounds],
        ["Command", code(workload.command && commandText(workload.command))],
        ["Limit of this machine", limitText(workload)],
    ]);
}

function medianTable(workload) {
    const fields = Object.keys(MEASURES).filter((field) =>
        workload.allocators.some((a) => isNumber(a.median?.[field])),
    );
    const format = (field) => MEASURES[field][1];
    const rows = workload.allocators.map((a) => [
        who(a.name),
        number((a.samples || []).length, plain),
        ...fields.map((field) => number(a.median?.[field], format(field))),
    ]);
    const limit = workload.limit;
    if (limit) {
        const cells = fields.map((field) => (field === limit.unit ? number(limit.value, format(field)) : ""));
        rows.push(["limit of this machine", "", ...cells]);
    }
    return table(
        "medians",
        `Medians of ${workload.name}`,
        [["Allocator"], ...numeric("Samples", ...fields.map((field) => MEASURES[field][0]))],
        rows,
        { "data-workload": workload.name },
    );
}

const ratioNumbers = (ratio) => [
    ...["ratio", "low", "high"].map((field) => number(ratio[field], exact)),
    ...["p", "p_corrected"].map((field) => number(ratio[field], probability)),
];

function ratioTable(workload) {
    const rows = others(workload).flatMap((a) =>
        Object.entries(RATIOS)
            .filter(([kind]) => a.ratio?.[kind])
            .map(([kind, title]) => [who(a.name), title, ...ratioNumbers(a.ratio[kind]), verdict(a.ratio[kind].claim)]),
    );
    if (rows.length === 0) return null;
    const columns = [["Allocator"], ["Of"], ...numeric("Ratio", "Low", "High", "p", "p, corrected"), ["Verdict"]];
    return table("ratios", `Ratios of ${workload.name} to ${baseline}`, columns, rows, {
        "data-workload": workload.name,
    });
}

function workloadSummary(workload) {
    const failed = failedRuns(workload);
    const what = workload.command ? commandText(workload.command) : workload.stresses || "";
    return el(
        "summary",
        {},
        el("h3", {}, workload.name),
        el("span", { class: "soft small" }, what),
        failed ? el("span", { class: "small" }, `✕ ${plural(failed, "failed run")}`) : null,
    );
}

function workloadDetails(workload) {
    const attributes = { class: "workload", id: idOf(workload), "data-workload": workload.name };
    const fill = () =>
        el(
            "div",
            { class: "inside" },
            facts(workload),
            sampleChart(workload),
            medianTable(workload),
            ratioTable(workload),
            latencyCharts(workload),
            memoryChart(workload),
            failedRuns(workload) ? failureTable(failuresOf(workload), `Failed runs of ${workload.name}`) : null,
        );
    return lazyDetails(attributes, workloadSummary(workload), fill);
}
