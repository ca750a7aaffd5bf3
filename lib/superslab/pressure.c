#include "superslab/pressure.h"

#include "os/cgroup.h"
#include "os/os.h"

enum { LOOK_AGAIN_MS = 1000, NEAR_PART = 8, ROOM_PART = 4 };

static Cgroup group;
static CgroupRoom room;
static bool searched;
static uint64_t next_look;  // ms
static uint64_t unseen;     // bytes handed out since the last look

static void look(uint64_t now) {
    if (!searched) cgroup_find(&group, "");
    searched = true;
    room = cgroup_room(&group);
    next_look = now + LOOK_AGAIN_MS;
    unseen = 0;
}

bool pressure_is_near(uint64_t bytes) {
    uint64_t now = os_clock_ms();
    if (now >= next_look || unseen > room.room / ROOM_PART) look(now);
    unseen += bytes;
    return room.limit != UINT64_MAX && room.room < room.limit / NEAR_PART + unseen;
}
