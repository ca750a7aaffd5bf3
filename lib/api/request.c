#include "api/request.h"

#include "api/stats.h"
#include "front/fork.h"
#include "front/wake.h"

#include <errno.h>

// A handler that interrupted an operation leaves it to another malloc.
static void work(void) {
    int saved_errno = errno;
    if (fork_thread_is_calm()) hak_stats_if_due();
    errno = saved_errno;
}

void requests_begin(void) {
    store_release(&wake_work, work);  // pairs with the acquire in wake_up
}
