#include "code.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Files

// Files stay open, because the next question is usually about a recent one.
enum { OPEN_MAX = 16 };

struct open_file {
    char path[PATH_MAX];
    struct stat status;  // a file of the same name may have replaced it
    Dwfl* session;       // NULL: free
    Dwfl_Module* module;
};

static struct open_file* open_files[OPEN_MAX];
static unsigned next_place;

// Nothing is downloaded: that may take minutes, and the crashed process waits for the report.
static int find_debug_file(Dwfl_Module* module, void** data, const char* name, Dwarf_Addr base, const char* path,
                           const char* link, GElf_Word checksum, char** found) {
    static const char variable[] = "DEBUGINFOD_URLS";
    const char* value = getenv(variable);
    char* kept = value != NULL ? strdup(value) : NULL;
    if (value != NULL && (kept == NULL || unsetenv(variable) != 0)) {
        free(kept);
        return -1;
    }
    int file = dwfl_standard_find_debuginfo(module, data, name, base, path, link, checksum, found);
    if (kept != NULL) setenv(variable, kept, 1);
    free(kept);
    return file;
}

static void close_file(struct open_file* file) {
    if (file == NULL) return;
    if (file->session != NULL) dwfl_end(file->session);
    free(file);
}

static struct open_file* open_file(const char* path, const struct stat* status) {
    static const Dwfl_Callbacks callbacks = {
        .find_debuginfo = find_debug_file,
        .section_address = dwfl_offline_section_address,
    };
    struct open_file* file = calloc(1, sizeof *file);
    int length = file != NULL ? snprintf(file->path, sizeof file->path, "%s", path) : -1;
    int descriptor = length >= 0 && length < PATH_MAX ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (descriptor >= 0) file->session = dwfl_begin(&callbacks);
    if (file != NULL && file->session != NULL) {
        file->status = *status;
        file->module = dwfl_report_offline(file->session, path, path, descriptor);
        dwfl_report_end(file->session, NULL, NULL);
    }
    if (file != NULL && file->module != NULL) return file;
    if (descriptor >= 0) close(descriptor);  // libdwfl did not take it over
    close_file(file);
    return NULL;
}

static bool is_same(const struct open_file* file, const char* path, const struct stat* status) {
    return strcmp(file->path, path) == 0 && file->status.st_dev == status->st_dev &&
           file->status.st_ino == status->st_ino && file->status.st_size == status->st_size &&
           file->status.st_mtim.tv_sec == status->st_mtim.tv_sec &&
           file->status.st_mtim.tv_nsec == status->st_mtim.tv_nsec;
}

static Dwfl_Module* module_of(const char* path) {
    struct stat status;
    if (stat(path, &status) != 0 || !S_ISREG(status.st_mode)) return NULL;
    for (unsigned i = 0; i < OPEN_MAX; i++)
        if (open_files[i] != NULL && is_same(open_files[i], path, &status)) return open_files[i]->module;
    struct open_file* file = open_file(path, &status);
    if (file == NULL) return NULL;
    unsigned place = next_place++ % OPEN_MAX;
    close_file(open_files[place]);
    open_files[place] = file;
    return file->module;
}

// The address that libdwfl uses for byte `file_offset`.
static bool address_of(Dwfl_Module* module, uint64_t file_offset, GElf_Addr* address) {
    GElf_Addr bias;
    Elf* elf = dwfl_module_getelf(module, &bias);
    size_t count = 0;
    if (elf == NULL || elf_getphdrnum(elf, &count) != 0) return false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr segment;
        if (gelf_getphdr(elf, (int)i, &segment) == NULL) return false;
        if (segment.p_type != PT_LOAD || file_offset < segment.p_offset ||
            file_offset - segment.p_offset >= segment.p_filesz)
            continue;
        *address = file_offset - segment.p_offset + segment.p_vaddr + bias;
        return true;
    }
    return false;
}

// Symbols

