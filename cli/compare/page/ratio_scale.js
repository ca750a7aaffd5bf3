// The log axis of ratios around 1, for tables of ratios and for speed against memory.

const TICKS = [
    [0.96, 0.97, 0.98, 0.99, 1, 1.01, 1.02, 1.03, 1.04],
    [0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15, 1.2],
    [0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.6, 1.8, 2],
    [0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.6, 2, 2.5],
    [0.25, 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4],
    [0.125, 0.25, 0.5, 1, 2, 4, 8],
    [0.04, 0.2, 1, 5, 25],
    [1e-3, 0.01, 0.1, 1, 10, 100, 1e3],
];

// 1 is always on the axis.
function ratioScale(ratios, range) {
    const values = ratios.flatMap((r) => [r.ratio, r.low, r.high]).filter((value) => isNumber(value) && value > 0);
    const room = 1.06;
    return d3.scaleLog(
        [Math.min(d3.min(values) / room || 1, 1 / room), Math.max(d3.max(values) * room || 1, room)],
        range,
    );
}

function ratioTicks(scale, most) {
    const [low, high] = scale.domain();
    const inside = TICKS.map((set) => set.filter((tick) => tick >= low && tick <= high));
    const covers = (set) => set[0] <= low * 1.35 && set[set.length - 1] >= high / 1.35;
    const fit = inside.findIndex((ticks, i) => ticks.length <= most && covers(TICKS[i]));
    return inside[fit === -1 ? TICKS.length - 1 : fit];
}
