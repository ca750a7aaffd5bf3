// What the recorder leaves of a program, which may have overwritten it. What can be loaded is merged into a trace
// that can be opened.
#include "record/load.h"
#include "record/merge.h"

#include "fuzz/fuzz.h"

#include <string.h>
#include <unistd.h>

static const char* recording_file(const uint8_t* data, size_t size) {
    static char folder[32] = "", path[64];
    if (folder[0] == '\0') {
        strcpy(folder, "/tmp/hakmem-fuzz-XXXXXX");
        EXPECT(mkdtemp(folder) != NULL);
        snprintf(path, sizeof path, "%s/1.0", folder);
    }
    FILE* file = fopen(path, "we");
    EXPECT(file != NULL);
    EXPECT(fwrite(data, 1, size, file) == size && fclose(file) == 0);
    return path;
}

static void forget_file(const char* path) {
    unlink(path);
}

static void expect_a_trace_that_opens(struct trace* trace) {
    char* text = NULL;
    size_t length = 0;
    struct trace_file file;
    FILE* out = open_memstream(&text, &length);
    EXPECT(out != NULL);
    trace->command = "fuzz";
    EXPECT(trace_write(trace, out) && fclose(out) == 0);
    if (trace->header.threads > 0 && trace->header.groups > 0) {
        EXPECT(trace_open(&file, fuzz_file(text, length)) == NULL);
        trace_close(&file);
    }
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    struct recording recording;
    const char* path = recording_file(data, size);
    if (recording_load(&recording, path)) {
        struct trace trace = {0};
        if (merge(&recording, &trace)) expect_a_trace_that_opens(&trace);
        trace_free(&trace);
        recording_free(&recording);
    }
    forget_file(path);
    return 0;
}
