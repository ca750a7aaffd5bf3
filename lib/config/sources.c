#include "config/sources.h"

#include "base/text.h"
#include "config/conf.h"
#include "os/os.h"

#include <errno.h>
#include <hakmem/hakmem.h>
#include <string.h>
#include <unistd.h>

bool hak_options_silent;
void (*_Atomic hak_option_changed)(void);
static _Atomic bool frozen;

// --- the environment

static void warn_value(const HakOptionInfo* info, const char* value) {
    char allowed[128], kept[HAK_OPTION_TEXT_MAX];
    if (hak_options_silent) return;
    hak_option_allowed(info, allowed, sizeof allowed);
    hak_option_current(info, kept, sizeof kept);
    text_warn("hakmem: %s=%s: must be %s%s; it stays %s\n", info->name, value, allowed, hak_option_suffix_hint(info),
              kept);
}

static void assign_or_warn(const HakOptionInfo* info, const char* value) {
    if (*value == '\0') return;  // treated as not set
    if (!hak_option_assign(info, value)) {
        warn_value(info, value);
    } else if (!HAK_CHECKED && info->checked_only && !hak_option_is_default(info)) {
        text_warn("hakmem: %s=%s does nothing here: only libhakmem-checked.so has it\n", info->name, value);
    }
}

static void warn_unknown(const char* name, size_t length) {
    char shown[64];
    if (hak_options_silent) return;
    const char* nearest = hak_option_nearest(name, length);
    if (length >= sizeof shown) length = sizeof shown - 1;
    memcpy(shown, name, length);
    shown[length] = '\0';
    text_warn("hakmem: there is no option %s%s%s\n", shown, nearest ? "; the nearest is " : "", nearest ? nearest : "");
}

static void read_environment(void) {
    bool seen[HAK_OPTIONS_MOST] = {false};
    for (char** entry = environ; *entry != NULL; entry++) {
        if (!text_begins(*entry, HAK_OPTION_PREFIX)) continue;
        size_t length = text_until(*entry, '=');
        if ((*entry)[length] == '\0') continue;  // not of the form NAME=VALUE
        const HakOptionInfo* info = hak_option_named(*entry, length);
        if (info == NULL) {
            warn_unknown(*entry, length);
        } else if (!seen[info - hak_option_info(0)]) {  // if it is set twice, the first one counts, as in getenv
            seen[info - hak_option_info(0)] = true;
            assign_or_warn(info, *entry + length + 1);
        }
    }
}

// The name of the file stands in the environment, which is read after the file.
static void read_conf(void) {
    static const char name[] = HAK_OPTION_PREFIX "CONF=";
    char** entry = environ;
    while (*entry != NULL && !text_begins(*entry, name)) entry++;
    const char* named = *entry != NULL && !os_is_privileged() ? *entry + sizeof name - 1 : "";
    if (*named != '\0') hak_option_assign(hak_option_named(name, sizeof name - 2), named);
    conf_take(hak_options.conf, *named != '\0');
}

static void echo(void) {
    char value[HAK_OPTION_TEXT_MAX];
    text_warn("hakmem: version %s, %s build, options in force:\n", hak_version(), HAK_CHECKED ? "checked" : "release");
    const HakOptionInfo* info;
    for (unsigned i = 0; (info = hak_option_info(i)) != NULL; i++) {
        if (info->checked_only && !HAK_CHECKED) continue;
        hak_option_current(info, value, sizeof value);
        text_warn("hakmem: %s=%s\n", info->name, value);
    }
}

static HakLock lock;

void hak_options_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork) {
    step(&lock, fork);
}

void hak_options_init(void) {
    static _Atomic bool done;
    if (load_acquire(&done) || environ == NULL) return;  // pairs with the release below
    if (hak_lock_is_mine(&lock)) return;                 // a signal handler interrupted this function
    os_start();
    hak_lock(&lock);
    if (!load_relaxed(&done)) {
        if (!hak_options_silent) read_conf();
        if (!os_is_privileged()) read_environment();
        if (hak_option(verbose) > 0) echo();
        store_release(&done, true);
    }
    hak_unlock(&lock);
}

void hak_options_freeze(void) {
    store_relaxed(&frozen, true);
}

// --- the public functions

HAK_PUBLIC int hak_option_get(const char* name, char* buffer, size_t size) {
    hak_options_init();
    const HakOptionInfo* info = hak_option_named(name, text_length(name));
    if (info == NULL) {
        errno = ENOENT;
        return -1;
    }
    if (hak_option_current(info, buffer, size) >= size) {
        errno = ERANGE;
        return -1;
    }
    return 0;
}

HAK_PUBLIC int hak_option_set(const char* name, const char* value) {
    hak_options_init();
    const HakOptionInfo* info = hak_option_named(name, text_length(name));
    int error = 0;
    if (info == NULL) {
        error = ENOENT;
    } else if (info->fixed && load_relaxed(&frozen)) {
        error = EBUSY;
    } else if (!hak_option_assign(info, value)) {
        error = EINVAL;
    }
    if (error != 0) {
        errno = error;
        return -1;
    }
    void (*changed)(void) = load_relaxed(&hak_option_changed);
    if (changed) changed();
    return 0;
}