enum { NAME_BEST = 0, NAME_NONE = 1000 };

// A function may have several names. This is how far a name is from the one that programs call. Internal names of the C
// library begin with underscores, but so do mangled C++ names.
static unsigned distance_of(const char* name, const GElf_Sym* symbol) {
    unsigned underscores = strncmp(name, "_Z", 2) == 0 ? 0 : (unsigned)strspn(name, "_");
    return underscores + (GELF_ST_BIND(symbol->st_info) == STB_LOCAL ? NAME_NONE / 2 : 0);
}

static void set_function(struct code* out, const char* name, const char* unit, uint64_t offset) {
    snprintf(out->function, sizeof out->function, "%.*s", (int)strcspn(name, "@"), name);  // without the symbol version
    snprintf(out->unit, sizeof out->unit, "%s", unit);
    out->offset = offset;
}

static void find_symbol(Dwfl_Module* module, GElf_Addr address, struct code* out) {
    int count = dwfl_module_getsymtab(module);
    unsigned best = NAME_NONE;
    const char* file = "";
    for (int i = 0; i < count && best != NAME_BEST; i++) {
        GElf_Sym symbol;
        GElf_Addr start;
        GElf_Word section;
        const char* name = dwfl_module_getsym_info(module, i, &symbol, &start, &section, NULL, NULL);
        if (name == NULL) continue;
        // The local functions of a source file follow its name.
        if (GELF_ST_TYPE(symbol.st_info) == STT_FILE) file = name;
        bool inside = GELF_ST_TYPE(symbol.st_info) == STT_FUNC && section != SHN_UNDEF && address >= start &&
                      address - start < symbol.st_size;
        if (!inside || distance_of(name, &symbol) >= best) continue;
        best = distance_of(name, &symbol);
        set_function(out, name, GELF_ST_BIND(symbol.st_info) == STB_LOCAL ? file : "", address - start);
    }
}

// Debug information. Addresses here are those of the debug information, without libdwfl's bias.

static void set_line(struct code_line* out, const char* path, uint64_t line) {
    if (path == NULL || line == 0) return;
    const char* slash = strrchr(path, '/');
    snprintf(out->file, sizeof out->file, "%s", slash != NULL ? slash + 1 : path);
    snprintf(out->path, sizeof out->path, "%s", path);
    out->line = line;
    out->of_cxx = strstr(path, "/c++/") != NULL;
}

static Dwarf_Die* unit_at(Dwfl_Module* module, GElf_Addr address, Dwarf_Addr* bias) {
    Dwarf_Die* unit = dwfl_module_addrdie(module, address, bias);
    // Not every compiler writes a table of addresses.
    while (unit == NULL || dwarf_haspc(unit, address - *bias) != 1) {
        unit = dwfl_module_nextcu(module, unit, bias);
        if (unit == NULL) return NULL;
    }
    return unit;
}

static bool number_of(Dwarf_Die* die, unsigned name, Dwarf_Word* out) {
    Dwarf_Attribute attribute;
    return dwarf_formudata(dwarf_attr(die, name, &attribute), out) == 0;
}

static const char* name_of(Dwarf_Die* die) {
    Dwarf_Attribute attribute;
    const char* linkage = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute));
    return linkage != NULL ? linkage : dwarf_diename(die);
}

// The type without names and qualifiers. false: void.
static bool plain_type(Dwarf_Die* of, Dwarf_Die* out) {
    enum { LEVELS_MAX = 16 };
    Dwarf_Attribute attribute;
    *out = *of;
    for (int i = 0; i < LEVELS_MAX; i++) {
        if (dwarf_formref_die(dwarf_attr_integrate(out, DW_AT_type, &attribute), out) == NULL) return false;
        int tag = dwarf_tag(out);
        if (tag != DW_TAG_typedef && tag != DW_TAG_const_type && tag != DW_TAG_volatile_type) return true;
    }
    return false;
}

