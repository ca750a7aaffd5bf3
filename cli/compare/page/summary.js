// The head of the page: what was compared, the result, and how far to trust it.

function headline() {
    const rivals = names.filter((name) => name !== baseline);
    const commands = workloads.filter((w) => w.command).length;
    const own = workloads.length - commands;
    const parts = [own && plural(own, "workload"), commands && plural(commands, "command")].filter(Boolean);
    const what = parts.join(" and ") || "no workload";
    if (rivals.length === 0) return `${names[0] || "No allocator"} on ${what}`;
    return `${rivals.length === 1 ? rivals[0] : plural(rivals.length, "allocator")} against ${baseline} on ${what}`;
}

// No result in large letters if it cannot be trusted.
function lead() {
    const rivals = means.filter((mean) => mean.name !== baseline && hasRatio(mean, "speed"));
    if (rivals.length === 0 || isUntrusted()) return null;
    const say = (mean, kind) => {
        const text = ratioText(mean[kind]);
        const interval = `${written(mean[kind].low, text)}–${written(mean[kind].high, text)}`;
        return [el("b", {}, mean.name), ` ${text(mean[kind].ratio)}× (${interval})`];
    };
    // The baseline takes part, with a ratio of 1 to itself.
    const best = (mean, kind, isBetter) => {
        const isApart = ({ low, high }) => (isNumber(low) && low > 1) || (isNumber(high) && high < 1);
        const apart = rivals.some((m) => hasRatio(m, kind) && isApart(m[kind]));
        if (!apart) return ["no difference shown; ", ...say(mean, kind)];
        if (rivals.length === 1 || isBetter(mean[kind])) return say(mean, kind);
        return [el("b", {}, baseline), ", before ", ...say(mean, kind)];
    };
    const fast = d3.greatest(rivals, (mean) => mean.speed.ratio);
    const lean = d3.least(
        rivals.filter((mean) => hasRatio(mean, "rss_peak")),
        (mean) => mean.rss_peak.ratio,
    );
    const [first, second] = rivals.length === 1 ? ["Speed", "peak memory"] : ["Highest speed", "lowest peak memory"];
    return el(
        "p",
        { class: "lead" },
        `${first} relative to ${baseline}: `,
        ...best(fast, "speed", (speed) => isNumber(speed.low) && speed.low > 1),
        ...(lean ? [`; ${second}: `, ...best(lean, "rss_peak", (peak) => isNumber(peak.high) && peak.high < 1)] : []),
        `. Geometric means over ${plural(fast.workloads, "workload")}, with intervals; no claim is made of them.`,
    );
}

// A notice: [kind, title, text].

function trustNotice() {
    const aa = data.aa;
    if (!aa)
        return ["warn", "? No A/A run", "It is not known whether this machine shows differences where there are none."];
    const interval = intervalText(aa, exact);
    const result = `${aa.allocator} against itself on ${aa.workload}: ${interval}, p ${written(aa.p, probability)}.`;
    if (aa.trustworthy && aa.claimed) return ["warn", "! The A/A run showed a difference, allowed by --noise", result];
    if (aa.trustworthy) return ["good", "✓ Trustworthy: the A/A run showed no difference", result];
    const allowed = isNumber(aa.may_vary) ? ` Its interval may reach ${share(aa.may_vary)} from 1.` : "";
    return [
        "bad",
        "✕ Not trustworthy: the A/A run differs too much",
        `${result}${allowed} This machine is too noisy: it measures a difference of an allocator from itself, ` +
            "so nothing was compared.",
    ];
}

function neededText() {
    if (workloads.length === 0 || !(data.rounds < data.rounds_needed)) return "";
    const budget = isNumber(data.budget_needed) ? `: about --budget ${data.budget_needed}` : "";
    const rounds = plural(data.rounds_needed, "round");
    return ` To claim a difference among so many ratios, ${rounds} are needed${budget}.`;
}

function completeNotice() {
    if (isUntrusted() && !data.stopped_by) return null; // it ended there, which another notice says
    const why = { signal: "stopped by a signal" }[data.stopped_by] || "stopped early";
    if (!data.complete) return ["warn", `! Incomplete: ${why}`, `What was measured until then is here.${neededText()}`];
    if (data.stopped_by === "time")
        return [
            "good",
            "✓ Complete for the time it was given",
            `With more time the intervals would be narrower.${neededText()}`,
        ];
    const failed = d3.sum(workloads, failedRuns) > 0 ? ", except for runs that failed" : "";
    return ["good", "✓ Complete", `Every workload had all its rounds${failed}.${neededText()}`];
}

function failureNotice() {
    const failed = d3.sum(workloads, failedRuns);
    if (failed === 0) return null;
    return ["warn", `! ${plural(failed, "run")} failed`, el("a", { href: "#failures" }, "They are listed below.")];
}

function roundsText() {
    if (!isNumber(data.rounds) || workloads.length === 0) return null;
    const fewer = workloads.some((w) => isNumber(w.rounds) && w.rounds < data.rounds);
    return `${fewer ? "up to " : ""}${plural(data.rounds, "round")}`;
}

function headFacts() {
    const machine = data.machine || {};
    const processors = isNumber(machine.processors) ? plural(machine.processors, "processor") : null;
    const list = [
        machine.processor,
        processors && data.pinned ? `${processors}, pinned` : processors,
        machine.kernel,
        data.started && data.started.replace("T", " ").replace("Z", " UTC"),
        roundsText(),
    ];
    return el(
        "ul",
        { class: "facts" },
        list.filter(Boolean).map((fact) => el("li", {}, fact)),
    );
}

function head() {
    const notices = [trustNotice(), earlierNotice(), completeNotice(), failureNotice()]
        .filter(Boolean)
        .map(([kind, title, text]) => el("p", { class: `notice ${kind}` }, el("b", {}, title), el("span", {}, text)));
    return [
        el("p", { class: "eyebrow" }, "hakstress compare"),
        el("h1", {}, headline()),
        lead(),
        headFacts(),
        el("div", { class: "notices" }, notices),
    ].filter(Boolean);
}
