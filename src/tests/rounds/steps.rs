//! What happens from one round to the next.

use std::cell::Cell;
use std::rc::Rc;

use futures_lite::future::zip;
use serde_json::{Value, json};

use super::{KEY, Name, Request, accept, asked, said, text};
use crate::{Context, NoArguments, SealingKeys, Server, Tool, ToolError};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Confirm {
    ok: bool,
}

/// What is outside the server: it lasts from round to round.
#[derive(Clone, Default)]
struct World {
    reserved: Rc<Cell<u32>>,
    paid: Rc<Cell<u32>>,
    price: Rc<Cell<u32>>,
}

fn count(counter: &Cell<u32>) -> u32 {
    counter.set(counter.get() + 1);
    counter.get()
}

async fn book(world: World, context: Context) -> Result<String, ToolError> {
    let reserve = async { Ok::<_, ToolError>(count(&world.reserved)) };
    let seat = context.step("reserve", reserve).await?;
    let question = format!("Take seat {seat}?");
    let Confirm { ok } = context.elicit("confirm", question).await?;
    let pay = async { Ok::<_, ToolError>(format!("receipt {}", count(&world.paid))) };
    let receipt = context.step("pay", pay).await?;
    let Name { name } = context.elicit("name", "For whom?").await?;
    Ok(format!("seat {seat}, {ok}, {receipt}, {name}"))
}

async fn retry(world: World, context: Context) -> Result<String, ToolError> {
    let pay = async {
        match count(&world.paid) {
            1 => Err(ToolError::new("the bank is closed")),
            count => Ok(count),
        }
    };
    let paid = context.step("pay", pay).await.unwrap_or(0);
    let Confirm { ok } = context.elicit("confirm", "Sure?").await?;
    Ok(format!("{paid} {ok}"))
}

async fn both(_: World, context: Context) -> Result<String, ToolError> {
    let name = context.elicit::<Name>("name", "Who?");
    let (name, roots) = zip(name, context.list_roots("roots")).await;
    Ok(format!("{} {}", name?.name, roots?.len()))
}

async fn buy(world: World, context: Context) -> Result<String, ToolError> {
    let price = world.price.get();
    let Confirm { ok } = context.elicit("buy", format!("Buy for {price}?")).await?;
    Ok(format!("bought for {price}: {ok}"))
}

/// What no handler should do: after the first answer, the same key is for another question.
async fn twice(_: World, context: Context) -> Result<String, ToolError> {
    let Name { name } = context.elicit("name", "Who?").await?;
    let Name { name: other } = context.elicit("name", "And who else?").await?;
    Ok(format!("{name} {other}"))
}

async fn twice_together(_: World, context: Context) -> Result<String, ToolError> {
    let name = context.elicit::<Name>("name", "Who?");
    let (name, other) = zip(name, context.elicit::<Name>("name", "And who else?")).await;
    Ok(format!("{} {}", name?.name, other?.name))
}

async fn same(_: World, context: Context) -> Result<String, ToolError> {
    let Name { name } = context.elicit("name", "Who?").await?;
    let Name { name: again } = context.elicit("name", "Who?").await?;
    Ok(format!("{name} {again}"))
}

/// What no handler should do, one after the other.
async fn pay_twice(world: World, context: Context) -> Result<String, ToolError> {
    let pay = || async { Ok::<_, ToolError>(count(&world.paid)) };
    let (one, other) = (context.step("pay", pay()).await?, context.step("pay", pay()).await?);
    Ok(format!("{one} {other}"))
}

async fn pay_together(world: World, context: Context) -> Result<String, ToolError> {
    let pay = || async { Ok::<_, ToolError>(count(&world.paid)) };
    let (one, other) = zip(context.step("pay", pay()), context.step("pay", pay())).await;
    Ok(format!("{} {}", one?, other?))
}

/// A step that fails, and is tried again at once.
async fn insist(world: World, context: Context) -> Result<String, ToolError> {
    let pay = || async {
        let failed = || ToolError::new("the bank is closed");
        Some(count(&world.paid)).filter(|count| *count > 1).ok_or_else(failed)
    };
    let paid = match context.step("pay", pay()).await {
        Err(_) => context.step("pay", pay()).await?,
        Ok(paid) => paid,
    };
    Ok(paid.to_string())
}

