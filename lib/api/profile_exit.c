// The heap profile at the end of the process: destructors of others may run after this one.
#include "profile/dump.h"
#include "profile/profile.h"

__attribute__((destructor)) static void write_profile(void) {
    if (profile_is_on()) dump_at_exit();
}
