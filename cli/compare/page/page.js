// The parts of the page, and how it starts.

function openAllButton(list) {
    const button = el("button", { type: "button" }, "Open all");
    button.addEventListener("click", () => {
        const open = list.some((item) => !item.open);
        for (const item of list) item.open = open;
        button.textContent = open ? "Close all" : "Open all";
    });
    return el("div", { class: "bar" }, button);
}

function details() {
    if (workloads.length === 0) {
        const why = isUntrusted() ? "The A/A run was not trustworthy, so no" : "No";
        return section("workloads", "Workloads", el("p", {}, `${why} workload was measured.`));
    }
    const list = workloads.map(workloadDetails);
    list[0].open = true;
    return section(
        "workloads",
        "Workloads",
        el(
            "p",
            { class: "soft" },
            "Every sample, latency and memory over time. Point at a mark, or go through a chart with the arrow keys.",
        ),
        list.length > 1 ? openAllButton(list) : null,
        ...list,
    );
}

function navigation(sections) {
    const link = (part) => el("a", { href: `#${part.id}` }, part.querySelector("h2").textContent);
    const items = sections.map((part) => el("li", {}, link(part)));
    return el("nav", { "aria-label": "Parts of this page" }, el("ul", {}, items));
}

// A link to a workload opens it.
function openTarget() {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target || !target.matches("details.workload")) return;
    target.open = true;
    target.scrollIntoView();
}

function begin() {
    const sections = [overall(), ratios(), sweeps(), sinceThen(), details(), failures(), provenance()].filter(Boolean);
    const byWhom = `Written by hakstress ${data.build?.version || ""}.`;
    document.title = `${headline()} – hakstress compare`;
    document.getElementById("head").append(...head(), navigation(sections));
    document.getElementById("main").append(...sections);
    document
        .getElementById("foot")
        .append(`${byWhom} This file needs no network; the JSON document it was drawn from is inside it.`);
    addEventListener("hashchange", openTarget);
    openTarget();
}

begin();
