//! The component itself, under a host.

use midge::testing;
use midge_host::{Harness, Outcome};
use serde_json::{Value, json};

#[test]
fn the_component_greets() {
    let component = midge_host::build(env!("CARGO_MANIFEST_DIR"), "dev").unwrap();
    let harness = Harness::new(component).unwrap();
    let call = testing::call("greet", json!({ "name": "World" }));
    let exchange = harness.exchange(call).unwrap();
    assert_eq!(exchange.outcome, Outcome::Ok, "{:#?}", exchange.log);
    let body: Value = serde_json::from_slice(exchange.response.body()).unwrap();
    assert_eq!(body["result"]["content"][0]["text"], "Hello, World!");
}