static bool is_whole_number(Dwarf_Die* parameter) {
    Dwarf_Die type;
    Dwarf_Word encoding;
    return dwarf_tag(parameter) == DW_TAG_formal_parameter && plain_type(parameter, &type) &&
           dwarf_tag(&type) == DW_TAG_base_type && number_of(&type, DW_AT_encoding, &encoding) &&
           (encoding == DW_ATE_signed || encoding == DW_ATE_unsigned);
}

static bool passes_size(Dwarf_Die* function) {
    Dwarf_Die type, child, origin;
    Dwarf_Attribute attribute;
    if (!plain_type(function, &type) || dwarf_tag(&type) != DW_TAG_pointer_type || dwarf_hasattr(&type, DW_AT_type))
        return false;
    // The parameters of an inlined function are complete where it is defined.
    if (dwarf_formref_die(dwarf_attr(function, DW_AT_abstract_origin, &attribute), &origin) != NULL) function = &origin;
    bool some = false;
    for (int more = dwarf_child(function, &child); more == 0 && !some; more = dwarf_siblingof(&child, &child))
        some = is_whole_number(&child);
    return some;
}

static void add_inlined(Dwarf_Die* unit, Dwarf_Die* die, struct code* out) {
    const char* name = name_of(die);
    if (name == NULL || out->inlined_count == CODE_INLINED_MAX) return;
    struct code_inlined* inlined = &out->inlined[out->inlined_count++];
    snprintf(inlined->function, sizeof inlined->function, "%s", name);
    inlined->passes_size = passes_size(die);
    Dwarf_Files* files;
    Dwarf_Word file, line;
    if (number_of(die, DW_AT_call_file, &file) && number_of(die, DW_AT_call_line, &line) &&
        dwarf_getsrcfiles(unit, &files, NULL) == 0)
        set_line(&inlined->call, dwarf_filesrc(files, file, NULL, NULL), line);
}

static void find_inlined(Dwarf_Die* unit, Dwarf_Addr address, struct code* out) {
    Dwarf_Die *scopes = NULL, *around = NULL;
    if (dwarf_getscopes(unit, address, &scopes) <= 0) return;
    // For an inlined function, these are the scopes of its definition. The scopes of the place are needed.
    int count = dwarf_getscopes_die(&scopes[0], &around);
    for (int i = 0; i < count; i++) {
        int tag = dwarf_tag(&around[i]);
        if (tag == DW_TAG_subprogram) {
            out->passes_size = passes_size(&around[i]);
            break;
        }
        if (tag == DW_TAG_inlined_subroutine) add_inlined(unit, &around[i], out);
    }
    free(around);
    free(scopes);
}

static void find_line(Dwfl_Module* module, GElf_Addr address, struct code* out) {
    Dwarf_Addr bias = 0;
    Dwarf_Die* unit = unit_at(module, address, &bias);
    if (unit == NULL) return;
    Dwarf_Line* line = dwarf_getsrc_die(unit, address - bias);
    int number = 0;
    if (line != NULL && dwarf_lineno(line, &number) == 0 && number > 0)
        set_line(&out->at, dwarf_linesrc(line, NULL, NULL), (uint64_t)number);
    find_inlined(unit, address - bias, out);
}

static bool find_code(Dwfl_Module* module, GElf_Addr address, struct code* out) {
    find_symbol(module, address, out);
    find_line(module, address, out);
    return true;
}

bool code_at(const char* path, uint64_t file_offset, struct code* out) {
    GElf_Addr address;
    *out = (struct code){.offset = 0};
    Dwfl_Module* module = module_of(path);
    return module != NULL && address_of(module, file_offset, &address) && find_code(module, address, out);
}

bool code_at_address(const char* path, uint64_t address, struct code* out) {
    GElf_Addr bias;
    *out = (struct code){.offset = 0};
    Dwfl_Module* module = module_of(path);
    return module != NULL && dwfl_module_getelf(module, &bias) != NULL && find_code(module, address + bias, out);
}
