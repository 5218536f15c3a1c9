//! JSON log lines: one object for each event.
//!
//! The fields are those of the flattened JSON of `tracing-subscriber`, whose formatter takes several
//! times as long. That is measurable, since every exchange writes a line.

use std::{
    cell::RefCell,
    fmt::{self, Write as _},
    time::{SystemTime, UNIX_EPOCH},
};

use humantime_serde::re::humantime;
use memchr::memchr;
use serde::Serialize;
use serde_json::json;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

use super::batch::{BatchWriter, TARGET, drop_message};

/// The layer that writes JSON lines.
pub(super) struct JsonLines(BatchWriter);

impl JsonLines {
    pub(super) fn new(lines: BatchWriter) -> Self {
        Self(lines)
    }

    /// Formats the line that counts dropped lines.
    pub(super) fn drop_notice(count: u64) -> String {
        let timestamp = humantime::format_rfc3339_micros(SystemTime::now()).to_string();
        let notice = json!({
            "timestamp": timestamp,
            "level": Level::WARN.as_str(),
            "message": drop_message(count),
            "target": TARGET,
        });
        format!("{notice}\n")
    }
}

impl<S: Subscriber> Layer<S> for JsonLines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        thread_local! {
            static LINE: RefCell<(Vec<u8>, Timestamp)> = RefCell::default();
        }
        // Taken and not borrowed: the `Debug` of a field may log an event itself.
        let (mut line, mut timestamp) = LINE.take();
        line.clear();
        line.extend_from_slice(br#"{"timestamp":""#);
        timestamp.write(&mut line, SystemTime::now());
        line.push(b'"');
        write_fields(&mut line, event.metadata(), |fields| event.record(fields));
        escape_controls(&mut line);
        self.0.add(&line, *event.metadata().level() <= Level::WARN);
        LINE.set((line, timestamp));
    }
}

/// Formats times as RFC 3339 in microseconds. The text before the fraction is cached for a second.
#[derive(Default)]
struct Timestamp {
    second: u64,
    text: String,
}

impl Timestamp {
    fn write(&mut self, line: &mut Vec<u8>, now: SystemTime) {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        if self.text.is_empty() || self.second != since.as_secs() {
            self.second = since.as_secs();
            self.text = humantime::format_rfc3339_seconds(now).to_string();
            // The `Z` follows the fraction.
            self.text.pop();
        }
        line.extend_from_slice(self.text.as_bytes());
        let mut fraction = *b".000000Z";
        let mut rest = since.subsec_micros();
        for digit in fraction[1..7].iter_mut().rev() {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        line.extend_from_slice(&fraction);
    }
}

// Writing to memory does not fail.

fn write_fields(line: &mut Vec<u8>, metadata: &Metadata<'_>, record: impl FnOnce(&mut Fields<'_>)) {
    let mut fields = Fields(line);
    fields.add("level", metadata.level().as_str());
    record(&mut fields);
    fields.add("target", metadata.target());
    line.extend_from_slice(b"}\n");
}

struct Fields<'a>(&'a mut Vec<u8>);

impl Fields<'_> {
    fn add<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        // Field names are constants of the code and need no escapes.
        for piece in [",\"", name, "\":"] {
            self.0.extend_from_slice(piece.as_bytes());
        }
        let _ = serde_json::to_writer(&mut *self.0, value);
    }
}

