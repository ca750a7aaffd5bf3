// Each allocator has a colour, a shape and a dash pattern; any one of them identifies it.

const COLOURS = 8; // .s0 to .s7 in the style sheet; the baseline is the grey circle
const SHAPES = [
    d3.symbolCircle,
    d3.symbolSquare,
    d3.symbolTriangle,
    d3.symbolDiamond,
    d3.symbolCross,
    d3.symbolStar,
    d3.symbolWye,
];
const DASHES = [null, "7 3", "2 3", "10 3 2 3", "12 4", "5 2 2 2 2 2", "3 6", "16 3 4 3"];
const KEY_SIZE = 62;

const indexOf = (name) => Math.max(0, names.indexOf(name));
const colour = (name) => `s${indexOf(name) % COLOURS}`;
const dash = (name) => DASHES[indexOf(name) % DASHES.length];
const shape = (name, size) => d3.symbol(SHAPES[indexOf(name) % SHAPES.length], size)();

function key(name, withLine) {
    const width = withLine ? 34 : 14;
    const svg = d3
        .create("svg")
        .attr("class", `key ${colour(name)}`)
        .attr("width", width)
        .attr("height", 14)
        .attr("aria-hidden", "true");
    if (withLine)
        svg.append("path").attr("class", "curve").attr("d", `M0 7H${width}`).attr("stroke-dasharray", dash(name));
    svg.append("path")
        .attr("class", "mark")
        .attr("transform", `translate(${width / 2} 7)`)
        .attr("d", shape(name, KEY_SIZE));
    return svg.node();
}

const who = (name, withLine) => el("span", { class: "who" }, key(name, withLine), name);

function legend(list, withLine) {
    const items = list.map((name) => el("li", {}, who(name, withLine)));
    return el("ul", { class: "legend" }, items);
}

const clipped = (name) => (name.length > 16 ? `${name.slice(0, 15)}…` : name);
