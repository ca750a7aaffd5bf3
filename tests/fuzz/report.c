// A saved crash report, as `hakstress report` reads it: any JSON gives a text.
#include "report/crash_report.h"

#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    char* text = NULL;
    size_t length = 0;
    json_t* report = json_loadb((const char*)data, size, 0, NULL);
    if (report == NULL) return 0;
    FILE* out = open_memstream(&text, &length);
    EXPECT(out != NULL);
    crash_report_print(report, out);
    EXPECT(fclose(out) == 0 && length > 0);
    free(text);
    json_decref(report);
    return 0;
}
