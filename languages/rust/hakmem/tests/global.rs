//! Collections and threads on libhakmem, and what the allocator promises.

use std::alloc::{alloc, alloc_zeroed, dealloc, realloc, Layout};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{mpsc, Arc};
use std::thread;

#[global_allocator]
static ALLOCATOR: hakmem::Hakmem = hakmem::Hakmem;

#[repr(align(64))]
#[derive(Clone, Copy)]
struct Line([u8; 64]);

fn describe<T>(block: *const T) -> String {
    let mut text = vec![0u8; 256];
    let length = unsafe { hakmem_sys::hak_describe(block.cast(), text.as_mut_ptr().cast(), text.len()) };
    text.truncate(length.min(255));
    String::from_utf8(text).unwrap()
}

#[test]
fn blocks_come_from_libhakmem() {
    let number = Box::new(7u64);
    assert!(describe(&*number).contains("slab"), "{}", describe(&*number));
    assert!(!describe(&ALLOCATOR).contains("slab"), "{}", describe(&ALLOCATOR));
    assert!(unsafe { hakmem::usable_size((&*number as *const u64).cast()) } >= 8);
    let much = vec![1u8; 50 << 20];
    assert!(hakmem::stats().allocated >= much.len() as u64);
    assert_eq!(hakmem::stats().version, hakmem_sys::HAK_STATS_VERSION);
}

#[test]
fn collections_keep_what_is_put_there() {
    let mut map = HashMap::new();
    let mut tree = BTreeMap::new();
    let mut queue = VecDeque::new();
    let mut text = String::new();
    for i in 0..50_000u64 {
        map.insert(i, vec![i as u8; (i % 97) as usize]);
        tree.insert(i * 7919 % 100_003, i.to_string());
        queue.push_back(i);
        text.push(char::from(b'a' + (i % 26) as u8));
        if i % 3 == 0 {
            map.remove(&(i / 2));
            queue.pop_front();
        }
    }
    for (key, value) in &map {
        assert_eq!(value, &vec![*key as u8; (key % 97) as usize]);
    }
    assert!(tree.iter().all(|(key, value)| value.parse::<u64>().unwrap() * 7919 % 100_003 == *key));
    assert_eq!(queue.back(), Some(&49_999));
    assert_eq!(text.as_bytes()[27], b'b');
}

#[test]
fn threads_free_blocks_of_others() {
    let (sender, receiver) = mpsc::channel::<Vec<String>>();
    let shared = Arc::new(vec![1u8; 100_000]);
    let makers: Vec<_> = (0..4)
        .map(|n| {
            let (sender, shared) = (sender.clone(), Arc::clone(&shared));
            thread::spawn(move || {
                for i in 0..300usize {
                    let texts = (0..50).map(|k| "x".repeat((i * 31 + k * n) % 700)).collect();
                    sender.send(texts).unwrap();
                }
                shared.len()
            })
        })
        .collect();
    drop(sender);
    let texts: usize = receiver.iter().map(|texts| texts.len()).sum();
    assert_eq!(texts, 4 * 300 * 50);
    assert!(makers.into_iter().all(|maker| maker.join().unwrap() == 100_000));
    assert_eq!(hakmem::check(), 0);
}

#[test]
fn every_alignment_is_kept() {
    let mut lines = vec![Line([1; 64]); 3];
    for i in 0..1000 {
        lines.push(Line([i as u8; 64]));
        assert_eq!(lines.as_ptr() as usize % 64, 0);
    }
    assert!((0..1000).all(|i| lines[i + 3].0 == [i as u8; 64]));
    for shift in 0..22 {
        for size in [1, 1 << shift, (1 << shift) + 1, 100_000] {
            let layout = Layout::from_size_align(size, 1 << shift).unwrap();
            let larger = Layout::from_size_align(2 * size + 5, 1 << shift).unwrap();
            unsafe {
                let block = alloc(layout);
                assert_eq!(block as usize % layout.align(), 0);
                block.write_bytes(0xee, size);
                let block = realloc(block, layout, larger.size());
                assert_eq!(block as usize % layout.align(), 0);
                assert!((0..size).all(|i| *block.add(i) == 0xee));
                let block = realloc(block, larger, size);
                assert!((0..size).all(|i| *block.add(i) == 0xee));
                dealloc(block, layout);
            }
        }
    }
}

#[test]
fn zeroed_blocks_are_zero_after_use() {
    for align in [1, 16, 64, 4096] {
        for size in [1, 100, 5000, 70_000, 3 << 20] {
            let layout = Layout::from_size_align(size, align).unwrap();
            for _ in 0..20 {
                unsafe {
                    let block = alloc_zeroed(layout);
                    assert!((0..size).step_by(1 + size / 5000).all(|i| *block.add(i) == 0));
                    assert_eq!(*block.add(size - 1), 0);
                    block.write_bytes(0xff, size);
                    dealloc(block, layout);
                }
            }
        }
    }
}

fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn fresh_memory_is_not_cleared_again() {
    let layout = Layout::from_size_align(1 << 30, 128).unwrap();
    let before = resident_bytes();
    unsafe {
        let block = alloc_zeroed(layout);
        assert!(!block.is_null() && block as usize % 128 == 0);
        assert_eq!(*block.add(1 << 29), 0);
        // other tests have some memory meanwhile
        assert!(resident_bytes() < before + (1 << 29));
        dealloc(block, layout);
    }
}

#[test]
fn a_block_is_resized_in_place_where_there_is_room() {
    let layout = Layout::from_size_align(33, 8).unwrap();
    unsafe {
        let block = alloc(layout);
        let room = hakmem::usable_size(block);
        assert!(room >= 33);
        assert_eq!(realloc(block, layout, room), block);
        dealloc(block, Layout::from_size_align(room, 8).unwrap());
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut bytes = Vec::<u8>::new();
    assert!(bytes.try_reserve(isize::MAX as usize).is_err());
    let mut lines = vec![Line([9; 64])];
    assert!(lines.try_reserve(isize::MAX as usize / 64 - 1).is_err());
    assert_eq!(lines[0].0[63], 9);
}

#[test]
fn memory_goes_back() {
    drop(vec![1u8; 100 << 20]);
    hakmem::trim(0);
    assert!(hakmem::stats().dirty < 100 << 20);
}

#[test]
fn the_library_has_the_version_of_the_crate() {
    assert_eq!(hakmem::version(), env!("CARGO_PKG_VERSION"));
}
