//! Does what the path of its request tells it to do, without the care that the SDK takes.
#![cfg(target_family = "wasm")]

use std::time::Duration;

use midge_test_guests::{
    Answer, IncomingRequest, ResponseOutparam, guest, let_it_leave, sleep,
    wasip2::{
        http::{
            outgoing_handler,
            types::{Fields, Method, OutgoingRequest, Scheme},
        },
        io::streams::StreamError,
    },
};

fn handle(request: IncomingRequest, response: ResponseOutparam) {
    let path = request.path_with_query().unwrap_or_default();
    match path.as_str() {
        "/stream-then-spin" => {
            let _answer = stream(response);
            spin();
        }
        "/spin" => spin(),
        "/stream-then-notice-then-spin" => {
            let answer = stream(response);
            while answer.write("data: 2\n\n").is_ok() {
                sleep(Duration::from_millis(10));
            }
            answer.finish();
            spin_for(Duration::from_millis(400));
            eprintln!("deferred work done");
        }
        "/read-then-spin" => {
            read(request);
            spin();
        }
        "/read-then-answer" => {
            read(request);
            answer(response, "400");
        }
        "/accept-then-work" => {
            answer(response, "202");
            sleep(Duration::from_millis(300));
            eprintln!("deferred work done");
        }
        "/hoard" => loop {
            std::mem::forget(Fields::new());
        },
        "/mark" => {
            print!("no end of line");
            eprintln!("{} midge: client-gone: told on standard error", key());
            answer(response, "200");
        }
        "/mark-on-output" => {
            println!("{} midge: client-gone: told on standard output", key());
            answer(response, "200");
        }
        "/mark-without-key" => {
            eprintln!("midge: client-gone: told without the key");
            answer(response, "200");
        }
        "/refuse" => answer(response, "403"),
        path => match path.strip_prefix("/stream-then-call/") {
            Some(authority) => {
                let _answer = stream(response);
                call(authority);
                sleep(Duration::from_secs(60));
            }
            None => panic!("{path} means nothing"),
        },
    }
}

/// The key of the lines that are for the host.
fn key() -> String {
    std::env::var("MIDGE_LOG_KEY").unwrap()
}

/// Begins a stream that is known to its client when this returns.
fn stream(response: ResponseOutparam) -> Answer {
    let answer = Answer::begin(response, "text/event-stream");
    answer.write("data: 1\n\n").unwrap();
    let_it_leave();
    answer
}

/// Gives an answer without a body.
fn answer(response: ResponseOutparam, status: &str) {
    Answer::empty(response, status.parse().unwrap());
}

/// Reads the body, and does not care how it ends.
fn read(request: IncomingRequest) {
    let body = request.consume().unwrap();
    let stream = body.stream().unwrap();
    loop {
        match stream.blocking_read(1 << 16) {
            Ok(_) => {}
            Err(StreamError::Closed | StreamError::LastOperationFailed(_)) => return,
        }
    }
}

/// Calls a server and waits for it, for as long as it takes.
fn call(authority: &str) {
    let request = OutgoingRequest::new(Fields::new());
    request.set_method(&Method::Get).unwrap();
    request.set_scheme(Some(&Scheme::Http)).unwrap();
    request.set_authority(Some(authority)).unwrap();
    request.set_path_with_query(Some("/")).unwrap();
    let response = outgoing_handler::handle(request, None).unwrap();
    response.subscribe().block();
}

fn spin() -> ! {
    loop {
        turn();
    }
}

fn spin_for(time: Duration) {
    let start = std::time::Instant::now();
    while start.elapsed() < time {
        (0..10_000).for_each(|_| turn());
    }
}

fn turn() {
    std::hint::black_box(());
}

guest!(handle);
