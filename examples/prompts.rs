//! Prompts that a user chooses: with arguments of several kinds, with several messages, and with
//! an argument that is refused.

use midge::{GetPromptResult, NoArguments, Prompt, PromptMessage, RequestError, Server};
use schemars::JsonSchema;
use serde::Deserialize;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Tone {
    Kind,
    Strict,
}

#[derive(Deserialize, JsonSchema)]
struct Review {
    /// The code to review.
    code: String,
    /// How to put it: kind or strict.
    tone: Option<Tone>,
    /// How many remarks at most.
    #[serde(default = "ten")]
    remarks: u8,
}

fn ten() -> u8 {
    10
}

async fn review(args: Review) -> String {
    let tone = match args.tone.unwrap_or(Tone::Kind) {
        Tone::Kind => "Be kind.",
        Tone::Strict => "Spare nothing.",
    };
    format!("Review this code in at most {} remarks. {tone}\n\n{}", args.remarks, args.code)
}

#[derive(Deserialize, JsonSchema)]
struct Translate {
    /// What to translate.
    text: String,
    /// The language to translate into, as `fr`.
    language: String,
}

async fn translate(args: Translate) -> Result<GetPromptResult, RequestError> {
    let (example, language) = match args.language.as_str() {
        "fr" => ("Bonjour !", "French"),
        "de" => ("Guten Tag!", "German"),
        other => {
            let reason = format!("`language` must be fr or de, not `{other}`");
            return Err(RequestError::invalid(reason));
        }
    };
    Ok(GetPromptResult::new()
        .description(format!("Translation into {language}"))
        .message(PromptMessage::user("Translate: Hello!"))
        .message(PromptMessage::assistant(example))
        .message(PromptMessage::user(format!("Translate: {}", args.text))))
}

async fn stand_up(_: NoArguments) -> &'static str {
    "Ask me what I did yesterday, what I will do today, and what is in my way. One at a time."
}

fn server() -> Server {
    Server::new("prompts", env!("CARGO_PKG_VERSION"))
        .prompt(Prompt::new("review", review).title("Code review").description("Reviews code."))
        .prompt(Prompt::new("translate", translate).description("Translates a text."))
        .prompt(Prompt::new("stand_up", stand_up).description("Asks what you are at."))
}

midge::export!(server);
