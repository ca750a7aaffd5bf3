// The text for a point of a chart: for the nearest one by mouse and touch, and for one after another by the arrow keys.

const tip = document.getElementById("tip");
const REACH = 30; // of a pointer, in pixels of the drawing

function showTip([title, ...rest], x, y) {
    const lines = rest.map(([what, value]) => el("div", {}, el("span", {}, what), el("span", {}, value)));
    tip.replaceChildren(el("b", {}, title), ...lines);
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = x + 14 + box.width > innerWidth ? x - 14 - box.width : x + 14;
    tip.style.left = `${Math.max(8, Math.min(left, innerWidth - box.width - 8))}px`;
    tip.style.top = `${Math.max(8, Math.min(y - box.height - 10, innerHeight - box.height - 8))}px`;
}

function hideTip() {
    tip.hidden = true;
    for (const ring of document.querySelectorAll(".found")) ring.remove();
}

function show(svg, point) {
    const box = svg.getBoundingClientRect();
    const scale = box.width / svg.viewBox.baseVal.width;
    hideTip();
    d3.select(svg).append("circle").attr("class", "found").attr("cx", point.x).attr("cy", point.y).attr("r", 8);
    showTip(point.lines, box.left + point.x * scale, box.top + point.y * scale);
}

// -1: none is near.
function nearestPoint(svg, points, event) {
    const box = svg.getBoundingClientRect();
    const scale = box.width / svg.viewBox.baseVal.width;
    const [x, y] = [(event.clientX - box.left) / scale, (event.clientY - box.top) / scale];
    const distance = (point) => Math.hypot(point.x - x, point.y - y);
    const nearest = d3.leastIndex(points, (a, b) => distance(a) - distance(b));
    return nearest >= 0 && distance(points[nearest]) < REACH ? nearest : -1;
}

// The point that a key leads to from the `current` one; undefined: not one of our keys.
function pointByKey(pressed, current, last) {
    const next = current < last ? current + 1 : 0;
    const previous = current > 0 ? current - 1 : last;
    const keys = { ArrowRight: next, ArrowDown: next, ArrowLeft: previous, ArrowUp: previous, Home: 0, End: last };
    return keys[pressed];
}

function tellPoints(svg, points) {
    let current = -1;
    const point = (event) => {
        const nearest = nearestPoint(svg, points, event);
        if (nearest < 0) return hideTip();
        current = nearest;
        show(svg, points[current]);
    };
    svg.addEventListener("pointermove", point);
    svg.addEventListener("pointerdown", point);
    // A touch ends as soon as the finger is lifted; the text of what it touched stays.
    svg.addEventListener("pointerleave", (event) => event.pointerType === "touch" || hideTip());
    svg.addEventListener("blur", hideTip);
    svg.addEventListener("keydown", (event) => {
        const index = pointByKey(event.key, current, points.length - 1);
        if (index === undefined || points.length === 0) return;
        event.preventDefault();
        current = index;
        show(svg, points[current]);
    });
}

document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hideTip();
});
addEventListener("scroll", hideTip, { passive: true });