async fn slow(_: World, context: Context) -> Result<String, ToolError> {
    let slow = std::future::pending::<()>();
    Ok(zip(context.elicit::<Name>("name", "Who?"), slow).await.0?.name)
}

fn server(world: &World) -> Server {
    let tool = |name: &'static str| {
        let world = world.clone();
        let run = move |_: NoArguments, context: Context| {
            let world = world.clone();
            async move {
                match name {
                    "book" => book(world, context).await,
                    "retry" => retry(world, context).await,
                    "both" => both(world, context).await,
                    "twice" => twice(world, context).await,
                    "twice_together" => twice_together(world, context).await,
                    "same" => same(world, context).await,
                    "slow" => slow(world, context).await,
                    "pay_twice" => pay_twice(world, context).await,
                    "pay_together" => pay_together(world, context).await,
                    "insist" => insist(world, context).await,
                    _ => buy(world, context).await,
                }
            }
        };
        Tool::with_context(name, run).description("x")
    };
    let server = Server::new("steps", "1").sealing_keys(|| SealingKeys::parse(KEY));
    let questions = ["both", "buy", "twice", "twice_together", "same", "slow"];
    let steps = ["book", "retry", "pay_twice", "pay_together", "insist"];
    questions.into_iter().chain(steps).map(tool).fold(server, Server::tool)
}

fn yes() -> Value {
    accept(json!({ "ok": true }))
}

fn ann() -> Value {
    accept(json!({ "name": "Ann" }))
}

#[test]
fn i9_steps_run_once_over_all_rounds() {
    let world = World::default();
    let request = Request::call("book", json!({}));
    let first = request.ask().run(&server(&world)).result();
    assert_eq!(asked(&first), ["confirm"]);
    assert_eq!(first["inputRequests"]["confirm"]["params"]["message"], "Take seat 1?");
    let second = request.answer(&first, json!({ "confirm": yes() })).run(&server(&world)).result();
    assert_eq!(asked(&second), ["name"], "what is answered is not asked again");
    let third = request.answer(&second, json!({})).run(&server(&world)).result();
    assert_eq!(asked(&third), ["name"]);
    let done = request.answer(&third, json!({ "name": ann() })).run(&server(&world));
    assert_eq!(text(&done), said("seat 1, true, receipt 1, Ann"));
    assert_eq!((world.reserved.get(), world.paid.get()), (1, 1));
    let states = [first, second, third].map(|result| result["requestState"].clone());
    assert!(states[0] != states[1] && states[1] != states[2] && states[0] != states[2]);
}

#[test]
fn i4_a_client_that_starts_anew_has_the_work_done_anew() {
    let world = World::default();
    let request = Request::call("book", json!({}));
    request.ask().run(&server(&world));
    let again = request.ask().run(&server(&world)).result();
    assert_eq!(again["inputRequests"]["confirm"]["params"]["message"], "Take seat 2?");
    let without_state = request.with(&json!({ "inputResponses": { "confirm": yes() } }));
    let next = without_state.run(&server(&world)).result();
    assert_eq!(asked(&next), ["name"], "an answer counts also without a state");
    assert_eq!((world.reserved.get(), world.paid.get()), (3, 1));
}

#[test]
fn i9_a_step_that_has_failed_is_run_again() {
    let world = World::default();
    let request = Request::call("retry", json!({}));
    let first = request.ask().run(&server(&world)).result();
    let done = request.answer(&first, json!({ "confirm": yes() })).run(&server(&world));
    assert_eq!(text(&done), said("2 true"));
    let again = request.answer(&first, json!({ "confirm": yes() })).run(&server(&world));
    assert_eq!(text(&again), said("3 true"), "i8: a state is good more than once");
}

#[test]
fn i1_what_is_asked_together_is_sent_together() {
    let world = World::default();
    let request = Request::call("both", json!({}));
    let first = request.ask().run(&server(&world)).result();
    assert_eq!(asked(&first), ["name", "roots"]);
    let roots = json!({ "roots": [{ "uri": "file:///a" }] });
    let all = json!({ "name": ann(), "roots": roots });
    let done = request.answer(&first, all).run(&server(&world));
    assert_eq!(text(&done), said("Ann 1"));
    let half = request.answer(&first, json!({ "roots": roots })).run(&server(&world)).result();
    assert_eq!(asked(&half), ["name"], "only what is missing is asked again");
    let done = request.answer(&half, json!({ "name": ann() })).run(&server(&world));
    assert_eq!(text(&done), said("Ann 1"), "and what was answered is kept");
}

