// What is needed to repeat the comparison, and to judge it.

const MACHINE = {
    processor: "Processor",
    processors: "Processors",
    memory_bytes: "Memory",
    kernel: "Kernel",
    architecture: "Architecture",
    c_library: "C library",
    transparent_hugepage: "Transparent huge pages",
    overcommit_memory: "Overcommit",
    max_map_count: "max_map_count",
};

const capital = (name) => name.charAt(0).toUpperCase() + name.slice(1).replace(/_/g, " ");

function plainText(name, value) {
    if (name === "memory_bytes") return kib(value / 1024);
    return typeof value === "object" && value !== null ? JSON.stringify(value) : value;
}

// Everything, even what this page has no name for.
const describe = (object, titles) =>
    definitions(
        Object.entries(object || {}).map(([name, value]) => [titles[name] || capital(name), plainText(name, value)]),
    );

const runFacts = () =>
    definitions([
        ["Seed", data.seed],
        ["Rounds", data.rounds],
        ["Looks", data.looks],
        ["Length of a run", isNumber(data.run_seconds) ? seconds(data.run_seconds) : null],
        ["Pinned", data.pinned ? "yes" : "no"],
        ["Profile", data.profile],
        ["Started", data.started],
        ["Baseline", baseline],
        ["Environment of all", code(variablesText(data.environment))],
        ["Schema", data.schema],
    ]);

function allocatorTable() {
    const columns = [["Name"], ["Version"], ["Loaded from", "wrap"], ["Build id"], ["Environment", "wrap"]];
    const rows = (data.allocators || []).map((a) => [
        who(a.name),
        a.version || "–",
        code(a.loaded_from || a.path || "–"),
        code(a.build_id || "–"),
        code(variablesText(a.environment) || "–"),
    ]);
    return table("allocators", "Allocators, as the measured processes themselves found them", columns, rows);
}

function aaTable() {
    const aa = data.aa;
    if (!aa) return null;
    const row = [
        who(aa.allocator),
        aa.workload,
        ...ratioNumbers(aa).slice(0, 4),
        number(aa.may_claim, share),
        number(aa.may_vary, share),
        number(aa.rounds, plain),
        aa.trustworthy ? "✓ trustworthy" : "✕ not trustworthy",
    ];
    const headings = numeric("Ratio", "Low", "High", "p", "May claim", "May vary", "Rounds");
    const columns = [["A/A run of"], ["Workload"], ...headings, ["Verdict"]];
    return table("aa", "The A/A run: one allocator measured against itself", columns, [row]);
}

function saveButton() {
    const save = el("button", { type: "button" }, "Save the JSON document");
    save.addEventListener("click", () => {
        const text = new Blob([JSON.stringify(data, null, 1)], { type: "application/json" });
        const link = el("a", { download: "compare.json", href: URL.createObjectURL(text) });
        link.click();
        URL.revokeObjectURL(link.href);
    });
    return save;
}

function provenance() {
    return section(
        "provenance",
        "Provenance",
        el("p", { class: "soft" }, "What is needed to do this again, and to judge it."),
        el("pre", { tabindex: 0, role: "region", "aria-label": "Command line" }, code(data.again || data.command_line)),
        el(
            "div",
            { class: "columns" },
            el("div", {}, el("h3", {}, "Machine"), describe(data.machine, MACHINE)),
            el(
                "div",
                {},
                el("h3", {}, "Run"),
                runFacts(),
                el("h3", { class: "later" }, "Build of hakstress"),
                describe(data.build, {}),
            ),
        ),
        allocatorTable(),
        aaTable(),
        el("div", { class: "bar" }, saveButton()),
    );
}
