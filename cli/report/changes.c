// The changes by number and by site, and threads by name.
#include "base/json.h"
#include "report/story.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *site, *missing, *words;
} changes[] = {
#define CHANGE(number, site, file, missing, words) [number] = {#site, missing, words},
#include "config/changes.def"
#undef CHANGE
};

enum { CHANGES = sizeof changes / sizeof changes[0] };

const char* change_site(uint32_t change) {
    return change < CHANGES ? changes[change].site : NULL;
}

const char* change_missing(uint32_t change) {
    return change < CHANGES ? changes[change].missing : NULL;
}

const char* change_words(uint32_t change) {
    return change < CHANGES ? changes[change].words : NULL;
}

uint32_t change_of_site(const char* site) {
    for (uint32_t change = 1; change < CHANGES; change++) {
        if (strcmp(changes[change].site, site) == 0) return change;
    }
    return 0;
}

struct who ring_event_who(const struct ring_event* event) {
    return (struct who){event->thread, event->os_tid, event->ended};
}

json_t* who_json(const struct who* who) {
    json_t* object = json_object();
    json_put_whole(object, "thread", who->thread);
    json_put_whole(object, "os_tid", who->os_tid);
    json_put_bool(object, "ended", who->ended);
    return object;
}

void who_text(const struct who* who, char* out, size_t size) {
    char number[24] = "of unknown number";
    if (who->thread != 0) snprintf(number, sizeof number, "%u", who->thread);
    if (who->os_tid != 0)
        snprintf(out, size, "thread %s (os thread %u%s)", number, who->os_tid, who->ended ? ", ended since" : "");
    else
        snprintf(out, size, "thread %s%s", number, who->ended ? " (ended since)" : "");
}
