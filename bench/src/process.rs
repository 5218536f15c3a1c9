//! A contestant at work, and what the operating system says of it.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

use crate::{client::Client, error::BenchError, message::Message, workload::Wire};

/// How long a server may take to start; some compile first.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    addr: SocketAddr,
    child: Child,
}

impl Process {
    /// Starts a server on a free port.
    pub(crate) fn start(
        name: String,
        command: impl FnOnce(u16) -> Command,
    ) -> Result<Self, BenchError> {
        // Free again once the listener is dropped; nobody else asks for it in between.
        let addr = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let mut command = command(addr.port());
        let path = PathBuf::from(command.get_program());
        let child = command.spawn().map_err(|source| BenchError::File { path, source })?;
        Ok(Self { name, addr, child })
    }

    /// Waits for the first right answer.
    pub(crate) async fn answers(
        &mut self,
        message: &Message,
        wire: Wire,
        pause: Duration,
    ) -> Result<(), BenchError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut client = Client::new(self.addr, wire);
            match client.ask(&self.name, message).await {
                Ok(()) => return Ok(()),
                Err(error @ BenchError::Wrong { .. }) => return Err(error),
                Err(_) => {}
            }
            if let Some(status) = self.child.try_wait()? {
                return Err(BenchError::Ended { what: self.name.clone(), status });
            }
            if Instant::now() > until {
                let seconds = PATIENCE.as_secs();
                return Err(BenchError::Silent { what: self.name.clone(), seconds });
            }
            tokio::time::sleep(pause).await;
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// CPU time of all its threads so far, of those that have ended, too.
    pub(crate) fn cpu(&self) -> Result<Duration, BenchError> {
        let (path, text) = self.proc("stat")?;
        // The name of the program, in parentheses, may have anything in it.
        let fields = text.rsplit(')').next().unwrap_or_default();
        let times = fields.split_whitespace().skip(11).take(2);
        let ticks: Option<u64> = times.map(|ticks| ticks.parse::<u64>().ok()).sum();
        let ticks = ticks.ok_or(BenchError::Format { path, reason: "no times".to_owned() })?;
        let per_second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_micros(ticks * 1_000_000 / per_second.max(1)))
    }

    /// The most memory it has ever had, in KiB.
    pub(crate) fn peak_memory(&self) -> Result<u64, BenchError> {
        self.status("VmHWM:")
    }

    /// The memory it has now, in KiB.
    pub(crate) fn memory(&self) -> Result<u64, BenchError> {
        self.status("VmRSS:")
    }

    fn status(&self, field: &str) -> Result<u64, BenchError> {
        let (path, text) = self.proc("status")?;
        let line = text.lines().find_map(|line| line.strip_prefix(field));
        let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
        number.ok_or(BenchError::Format { path, reason: format!("no {field}") })
    }

    fn proc(&self, file: &str) -> Result<(PathBuf, String), BenchError> {
        let path = PathBuf::from(format!("/proc/{}/{file}", self.child.id()));
        match fs::read_to_string(&path) {
            Ok(text) => Ok((path, text)),
            Err(source) => Err(BenchError::File { path, source }),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
