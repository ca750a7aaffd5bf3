//! The functions of `<hakmem/hakmem.h>`, as C has them. The crate `hakmem` has the global allocator.
//!
//! All of them may be called by any thread, none by a signal handler. Sizes are bytes. Every block is aligned to 16.
//! Where the library is found: see the README of this crate.

#![no_std]
#![allow(non_camel_case_types)]

use core::ffi::c_void;

/// `char` of C.
#[cfg(target_arch = "x86_64")]
pub type c_char = i8;
/// `char` of C.
#[cfg(not(target_arch = "x86_64"))]
pub type c_char = u8;
/// `int` of C.
pub type c_int = i32;

pub const HAK_STATS_VERSION: u32 = 1;

/// Statistics of the whole process, in bytes. `allocated <= active <= mapped`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct hak_stats_t {
    /// Bytes of this struct that the library has filled in.
    pub size: u32,
    /// `HAK_STATS_VERSION`.
    pub version: u32,
    /// In blocks that the program holds or caches keep.
    pub allocated: u64,
    /// In slabs, SuperSlabs of page runs and huge blocks in use.
    pub active: u64,
    /// Free, but still occupying memory.
    pub dirty: u64,
    /// Address space mapped for blocks.
    pub mapped: u64,
    /// Mapped for the allocator's own tables.
    pub metadata: u64,
    /// Threads that have used the allocator and have not ended.
    pub threads: u64,
    /// SuperSlabs in use.
    pub superslabs: u64,
    /// Slabs in use.
    pub slabs: u64,
}

extern "C" {
    /// Frees a block; null is allowed. If `p` is no block in use, and that is noticed, the process aborts.
    pub fn hak_free(p: *mut c_void);
    /// The same; `size` is what was asked for, which guard mode checks.
    pub fn hak_free_sized(p: *mut c_void, size: usize);
    /// The same, of an aligned block.
    pub fn hak_free_aligned_sized(p: *mut c_void, alignment: usize, size: usize);

    /// A block of at least `size` bytes. Null with errno ENOMEM if there is no memory.
    pub fn hak_malloc(size: usize) -> *mut c_void;
    /// A block of `count * size` zero bytes. Null with errno ENOMEM, also if the product overflows.
    pub fn hak_calloc(count: usize, size: usize) -> *mut c_void;
    /// Grows or shrinks a block, in place if there is room. Null with errno ENOMEM: the block is as it was. Size 0
    /// frees it.
    pub fn hak_realloc(p: *mut c_void, size: usize) -> *mut c_void;
    /// The same for `count * size` bytes.
    pub fn hak_reallocarray(p: *mut c_void, count: usize, size: usize) -> *mut c_void;

    /// An aligned block. Null with errno EINVAL if `alignment` is no power of two, else as `hak_malloc`.
    pub fn hak_aligned_alloc(alignment: usize, size: usize) -> *mut c_void;
    /// The same; any alignment is rounded up to a power of two.
    pub fn hak_memalign(alignment: usize, size: usize) -> *mut c_void;
    /// The same; returns 0, EINVAL or ENOMEM, and leaves `out` alone on failure.
    pub fn hak_posix_memalign(out: *mut *mut c_void, alignment: usize, size: usize) -> c_int;
    /// A block that begins with a page.
    pub fn hak_valloc(size: usize) -> *mut c_void;
    /// A block of whole pages.
    pub fn hak_pvalloc(size: usize) -> *mut c_void;

    /// Bytes that may be used at `p`; 0 for null.
    pub fn hak_malloc_usable_size(p: *const c_void) -> usize;

    /// Gives free memory back to the system, but for `keep` bytes. 1 if some was given back, else 0.
    pub fn hak_trim(keep: usize) -> c_int;
    /// Tests the heap; returns the number of invariants that do not hold, each described on stderr.
    pub fn hak_check() -> usize;

    /// Fills in at most `size` bytes of `out`. 0, or -1 with errno EINVAL if `size` is too small.
    pub fn hak_stats(out: *mut hak_stats_t, size: usize) -> c_int;
    /// Writes statistics and counters as JSON text with a zero byte. The length of the whole text without that byte.
    pub fn hak_stats_json(buffer: *mut c_char, size: usize) -> usize;

    /// Value of an option as text. 0, or -1 with errno ENOENT or ERANGE.
    pub fn hak_option_get(name: *const c_char, buffer: *mut c_char, size: usize) -> c_int;
    /// Sets an option. 0, or -1 with errno ENOENT, EINVAL or EBUSY.
    pub fn hak_option_set(name: *const c_char, value: *const c_char) -> c_int;

    /// Describes an address in one line. The length of the whole text.
    pub fn hak_describe(p: *const c_void, buffer: *mut c_char, size: usize) -> usize;
    /// Version of the library that the program runs with.
    pub fn hak_version() -> *const c_char;
}
