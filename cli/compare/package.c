#include "compare/package.h"

#include "base/beside.h"
#include "results/results.h"

#include <hakmem/hakmem.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>

static void ask(const char* before, const char* quoted, const char* after, char* out, size_t size) {
    char command[2 * PATH_MAX];
    snprintf(command, sizeof command, "%s%s%s", before, quoted, after);
    FILE* answer = popen(command, "re");
    if (answer == NULL) return;
    if (fgets(out, (int)size, answer) == NULL) out[0] = '\0';
    pclose(answer);
    out[strcspn(out, "\n")] = '\0';
}

void package_of_file(const char* path, char* out, size_t size) {
    char quoted[PATH_MAX + 64] = "";
    char* const words[] = {(char*)(size_t)path};
    char ours[PATH_MAX];
    out[0] = '\0';
    if (library_find_beside(LIBHAKMEM, ours, sizeof ours) && strcmp(path, ours) == 0) {
        snprintf(out, size, "%s", hak_version());
        return;
    }
    result_quote(words, 1, quoted, sizeof quoted);
    ask("package=$(dpkg-query -S ", quoted,
        " 2>/dev/null | head -n 1) && [ \"$package\" ] && dpkg-query -W -f='${Package} ${Version}\\n' \"${package%%: "
        "*}\""
        " 2>/dev/null",
        out, size);
    if (out[0] == '\0') ask("rpm -qf --qf '%{NAME} %{VERSION}-%{RELEASE}\\n' ", quoted, " 2>/dev/null", out, size);
}
