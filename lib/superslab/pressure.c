#include "superslab/pressure.h"

#include "os/cgroup.h"
#include "os/os.h"

// If its files fill the page cache, a group is always near its limit. Reading takes 50 microseconds or more, so not for
// each unit.
enum { READ_AGAIN_MS = 1000, READ_SOONEST_MS = 100, NEAR_PART = 8, ROOM_PART = 4 };

static Cgroup group;
static CgroupRoom room;
static bool searched;
static uint64_t last_read;  // ms
static uint64_t unseen;     // bytes handed out since then

static void read_group(uint64_t now) {
    if (!searched) cgroup_find(&group, "");
    searched = true;
    room = cgroup_room(&group);
    last_read = now;
    unseen = 0;
}

bool pressure_is_near(uint64_t bytes) {
    uint64_t now = os_clock_ms();
    uint64_t wait = unseen > room.room / ROOM_PART ? READ_SOONEST_MS : READ_AGAIN_MS;
    if (!searched || now - last_read >= wait) read_group(now);
    unseen += bytes;
    return room.limit != UINT64_MAX && room.room < room.limit / NEAR_PART + unseen;
}

#if HAK_CHECKED
uint64_t pressure_limit(void) {
    if (!searched) read_group(os_clock_ms());
    return room.limit;
}
#endif
