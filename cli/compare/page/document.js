// The JSON document of the comparison, and what several parts of the page ask of it.

const data = JSON.parse(document.getElementById("document").textContent);
const workloads = data.workloads || [];
const means = data.geometric_mean || [];
const baseline = data.baseline;

// The baseline first, then in the order of the document.
const names = [
    ...new Set([...(data.allocators || []), ...workloads.flatMap((w) => w.allocators), ...means].map((a) => a.name)),
].sort((a, b) => (b === baseline) - (a === baseline));

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const others = (workload) => workload.allocators.filter((a) => a.name !== baseline);
const samplesOf = (a, workload) => (a.samples || []).filter((sample) => isNumber(sample[workload.metric]));
const hasRatio = (a, kind) => isNumber(a?.[kind]?.ratio);
const isUntrusted = () => Boolean(data.aa && !data.aa.trustworthy);

const failedOf = (a) => a.failed ?? (a.failures || []).length; // of many failed runs only the first are listed
const failedRuns = (workload) => d3.sum(workload.allocators, failedOf);
const failuresOf = (workload) =>
    workload.allocators.flatMap((a) =>
        (a.failures || []).map((f) => ({ workload: workload.name, name: a.name, ...f })),
    );
