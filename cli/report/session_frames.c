#include "report/session_frames.h"

#include "report/code_place.h"

enum { FRAMES_MAX = 64 };

struct walk {
    const struct procmaps* maps;
    pid_t thread;
    json_t* frames;
};

static int on_frame(Dwfl_Frame* frame, void* context) {
    struct walk* walk = context;
    Dwarf_Addr pc;
    bool is_activation;
    if (!dwfl_frame_pc(frame, &pc, &is_activation) || pc == 0) return DWARF_CB_ABORT;
    json_array_append_new(walk->frames, code_place(walk->maps, pc, !is_activation));
    return json_array_size(walk->frames) < FRAMES_MAX ? DWARF_CB_OK : DWARF_CB_ABORT;
}

static int on_thread(Dwfl_Thread* thread, void* context) {
    const struct walk* walk = context;
    if (dwfl_thread_tid(thread) != walk->thread) return DWARF_CB_OK;
    dwfl_thread_getframes(thread, on_frame, context);
    return DWARF_CB_ABORT;
}

json_t* session_frames(Dwfl* session, const struct procmaps* maps, pid_t thread, const char** problem) {
    struct walk walk = {maps, thread, json_array()};
    dwfl_getthreads(session, on_thread, &walk);
    if (json_array_size(walk.frames) == 0) *problem = dwfl_errmsg(-1);
    return walk.frames;
}

int session_finds_no_debug_file(Dwfl_Module* module, void** data, const char* name, Dwarf_Addr base, const char* path,
                                const char* link, GElf_Word checksum, char** found) {
    (void)module, (void)data, (void)name, (void)base, (void)path, (void)link, (void)checksum, (void)found;
    return -1;
}
