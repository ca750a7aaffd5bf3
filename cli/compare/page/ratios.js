// Ratios by workload: a table of each kind, one of which is shown.

function workloadTitle(workload) {
    const base = workload.allocators.find((a) => a.name === baseline);
    const value = base?.median?.[workload.metric];
    const limit = workload.limit;
    const notes = [
        isNumber(value) ? `${baseline} ${metricText(workload)(value)}` : null,
        limit ? `limit of this machine ${limitFormat(limit)(limit.value)}` : null,
    ];
    return [
        el("a", { href: `#${idOf(workload)}` }, workload.name),
        el("span", { class: "soft small" }, notes.filter(Boolean).join(" · ")),
    ];
}

const ratioGroup = (kind, workload) => ({
    title: workloadTitle(workload),
    where: workload.name,
    workload: workload.name,
    rows: others(workload).map((a) => ({ name: a.name, ratio: a.ratio?.[kind], failed: failedOf(a) })),
});

const knows = (kind) => (workload) => workload.allocators.some((a) => a.ratio?.[kind]);

function ratioPanel(kind, hidden) {
    const shown = kind === "speed" ? workloads : workloads.filter(knows(kind));
    const groups = shown.map((workload) => ratioGroup(kind, workload));
    return el(
        "div",
        { class: "panel", hidden, "data-kind": kind },
        el("h3", { class: "print" }, RATIOS[kind]),
        forest(kind, `forest-${kind}`, `${RATIOS[kind]}, ratios to ${baseline}`, groups, 6),
    );
}

function ratioChoice(kinds, panels) {
    const radios = kinds.map((kind, i) => {
        const input = el("input", { type: "radio", name: "kind", value: kind, checked: i === 0 });
        input.addEventListener("change", () => {
            for (const panel of panels) panel.hidden = panel.dataset.kind !== kind;
        });
        return el("label", {}, input, RATIOS[kind]);
    });
    return el("fieldset", { class: "choice" }, el("legend", { class: "hidden" }, "Ratio of"), radios);
}

function ratios() {
    const kinds = Object.keys(RATIOS).filter((kind) => workloads.some(knows(kind)));
    if (kinds.length === 0) return null;
    const panels = kinds.map((kind, i) => ratioPanel(kind, i > 0));
    const least = data.aa?.may_claim;
    return section(
        "ratios",
        "Ratios by workload",
        el(
            "p",
            { class: "soft" },
            `Median ratio to ${baseline} with its interval. For speed, right of 1 is faster; `,
            "for memory, right of 1 is more. ",
            "A hollow mark with a dashed interval: no difference shown, or too few rounds to claim one.",
            least > 0 ? ` Grey band: differences below ${share(least)}, which are never claimed.` : "",
        ),
        ratioChoice(kinds, panels),
        ...panels,
    );
}
