#include "report/crash_save.h"

#include "args/command.h"
#include "base/error.h"
#include "report/crash_report.h"
#include "results/results.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

bool crash_report_save(const struct args* args, unsigned number, const json_t* report, char* path, size_t size) {
    char json_path[PATH_MAX], suffix[32];
    const char* kind = args->command->name;
    path[0] = '\0';
    if (!result_is_kept(args)) {
        crash_report_print(report, stderr);
        return true;
    }
    result_report_suffix(number, "json", suffix, sizeof suffix);
    if (!result_path(args, kind, suffix, json_path, sizeof json_path)) return false;
    result_report_suffix(number, "txt", suffix, sizeof suffix);
    if (!result_path(args, kind, suffix, path, size)) return false;
    FILE* text = fopen(path, "we");
    if (text != NULL) crash_report_print(report, text);
    if (text != NULL && fclose(text) == 0 && json_dump_file(report, json_path, JSON_INDENT(1)) == 0) return true;
    missing_error("cannot write the report %s: %s", path, strerror(errno));
    unlink(path);  // half a report would be worse than none
    unlink(json_path);
    path[0] = '\0';
    return false;
}
