//! Where the guests are. A constant for each, and `for_each_misbehaving_guest!`.

include!(concat!(env!("OUT_DIR"), "/guests.rs"));

/// Where compiled code is kept between runs of the tests.
pub fn cache() -> &'static std::path::Path {
    // …/target/guests/wasm32-wasip2/component/examples/hello.wasm
    let target = std::path::Path::new(HELLO).ancestors().nth(4);
    target.unwrap_or_else(|| panic!("{HELLO} is not where it should be"))
}
