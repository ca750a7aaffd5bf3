// Elements of the page. Content of the document gets into them as text and attributes only, never as markup.

function el(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {}))
        if (value !== null && value !== undefined && value !== false)
            element.setAttribute(name, value === true ? "" : value);
    element.append(...children.flat().filter((child) => child !== null && child !== undefined));
    return element;
}

// A number whose exact value programs can read.
const number = (value, text) => (isNumber(value) ? el("data", { value }, text(value)) : "–");

function headOf(columns) {
    const cells = columns.map(([heading, kind]) => el("th", { class: kind, scope: "col" }, heading));
    return el("thead", {}, el("tr", {}, cells));
}

function rowOf(columns, row) {
    const cells = row.map((content, i) =>
        i === 0
            ? el("th", { class: columns[i][1], scope: "row" }, content)
            : el("td", { class: columns[i][1] }, content),
    );
    return el("tr", {}, cells);
}

// `columns`: [heading, "n" for numbers, "wrap", or nothing]; rows of cells, the first of which names the row.
function table(name, caption, columns, rows, attributes) {
    return el(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
        el(
            "table",
            { "data-table": name, ...attributes },
            el("caption", {}, el("span", {}, caption)),
            headOf(columns),
            el(
                "tbody",
                {},
                rows.map((row) => rowOf(columns, row)),
            ),
        ),
    );
}

const numeric = (...headings) => headings.map((heading) => [heading, "n"]);

// Filled when first opened: a page of many workloads would otherwise be slow to load.
function lazyDetails(attributes, summary, fill) {
    const details = el("details", attributes, summary);
    details.addEventListener("toggle", () => {
        if (details.open && details.childElementCount === 1) details.append(...[fill()].flat());
    });
    return details;
}

const hiddenNumbers = (summary, fill) => lazyDetails({ class: "numbers" }, el("summary", {}, summary), fill);

const section = (id, heading, ...content) =>
    el("section", { id, "aria-labelledby": `${id}-title` }, el("h2", { id: `${id}-title` }, heading), ...content);

// `list`: [name, value]; entries without a value are left out.
function definitions(list) {
    const known = list.filter(([, value]) => value !== null && value !== undefined && value !== "");
    return el(
        "dl",
        {},
        known.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]),
    );
}
