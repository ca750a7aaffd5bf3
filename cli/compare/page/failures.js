// Failed runs.

function failureTable(list, caption) {
    return table(
        "failures",
        caption,
        [["Workload"], ["Allocator"], ["Round", "n"], ["What happened", "wrap"]],
        list.map((f) => [f.workload, who(f.name), roundText(f.round), f.what]),
    );
}

function failures() {
    const list = workloads.flatMap(failuresOf);
    const unlisted = d3.sum(workloads, failedRuns) - list.length;
    return section(
        "failures",
        "Failed runs",
        list.length ? failureTable(list, "A failed run has no sample; it is not replaced") : el("p", {}, "None."),
        unlisted > 0 ? el("p", {}, `And ${plain(unlisted)} more, which are not listed.`) : null,
    );
}
