// How numbers are written.

const si = d3.format(".3s");
const plain = d3.format(",");
const NARROW_SPACE = "\u202f";

const spaced = (text, unit) => text.replace(/([a-zA-Zµ]?)$/, (_, prefix) => `${NARROW_SPACE}${prefix}${unit}`);
const ops = (value) => `${si(value).replace(/([kMGT])$/, `${NARROW_SPACE}$1`)} ops/s`;
const seconds = (value) => (value === 0 ? "0 s" : spaced(si(value), "s"));
const nanoseconds = (value) =>
    value < 1000 ? `${d3.format(".3~r")(value)}${NARROW_SPACE}ns` : spaced(si(value * 1e-9), "s");
const digits = (value) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);

function kib(value) {
    if (value < 1024) return `${plain(Math.round(value))} KiB`;
    return value < 1 << 20 ? `${digits(value / 1024)} MiB` : `${digits(value / (1 << 20))} GiB`;
}

const exact = d3.format(".4f");
const probability = (value) => (value < 0.0001 ? "< 0.0001" : exact(value));
const share = d3.format(".2~%");
const plural = (n, word) => `${plain(n)} ${word}${n === 1 ? "" : "s"}`;
const roundText = (round) => (!isNumber(round) ? "–" : round < 0 ? "warm-up" : `${round}`);

// For an axis: without zeros at the end of the decimals.
const trimmed = (text) => text.replace(/(\.\d*?)0+(?!\d)/, "$1").replace(/\.(?!\d)/, "");

const MEASURES = {
    ops_per_sec: ["Throughput", ops],
    seconds: ["Time", seconds],
    user_seconds: ["User time", seconds],
    system_seconds: ["System time", seconds],
    rss_peak_kib: ["Peak memory", kib],
    rss_freed_kib: ["Memory after free", kib],
    minor_faults: ["Minor faults", plain],
    major_faults: ["Major faults", plain],
};
const metricText = (workload) => MEASURES[workload.metric][1];

// Two decimals, or three if two would make the value look like 1.
function ratioText(ratio) {
    if (ratio.ratio >= 100 || ratio.ratio < 0.1) return d3.format(".3~r");
    const close = [ratio.ratio, ratio.low, ratio.high].some((value) => isNumber(value) && Math.abs(value - 1) < 0.02);
    return d3.format(close ? ".3f" : ".2f");
}

const written = (value, format) => (isNumber(value) ? format(value) : "…");
const intervalText = (ratio, format) =>
    `${written(ratio.ratio, format)} (${written(ratio.low, format)}–${written(ratio.high, format)})`;

const commandText = (words) =>
    words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`)).join(" ");
const variablesText = (environment) =>
    Object.entries(environment || {})
        .map(([name, value]) => `${name}=${value}`)
        .join(" ");
