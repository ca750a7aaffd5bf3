const profile = JSON.parse(document.getElementById("document").textContent);
const at = Object.fromEntries(profile.values.map((name, i) => [name, i]));
const $ = (id) => document.getElementById(id);

function element(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function bytes(n) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; Math.abs(n) >= 1024 && unit + 1 < units.length; unit++) n /= 1024;
  return `${unit === 0 || Math.abs(n) >= 100 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

// What can be shown: a name, the bytes of a stack, and its blocks.
const views = [
  { name: "live", bytes: (v) => v[at.live_bytes], blocks: (v) => v[at.live_blocks] },
  { name: "peak", bytes: (v) => v[at.peak_bytes], blocks: (v) => v[at.peak_blocks] },
  { name: "allocated", bytes: (v) => v[at.all_bytes], blocks: (v) => v[at.all_blocks] },
];
if (profile.moments > 1)
  views.push({
    name: "growth",
    bytes: (v) => v[at.live_bytes] - v[at.first_bytes],
    blocks: (v) => v[at.live_blocks] - v[at.first_blocks],
  });

// The lines of a stack, the innermost first; each knows its words for the search.
function linesOf(stack) {
  return stack.frames.flatMap((number) => {
    const frame = profile.frames[number];
    const module = profile.modules[frame.module].path;
    return frame.lines.map((line) => ({
      name: line.function,
      place: line.file ? `${line.file}:${line.line}` : module,
      passes: line.passes_on === true,
      words: `${line.function} ${line.file || ""} ${module}`.toLowerCase(),
    }));
  });
}

const stacks = profile.stacks.map((stack) => {
  const lines = linesOf(stack);
  const own = lines.findIndex((line) => !line.passes);
  return { values: stack.values, lines, own: lines.slice(own < 0 ? 0 : own) };
});

const state = { view: views[0], wanted: "", zoom: [], rows: 50 };
const isFound = (line) => state.wanted !== "" && line.words.includes(state.wanted);
const stackIsFound = (stack) => state.wanted === "" || stack.lines.some(isFound);

// --- the flame graph: callers above, callees below

function tree() {
  const root = { name: "all", line: null, sum: 0, more: 0, less: 0, blocks: 0, children: new Map() };
  const add = (node, stack) => {
    const value = state.view.bytes(stack.values);
    node.sum += value;
    node.blocks += state.view.blocks(stack.values);
    node[value < 0 ? "less" : "more"] += Math.abs(value);
  };
  for (const stack of stacks) {
    if (state.view.bytes(stack.values) === 0) continue;
    let node = root;
    add(node, stack);
    for (let i = stack.lines.length - 1; i >= 0; i--) {
      const line = stack.lines[i], key = `${line.name} ${line.place}`;
      if (!node.children.has(key))
        node.children.set(key, {
          name: line.name, key, line, sum: 0, more: 0, less: 0, blocks: 0, children: new Map(),
        });
      node = node.children.get(key);
      add(node, stack);
    }
  }
  return root;
}

const widthOf = (node) => node.more + node.less;

function tell(node, whole) {
  const share = widthOf(whole) ? ((100 * widthOf(node)) / widthOf(whole)).toFixed(1) : "0";
  const place = node.line ? ` (${node.line.place})` : "";
  $("detail").textContent = `${node.name}${place}: ${bytes(node.sum)} in ${node.blocks} blocks, ${share} %`;
}

function hue(name) {
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.charCodeAt(0)) % 4096;
  return sum % 4;
}

function classOf(node) {
  if (node.line && isFound(node.line)) return "found";
  if (node.line && node.line.passes) return "passes";
  return node.less > node.more ? "less" : `h${hue(node.name)}`;
}

function drawFlame() {
  const whole = tree(), box = $("flame"), pixels = box.clientWidth || 800, height = 22;
  let top = whole, deepest = 0;
  const path = [whole];
  for (const key of state.zoom) {
    if (!top.children.has(key)) break;
    top = top.children.get(key);
    path.push(top);
  }
  const boxes = document.createDocumentFragment();
  const put = (node, row, left, width, zoom) => {
    deepest = Math.max(deepest, row);
    const text = `${node.name} ${bytes(node.sum)}`;
    const made = element("button", text, { type: "button", class: classOf(node), "aria-label": text });
    made.style.left = `${left}px`;
    made.style.top = `${row * height}px`;
    made.style.width = `${width}px`;
    made.addEventListener("mouseenter", () => tell(node, whole));
    made.addEventListener("focus", () => tell(node, whole));
    made.addEventListener("click", () => {
      state.zoom = zoom;
      draw();
      tell(node, whole);
    });
    boxes.append(made);
  };
  const putChildren = (node, row, left, width, zoom) => {
    const children = [...node.children.values()].sort((a, b) => widthOf(b) - widthOf(a));
    for (const child of children) {
      const part = (width * widthOf(child)) / widthOf(node);
      if (part < 2) break;
      put(child, row, left, part, [...zoom, child.key]);
      putChildren(child, row + 1, left, part, [...zoom, child.key]);
      left += part;
    }
  };
  path.forEach((node, row) => put(node, row, 0, pixels, state.zoom.slice(0, row)));
  if (widthOf(top) > 0) putChildren(top, path.length, 0, pixels, state.zoom.slice(0, path.length - 1));
  box.replaceChildren(boxes);
  box.style.height = `${(deepest + 1) * height}px`;
  $("out").hidden = state.zoom.length === 0;
}

// --- the table

function drawRows() {
  const found = stacks.filter(stackIsFound);
  const shown = found.filter((stack) => state.view.bytes(stack.values) !== 0);
  shown.sort((a, b) => state.view.bytes(b.values) - state.view.bytes(a.values));
  const rows = shown.slice(0, state.rows).map((stack) => {
    const row = element("tr");
    for (const view of views) row.append(element("td", bytes(view.bytes(stack.values))));
    row.append(element("td", String(state.view.blocks(stack.values))));
    const cell = element("td"), details = element("details"), list = element("ol");
    const first = stack.own[0];
    details.append(element("summary", first ? `${first.name}  ${first.place}` : "(no stack)"));
    for (const line of stack.lines) list.append(element("li", `${line.name}  ${line.place}`));
    details.append(list);
    cell.append(details);
    row.append(cell);
    return row;
  });
  $("rows").replaceChildren(...rows);
  $("more").hidden = shown.length <= state.rows;
  const sum = found.reduce((total, stack) => total + state.view.bytes(stack.values), 0);
  $("found").textContent = state.wanted === "" ? "" : `${found.length} stacks found, ${bytes(sum)} ${state.view.name}`;
}

function drawHeads() {
  const heads = views.map((view) => {
    const head = element("th", undefined, { scope: "col" }), button = element("button", view.name, { type: "button" });
    if (view === state.view) head.setAttribute("aria-sort", "descending");
    button.addEventListener("click", () => show(view));
    head.append(button);
    return head;
  });
  const others = ["blocks", "stack"].map((name) => element("th", name, { scope: "col" }));
  $("heads").replaceChildren(...heads, ...others);
}

// --- the page

function drawViews() {
  const buttons = views.map((view) => {
    const sum = stacks.reduce((total, stack) => total + view.bytes(stack.values), 0);
    const button = element("button", `${view.name} ${bytes(sum)}`, {
      type: "button", role: "radio", "aria-checked": String(view === state.view), "data-view": view.name,
    });
    button.addEventListener("click", () => show(view));
    return button;
  });
  $("views").replaceChildren(...buttons);
}

function draw() {
  drawViews();
  drawFlame();
  drawHeads();
  drawRows();
}

function show(view) {
  state.view = view;
  state.zoom = [];
  draw();
}

$("title").textContent = `Heap profile of ${profile.title}`;
document.title = `${profile.title}: heap profile`;
$("facts").textContent =
  `${profile.processes} ${profile.processes === 1 ? "process" : "processes"}, ${stacks.length} stacks, one sample in ` +
  `${bytes(profile.rate)} allocated` +
  (profile.moments > 1 ? `; growth over ${((profile.last_ms - profile.first_ms) / 1000).toFixed(1)} s` : "") +
  (profile.lost > 0 ? `; ${profile.lost} samples found no room, and count as freed` : "");
$("search").addEventListener("input", (event) => {
  state.wanted = event.target.value.trim().toLowerCase();
  drawFlame();
  drawRows();
});
$("out").addEventListener("click", () => show(state.view));
$("more").addEventListener("click", () => {
  state.rows += 200;
  drawRows();
});
addEventListener("resize", drawFlame);
draw();
