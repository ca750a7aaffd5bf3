// The heap profile at the end of the process: destructors of others may run after this one.
#include "profile/dump.h"
#include "profile/profile.h"

__attribute__((destructor)) static void write_profile(void) {
    if (profile_has_samples()) dump_at_exit();
}
