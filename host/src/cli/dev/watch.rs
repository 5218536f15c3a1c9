//! Notices when the sources of a guest change.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{sync::mpsc, time::timeout};

use crate::build::Target;

/// An editor saves in several steps, and a checkout changes many files: this long without a
/// change is the end of one.
const QUIET: Duration = Duration::from_millis(150);

/// Folders of a package that hold sources, however deep.
const DEEP: [&str; 3] = ["src", "examples", "wit"];

pub(crate) struct Watch {
    watcher: RecommendedWatcher,
    events: mpsc::UnboundedReceiver<Event>,
    /// Watched with all that is in them.
    deep: BTreeSet<PathBuf>,
    /// Watched without the folders in them.
    flat: BTreeSet<PathBuf>,
    sources: BTreeSet<PathBuf>,
}

impl Watch {
    pub(crate) fn new(target: &Target) -> notify::Result<Self> {
        let (sender, events) = mpsc::unbounded_channel();
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // An error is an event that was missed; the next one will do.
            if let Ok(event) = event {
                let _ = sender.send(event);
            }
        })?;
        let root = target.path.canonicalize().map_err(notify::Error::io)?;
        watcher.watch(&root, RecursiveMode::NonRecursive)?;
        let mut deep = BTreeSet::new();
        for folder in DEEP.map(|folder| root.join(folder)) {
            if folder.is_dir() {
                watcher.watch(&folder, RecursiveMode::Recursive)?;
                deep.insert(folder);
            }
        }
        let flat = BTreeSet::from([root]);
        Ok(Self { watcher, events, deep, flat, sources: BTreeSet::new() })
    }

    /// Watches these files too: those of other packages, and those that are not Rust.
    pub(crate) fn follow(&mut self, sources: &[PathBuf]) {
        self.sources = sources.iter().filter_map(|file| file.canonicalize().ok()).collect();
        for folder in self.sources.iter().filter_map(|file| file.parent()) {
            let known = self.flat.contains(folder)
                || folder.ancestors().any(|above| self.deep.contains(above));
            if !known && self.watcher.watch(folder, RecursiveMode::NonRecursive).is_ok() {
                self.flat.insert(folder.to_owned());
            }
        }
    }

    /// Waits for a change, and for the end of it.
    pub(crate) async fn changed(&mut self) {
        loop {
            match self.events.recv().await {
                Some(event) if self.concerns(&event) => break,
                Some(_) => {}
                // The watcher lives as long as this does, so this is never seen.
                None => std::future::pending().await,
            }
        }
        while let Ok(Some(_)) = timeout(QUIET, self.events.recv()).await {}
    }

    fn concerns(&self, event: &Event) -> bool {
        !event.kind.is_access() && event.paths.iter().any(|path| self.is_source(path))
    }

    fn is_source(&self, path: &Path) -> bool {
        let by_kind = path.extension().is_some_and(|extension| {
            extension == "rs" || extension == "toml" || extension == "wit"
        });
        by_kind || self.sources.contains(path)
    }
}
