#include "child/messages.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void pass_on(const char* text, size_t length) {
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, text, length);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;  // nobody reads stderr; the report still has the text
        text += written;
        length -= (size_t)written;
    }
}

static void keep(struct messages* messages, const char* text, size_t length) {
    if (length > MESSAGES_KEPT) {
        text += length - MESSAGES_KEPT;
        length = MESSAGES_KEPT;
    }
    size_t excess = messages->length + length > MESSAGES_KEPT ? messages->length + length - MESSAGES_KEPT : 0;
    memmove(messages->text, messages->text + excess, messages->length - excess);
    memcpy(messages->text + messages->length - excess, text, length);
    messages->length = messages->length - excess + length;
    messages->text[messages->length] = '\0';
}

void messages_read(struct messages* messages) {
    char buffer[4096];
    while (messages->pipe >= 0) {
        ssize_t got = read(messages->pipe, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            close(messages->pipe);
            messages->pipe = -1;
            return;
        }
        pass_on(buffer, (size_t)got);
        keep(messages, buffer, (size_t)got);
    }
}

static void copy_word(const char* line, const char* key, char* out, size_t size) {
    const char* at = strstr(line, key);
    snprintf(out, size, "unknown");
    if (at == NULL) return;
    at += strlen(key);
    snprintf(out, size, "%.*s", (int)strcspn(at, " \t"), at);
}

static bool parse_line(const char* line, struct check_message* out) {
    bool ownership = strncmp(line, "[OWNERSHIP ERROR]", 17) == 0;
    bool check =
        (strncmp(line, "hakmem:", 7) == 0 || strncmp(line, "hakstress:", 10) == 0) && strstr(line, " check=") != NULL;
    if (!ownership && !check) return false;
    copy_word(line, " check=", out->check, sizeof out->check);
    copy_word(line, " site=", out->site, sizeof out->site);
    if (ownership) snprintf(out->check, sizeof out->check, "ownership");
    snprintf(out->line, sizeof out->line, "%s", line);
    return true;
}

bool messages_find_check(const char* text, struct check_message* out) {
    bool found = false;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        char line[sizeof out->line];
        snprintf(line, sizeof line, "%.*s", (int)length, text);
        struct check_message message;
        if (parse_line(line, &message)) {
            // If several lines name the same check, take the one with the site.
            bool better = !found || strcmp(message.check, out->check) != 0 || strcmp(message.site, "unknown") != 0;
            if (better) *out = message;
            found = true;
        }
        text += length + (text[length] == '\n');
    }
    return found;
}
