//! What the contestants are asked, and how.

use std::str::FromStr;

use clap::ValueEnum;

use crate::message::Question;

/// One comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// `tools/call`, 16 connections
    Call,
    /// `tools/call`, one connection
    Call1,
    /// `tools/call`, 64 connections
    Call64,
    /// `tools/call`, 256 connections
    Call256,
    /// `tools/call`, a new connection for each
    CallNewConnection,
    /// `tools/call`, HTTP/2 without TLS
    CallH2c,
    /// `tools/call` of a server with 200 tools
    Call200Tools,
    /// `tools/call` of a tool that reads an environment variable, which takes the host
    CallHost,
    /// `tools/list` of a server with one tool
    List1,
    /// `tools/list` of a server with 20 tools
    List20,
    /// `tools/list` of a server with 200 tools
    List200,
    /// `tools/call` with an argument of 64 KiB, which comes back
    Argument64k,
    /// `tools/call` with a result of 1 MiB
    Result1m,
    /// `tools/call` that reports progress ten times: a stream of events
    Progress10,
}

/// What a workload consists of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec {
    pub(crate) question: Question,
    pub(crate) tools: Tools,
    pub(crate) connections: usize,
    pub(crate) wire: Wire,
}

/// What the requests go over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// HTTP/1.1, all requests of a client on one connection.
    KeepAlive,
    /// HTTP/1.1, a connection for each request.
    NewConnection,
    /// HTTP/2 without TLS, one request at a time on each connection.
    H2c,
}

/// The tools that a server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tools {
    /// This many that greet.
    Greeters(usize),
    /// One that answers at length, and two that stream.
    Work,
}

impl FromStr for Tools {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "work" => Ok(Self::Work),
            count => count.parse().map(Self::Greeters),
        }
    }
}

impl std::fmt::Display for Tools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Greeters(count) => write!(f, "{count}"),
            Self::Work => f.write_str("work"),
        }
    }
}

impl Workload {
    pub(crate) fn spec(self) -> Spec {
        let call = Spec {
            question: Question::Greet,
            tools: Tools::Greeters(1),
            connections: 16,
            wire: Wire::KeepAlive,
        };
        let list =
            |tools| Spec { question: Question::List(tools), tools: Tools::Greeters(tools), ..call };
        match self {
            Self::Call => call,
            Self::Call1 => Spec { connections: 1, ..call },
            Self::Call64 => Spec { connections: 64, ..call },
            Self::Call256 => Spec { connections: 256, ..call },
            Self::CallNewConnection => Spec { wire: Wire::NewConnection, ..call },
            Self::CallH2c => Spec { wire: Wire::H2c, ..call },
            Self::Call200Tools => Spec { tools: Tools::Greeters(200), ..call },
            Self::CallHost => Spec { question: Question::Variable, tools: Tools::Work, ..call },
            Self::List1 => list(1),
            Self::List20 => list(20),
            Self::List200 => list(200),
            Self::Argument64k => Spec { question: Question::GreetAtLength, ..call },
            Self::Result1m => Spec { question: Question::Blob, tools: Tools::Work, ..call },
            Self::Progress10 => Spec { question: Question::Steps, tools: Tools::Work, ..call },
        }
    }
}
