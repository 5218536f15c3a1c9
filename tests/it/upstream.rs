//! Another server, which guests ask for versions of things.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// How it treats those who ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    #[default]
    Well,
    /// Answers by a 500.
    Fails,
    /// Hangs up instead of an answer.
    HangsUp,
    /// Never answers.
    Silent,
    /// Answers when the acknowledgement of a subscription does not wait any more.
    Slow,
}

#[derive(Debug, Default)]
struct State {
    mood: Mood,
    versions: BTreeMap<String, String>,
}

/// A store of versions: `GET /NAME` gives one, at first `1`, and `PUT /NAME/VERSION` sets it.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    addr: SocketAddr,
    state: Arc<Mutex<State>>,
    /// How many requests have come.
    asked: watch::Receiver<u64>,
    /// How many connections are open.
    open: watch::Receiver<u64>,
}

impl Upstream {
    /// Begins to serve, for as long as the test runs.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let addr = listener.local_addr().expect("it has an address");
        let state = Arc::<Mutex<State>>::default();
        let (asking, asked) = watch::channel(0);
        let (opening, open) = watch::channel(0);
        let upstream = Self { addr, state: state.clone(), asked, open };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (state, asking, opening) = (state.clone(), asking.clone(), opening.clone());
                opening.send_modify(|open| *open += 1);
                tokio::spawn(async move {
                    // What goes wrong is seen by whoever asks.
                    drop(serve(stream, &state, &asking).await);
                    opening.send_modify(|open| *open -= 1);
                });
            }
        });
        upstream
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The variable by which a guest finds it.
    pub(crate) fn variable(&self) -> String {
        format!("UPSTREAM={}", self.addr)
    }

    /// Changes something.
    pub(crate) fn set(&self, name: &str, version: &str) {
        let mut state = self.state.lock().expect("nobody panics with it");
        state.versions.insert(name.to_owned(), version.to_owned());
    }

    pub(crate) fn be(&self, mood: Mood) {
        self.state.lock().expect("nobody panics with it").mood = mood;
    }

    /// Waits until it was asked this many times more.
    pub(crate) async fn until_asked(&self, more: u64) {
        let mut asked = self.asked.clone();
        let enough = *asked.borrow_and_update() + more;
        let waited = midge_tests::soon("questions", asked.wait_for(|asked| *asked >= enough)).await;
        assert!(waited.is_ok(), "it serves no more");
    }

    /// Waits until nobody is connected.
    pub(crate) async fn until_left(&self) {
        let mut open = self.open.clone();
        let waited = midge_tests::soon("the end of all", open.wait_for(|open| *open == 0)).await;
        assert!(waited.is_ok(), "it serves no more");
    }
}

/// One connection, with one request.
async fn serve(
    stream: TcpStream,
    state: &Mutex<State>,
    asked: &watch::Sender<u64>,
) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (name, new) = request(&mut stream).await?;
    asked.send_modify(|asked| *asked += 1);
    let (mood, version) = {
        let mut state = state.lock().expect("nobody panics with it");
        if let Some(new) = new {
            state.versions.insert(name.clone(), new);
        }
        (state.mood, state.versions.get(&name).cloned().unwrap_or_else(|| "1".to_owned()))
    };
    if mood == Mood::Slow {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let status = match mood {
        Mood::Well | Mood::Slow => "200 OK",
        Mood::Fails => "500 Internal Server Error",
        Mood::HangsUp => return Ok(()),
        Mood::Silent => return stream.read_u8().await.map(drop),
    };
    let length = version.len();
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(format!("{head}{version}").as_bytes()).await?;
    stream.shutdown().await?;
    // What is left of the request, as the end of an empty body, would else reset the connection.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await.map(drop)
}

/// The name, and the version that it is to have from now on.
async fn request(stream: &mut BufReader<TcpStream>) -> io::Result<(String, Option<String>)> {
    let mut first = String::new();
    stream.read_line(&mut first).await?;
    let mut header = String::new();
    while stream.read_line(&mut header).await? > 2 {
        header.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    Ok(match path.split_once('/') {
        Some((name, version)) => (name.to_owned(), Some(version.to_owned())),
        None => (path.to_owned(), None),
    })
}
