#include "config/conf.h"

#include "base/syscall.h"
#include "base/text.h"
#include "os/lines.h"
#include "os/os.h"

#include <sys/stat.h>

static OsLines lines;

static void look(ConfFile* file) {
    struct stat seen = {0};
    if (sys_failed(sys_call3(SYS_fstat, lines.fd, (long)&seen, 0))) return;
    file->is_regular = S_ISREG(seen.st_mode);
    file->is_protected = seen.st_uid == 0 && (seen.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

ConfFile conf_each(const char* path, bool only_protected,
                   void (*step)(void* context, unsigned number, const ConfLine* line), void* context) {
    static char text[CONF_LINE_BYTES];
    static ConfLine line;
    size_t length;
    ConfFile file = {0};
    if (!os_lines_open(&lines, path, &file.error)) return file;
    look(&file);
    bool reads = file.is_regular && (file.is_protected || !only_protected);
    for (unsigned number = 1; reads && os_lines_next(&lines, text, sizeof text, &length); number++) {
        if (length < sizeof text) {
            conf_line(&line, text, length);
        } else {
            line = (ConfLine){.kind = *text == '[' ? CONF_SECTION : CONF_SETTING};
            text_format(line.problem, sizeof line.problem, "the line is longer than %d characters",
                        CONF_LINE_BYTES - 1);
        }
        step(context, number, &line);
    }
    os_lines_close(&lines);
    return file;
}

// --- what the file says for this program

typedef struct {
    bool applies;          // what follows is for this program
    unsigned wrong;        // lines
    unsigned first_wrong;  // number of the first of them
    char problem[CONF_PROBLEM_BYTES];
} Taken;

static void note_wrong(Taken* taken, unsigned number, const char* problem) {
    if (taken->wrong++ > 0) return;
    taken->first_wrong = number;
    text_format(taken->problem, sizeof taken->problem, "%s", problem);
}

static void take_setting(Taken* taken, unsigned number, const ConfLine* line) {
    if (os_is_privileged() && line->option->writes) return;
    hak_option_assign(line->option, line->value);  // conf_line has checked the value
    if (!HAK_CHECKED && line->option->checked_only && !hak_option_is_default(line->option)) {
        char words[96];
        text_format(words, sizeof words, "%s does nothing here: only libhakmem-checked.so has it", line->option->name);
        note_wrong(taken, number, words);
    }
}

// A wrong line in the section of another program is that program's to tell.
static void take_line(void* context, unsigned number, const ConfLine* line) {
    Taken* taken = context;
    const bool is_wrong = line->problem[0] != '\0';
    if (is_wrong && (taken->applies || line->kind == CONF_SECTION)) note_wrong(taken, number, line->problem);
    if (line->kind == CONF_SECTION) taken->applies = !is_wrong && text_same(line->program, os_program());
    if (line->kind == CONF_SETTING && !is_wrong && taken->applies) take_setting(taken, number, line);
}

void conf_take(const char* path, bool wanted) {
    static Taken taken;
    taken = (Taken){.applies = true};
    ConfFile file = conf_each(path, os_is_privileged(), take_line, &taken);
    if (file.error != 0 && wanted) text_warn("hakmem: cannot read %s (error %d)\n", path, file.error);
    if (taken.wrong == 0) return;
    if (taken.wrong == 1)
        text_warn("hakmem: %s:%u: %s; the line is ignored\n", path, taken.first_wrong, taken.problem);
    else
        text_warn("hakmem: %s:%u: %s; %u wrong lines are ignored: hakstress config check %s\n", path, taken.first_wrong,
                  taken.problem, taken.wrong, path);
}
