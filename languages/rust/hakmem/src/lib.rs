//! libhakmem as the allocator of a Rust program:
//!
//! ```
//! #[global_allocator]
//! static ALLOCATOR: hakmem::Hakmem = hakmem::Hakmem;
//!
//! let numbers = vec![1u64; 1000];
//! assert!(hakmem::stats().allocated >= 8000);
//! # drop(numbers);
//! ```
//!
//! Every function may be called by any thread. `hakmem_sys` has the rest of the functions of libhakmem.

#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;
use core::mem::size_of;
use core::{ptr, slice, str};

use hakmem_sys as sys;

/// The heap of libhakmem. It has no state: all objects of this type are the same heap.
///
/// A request that cannot be served gives null, and then the caller decides: `Vec` and `Box` end the program,
/// `Vec::try_reserve` returns an error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hakmem;

/// Every block has this alignment without being asked for it.
const NATURAL_ALIGNMENT: usize = 16;

/// A block of more than this begins with a page, as a rule.
const LARGE: usize = 16 << 10;

#[inline]
fn is_natural(layout: Layout) -> bool {
    layout.align() <= NATURAL_ALIGNMENT
}

// As the trait asks: blocks of the size and alignment of the layout, null on failure, and no unwinding.
unsafe impl GlobalAlloc for Hakmem {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_natural(layout) {
            sys::hak_malloc(layout.size()).cast()
        } else {
            sys::hak_aligned_alloc(layout.align(), layout.size()).cast()
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is_natural(layout) {
            sys::hak_free_sized(block.cast(), layout.size());
        } else {
            sys::hak_free_aligned_sized(block.cast(), layout.align(), layout.size());
        }
    }

    /// Memory that the system has just cleared is not cleared again.
    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_natural(layout) || layout.size() > LARGE {
            let block = sys::hak_calloc(1, layout.size());
            if block as usize % layout.align() == 0 {
                return block.cast(); // or null
            }
            sys::hak_free_sized(block, layout.size());
        }
        let block = self.alloc(layout);
        if !block.is_null() {
            ptr::write_bytes(block, 0, layout.size());
        }
        block
    }

    /// In place where there is room, unless the alignment is above 16: no function of C keeps an alignment.
    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if is_natural(layout) {
            return sys::hak_realloc(block.cast(), size).cast();
        }
        let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
        if !moved.is_null() {
            ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
            self.dealloc(block, layout);
        }
        moved
    }
}

/// Statistics of the whole process.
pub type Stats = sys::hak_stats_t;

/// Statistics of the whole process: what is allocated, and what that takes.
pub fn stats() -> Stats {
    let mut stats = Stats::default();
    // It can only fail for a struct that has no room for its first two fields.
    unsafe { sys::hak_stats(&mut stats, size_of::<Stats>()) };
    stats
}

/// Gives free memory back to the system, except `keep` bytes. Returns whether some was given back.
pub fn trim(keep: usize) -> bool {
    unsafe { sys::hak_trim(keep) != 0 }
}

/// Tests invariants of the heap and returns how many do not hold. Each one is described on stderr. A damaged block
/// aborts the process.
pub fn check() -> usize {
    unsafe { sys::hak_check() }
}

/// Bytes that may be used at the start of a block of this allocator: at least what was asked for.
///
/// # Safety
///
/// `block` is null, or a block of libhakmem that is in use.
pub unsafe fn usable_size(block: *const u8) -> usize {
    sys::hak_malloc_usable_size(block.cast::<c_void>())
}

/// The version of the library that the program runs with, as "0.2.0".
pub fn version() -> &'static str {
    unsafe {
        let text = sys::hak_version().cast::<u8>();
        let length = (0..).take_while(|&i| *text.add(i) != 0).count();
        str::from_utf8_unchecked(slice::from_raw_parts(text, length))
    }
}
