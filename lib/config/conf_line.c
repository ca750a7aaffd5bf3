#include "config/conf_line.h"

#include "base/text.h"

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

// The text without blanks around it.
static char* trimmed(char* text, size_t length) {
    while (length > 0 && is_blank(text[length - 1])) length--;
    text[length] = '\0';
    while (is_blank(*text)) text++;
    return text;
}

// At most 60 characters of a word for a message, without what a terminal would obey.
typedef struct {
    char text[64];
} Shown;

static Shown shown(const char* word) {
    enum { MOST = 60 };
    Shown out;
    size_t i = 0;
    for (; word[i] != '\0' && i < MOST; i++) {
        unsigned char c = (unsigned char)word[i];
        out.text[i] = c < ' ' || c == 0x7f || c >= 0x80 ? '?' : (char)c;
    }
    text_format(out.text + i, sizeof out.text - i, word[i] != '\0' ? "..." : "");
    return out;
}

#define PROBLEM(out, ...) text_format((out)->problem, sizeof(out)->problem, __VA_ARGS__)

static void section(ConfLine* out, char* text) {
    size_t length = text_length(text);
    out->kind = CONF_SECTION;
    if (text[length - 1] != ']') {
        PROBLEM(out, "expected [PROGRAM], not '%s'", shown(text).text);
        return;
    }
    const char* name = trimmed(text + 1, length - 2);
    if (*name == '\0' || name[text_until(name, '/')] != '\0')
        PROBLEM(out, "expected the name of a program without its folder, not '%s'", shown(name).text);
    else
        out->program = name;
}

static void value_problem(ConfLine* out, const HakOptionInfo* option, const char* value) {
    char allowed[128];
    if (*value == '\0') {
        PROBLEM(out, "%s has no value", option->name);
        return;
    }
    hak_option_allowed(option, allowed, sizeof allowed);
    PROBLEM(out, "%s must be %s%s, not '%s'", option->name, allowed, hak_option_suffix_hint(option), shown(value).text);
}

static void name_problem(ConfLine* out, const char* name, size_t length) {
    const char* nearest = NULL;
    if (text_begins(name, HAK_OPTION_PREFIX)) nearest = hak_option_nearest(name, length);
    PROBLEM(out, "there is no option '%s'%s%s", shown(name).text, nearest ? "; the nearest is " : "",
            nearest ? nearest : "");
}

static void setting(ConfLine* out, char* text) {
    size_t equals = text_until(text, '=');
    out->kind = CONF_SETTING;
    if (text[equals] == '\0' || equals == 0) {
        PROBLEM(out, "expected OPTION=VALUE, [PROGRAM] or # and a comment, not '%s'", shown(text).text);
        return;
    }
    const char* value = trimmed(text + equals + 1, text_length(text + equals + 1));
    const char* name = trimmed(text, equals);
    const HakOptionInfo* option = hak_option_named(name, text_length(name));
    if (option == NULL) {
        name_problem(out, name, text_length(name));
    } else if (text_same(option->name, HAK_OPTION_PREFIX "CONF")) {
        PROBLEM(out, "%s is read in the environment alone", option->name);
    } else if (*value == '\0' || !hak_option_accepts(option, value)) {
        value_problem(out, option, value);
    } else {
        out->option = option;
        out->value = value;
    }
}

void conf_line(ConfLine* out, char* line, size_t length) {
    *out = (ConfLine){.kind = CONF_NOTHING};
    const bool whole = text_length(line) == length;
    char* text = trimmed(line, length);
    if (whole && (*text == '#' || *text == '\0')) return;
    if (!whole) {
        out->kind = CONF_SETTING;
        PROBLEM(out, "expected text, not a byte of zero");
    } else if (*text == '[') {
        section(out, text);
    } else {
        setting(out, text);
    }
}