#[test]
fn i3_what_is_asked_together_is_needed_together() {
    let world = World::default();
    let request = Request::call("both", json!({})).capabilities(json!({ "roots": {} }));
    let seen = request.ask().run(&server(&world));
    assert_eq!(seen.refusal(), (400, -32021));
    let lacking = json!({ "requiredCapabilities": { "elicitation": { "form": {} } } });
    assert_eq!(seen.json()["error"]["data"], lacking);
    let seen = request.capabilities(json!({})).ask().run(&server(&world));
    let lacking = json!({ "requiredCapabilities": { "elicitation": { "form": {} }, "roots": {} } });
    assert_eq!(seen.json()["error"]["data"], lacking);
}

#[test]
fn i5_an_answer_to_another_question_does_not_count() {
    let world = World::default();
    world.price.set(5);
    let request = Request::call("buy", json!({}));
    let cheap = request.ask().run(&server(&world)).result();
    world.price.set(500);
    let answer = || json!({ "buy": yes() });
    let dear = request.answer(&cheap, answer()).run(&server(&world)).result();
    assert_eq!(dear["inputRequests"]["buy"]["params"]["message"], "Buy for 500?");
    let still = request.answer(&dear, json!({})).run(&server(&world)).result();
    assert_eq!(asked(&still), ["buy"], "the old answer has not come along");
    world.price.set(5);
    let back = request.answer(&dear, json!({})).run(&server(&world)).result();
    assert_eq!(asked(&back), ["buy"], "also where the old question is back");
    world.price.set(500);
    let done = request.answer(&still, answer()).run(&server(&world));
    assert_eq!(text(&done), said("bought for 500: true"));
    world.price.set(5);
    let done = request.answer(&cheap, answer()).run(&server(&world));
    assert_eq!(text(&done), said("bought for 5: true"));
}

#[test]
fn i5_only_what_was_asked_is_kept() {
    let world = World::default();
    let request = Request::call("book", json!({}));
    let first = request.ask().run(&server(&world)).result();
    let early = json!({ "confirm": yes(), "name": ann() });
    let second = request.answer(&first, early).run(&server(&world)).result();
    assert_eq!(asked(&second), ["name"], "an answer that nobody has asked for");
}

#[test]
fn i1_two_questions_of_one_key_are_the_servers_fault() {
    let world = World::default();
    let twice = Request::call("twice", json!({}));
    let first = twice.ask().run(&server(&world)).result();
    let answer = || json!({ "name": ann() });
    let without_state = twice.with(&json!({ "inputResponses": answer() }));
    let together = Request::call("twice_together", json!({})).ask();
    for wire in [twice.answer(&first, answer()), without_state, together] {
        let seen = wire.run(&server(&world));
        assert_eq!(seen.refusal(), (500, -32603), "or it would be asked for ever");
        let log = seen.log.into_inner();
        assert_eq!(log, ["midge: internal error: two questions have the key `name`"]);
    }
    let same = Request::call("same", json!({}));
    let first = same.ask().run(&server(&world)).result();
    let done = same.answer(&first, answer()).run(&server(&world));
    assert_eq!(text(&done), said("Ann Ann"), "the same question has the same answer");
}

#[test]
fn two_steps_of_one_key_are_the_servers_fault() {
    for tool in ["pay_twice", "pay_together"] {
        let seen = Request::call(tool, json!({})).ask().run(&server(&World::default()));
        assert_eq!(seen.refusal(), (500, -32603), "or one of them would never be done");
        let log = seen.log.into_inner();
        assert_eq!(log, ["midge: internal error: two steps have the key `pay`"]);
    }
    let insists = Request::call("insist", json!({})).ask().run(&server(&World::default()));
    assert_eq!(text(&insists), said("2"));
}

#[test]
fn i1_a_question_ends_the_round_whatever_else_is_under_way() {
    let seen = Request::call("slow", json!({})).ask().run(&server(&World::default()));
    assert_eq!(asked(&seen.result()), ["name"]);
}
