// The page of a story. Content of the document gets into it as text only, never as markup.

const story = JSON.parse(document.getElementById("document").textContent);

function el(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {}))
        if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
}

const section = (id, heading, ...content) =>
    el("section", { id, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }, heading), ...content);

// What the row says, and on a line of its own what a stale load did not see.
function words(row) {
    if (!row.stale) return [row.words];
    return [row.words.replace(` [${row.stale}]`, ""), el("span", { class: "stale" }, row.stale)];
}

const stateOf = (slab) => el("div", { class: slab.changed ? null : "same" }, slab.words);

// A switch, or how many steps are left out.
function wideRow(row) {
    return el("tr", { class: row.kind }, el("td", { colspan: story.threads.length + 2 }, row.words));
}

const stepClass = (row) => [row.kind, row.wrong && "wrong", row.aside && "aside"].filter(Boolean).join(" ");

function stepRow(row) {
    const mark = row.kind === "fault" ? "Fault: " : row.kind === "access" ? "** " : row.wrong ? "!! " : "";
    const text = mark ? [mark, ...words(row)] : words(row);
    return el(
        "tr",
        { class: stepClass(row) },
        el("th", { scope: "row" }, row.number ? String(row.number) : ""),
        story.threads.map((thread) => el("td", {}, thread === row.thread ? text : [])),
        el("td", { class: "state" }, row.slabs.map(stateOf)),
    );
}

function steps() {
    const head = ["", ...story.threads.map((thread) => `Thread ${thread}`), "The slab after this step"];
    const body = story.rows.map((row) => (["switch", "gap"].includes(row.kind) ? wideRow(row) : stepRow(row)));
    const caption = "From top to bottom in the order of the run. Grey words have not changed.";
    return el(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": "The steps" },
        el(
            "table",
            { id: "table", class: "hide-aside" },
            el("caption", {}, caption),
            el(
                "thead",
                {},
                el(
                    "tr",
                    {},
                    head.map((name) => el("th", { scope: "col" }, name)),
                ),
            ),
            el("tbody", {}, body),
        ),
    );
}

function asideButton() {
    const count = story.rows.filter((row) => row.aside).length;
    if (count === 0) return null;
    const show = `Show ${count} more steps, on slabs that only one thread touches`;
    const button = el("button", { type: "button", "aria-pressed": "false" }, show);
    button.addEventListener("click", () => {
        const hidden = document.getElementById("table").classList.toggle("hide-aside");
        button.setAttribute("aria-pressed", String(!hidden));
        button.textContent = hidden ? show : "Leave these steps out";
    });
    return button;
}

function prevention() {
    const one = story.prevented_by.length === 1;
    if (story.prevented_by.length > 0)
        return section(
            "prevented",
            "What would have prevented it",
            el("p", {}, `With ${one ? "this" : "any one of these"} the same schedule ends well:`),
            el(
                "ul",
                {},
                story.prevented_by.map((what) => el("li", {}, what)),
            ),
        );
    if (!story.tried) return null;
    return section("prevented", "What would have prevented it", el("p", {}, `Nothing of what was ${story.tried}.`));
}

// Of a data race the earlier access and the later one; of a block that has changed the write.
function accesses() {
    const told = story.rows
        .filter((row) => row.access)
        .map((row) => el("li", {}, `Step ${row.number}, thread ${row.thread}: ${row.access.words}`));
    const heading = told.length > 1 ? "The two accesses" : "The access";
    return told.length > 0 ? section("accesses", heading, el("ul", {}, told)) : null;
}

// The steps that do what they must not do.
function wrongSteps() {
    const wrong = story.rows.filter((row) => row.wrong && row.number);
    const told = wrong.map((row) => el("li", {}, `Step ${row.number}, thread ${row.thread}: ${row.words}`));
    return told.length > 0 ? section("wrong", "What goes wrong", el("ul", {}, told)) : null;
}

function begin() {
    const counts = `Check ${story.check}, scenario ${story.scenario.name}, ${story.switches} switches`;
    document.title = `${story.check} in ${story.scenario.name} – hakstress explore`;
    document.getElementById("head").append(el("h1", {}, story.fault), el("p", { class: "soft" }, counts));
    const again = `hakstress explore --replay '${story.replay}'${story.file ? ` '${story.file}'` : ""}`;
    const parts = [
        story.rule && section("rule", "The rule of docs/OWNERSHIP.md that it breaks", el("blockquote", {}, story.rule)),
        accesses(),
        wrongSteps(),
        section("scenario", "The scenario", el("p", {}, story.scenario.about), el("pre", {}, story.scenario.text)),
        section("steps", "Step by step", asideButton(), steps()),
        prevention(),
        section("again", "To run it again", el("pre", {}, again)),
    ];
    document.getElementById("main").append(...parts.filter(Boolean));
    document
        .getElementById("foot")
        .append("This file needs no network; the JSON document it was drawn from is inside it.");
}

begin();
