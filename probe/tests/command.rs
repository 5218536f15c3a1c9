//! The exit codes and output of the command, which scripts rely on.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::{Command, Output},
    thread,
};

use serde_json::{Value, json};

fn probe(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_midge-probe"));
    command.args(arguments).args(["--patience", "5s"]).output().unwrap()
}

/// Serves one client after the other, up to the first one that disconnects in its request's body.
fn serve_until_a_truncated_body() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            match read_request(&mut stream) {
                Request::Complete(message) => respond(&mut stream, &message["id"]),
                Request::Truncated => return,
                Request::None => {}
            }
        }
    });
    url
}

enum Request {
    None,
    Truncated,
    Complete(Value),
}

fn read_request(stream: &mut TcpStream) -> Request {
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        received.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&received);
        let body = text.split_once("\r\n\r\n").map(|(_, body)| body);
        match body.map(serde_json::from_str) {
            Some(Ok(message)) => return Request::Complete(message),
            Some(Err(_)) if read == 0 => return Request::Truncated,
            None if read == 0 => return Request::None,
            _ => {}
        }
    }
}

fn respond(stream: &mut TcpStream, id: &Value) {
    let result = json!({"supportedVersions": ["2026-07-28"], "tools": []});
    let body = json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close";
    // Fails when the client has disconnected.
    let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
}

#[test]
fn exits_with_0_if_the_server_survives() {
    let url = serve_until_a_truncated_body();
    let output = probe(&[&url, "--case", "connect-and-leave", "--case", "head-cut-rst"]);
    let table = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(table.contains("\nkept running  how"), "the legend: {table}");
    assert!(table.ends_with("2 survived, 0 wrong, 0 died, 0 skipped, 0 not run\n"), "{table}");
}

#[test]
fn exits_with_1_if_the_server_fails() {
    let url = serve_until_a_truncated_body();
    let output = probe(&[&url, "--json", "--case", "body-truncated-fin", "--case", "body-stalled"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["findings"][0]["verdict"], "died", "{report}");
    assert_eq!(report["findings"][1]["verdict"], "not-run", "{report}");
}

#[test]
fn exits_with_2_if_the_server_cannot_be_tested() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let unused = format!("http://{free}/mcp");
    for url in ["http://192.0.2.1/mcp", "https://localhost/mcp", &unused] {
        let output = probe(&[url]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        assert!(output.stderr.starts_with(b"midge-probe: "), "{output:?}");
    }
}

#[test]
fn lists_the_cases() {
    let output = probe(&["--list"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("\nbody-truncated-rst "));
}

#[test]
fn explains_its_exit_codes() {
    let output = probe(&["--help"]);
    let help = String::from_utf8_lossy(&output.stdout);
    assert!(help.starts_with("Test an MCP server against clients that disconnect"), "{help}");
    assert!(help.contains("Exit codes:\n  0  "), "{help}");
}
