//! A server whose tools look for what another instance has left in memory, and leave something.
#![cfg(target_family = "wasm")]

midge::export!(server);

use std::{
    arch::wasm32::memory_grow,
    env,
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
};

use midge::{Server, Tool, ToolError};

/// Bytes of a page of linear memory.
const PAGE: usize = 64 << 10;
/// What initialized memory holds at the start of an instance.
const INITIAL: u64 = 0xC0FF_EE00_DEAD_BEEF;
/// What the tools leave.
const STAIN: u64 = 0x5A5A_5A5A_5A5A_5A5A;

/// Memory that starts as zero.
static ZEROED: [AtomicU64; 8192] = [const { AtomicU64::new(0) }; 8192];
/// Memory that starts as a data segment.
static INITIALIZED: [AtomicU64; 1024] = [const { AtomicU64::new(INITIAL) }; 1024];
/// Calls in this instance.
static CALLS: AtomicU32 = AtomicU32::new(0);

fn server() -> Server {
    Server::new("stains", "1.0.0")
        .tool(Tool::new("stains", stains))
        .tool(Tool::new("stains_of_a_component", stains_of_a_component))
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Pages {
    pages: usize,
}

/// Looks for stains in a memory that it grows by some pages, and stains all of it.
async fn stains(Pages { pages }: Pages) -> Result<String, ToolError> {
    let called = usize::from(CALLS.fetch_add(1, Relaxed) != 0);
    let (zeroed, initialized) = (look(&ZEROED, 0), look(&INITIALIZED, INITIAL));
    let before = memory_grow::<0>(pages);
    if before == usize::MAX {
        return Err(ToolError::new("the memory does not grow"));
    }
    let grown = look_in_pages(before, pages);
    let found = called + zeroed + initialized + grown;
    Ok(format!(
        "{found} stains: {called} in the counter, {zeroed} in zeroed, {initialized} in initialized \
         and {grown} in grown memory, after {before} pages"
    ))
}

/// The same after a call of the host that the fast path does not have.
async fn stains_of_a_component(pages: Pages) -> Result<String, ToolError> {
    let variable = env::var("STAINS").is_ok();
    let found = stains(pages).await?;
    Ok(if variable { format!("{found}, in an environment") } else { found })
}

/// Counts the words that are not as they were initially, and stains all.
fn look(words: &[AtomicU64], initial: u64) -> usize {
    words.iter().filter(|word| word.swap(STAIN, Relaxed) != initial).count()
}

/// The same in pages that nothing else uses.
#[allow(unsafe_code, reason = "an allocator would clear the pages")]
fn look_in_pages(first: usize, pages: usize) -> usize {
    let words = pages * PAGE / size_of::<u64>();
    // SAFETY: the memory has just been grown by these pages, so they exist and nothing else uses them.
    // Every bit pattern is an `AtomicU64`, and pages are aligned.
    let words = unsafe { std::slice::from_raw_parts((first * PAGE) as *const AtomicU64, words) };
    look(words, 0)
}
