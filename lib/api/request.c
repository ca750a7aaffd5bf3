#include "api/request.h"

#include "api/stats.h"
#include "base/text.h"
#include "census/request.h"
#include "config/options.h"
#include "front/fork.h"
#include "front/wake.h"
#include "profile/dump.h"

#include <errno.h>
#include <hakmem/hakmem.h>
#include <string.h>

static int set_option(char* text) {
    size_t length = text_until(text, '=');
    const HakOptionInfo* info = hak_option_named(text, length);
    if (info == NULL || text[length] == '\0') return ENOENT;
    if (!info->live) return EPERM;
    text[length] = '\0';
    return hak_option_set(text, text + length + 1) == 0 ? 0 : errno;
}

static void answer(HakAsked* asked, HakAnswer* to) {
    uint64_t value = 0, error = 0;
    store_relaxed(&to->begun, asked->number);
    asked->text[sizeof asked->text - 1] = '\0';
    switch ((HakRequestKind)asked->kind) {
    case REQUEST_SET: error = (uint64_t)set_option(asked->text); break;
    case REQUEST_TRIM: hak_trim(0); break;
    case REQUEST_CHECK: value = hak_check(); break;
    case REQUEST_PROFILE: dump_write("request"); break;
    case REQUEST_NONE:
    default: error = EINVAL; break;
    }
    store_relaxed(&to->value, value);
    store_relaxed(&to->error, error);
    store_release(&to->done, asked->number);  // pairs with the order of reads of whoever asks
}

static void look(void) {
    HakAsked asked;
    if ((atomic_fetch_and(&hak_wake, ~WAKE_REQUEST) & WAKE_REQUEST) == 0) return;  // another thread has it
    memcpy(&asked, &hak_request.asked, sizeof asked);
    HakAnswer* to = &hak_request.answer[asked.number % ANSWERS];
    if (asked.sum == request_sum(&asked) && asked.number != load_relaxed(&to->begun)) answer(&asked, to);
}

// A handler that interrupted an operation leaves it to another malloc.
static void work(void) {
    bool asked = (load_relaxed(&hak_wake) & WAKE_REQUEST) != 0, due = hak_stats_are_due();
    if ((!asked && !due) || !fork_thread_is_calm()) return;
    int saved_errno = errno;
    if (asked) look();
    if (due) hak_stats_if_due();
    errno = saved_errno;
}

void requests_begin(void) {
    store_release(&wake_work, work);  // pairs with the acquire in wake_up
}
