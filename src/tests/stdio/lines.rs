//! What comes in lines, and what does not.

use serde_json::{Value, json};

use super::talk;
use super::talk::Talk;
use crate::tests::wire::modern_message;
use crate::{NoArguments, Server, Tool};

fn small() -> Talk {
    Talk::with(|| {
        let tool = Tool::new("quick", async |_: NoArguments| "done").description("x");
        Server::new("small", "1").max_body(1000).tool(tool)
    })
}

#[track_caller]
fn check_goes_on(talk: &mut Talk) {
    talk.call("next", "quick");
    assert_eq!(talk.answered(), ["next"]);
}

#[test]
fn a_line_that_is_no_json_is_refused_without_an_id() {
    let (mut talk, _, _) = talk();
    for line in ["{", "nonsense", r#"{"jsonrpc":"2.0","id":1,"method":"ping"} x"#, "\"\\ud800"] {
        talk.send(format!("{line}\n").as_bytes());
        let answer = talk.heard_one();
        assert_eq!(answer["error"]["code"], -32700, "{line}");
        assert!(answer.get("id").is_none(), "{line}");
        check_goes_on(&mut talk);
    }
    talk.send(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\",\"id\":1}\n");
    assert_eq!(talk.refusal(), (Value::Null, -32700));
    talk.send(format!("{}\n", "[".repeat(129)).as_bytes());
    assert_eq!(talk.refusal(), (Value::Null, -32700), "too deep");
    check_goes_on(&mut talk);
}

#[test]
fn a_line_that_cannot_be_read_is_refused_with_an_id_that_can() {
    let (mut talk, _, _) = talk();
    let deep = |before: &str, after: &str| {
        let (open, close) = ("[".repeat(200), "]".repeat(200));
        format!("{before}\"params\":{{\"a\":{open}{close}}}{after}\n").into_bytes()
    };
    let id = json!("\u{e9}\"");
    for (line, id) in [
        (b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"\xff\"}\n".to_vec(), json!(7)),
        (b"{\"id\" : \"\\u00e9\\\"\",\"method\":\"\xff\"}\n".to_vec(), id.clone()),
        (deep("{\"id\":7,", "}"), json!(7)),
        (deep("{", ",\"id\":\"\u{e9}\\\"\"}"), id),
        (deep("{", "}"), Value::Null),
        (deep("{\"params\":{\"id\":7},", "}"), Value::Null),
        (deep("{\"id\":1.5,", "}"), Value::Null),
        (deep("{\"id\":1,\"id\":2,", "}"), Value::Null),
        (deep("[{\"id\":7,", "}]"), Value::Null),
    ] {
        talk.send(&line);
        let line = String::from_utf8_lossy(&line).into_owned();
        assert_eq!(talk.refusal(), (id, -32700), "{line}");
    }
    check_goes_on(&mut talk);
}

#[test]
fn a_line_that_is_too_long_is_refused_with_the_id_at_its_start() {
    let mut talk = small();
    let padding = "x".repeat(2000);
    for (line, id) in [
        (format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","x":"{padding}"}}"#), json!(7)),
        (format!(r#"{{"id":"a","x":"{padding}"}}"#), json!("a")),
        (format!(r#"{{"x":"{padding}","id":7}}"#), Value::Null),
        (format!(r#"{{"x":"{}","id":1234567}}"#, "x".repeat(1008)), Value::Null),
    ] {
        talk.send(format!("{line}\n").as_bytes());
        assert_eq!(talk.refusal(), (id, -32600), "{line}");
    }
    check_goes_on(&mut talk);
}

#[test]
fn json_that_is_no_message_is_refused_with_its_id() {
    let (mut talk, _, _) = talk();
    for (message, id) in [
        (json!(1), Value::Null),
        (json!({ "jsonrpc": "2.0", "id": 5 }), json!(5)),
        (json!({ "jsonrpc": "1.0", "id": "a", "method": "ping" }), json!("a")),
        (json!({ "jsonrpc": "2.0", "id": null, "method": "ping" }), Value::Null),
    ] {
        talk.say(&message);
        assert_eq!(talk.refusal(), (id, -32600), "{message}");
    }
    check_goes_on(&mut talk);
}

#[test]
fn a_line_with_more_values_than_the_limit_is_refused_with_its_id() {
    let (mut talk, _, _) = talk();
    let mut message = modern_message("tools/call", json!({ "name": "quick", "arguments": {} }));
    message["params"]["arguments"]["x"] = json!(vec![0; 100_000]);
    talk.say(&message);
    assert_eq!(talk.refusal(), (json!(1), -32602));
    check_goes_on(&mut talk);
}

#[test]
fn nothing_is_said_to_what_has_no_answer() {
    let (mut talk, _, _) = talk();
    talk.send(b"\n \t\r\n\r\n");
    talk.say(&json!({ "jsonrpc": "2.0", "method": "notifications/unknown" }));
    talk.say(&json!({ "jsonrpc": "2.0", "id": 1, "result": {} }));
    assert!(talk.heard().is_empty());
    check_goes_on(&mut talk);
}

#[test]
fn lines_do_not_care_how_they_are_sent() {
    let (mut talk, _, _) = talk();
    let line = format!("{}\r\n", modern_message("tools/list", json!({})));
    for byte in line.as_bytes() {
        assert!(talk.heard().is_empty());
        talk.send(&[*byte]);
    }
    assert_eq!(talk.answered(), [1]);
    talk.send(line.repeat(3).as_bytes());
    assert_eq!(talk.answered(), [1, 1, 1]);
}

#[test]
fn a_message_is_answered_on_one_line_whatever_is_in_it() {
    let mut talk = Talk::with(|| {
        let tool = Tool::new("breaks", async |_: NoArguments| "a\nb\r\nc").description("x\ny");
        Server::new("breaks\n", "1").tool(tool)
    });
    talk.call(1, "breaks");
    assert_eq!(talk.heard_one()["result"]["content"][0]["text"], "a\nb\r\nc");
    talk.ask(2, "tools/list", json!({}));
    assert_eq!(talk.heard_one()["result"]["tools"][0]["description"], "x\ny");
}

#[test]
fn a_line_that_is_too_long_is_refused_before_its_end() {
    let mut talk = small();
    talk.send(&[b' '; 600]);
    assert!(talk.heard().is_empty());
    talk.send(&[b' '; 600]);
    let answer = talk.heard_one();
    assert_eq!(answer["error"]["code"], -32600);
    let message = answer["error"]["message"].as_str().unwrap();
    assert!(message.contains("1000 bytes") && answer.get("id").is_none(), "{answer}");
    for _ in 0..100 {
        talk.send(&[b' '; 1000]);
    }
    assert!(talk.heard().is_empty(), "once is enough");
    talk.send(b"\n");
    assert!(talk.heard().is_empty(), "the rest of the line is skipped");
    check_goes_on(&mut talk);
}