/// Escapes what a terminal or an editor would obey, beyond what JSON asks for. Once for all of a line:
/// such characters are in strings only, and rare.
fn escape_controls(line: &mut Vec<u8>) {
    if line.is_ascii() && memchr(b'\x7f', line).is_none() {
        return;
    }
    let mut escaped = String::with_capacity(2 * line.len());
    for character in String::from_utf8_lossy(line).chars() {
        if is_control(character) {
            // All of them are in the basic plane. Writing to memory does not fail.
            let _ = write!(escaped, "\\u{:04x}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    *line = escaped.into_bytes();
}

/// Whether a character controls a terminal, the direction of text, or ends a line.
fn is_control(character: char) -> bool {
    matches!(
        character,
        '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field.name(), &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field.name(), &format_args!("{value:?}"));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::{io, sync::mpsc, time::Duration};

    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    struct Lines(mpsc::Sender<Vec<u8>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).unwrap();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns the line of an event.
    fn line(log: impl FnOnce()) -> String {
        let (sender, lines) = mpsc::channel();
        let batch = BatchWriter::start(Lines(sender), JsonLines::drop_notice).unwrap();
        let subscriber = tracing_subscriber::registry().with(JsonLines::new(batch));
        tracing::subscriber::with_default(subscriber, log);
        let line = lines.recv_timeout(Duration::from_secs(30)).unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        String::from_utf8(line).unwrap()
    }

    fn logged(log: impl FnOnce()) -> Value {
        without_timestamp(&line(log))
    }

    fn without_timestamp(line: &str) -> Value {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let timestamp = line.as_object_mut().unwrap().remove("timestamp").unwrap();
        assert!(humantime::parse_rfc3339(timestamp.as_str().unwrap()).is_ok());
        line
    }

    #[test]
    fn fields_of_every_kind_are_written() {
        let line = logged(|| {
            let (none, cause) = (None::<u64>, "a \"b\"\n\u{1}é");
            let text = format_args!("{cause}");
            tracing::warn!(target: "x", a = 1_u64, b = -1, c = 1.5, d = true, none, cause, %text);
        });
        let text = "a \"b\"\n\u{1}é";
        let fields = json!({
            "level": "WARN", "target": "x", "a": 1, "b": -1, "c": 1.5, "d": true,
            "cause": text, "text": text,
        });
        assert_eq!(line, fields);
    }

    #[test]
    fn timestamps_are_in_microseconds() {
        let mut timestamp = Timestamp::default();
        for micros in [0, 1, 999_999, 1_000_000, 1_000_001, 1_764_118_126_907_050] {
            let time = UNIX_EPOCH + Duration::from_micros(micros);
            let mut line = Vec::new();
            timestamp.write(&mut line, time);
            let expected = humantime::format_rfc3339_micros(time).to_string();
            assert_eq!(String::from_utf8(line).unwrap(), expected);
        }
    }

    #[test]
    fn a_message_is_a_field() {
        let line = logged(|| tracing::info!(target: "x", n = f64::NAN, "it is {}", 1));
        let fields = json!({ "level": "INFO", "target": "x", "n": null, "message": "it is 1" });
        assert_eq!(line, fields);
    }

    #[test]
    fn a_field_may_log_while_it_is_formatted() {
        struct Loud;
        impl fmt::Debug for Loud {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                tracing::info!(target: "inner", "inner");
                f.write_str("loud")
            }
        }
        let line = logged(|| tracing::info!(target: "x", loud = ?Loud));
        assert_eq!(line["level"], "INFO");
    }
    #[test]
    fn controls_of_terminals_and_of_text_direction_are_escaped() {
        let controls = "\u{7f}\u{80}\u{9b}\u{9f}\u{61c}\u{200f}\u{2028}\u{202e}\u{2066}\u{feff}";
        let text = format!("a{controls}é😀\n{controls}z");
        let line = line(|| tracing::info!(target: "x", text));
        assert!(!line.trim_end().contains(char::is_control), "{line}");
        assert!(controls.chars().all(|control| !line.contains(control)), "{line}");
        assert!(line.contains(r"a\u007f\u0080") && line.contains(r"\u202e"), "{line}");
        assert!(line.contains("é😀"), "others stay: {line}");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap()["text"], text);
    }

    #[test]
    fn the_notice_of_dropped_lines_has_the_form_of_an_event() {
        let message = "7 log lines were dropped";
        let fields = json!({ "level": "WARN", "target": "midge::log", "message": message });
        assert_eq!(without_timestamp(&JsonLines::drop_notice(7)), fields);
    }
}
